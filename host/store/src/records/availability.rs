//! What availability and bookings read.

use std::sync::Arc;

use berth_model::{
    calendars::calendar::CalendarRecord,
    catalog::{
        event_type::EventTypeRecord,
        listing::{ListingRecord, TenantRecord},
        member::MemberRecord,
    },
    id::{EventTypeId, ListingId, MemberId, RuleId},
    scheduling::rule::Reaching,
    time::{Instant, Interval},
};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// On what rules must bear to be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RulesOf {
    pub members: Vec<MemberId>,
    pub listing: ListingId,
    pub event_type: EventTypeId,
    /// Schedules that any of them, or the tenant, names; each once, in order.
    pub schedules: Vec<RuleId>,
}

/// Which rules are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RuleFilter {
    pub member: Option<MemberId>,
    pub listing: Option<ListingId>,
    pub event_type: Option<EventTypeId>,
    pub reaching: Option<Reaching>,
}

/// Who names a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScheduleUser {
    /// `member`, `event_type`, `opening_hours` or `default`.
    pub kind: String,
    /// The member, the event type, or the tenant.
    pub id: Uuid,
    /// Name for people.
    pub name: String,
}

/// What an event type is booked with.
#[derive(Debug, Clone, PartialEq)]
pub struct BookingSetup {
    /// How often the tenant's setup had changed when this was read.
    pub setup: i64,
    /// Whose it is.
    pub tenant: TenantRecord,
    /// Where it takes place.
    pub listing: ListingRecord,
    /// What is booked.
    pub event_type: EventTypeRecord,
    /// Its active members, by its order.
    pub members: Vec<MemberRecord>,
    /// Calendars of its members.
    pub calendars: Vec<CalendarRecord>,
}

/// A member by themselves, with what bears on their time.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberSetup {
    /// How often the tenant's setup had changed when this was read.
    pub setup: i64,
    /// Whose they are.
    pub tenant: TenantRecord,
    /// The member.
    pub member: MemberRecord,
    /// Their calendars.
    pub calendars: Vec<CalendarRecord>,
    /// How often their places have changed.
    pub places: i64,
}

/// A setup as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct CurrentSetup {
    /// Shared with whoever asks while nothing changes.
    pub records: Arc<BookingSetup>,
    /// How often the places of each member have changed.
    pub places: Vec<(MemberId, i64)>,
}

/// Whose places are asked for, when, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OccupancyQuery {
    /// Whose.
    pub members: Vec<MemberId>,
    /// Places that overlap this.
    pub within: Interval,
    /// Holds that are over by now do not count.
    pub now: Instant,
    /// The event type that is asked for.
    pub event_type: EventTypeId,
    /// The booking that moves, or the asker's own hold: not in their way.
    pub own: Option<uuid::Uuid>,
}

/// A place as availability sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenOccupancy {
    /// The meeting with its buffers.
    pub padded: Interval,
    /// The meeting.
    pub when: Interval,
    /// Is it a hold?
    pub hold: bool,
    /// Of the event type that is asked for?
    pub same_event_type: bool,
}

/// What is known of an event type's counterpart at a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownCounterpart {
    /// The provider's own word, if it was on its list.
    pub payload: Option<Value>,
    /// When the list was last read to its end.
    pub read_at: Option<Instant>,
    /// When an event type with this counterpart was last saved without asking.
    pub unchecked_since: Option<Instant>,
}
