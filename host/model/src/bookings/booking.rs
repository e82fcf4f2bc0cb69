//! A booking and the states of its life.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    clocks::Clocks,
    contents::Undelivered,
    location::{Location, LocationKind},
    role::Role,
};
use crate::{
    id::{BookingId, ConnectionId, CustomerId, EventTypeId, ListingId, MemberId, SeriesId, TenantId},
    limits,
    outbound::provider::Attendee,
    text::is_web_address,
    time::{Instant, Interval},
};

/// Where a booking is in its life.
///
/// ```text
/// pending ──► confirmed ──► cancelled       (back only if its provider refuses the cancellation)
///    │             └──────► completed, no_show
///    ├──► cancelled
///    ├──► failed            (the provider refused it: its time is free again)
///    └──► completed, no_show (the provider says so, of what it never confirmed)
/// ```
///
/// A completed booking becomes `no_show` when the tenant says so afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookingStatus {
    /// The time is taken here; the provider, or the tenant, has not confirmed yet.
    Pending,
    /// Exists on both sides.
    Confirmed,
    /// Called off.
    Cancelled,
    /// Refused by the provider.
    Failed,
    /// Took place.
    Completed,
    /// The attendee did not come.
    NoShow,
}

impl BookingStatus {
    /// The name in the database and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Completed => "completed",
            Self::NoShow => "no_show",
        }
    }

    /// All states.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Confirmed, Self::Cancelled, Self::Failed, Self::Completed, Self::NoShow];

    /// Does a booking in this state hold its time?
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Pending | Self::Confirmed)
    }

    /// May the state change so, in the name of this role?
    #[must_use]
    pub const fn may_become(self, next: Self, by: Role) -> bool {
        match (self, next) {
            (Self::Pending | Self::Confirmed, Self::Cancelled) => true,
            // By the system where its provider cannot be told any more.
            (Self::Pending, Self::Confirmed) => !matches!(by, Role::Customer),
            // Its word on what it never confirmed; and from `cancelled`, when it refused the cancellation.
            (Self::Pending, Self::Failed | Self::Completed | Self::NoShow)
            | (Self::Cancelled, Self::Pending | Self::Confirmed) => matches!(by, Role::Provider),
            (Self::Confirmed, Self::Completed) => matches!(by, Role::Provider | Role::System),
            (Self::Confirmed, Self::NoShow) => matches!(by, Role::Provider | Role::Tenant),
            (Self::Completed, Self::NoShow) => matches!(by, Role::Tenant),
            _ => false,
        }
    }
}

/// What still has to be told to the provider. At most one change is under way per booking; a booking with one is `syncing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderTask {
    /// Make the counterpart.
    Create,
    /// Cancel the counterpart.
    Cancel,
    /// Move the counterpart.
    Reschedule,
    /// Write on the counterpart what is written here.
    Update,
    /// Give the counterpart to whoever it is with here.
    Reassign,
}

impl ProviderTask {
    /// The name in the database and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Cancel => "cancel",
            Self::Reschedule => "reschedule",
            Self::Update => "update",
            Self::Reassign => "reassign",
        }
    }

    /// All tasks.
    pub const ALL: [Self; 5] = [Self::Create, Self::Cancel, Self::Reschedule, Self::Update, Self::Reassign];
}

