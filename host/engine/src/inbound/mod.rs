//! Messages from providers: received, verified, acted on, or refused.

pub(crate) mod apply;
pub(crate) mod receive;
pub(crate) mod refusals;

use std::sync::Arc;

use berth_model::outbound::provider::Providers;

use crate::{
    base::Base,
    calendars::looks::CalendarWriter,
    connections::{Connections, cache::ProviderCache, call_context::CallContexts},
    inbound::refusals::Refusals,
    jobs::queue::Queue,
    mirror::{conflicts::Conflicts, kept::ExternalBookings, soon::SyncRequests},
    outbound::settle::Deliveries,
};

/// What providers send.
pub struct Inbound {
    pub(crate) base: Base,
    pub(crate) cache: Arc<ProviderCache>,
    pub(crate) calendar_writes: Arc<CalendarWriter>,
    pub(crate) conflicts: Arc<Conflicts>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) contexts: Arc<CallContexts>,
    pub(crate) deliveries: Arc<Deliveries>,
    pub(crate) external_bookings: Arc<ExternalBookings>,
    pub(crate) providers: Arc<dyn Providers>,
    pub(crate) queue: Arc<Queue>,
    /// Webhooks that were refused and not counted in the database yet.
    pub(crate) refusals: Arc<Refusals>,
    pub(crate) syncs: Arc<SyncRequests>,
}
