//! Messages from providers: received, verified, acted on, or refused.

pub(crate) mod apply;
pub(crate) mod message;
pub(crate) mod receive;
pub(crate) mod refusals;
pub(crate) mod trials;

use std::sync::Arc;

use berth_model::outbound::provider::Providers;

use crate::{
    base::Base,
    calendars::writer::CalendarWriter,
    connections::{Connections, cache::ProviderCache, call_context::CallContexts},
    inbound::{refusals::Refusals, trials::Trials},
    jobs::queue::Queue,
    mirror::{conflicts::Conflicts, external_bookings::ExternalBookings},
    outbound::deliveries::Deliveries,
};

/// What providers send.
pub struct Inbound {
    pub(crate) base: Base,
    pub(crate) cache: Arc<ProviderCache>,
    pub(crate) calendar_writer: Arc<CalendarWriter>,
    pub(crate) conflicts: Arc<Conflicts>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) contexts: Arc<CallContexts>,
    pub(crate) deliveries: Arc<Deliveries>,
    pub(crate) external_bookings: Arc<ExternalBookings>,
    pub(crate) providers: Arc<dyn Providers>,
    pub(crate) queue: Arc<Queue>,
    /// Webhooks that were refused and not counted in the database yet.
    pub(crate) refusals: Arc<Refusals>,
    /// What strangers may cost.
    pub(crate) trials: Arc<Trials>,
}
