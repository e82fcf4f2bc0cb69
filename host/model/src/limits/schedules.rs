//! Limits of schedules, and of what is shown of time off.

/// Named schedules of one tenant: one for each of many teams and seasons.
pub const SCHEDULES_MAX: i64 = 500;
/// Users of a schedule that are named where it cannot be removed.
pub const SCHEDULE_USERS_NAMED_MAX: i64 = 50;
/// Bookings in somebody's time off that are shown; the others are counted.
pub const TIME_OFF_BOOKINGS_MAX: u32 = 50;
