//! Calendars of members: those they connected, what is written into them, what is closed there, and feeds.

pub(crate) mod blocks;
pub(crate) mod clashes;
pub(crate) mod connected;
pub(crate) mod entries;
pub(crate) mod feeds;
pub(crate) mod integrate;
pub(crate) mod looks;
pub(crate) mod writer;

use std::sync::Arc;

use berth_model::outbound::provider::Providers;

use crate::{
    availability::Availability,
    base::Base,
    calendars::writer::CalendarWriter,
    catalog::Catalog,
    computing::Computing,
    connections::{Connections, cache::ProviderCache, call_context::CallContexts},
    jobs::queue::Queue,
    mirror::conflicts::Conflicts,
    tenants::Tenants,
};

/// Members' own calendars as they are connected and looked at, and the feeds and invitations that show bookings in others.
pub struct Calendars {
    pub(crate) base: Base,
    pub(crate) availability: Arc<Availability>,
    pub(crate) cache: Arc<ProviderCache>,
    pub(crate) calendar_writer: Arc<CalendarWriter>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) computing: Arc<Computing>,
    pub(crate) conflicts: Arc<Conflicts>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) contexts: Arc<CallContexts>,
    pub(crate) providers: Arc<dyn Providers>,
    /// Where providers and customers reach this engine; none: no links are made.
    pub(crate) public_url: Option<String>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) tenants: Arc<Tenants>,
}
