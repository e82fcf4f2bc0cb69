//! Why a start is not offered, in words for machines and for people.

/// Why a start is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "as_str says it")]
pub enum Reason {
    Hours,
    Override,
    Restriction,
    Schedule,
    OpeningHours,
    Window,
    Notice,
    Busy,
    Buffer,
    Hold,
    Seats,
    Limit,
    Team,
    Fixed,
    Group,
    Grid,
    Provider,
    EventType,
    Degraded,
}

impl Reason {
    /// All reasons.
    pub const ALL: &[Self] = &[
        Self::Hours,
        Self::Override,
        Self::Restriction,
        Self::Schedule,
        Self::OpeningHours,
        Self::Window,
        Self::Notice,
        Self::Busy,
        Self::Buffer,
        Self::Hold,
        Self::Seats,
        Self::Limit,
        Self::Team,
        Self::Fixed,
        Self::Group,
        Self::Grid,
        Self::Provider,
        Self::EventType,
        Self::Degraded,
    ];

    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hours => "hours",
            Self::Override => "override",
            Self::Restriction => "restriction",
            Self::Schedule => "schedule",
            Self::OpeningHours => "opening_hours",
            Self::Window => "window",
            Self::Notice => "notice",
            Self::Busy => "busy",
            Self::Buffer => "buffer",
            Self::Hold => "hold",
            Self::Seats => "seats",
            Self::Limit => "limit",
            Self::Team => "team",
            Self::Fixed => "fixed",
            Self::Group => "group",
            Self::Grid => "grid",
            Self::Provider => "provider",
            Self::EventType => "event_type",
            Self::Degraded => "degraded",
        }
    }

    /// What it means, for people.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Hours => "outside open hours",
            Self::Override => "a date override or a closed day",
            Self::Restriction => "outside the restriction schedule",
            Self::Schedule => "outside the schedule of the event type",
            Self::OpeningHours => "outside the opening hours",
            Self::Window => "outside the booking window",
            Self::Notice => "sooner than the minimum notice",
            Self::Busy => "the time is taken",
            Self::Buffer => "too close to a meeting: the buffers overlap",
            Self::Hold => "somebody else holds it",
            Self::Seats => "no seat is left",
            Self::Limit => "the limit of the period is reached",
            Self::Team => "not everyone is free",
            Self::Fixed => "a fixed host is not free",
            Self::Group => "nobody of another group is free",
            Self::Grid => "not a start of the grid",
            Self::Provider => "the provider does not offer it",
            Self::EventType => "it stands for no event type that can be booked at the provider",
            Self::Degraded => "the provider or a calendar cannot be asked",
        }
    }
}
