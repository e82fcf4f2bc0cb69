//! Public holidays of a country, imported into a listing.

use std::collections::BTreeSet;

use berth_model::{
    holidays::{NoHolidays, holidays},
    id::{ListingId, RuleId},
    limits,
    problem::{FieldError, Problem},
    rule::{Holiday, Rule, RuleKind, RuleOwner, RuleRecord},
};
use chrono::NaiveDate;

use crate::{Caller, Engine, Outcome};

/// Which holidays, and for whom.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names say it")]
pub struct HolidayImport {
    pub listing: ListingId,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// The second part of an ISO 3166-2 code.
    pub subdivision: Option<String>,
    pub from_year: i32,
    /// Included.
    pub to_year: i32,
}

/// What an import did.
#[derive(Debug, Clone)]
pub struct ImportedHolidays {
    /// Holidays that were not there.
    pub made: Vec<RuleRecord>,
    /// How many were there already.
    pub already: usize,
}

impl Engine {
    /// Import public holidays: all or none. Those that the listing has already (the same day and name) are left as they are, so
    /// importing again is harmless.
    pub async fn import_holidays(&self, caller: &Caller, import: HolidayImport) -> Outcome<ImportedHolidays> {
        let part = import.subdivision.as_deref();
        let found = holidays(&import.country, part, import.from_year, import.to_year).map_err(|error| {
            let field = match error {
                NoHolidays::Country => "/country",
                NoHolidays::Subdivision(_) => "/subdivision",
                NoHolidays::Years(..) => "/from_year",
            };
            Problem::invalid(vec![FieldError::new(field, error.to_string())])
        })?;
        let known = self.holidays_of(caller, import.listing).await?;
        let (known, new): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|holiday| known.contains(&(holiday.date, holiday.name.clone())));
        let rules = new.into_iter().map(|holiday| {
            Rule::Holiday(Holiday { name: holiday.name, date: holiday.date, last_date: None })
        });
        let made =
            self.create_rules(caller, Some(RuleOwner::Listing(import.listing)), rules.collect()).await?;
        Ok(ImportedHolidays { made, already: known.len() })
    }

    async fn holidays_of(
        &self,
        caller: &Caller,
        listing: ListingId,
    ) -> Outcome<BTreeSet<(NaiveDate, String)>> {
        let mut known = BTreeSet::new();
        let mut after: Option<RuleId> = None;
        for _ in 0..limits::HOLIDAY_PAGES_MAX {
            let page = self.list_rules(caller, RuleKind::Holiday, after, limits::PAGE_ITEMS_MAX).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for record in page {
                if let (Some(RuleOwner::Listing(owner)), Rule::Holiday(holiday)) = (record.owner, record.rule)
                    && owner == listing
                {
                    known.insert((holiday.date, holiday.name));
                }
            }
        }
        Ok(known)
    }
}
