//! Public holidays of a country, imported into a listing.

use std::collections::BTreeSet;

use berth_model::{
    holidays::{NoHolidays, PublicHoliday, holidays},
    id::ListingId,
    problem::{FieldError, Problem},
    rule::{Holiday, Rule, RuleOwner, RuleRecord},
};
use chrono::NaiveDate;

use crate::{Caller, Engine, Outcome, problems::of_store};

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
        let listing = import.listing;
        let found = self.compute(caller.tenant, move |_| found(&import)).await?;
        let known = self.holidays_of(caller, listing).await?;
        let (known, new): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|holiday| known.contains(&(holiday.date, holiday.name.clone())));
        let rules = new.into_iter().map(|holiday| {
            Rule::Holiday(Holiday { name: holiday.name, date: holiday.date, last_date: None })
        });
        let made = self.create_rules(caller, Some(RuleOwner::Listing(listing)), rules.collect()).await?;
        Ok(ImportedHolidays { made, already: known.len() })
    }

    async fn holidays_of(
        &self,
        caller: &Caller,
        listing: ListingId,
    ) -> Outcome<BTreeSet<(NaiveDate, String)>> {
        let there = self.store().holidays_of(caller.tenant, listing).await.map_err(of_store)?;
        let known = |rule| match rule {
            Rule::Holiday(holiday) => Some((holiday.date, holiday.name)),
            _ => None,
        };
        Ok(there.into_iter().filter_map(known).collect())
    }
}

/// The public holidays that an import asks for.
fn found(import: &HolidayImport) -> Outcome<Vec<PublicHoliday>> {
    let part = import.subdivision.as_deref();
    holidays(&import.country, part, import.from_year, import.to_year).map_err(|error| {
        let field = match error {
            NoHolidays::Country => "/country",
            NoHolidays::Subdivision(_) => "/subdivision",
            NoHolidays::Years(..) => "/from_year",
        };
        Problem::invalid(vec![FieldError::new(field, error.to_string())])
    })
}
