//! The lower floor of calendars, which availability and bookings use. Entries of bookings are in `entries.rs`, closings of times in
//! `blocks.rs`, having a calendar looked at in `looks.rs`.

use std::sync::Arc;

use berth_model::outbound::provider::Providers;

use crate::{
    base::Base,
    calendars::looks::Looked,
    connections::{cache::ProviderCache, call_context::CallContexts},
    jobs::queue::Queue,
};

/// What is written into members' own calendars, and what has somebody look at them: entries of bookings, closings of times.
pub struct CalendarWriter {
    pub(crate) base: Base,
    pub(crate) cache: Arc<ProviderCache>,
    pub(crate) contexts: Arc<CallContexts>,
    /// Members whose calendars somebody was asked to look at.
    pub(crate) looked: Looked,
    pub(crate) providers: Arc<dyn Providers>,
    pub(crate) queue: Arc<Queue>,
}
