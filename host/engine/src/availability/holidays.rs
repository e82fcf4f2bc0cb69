//! Holidays of a listing, imported: the public ones of a country, or those of a calendar.

use berth_model::{
    calendars::ics::{ClosedBy, ClosedDays, HolidayChange, LeftOut, change, closed_days},
    id::{ListingId, RuleId},
    limits,
    problem::{Code, FieldError, Problem},
    scheduling::{
        holidays::{NoHolidays, PublicHoliday, holidays},
        rule::{Holiday, Rule, RuleOwner, RuleRecord},
    },
};
use berth_store::{StoreError, records};
use chrono::NaiveDate;

use super::rules::refused;
use crate::{Caller, Outcome, availability::Availability};

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
#[derive(Debug, Clone, Default)]
pub struct ImportedHolidays {
    /// Holidays that were not there.
    pub made: Vec<RuleRecord>,
    /// How many were there already.
    pub already: usize,
    /// Those that are gone.
    pub removed: Vec<RuleId>,
    /// Events of the calendar that close nothing, at most [`limits::LEFT_OUT_TOLD_MAX`] of them.
    pub left_out: Vec<LeftOut>,
    /// How many there are.
    pub left_out_count: usize,
    /// Recurring events were followed to the end of this day.
    pub recurring_until: Option<NaiveDate>,
}

impl Availability {
    /// Import public holidays: all or none. Those that the listing has already (the same day and name) are left as they are, so
    /// importing again is harmless.
    pub async fn import_holidays(&self, caller: &Caller, import: HolidayImport) -> Outcome<ImportedHolidays> {
        let listing = import.listing;
        let found = self.computing.run(caller.tenant, move |_| found(&import)).await?;
        let holidays = found.into_iter().map(|holiday| Holiday {
            name: holiday.name,
            date: holiday.date,
            last_date: None,
        });
        let by_country =
            ClosedBy { origin: None, holidays: holidays.collect(), recurs: false, cancelled: false };
        let closed = ClosedDays {
            by_uid: vec![by_country],
            left_out: Vec::new(),
            left_out_count: 0,
            recurring_within: None,
        };
        self.close_days(caller, listing, closed).await
    }

    /// Import what a calendar closes: all or none of what can be read. Importing it again is harmless.
    pub async fn import_calendar(
        &self,
        caller: &Caller,
        listing: ListingId,
        file: impl AsRef<[u8]> + Send + 'static,
    ) -> Outcome<ImportedHolidays> {
        let today = self.base.now().to_chrono().date_naive();
        let closed = self
            .computing
            .run(caller.tenant, move |budget| closed_days(file.as_ref(), today, budget))
            .await?;
        self.close_days(caller, listing, closed).await
    }

    /// Bring a listing's holidays to what was read. Who changes them meanwhile is not overwritten: then it is decided again.
    async fn close_days(
        &self,
        caller: &Caller,
        listing: ListingId,
        closed: ClosedDays,
    ) -> Outcome<ImportedHolidays> {
        let owner = Some(RuleOwner::Listing(listing));
        for _ in 0..limits::HOLIDAY_IMPORT_TRIES {
            let known = self.base.store().holidays_of(caller.tenant, listing).await?;
            let HolidayChange { make, renew, remove, already, outdated } = change(&known, &closed);
            let now = self.base.now();
            let made: Vec<RuleRecord> = make
                .into_iter()
                .map(|(holiday, origin)| RuleRecord {
                    id: self.base.new_id(),
                    tenant: caller.tenant,
                    owner,
                    rule: Rule::Holiday(holiday),
                    origin,
                    revision: 1,
                    created_at: now,
                    updated_at: now,
                })
                .collect();
            let import = records::HolidayImport {
                tenant: caller.tenant,
                listing,
                seen: known.iter().map(|rule| (rule.id, rule.revision)).collect(),
                make: made.iter().map(|rule| (rule.clone(), self.base.audit(caller))).collect(),
                renew,
                remove: remove.iter().map(|rule| (*rule, self.base.audit(caller))).collect(),
            };
            match self.base.store().import_holidays(import).await {
                Ok(()) => return Ok(done(closed, made, already, remove, outdated)),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(refused(error, owner)),
            }
        }
        let busy = Problem::new(Code::Busy, "The holidays of the listing are being changed by others.");
        Err(busy.with_retry_after_seconds(1))
    }
}

fn done(
    closed: ClosedDays,
    made: Vec<RuleRecord>,
    already: usize,
    removed: Vec<RuleId>,
    outdated: Vec<String>,
) -> ImportedHolidays {
    let left_out_count = closed.left_out_count.saturating_add(outdated.len());
    let reason = "was imported in a newer version before";
    let outdated = outdated.into_iter().map(|uid| LeftOut {
        line: None,
        uid: Some(uid),
        summary: None,
        reason: reason.to_owned(),
    });
    let left_out = closed.left_out.into_iter().chain(outdated).take(limits::LEFT_OUT_TOLD_MAX).collect();
    let recurring_until = closed.recurring_within.map(|(_, last)| last);
    ImportedHolidays { made, already, removed, left_out, left_out_count, recurring_until }
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
