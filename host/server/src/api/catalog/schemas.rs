//! What OpenAPI says of event types' rules and of members.
//!
//! The values themselves, and what may be in them, are the model's; these types are never made. `api/drift.rs` compares them.

#![expect(dead_code, reason = "read by the derive alone")]

use serde::Serialize;
use utoipa::ToSchema;

/// What an event type is at the provider of one connection.
#[derive(Default, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventTypeCounterpart {
    /// Over which connection.
    connection_id: String,
    /// The provider's id of it.
    external_id: String,
}

/// The rules of an event type that are read as a whole and never searched. Each default is neutral: it changes nothing.
#[derive(Default, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EventTypePolicy {
    /// Lengths in minutes that the customer may choose instead of the event type's own.
    #[schema(example = json!([45, 60]))]
    other_lengths_minutes: Vec<u32>,
    /// Where starts lie.
    grid: Grid,
    /// How far ahead it can be booked; none: the event type's `booking_window_days`, calendar days.
    booking_window: Option<BookingWindow>,
    /// At most so many bookings or minutes per period, counted for each member. A longer period may not allow less than a shorter one.
    limits: Vec<Limit>,
    /// Customers who share one meeting, 1 to 1000; 1 for a meeting of one's own.
    #[schema(default = 1)]
    seats: u32,
    /// What it costs; none if nothing.
    price: Option<Money>,
    /// Who may see it without a key.
    visibility: Visibility,
    /// What the customer is asked, in this order.
    questions: Vec<Question>,
    /// Where it takes place, at most 20; a booking chooses one of several.
    locations: Vec<Location>,
    /// Does a booking wait for the tenant to confirm it?
    confirmation: Confirmation,
    /// Who must be free: each member by themselves (`single`), everyone (`collective`), or one person, plus all fixed ones, plus
    /// one of each group (`round_robin`).
    team_mode: TeamMode,
    /// How the one person is chosen where several are free. Not with `collective`, which takes all.
    strategy: Strategy,
    /// Which bookings count for fair shares.
    fairness: Fairness,
    /// Members with a part of their own; the others take turns. Only with `round_robin`.
    host_roles: Vec<HostRole>,
    /// Customers may cancel until so many minutes before the start; none: until the start.
    cancel_cutoff_minutes: Option<u32>,
    /// Customers may move it until so many minutes before the start; none: until the start.
    reschedule_cutoff_minutes: Option<u32>,
    /// Hours that cut every member's hours: the id of a restriction schedule.
    restriction_schedule: Option<String>,
    /// A named schedule (`/api/booking/schedules`) that cuts every member's hours; one without a `time_zone` is on the clock of each of them.
    #[schema(format = Uuid)]
    schedule_id: Option<String>,
}

/// A place that an event type offers. A booking keeps it as it was offered.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "key": "office", "type": "in_person", "label": "Our office", "address": "Pier 1, Gdynia" }))]
pub(crate) struct Location {
    /// Name by which it is chosen, unique within the event type: 1 to 64 of a-z, 0-9 and _.
    #[schema(pattern = "^[a-z0-9_]{1,64}$")]
    key: String,
    #[serde(rename = "type")]
    kind: LocationType,
    /// What people call it, at most 100 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// Where people go, at most 300 characters; of `in_person`, which needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// Whom people call (E.164); of `phone`. Absent: the customer is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    /// Where people meet on the web (https or http); of `link`, which needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// What kind of place it is: at an address, by telephone, on a page of the web, or the provider's conferencing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LocationType {
    /// At an address.
    InPerson,
    /// By telephone: at this number, or whoever hosts it calls the customer.
    Phone,
    /// On a page of the web.
    Link,
    /// Where the provider says: its conferencing.
    Provider,
}

