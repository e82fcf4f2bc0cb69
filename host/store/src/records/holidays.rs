//! Holidays that are imported.

use berth_model::{
    calendars::ics::Origin,
    id::{ListingId, RuleId, TenantId},
    scheduling::rule::RuleRecord,
};

use super::Audit;

/// What an import changes of the holidays of a listing.
#[derive(Debug, Clone)]
pub struct HolidayImport {
    /// Whose.
    pub tenant: TenantId,
    /// The listing.
    pub listing: ListingId,
    /// The holidays that this was decided over, by id, with their revisions.
    pub seen: Vec<(RuleId, i64)>,
    /// New ones.
    pub make: Vec<(RuleRecord, Audit)>,
    /// Those that a newer version of their event has as well.
    pub renew: Vec<(RuleId, Origin)>,
    /// Those that go.
    pub remove: Vec<(RuleId, Audit)>,
}
