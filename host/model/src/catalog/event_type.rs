//! Event types: what can be booked.

mod check;

use serde::{Deserialize, Serialize};

use crate::{
    bookings::{location::Location, questions::Question},
    id::{ConnectionId, EventTypeId, ListingId, MemberId, RestrictionScheduleId, ScheduleId, TenantId},
    outbound::provider::Money,
    scheduling::rules::{BookingWindow, GridAnchor, Limit, Period, Strategy, TeamMode},
    time::Instant,
    zone::Zone,
};

/// An event type of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTypeRecord {
    /// Its id.
    pub id: EventTypeId,
    /// Whose.
    pub tenant: TenantId,
    /// Of which listing.
    pub listing: ListingId,
    /// Name in URLs, unique within the listing.
    pub slug: String,
    /// Name for people.
    pub title: String,
    /// Free text for customers.
    pub description: String,
    /// Length in minutes, 1 to 1440.
    pub length_minutes: u32,
    /// Distance between starts in minutes; the length if none.
    pub slot_interval_minutes: Option<u32>,
    /// Time kept free before each booking, in minutes.
    pub buffer_before_minutes: u32,
    /// Time kept free after each booking, in minutes.
    pub buffer_after_minutes: u32,
    /// Shortest time from now to a start, in minutes.
    pub minimum_notice_minutes: u32,
    /// Latest start, in days from today, unless the policy has a booking window.
    pub booking_window_days: u32,
    /// Members who can be booked for it, by priority; none: nobody yet, and it offers nothing.
    pub members: Vec<MemberId>,
    /// Everything else.
    pub policy: EventTypePolicy,
    /// Its counterpart at the provider of the listing's own connection.
    pub external_id: Option<String>,
    /// Its counterparts, one for each connection. Empty: `external_id` is meant, whichever connection it is booked over.
    pub external: Vec<EventTypeCounterpart>,
    /// Can it be booked?
    pub active: bool,
    /// When it was closed, if it was: it is not active then, and stays for its bookings.
    pub archived_at: Option<Instant>,
    /// Counts changes; the `ETag`.
    pub revision: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}

/// What an event type is at the provider of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventTypeCounterpart {
    /// Over which connection.
    pub connection_id: ConnectionId,
    /// The provider's id of it.
    pub external_id: String,
}

/// The rules of an event type that are read as a whole and never searched. Each default is neutral: it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventTypePolicy {
    /// Lengths in minutes that the customer may choose instead of the event type's own.
    pub other_lengths_minutes: Vec<u32>,
    /// Where starts lie.
    pub grid: Grid,
    /// How far ahead it can be booked; none: the event type's `booking_window_days`, calendar days.
    pub booking_window: Option<BookingWindow>,
    /// At most so many bookings or minutes per period, counted for each member. A longer period may not allow less than a shorter one.
    pub limits: Vec<Limit>,
    /// Customers who share one meeting, 1 to 1000; 1 for a meeting of one's own.
    pub seats: u32,
    /// What it costs; none if nothing.
    pub price: Option<Money>,
    /// Who may see it without a key.
    pub visibility: Visibility,
    /// What the customer is asked, in this order.
    pub questions: Vec<Question>,
    /// Where it takes place; a booking chooses one of several.
    pub locations: Vec<Location>,
    /// Does a booking wait for the tenant to confirm it?
    pub confirmation: Confirmation,
    /// Who must be free: each member by themselves (`single`), everyone (`collective`), or one person, plus all fixed ones, plus
    /// one of each group (`round_robin`).
    pub team_mode: TeamMode,
    /// How the one person is chosen where several are free. Not with `collective`, which takes all.
    pub strategy: Strategy,
    /// Which bookings count for fair shares.
    pub fairness: Fairness,
    /// Members with a part of their own; the others take turns. Only with `round_robin`.
    pub host_roles: Vec<HostRole>,
    /// Customers may cancel until so many minutes before the start; none: until the start.
    pub cancel_cutoff_minutes: Option<u32>,
    /// Customers may move it until so many minutes before the start; none: until the start.
    pub reschedule_cutoff_minutes: Option<u32>,
    /// Hours that cut every member's hours: the id of a restriction schedule.
    pub restriction_schedule: Option<RestrictionScheduleId>,
    /// A named schedule that cuts every member's hours.
    pub schedule_id: Option<ScheduleId>,
}

impl Default for EventTypePolicy {
    fn default() -> Self {
        Self {
            other_lengths_minutes: Vec::new(),
            grid: Grid::default(),
            booking_window: None,
            limits: Vec::new(),
            seats: 1,
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
            schedule_id: None,
        }
    }
}

