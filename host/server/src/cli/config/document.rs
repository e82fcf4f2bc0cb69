//! All settings of a tenant, as a document. What has a slug has its slug as its key; members have the tenant's own id of them, connections
//! and restriction schedules their name. Whatever refers to something refers to its key. What a member of an object is when it is left out is
//! what it is in the API; a section that is left out is not looked at.

use std::collections::{BTreeMap, BTreeSet};

use berth_model::{
    bookings::{location::Location, questions::Question},
    catalog::{
        event_type::{Confirmation, EventTypePolicy, Fairness, Grid, Visibility},
        member::{MemberRole, RoundRobinShare, WeeklyHours},
    },
    outbound::provider::Money,
    scheduling::{
        rule::{Holiday, OutOfOffice, Override, Pattern, TravelRule},
        rules::{BookingWindow, Limit, Strategy, TeamMode},
    },
    tenants::settings::TenantSettings,
    zone::Zone,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The form of the document, which it begins with.
pub(super) const FORM: u32 = 1;

/// A document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// Its form.
    pub(super) berth: u32,
    /// What the tenant says of itself.
    pub(super) tenant: Option<Tenant>,
    /// By name.
    pub(super) connections: Option<BTreeMap<String, Connection>>,
    /// By the tenant's own id of them.
    pub(super) members: Option<BTreeMap<String, Member>>,
    /// By name.
    pub(super) restriction_schedules: Option<BTreeMap<String, Schedule>>,
    /// Hours that members, event types and the tenant name. By name.
    pub(super) schedules: Option<BTreeMap<String, NamedSchedule>>,
    /// By slug.
    pub(super) listings: Option<BTreeMap<String, Listing>>,
    /// By purpose, and then by language.
    pub(super) consent_texts: Option<BTreeMap<String, BTreeMap<String, String>>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tenant {
    pub(super) name: String,
    /// Name of the connection that bookings go over by default.
    #[serde(default)]
    pub(super) default_connection: Option<String>,
    /// Name of the schedule outside of which nobody is booked.
    #[serde(default)]
    pub(super) opening_schedule: Option<String>,
    /// Name of the schedule of members who are added without hours.
    #[serde(default)]
    pub(super) default_schedule: Option<String>,
    /// But for schedules, which stand beside it.
    #[serde(default)]
    pub(super) settings: TenantSettings,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Connection {
    pub(super) provider: String,
    /// Only for this listing.
    #[serde(default)]
    pub(super) listing: Option<String>,
    #[serde(default)]
    pub(super) settings: Map<String, Value>,
    /// Where each credential is: `env:NAME` or `file:PATH`. None stands here itself.
    #[serde(default)]
    pub(super) credentials: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) granted_hosts: Option<BTreeSet<String>>,
    #[serde(default)]
    pub(super) webhook_sources: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Member {
    pub(super) name: String,
    #[serde(default)]
    pub(super) email: Option<String>,
    pub(super) time_zone: Zone,
    /// Name of the schedule that stands in place of their weekly hours.
    #[serde(default)]
    pub(super) schedule: Option<String>,
    #[serde(default)]
    pub(super) weekly_hours: Vec<WeeklyHours>,
    #[serde(default)]
    pub(super) role: MemberRole,
    #[serde(default)]
    pub(super) turns: RoundRobinShare,
    #[serde(default = "yes")]
    pub(super) active: bool,
    #[serde(default)]
    pub(super) calendars: Vec<Calendar>,
    #[serde(default)]
    pub(super) patterns: Vec<Pattern>,
    #[serde(default)]
    pub(super) overrides: Vec<Override>,
    #[serde(default)]
    pub(super) out_of_office: Vec<OutOfOffice>,
    #[serde(default)]
    pub(super) travel: Vec<TravelRule>,
}

/// A member's calendar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Calendar {
    pub(super) connection: String,
    /// The provider's id of it.
    #[serde(default, rename = "calendar")]
    pub(super) external_id: String,
    #[serde(default = "yes")]
    pub(super) reads: bool,
    #[serde(default = "yes")]
    pub(super) writes: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Schedule {
    pub(super) time_zone: Zone,
    #[serde(default)]
    pub(super) weekly_hours: Vec<WeeklyHours>,
    #[serde(default)]
    pub(super) overrides: Vec<Override>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedSchedule {
    /// None: each one's own clock.
    #[serde(default)]
    pub(super) time_zone: Option<Zone>,
    #[serde(default)]
    pub(super) weekly_hours: Vec<WeeklyHours>,
    #[serde(default)]
    pub(super) overrides: Vec<Override>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    pub(super) title: String,
    #[serde(default)]
    pub(super) description: String,
    pub(super) time_zone: Zone,
    /// Of prices that do not name one.
    #[serde(default)]
    pub(super) currency: Option<String>,
    /// Name of the connection that its bookings go over.
    #[serde(default)]
    pub(super) connection: Option<String>,
    #[serde(default)]
    pub(super) offer_when_degraded: bool,
    #[serde(default = "yes")]
    pub(super) active: bool,
    #[serde(default)]
    pub(super) patterns: Vec<Pattern>,
    #[serde(default)]
    pub(super) overrides: Vec<Override>,
    #[serde(default)]
    pub(super) holidays: Vec<Holiday>,
    /// By slug.
    #[serde(default)]
    pub(super) event_types: BTreeMap<String, EventType>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventType {
    pub(super) title: String,
    #[serde(default)]
    pub(super) description: String,
    pub(super) length_minutes: u32,
    #[serde(default)]
    pub(super) slot_interval_minutes: Option<u32>,
    #[serde(default)]
    pub(super) buffer_before_minutes: u32,
    #[serde(default)]
    pub(super) buffer_after_minutes: u32,
    #[serde(default)]
    pub(super) minimum_notice_minutes: u32,
    #[serde(default = "sixty")]
    pub(super) booking_window_days: u32,
    /// By priority; nobody: nothing is offered.
    #[serde(default)]
    pub(super) members: Vec<String>,
    #[serde(default)]
    pub(super) policy: Policy,
    /// The provider's ids of it, by the name of the connection.
    #[serde(default)]
    pub(super) external: BTreeMap<String, String>,
    #[serde(default = "yes")]
    pub(super) active: bool,
    #[serde(default)]
    pub(super) patterns: Vec<Pattern>,
    #[serde(default)]
    pub(super) overrides: Vec<Override>,
}

/// `EventTypePolicy` with keys in place of ids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Policy {
    pub(super) other_lengths_minutes: Vec<u32>,
    pub(super) grid: Grid,
    pub(super) booking_window: Option<BookingWindow>,
    pub(super) limits: Vec<Limit>,
    pub(super) seats: u32,
    pub(super) price: Option<Money>,
    pub(super) visibility: Visibility,
    pub(super) questions: Vec<Question>,
    pub(super) locations: Vec<Location>,
    pub(super) confirmation: Confirmation,
    pub(super) team_mode: TeamMode,
    pub(super) strategy: Strategy,
    pub(super) fairness: Fairness,
    pub(super) host_roles: Vec<HostRole>,
    pub(super) cancel_cutoff_minutes: Option<u32>,
    pub(super) reschedule_cutoff_minutes: Option<u32>,
    /// Name of a restriction schedule.
    pub(super) restriction_schedule: Option<String>,
    /// Name of a schedule.
    pub(super) schedule: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        let EventTypePolicy { seats, .. } = EventTypePolicy::default();
        Self {
            seats,
            other_lengths_minutes: Vec::new(),
            grid: Grid::default(),
            booking_window: None,
            limits: Vec::new(),
            price: None,
            visibility: Visibility::default(),
            questions: Vec::new(),
            locations: Vec::new(),
            confirmation: Confirmation::default(),
            team_mode: TeamMode::default(),
            strategy: Strategy::default(),
            fairness: Fairness::default(),
            host_roles: Vec::new(),
            cancel_cutoff_minutes: None,
            reschedule_cutoff_minutes: None,
            restriction_schedule: None,
            schedule: None,
        }
    }
}

/// A member's part in a round robin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HostRole {
    /// One of the event type's members, by key.
    pub(super) member: String,
    #[serde(default)]
    pub(super) fixed: bool,
    #[serde(default)]
    pub(super) group: Option<String>,
}

const fn yes() -> bool {
    true
}

const fn sixty() -> u32 {
    60
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an event type may have, a document may say.
    #[test]
    fn a_policy_has_what_the_models_has() {
        let mut ours = serde_json::to_value(Policy::default()).unwrap();
        let schedule = ours.as_object_mut().unwrap().remove("schedule").unwrap();
        ours["schedule_id"] = schedule;
        assert_eq!(ours, serde_json::to_value(EventTypePolicy::default()).unwrap(), "with the same defaults");
    }
}
