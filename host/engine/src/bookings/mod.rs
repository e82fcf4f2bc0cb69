//! Bookings from the first question to the last change: made, held, moved, ended, in a series, and by their customers.

pub(crate) mod bulk;
pub(crate) mod change;
pub(crate) mod clock_changes;
pub(crate) mod create;
pub(crate) mod edit;
pub(crate) mod holds;
pub(crate) mod idempotency;
pub(crate) mod manage;
pub(crate) mod questions;
pub(crate) mod read;
pub(crate) mod reschedule;
pub(crate) mod series;

use std::sync::{Arc, atomic::AtomicU64};

use crate::{
    availability::Availability,
    base::Base,
    calendars::writer::CalendarWriter,
    catalog::Catalog,
    connections::{cache::ProviderCache, call_context::CallContexts},
    jobs::queue::Queue,
    outbound::Outbound,
};

/// Bookings: made, held, changed, repeated.
pub struct Bookings {
    pub(crate) base: Base,
    pub(crate) availability: Arc<Availability>,
    pub(crate) cache: Arc<ProviderCache>,
    pub(crate) calendar_writer: Arc<CalendarWriter>,
    pub(crate) catalog: Arc<Catalog>,
    /// With which data of zones ([`berth_model::zone::generation`]) bookings to come were looked through last.
    pub(crate) clocks_looked: Arc<AtomicU64>,
    pub(crate) contexts: Arc<CallContexts>,
    pub(crate) outbound: Arc<Outbound>,
    /// Where providers and customers reach this engine; none: no links are made.
    pub(crate) public_url: Option<String>,
    pub(crate) queue: Arc<Queue>,
}