/// A booking as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Booking {
    /// Its id; also the reference that the provider is given.
    pub id: BookingId,
    /// Whose.
    pub tenant: TenantId,
    /// At which listing.
    pub listing: ListingId,
    /// Of what.
    pub event_type: EventTypeId,
    /// With whom: the organiser.
    pub member: MemberId,
    /// Who takes part besides the organiser.
    pub other_members: Vec<MemberId>,
    /// Customers who may share the meeting, as it was booked; 1 for a meeting of one's own.
    pub seats: u32,
    /// How many of these it takes: one, until somebody takes more.
    pub seats_taken: u32,
    /// The series that it is an occurrence of.
    pub series: Option<SeriesId>,
    /// Why the organiser was chosen: `strategy`, `reason`, `runners_up`.
    pub assignment: Option<Value>,
    /// Over which connection; none for the built-in provider.
    pub connection: Option<ConnectionId>,
    /// State.
    pub status: BookingStatus,
    /// What still has to be told to the provider.
    pub provider_task: Option<ProviderTask>,
    /// The meeting, without buffers.
    pub when: Interval,
    /// What clocks showed at its start when it was made or moved last. None of one from before that was kept.
    pub clocks: Option<Clocks>,
    /// While a reschedule waits for the provider: the time to go back to if it refuses.
    pub previous_when: Option<Interval>,
    /// Whom it is for. None of one from before there were customers, until it is given one.
    pub customer: Option<CustomerId>,
    /// The customer, as they were named with the booking.
    pub attendee: Attendee,
    /// E-mail addresses of further guests.
    pub guests: Vec<String>,
    /// Answers to the event type's questions by name.
    pub answers: serde_json::Map<String, Value>,
    /// Free text from the customer.
    pub notes: Option<String>,
    /// Where it takes place, as it was chosen; none: the event type offered nothing to choose.
    pub location: Option<Location>,
    /// What other programs keep with it.
    pub metadata: BTreeMap<String, String>,
    /// What was changed here alone, although its provider has it otherwise: `attendee`, `guests`, `answers`, `notes`, `location`, `member`.
    pub local_changes: Vec<String>,
    /// What is written on it and not yet on its counterpart, while that is to be delivered.
    pub undelivered: Option<Undelivered>,
    /// Why it was cancelled or failed, or why its provider refused a change.
    pub reason: Option<String>,
    /// The counterpart's id.
    pub external_id: Option<String>,
    /// The counterpart as the provider last gave it.
    pub external: Option<Value>,
    /// When the provider last changed it; older news is ignored.
    pub external_updated_at: Option<Instant>,
    /// When it was last at another time than before, here and at its provider.
    pub rescheduled_at: Option<Instant>,
    /// Counts changes; the `ETag`, and `SEQUENCE` of RFC 5545.
    pub sequence: i64,
    /// When it was accepted.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}

impl Booking {
    /// Everyone whose time it takes, the organiser first.
    pub fn members(&self) -> impl Iterator<Item = MemberId> + '_ {
        std::iter::once(self.member).chain(self.other_members.iter().copied())
    }

    /// Does it wait for the tenant to confirm or decline it? (A booking that the provider keeps waiting has a counterpart.)
    #[must_use]
    pub const fn awaits_confirmation(&self) -> bool {
        matches!(self.status, BookingStatus::Pending)
            && self.provider_task.is_none()
            && self.external_id.is_none()
    }

    /// What the provider says of its place, as long as it takes place there.
    fn place_there(&self) -> Option<&str> {
        self.external.as_ref()?.get("location")?.as_str().map(str::trim).filter(|place| !place.is_empty())
    }

    /// Where people meet on the web: the link that was chosen, or what the provider gave it.
    #[must_use]
    pub fn meeting_url(&self) -> Option<&str> {
        let own = self.location.as_ref().and_then(|location| location.url.as_deref());
        own.or_else(|| {
            self.place_there().filter(|place| is_web_address(place, limits::LOCATION_URL_BYTES_MAX))
        })
    }

    /// Where it is, in words for people: an address, a number, a page.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        match &self.location {
            None => self.place_there(),
            Some(location) => match location.kind {
                LocationKind::InPerson => location.address.as_deref(),
                LocationKind::Phone => location.phone.as_deref().or(self.attendee.phone.as_deref()),
                LocationKind::Link => location.url.as_deref(),
                LocationKind::Provider => self.place_there(),
            }
            .or(location.label.as_deref()),
        }
    }
}