/// Where the starts of an event type lie.
#[derive(Default, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Grid {
    /// Where it begins.
    anchor: GridAnchor,
    /// The first start of a window is rounded up to a multiple of so many minutes past the hour.
    round_up_to_minutes: Option<u32>,
    /// On this zone's clock; the member's if none.
    #[schema(example = "Europe/Lisbon")]
    time_zone: Option<String>,
    /// Moves every start by so many minutes.
    offset_minutes: u32,
}

/// Who sees an event type without a key: everybody, if the tenant is public; or whoever was given a private link to it.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Visibility {
    #[default]
    Public,
    Private,
}

/// Does a booking wait for a person?
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Confirmation {
    /// It is confirmed at once.
    #[default]
    Automatic,
    /// It is pending, with its place taken, until the tenant confirms or declines it.
    Manual,
}

/// Which bookings count for the shares of a round robin.
#[derive(Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Fairness {
    /// Shares begin anew with each of these periods.
    reset: Period,
    /// By what a booking belongs to a period.
    basis: FairnessBasis,
    /// Whose civil periods; UTC if none.
    time_zone: Option<String>,
}

impl Default for Fairness {
    fn default() -> Self {
        Self { reset: Period::Month, basis: FairnessBasis::default(), time_zone: None }
    }
}

/// By what a booking belongs to a period.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FairnessBasis {
    /// When it was made.
    #[default]
    CreatedAt,
    /// When it takes place.
    MeetingStart,
}

/// A member's part in a round robin.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostRole {
    /// Who; one of the event type's members.
    #[serde(rename = "member_id")]
    member: String,
    /// Takes part in every booking.
    #[serde(default)]
    fixed: bool,
    /// One of each group takes part.
    #[serde(default)]
    group: Option<String>,
}

/// How an event type stands at the provider that its listing is booked over.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CounterpartState {
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

/// Who must be free for a start to be offered.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TeamMode {
    /// Each member by themselves; the customer or the strategy picks one.
    #[default]
    Single,
    /// Everyone, for the whole meeting.
    Collective,
    /// One person, plus all fixed ones, plus one of each group.
    RoundRobin,
}

/// How the one person of a round robin is chosen.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Strategy {
    /// Whoever was given a booking the longest time ago.
    LeastRecentlyAssigned,
    /// Whoever has the fewest bookings ahead.
    #[default]
    FewestUpcoming,
    /// The highest priority; then the least recently assigned.
    PriorityThenLru,
    /// Whoever is furthest below their weighted share; then priority; then the least recently assigned.
    WeightedShortfallThenPriorityThenLru,
}

/// Where the grid of starts begins.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::enum_variant_names, reason = "the names on the wire")]
pub(crate) enum GridAnchor {
    /// It restarts after each busy time.
    FreeWindowStart,
    /// It runs from opening time whatever is booked.
    #[default]
    AvailabilityWindowStart,
    /// It runs from the start of the range that is asked for.
    RangeStart,
}

/// A civil period.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Period {
    Day,
    Week,
    Month,
    Year,
}

/// At most so much in each civil period: one of `max_bookings` and `max_minutes`.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "per": "day", "max_bookings": 4 }))]
pub(crate) struct Limit {
    per: Period,
    /// At most so many bookings, 1 or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_bookings: Option<u32>,
    /// At most so many minutes of meetings, as many as the shortest length or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_minutes: Option<u32>,
    /// Whose civil periods count; the member's own clock if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Europe/Lisbon")]
    timezone: Option<String>,
    /// First day of a week (`Mon`).
    #[serde(default)]
    #[schema(default = "Mon")]
    week_start: String,
}

/// Which days count.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DayCount {
    /// Every day.
    Calendar,
    /// Monday to Friday.
    Business,
}

