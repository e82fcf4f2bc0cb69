//! Work that is done later: claimed, tried, tried again, given up; and how it is seen.

pub(crate) mod operations;
pub(crate) mod queue;
pub(crate) mod run;
mod tries;
pub(crate) mod workers;

use std::sync::Arc;

use crate::{
    base::Base,
    bookings::Bookings,
    calendars::{Calendars, writer::CalendarWriter},
    inbound::Inbound,
    jobs::queue::Queue,
    mirror::Mirror,
    outbound::Outbound,
};

/// Working on jobs, and how they are seen.
#[derive(Clone)]
pub struct Jobs {
    pub(crate) base: Base,
    pub(crate) bookings: Arc<Bookings>,
    pub(crate) calendar_writer: Arc<CalendarWriter>,
    pub(crate) calendars: Arc<Calendars>,
    pub(crate) inbound: Arc<Inbound>,
    pub(crate) mirror: Arc<Mirror>,
    pub(crate) outbound: Arc<Outbound>,
    pub(crate) queue: Arc<Queue>,
}