/// Where the starts of an event type lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grid {
    /// Where it begins.
    pub anchor: GridAnchor,
    /// The first start of a window is rounded up to a multiple of so many minutes past the hour.
    pub round_up_to_minutes: Option<u32>,
    /// On this zone's clock; the member's if none.
    pub time_zone: Option<Zone>,
    /// Moves every start by so many minutes.
    pub offset_minutes: u32,
}

/// Who sees an event type without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everybody, if the tenant is public.
    #[default]
    Public,
    /// Whoever was given a link to it.
    Private,
}

/// Does a booking wait for a person?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// It is confirmed at once.
    #[default]
    Automatic,
    /// It is pending, with its place taken, until the tenant confirms or declines it.
    Manual,
}

/// Which bookings count for the shares of a round robin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fairness {
    /// Shares begin anew with each of these periods.
    pub reset: Period,
    /// By what a booking belongs to a period.
    pub basis: FairnessBasis,
    /// Whose civil periods; UTC if none.
    pub time_zone: Option<Zone>,
}

impl Default for Fairness {
    fn default() -> Self {
        Self { reset: Period::Month, basis: FairnessBasis::default(), time_zone: None }
    }
}

/// By what a booking belongs to a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FairnessBasis {
    /// When it was made.
    #[default]
    CreatedAt,
    /// When it takes place.
    MeetingStart,
}

/// A member's part in a round robin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostRole {
    /// Who; one of the event type's members.
    #[serde(rename = "member_id", alias = "member")]
    pub member: MemberId,
    /// Takes part in every booking.
    #[serde(default)]
    pub fixed: bool,
    /// One of each group takes part.
    #[serde(default)]
    pub group: Option<String>,
}

/// How an event type stands at the provider that its listing is booked over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CounterpartState {
    /// The provider has it, and it can be booked there.
    Known,
    /// The provider could not be asked yet. It is offered.
    Unchecked,
    /// It names none (`external_id`). It is not offered.
    Missing,
    /// The provider has none with this `external_id`. It is not offered.
    Unknown,
    /// The provider has it, hidden, archived or otherwise not to be booked. It is not offered.
    Inactive,
}

impl CounterpartState {
    /// Can it be booked, as far as is known?
    #[must_use]
    pub const fn is_bookable(self) -> bool {
        matches!(self, Self::Known | Self::Unchecked)
    }

    /// What it means, for people.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Known => "the provider has its event type",
            Self::Unchecked => "the provider could not be asked yet whether it has the event type",
            Self::Missing => "the event type names no event type of the provider (external_id)",
            Self::Unknown => "the provider has no event type with this external_id",
            Self::Inactive => "the event type cannot be booked at the provider now",
        }
    }
}

impl EventTypeRecord {
    /// The provider's id of it, for what is booked over this connection.
    #[must_use]
    pub fn external_over(&self, connection: ConnectionId) -> Option<&str> {
        if self.external.is_empty() {
            return self.external_id.as_deref();
        }
        let entry = self.external.iter().find(|entry| entry.connection_id == connection);
        entry.map(|entry| entry.external_id.as_str())
    }

    /// Its counterparts are these; `own` is the connection of its listing.
    pub fn set_counterparts(&mut self, counterparts: Vec<EventTypeCounterpart>, own: Option<ConnectionId>) {
        self.external = counterparts;
        if let Some(own) = own {
            self.external_id =
                self.external_over(own).filter(|_| !self.external.is_empty()).map(str::to_owned);
        }
    }

    /// Its counterpart over the listing's own connection is this; the others stay.
    pub fn set_own_counterpart(&mut self, external_id: Option<String>, own: Option<ConnectionId>) {
        if let Some(own) = own
            && !self.external.is_empty()
        {
            self.external.retain(|entry| entry.connection_id != own);
            let entry = |external_id: &String| EventTypeCounterpart {
                connection_id: own,
                external_id: external_id.clone(),
            };
            self.external.extend(external_id.as_ref().map(entry));
        }
        self.external_id = external_id;
    }

    /// May a customer book this length?
    #[must_use]
    pub fn offers_length(&self, minutes: u32) -> bool {
        minutes == self.length_minutes || self.policy.other_lengths_minutes.contains(&minutes)
    }

    /// Is this member fixed, and of which group?
    #[must_use]
    pub fn role_of(&self, member: MemberId) -> (bool, Option<&str>) {
        let role = self.policy.host_roles.iter().find(|role| role.member == member);
        role.map_or((false, None), |role| (role.fixed, role.group.as_deref()))
    }
}