/// How far ahead something can be booked.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum BookingWindow {
    /// Today and so many days after it.
    Rolling {
        /// How many.
        days: u32,
        /// Of which.
        #[serde(default)]
        count: DayCount,
        /// Whose days; the host's own clock if none.
        #[serde(default)]
        #[schema(example = "Europe/Lisbon")]
        timezone: Option<String>,
    },
    /// The first so many days that have something free, today included.
    RollingWindow {
        /// How many.
        days: u32,
        /// Of which.
        #[serde(default)]
        count: DayCount,
        /// Whose days; the host's own clock if none.
        #[serde(default)]
        #[schema(example = "Europe/Lisbon")]
        timezone: Option<String>,
    },
    /// These days, both included.
    Range {
        /// First day.
        #[schema(format = Date)]
        from: String,
        /// Last day.
        #[schema(format = Date)]
        to: String,
        /// Whose days; the host's own clock if none.
        #[serde(default)]
        #[schema(example = "Europe/Lisbon")]
        timezone: Option<String>,
    },
}

/// An amount of money.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "minor_units": 4_900, "currency": "EUR" }))]
pub(crate) struct Money {
    /// Smallest units of the currency.
    minor_units: i64,
    /// ISO 4217.
    currency: String,
}

/// What something costs: an amount, or a number of large units of the listing's currency, as it is or as text. Not negative, no exponent, and no
/// more decimals than the currency has.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(example = json!(49.90))]
pub(crate) enum Price {
    /// In large units.
    Number(f64),
    /// The same as text.
    Text(String),
    /// In smallest units, with its currency.
    Amount(Money),
}

/// A question that the customer is asked. Its answer stands in the booking's `answers` under its `key`.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "key": "size", "label": "How many of you?", "type": "number", "min": 1, "max": 8, "required": true }))]
pub(crate) struct Question {
    /// Name of the answer, unique within the event type: 1 to 64 of a-z, 0-9 and _.
    key: String,
    /// What is asked.
    label: String,
    #[serde(rename = "type")]
    kind: QuestionType,
    /// Must it be answered? A checkbox must then be ticked.
    #[serde(default)]
    required: bool,
    /// Fewest characters; of `text` and `long_text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_length: Option<u32>,
    /// Most characters (500, and 4000 for long text); of `text` and `long_text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_length: Option<u32>,
    /// Least; of `number`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<i64>,
    /// Most; of `number`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<i64>,
    /// What can be chosen; of `select` and `multi_select`, which need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    options: Option<Vec<String>>,
}

/// What an answer looks like: `text` (one line), `long_text`, `email`, `phone` (E.164; spaces, dots, hyphens and brackets are
/// removed), `number`, `select` (one of the options), `multi_select` (a list of options), `checkbox` (true or false),
/// `date` (2026-11-20).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QuestionType {
    Text,
    LongText,
    Email,
    Phone,
    Number,
    Select,
    MultiSelect,
    Checkbox,
    Date,
}

/// A stretch of opening time that recurs each week, on the member's clock.
#[derive(Serialize, ToSchema)]
pub(crate) struct WeeklyHours {
    /// Days it applies to.
    #[schema(example = json!(["Mon", "Tue"]))]
    weekdays: Vec<String>,
    /// Local time it opens, `HH:MM`.
    #[schema(example = "09:00")]
    start: String,
    /// Local time it closes, after `start`; `24:00` (none) is the end of the day.
    #[schema(example = "17:00")]
    end: String,
}

/// What a person may do in their tenant when they sign in. A tenant that has an owner keeps one. API keys act for the tenant and
/// not for a person: they carry scopes, and no role adds to or takes from them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MemberRole {
    /// Everything, the tenant itself included.
    Owner,
    /// Everything but owners.
    Admin,
    /// Their own hours and bookings.
    Member,
    /// Look only.
    Viewer,
}

/// A member's part in round robins.
#[derive(Default, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RoundRobinShare {
    /// Do they take turns? If not, they are booked there only by name.
    #[schema(default = true)]
    round_robin: bool,
    /// Their share, relative to the others': 0 to 1000.
    #[schema(default = 100)]
    weight: u32,
    /// Who goes first among equals: 0 (lowest) to 4 (highest).
    #[schema(default = 2)]
    priority: u32,
    /// Bookings credited to them, so that a newcomer or someone back from leave is not flooded.
    calibration: u32,
}
