//! What providers are told of our bookings: at once where somebody waits, else by a job, until they have it.

pub(crate) mod dispatch;
pub(crate) mod drive;
pub(crate) mod external;
pub(crate) mod settle;
