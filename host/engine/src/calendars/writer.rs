//! The lower floor of calendars, which availability and bookings use. Entries of bookings are in `entries.rs`, closings of times in
//! `blocks.rs`, having a calendar looked at in `looks.rs`.

use std::sync::Arc;

use berth_model::{
    id::{ConnectionId, MemberId, TenantId},
    outbound::provider::Providers,
    time::Instant,
};

use crate::{
    base::Base,
    connections::{cache::ProviderCache, call_context::CallContexts},
    jobs::queue::Queue,
};

/// When somebody was last asked to look at the calendars of a member over a connection.
pub(crate) type Looked = moka::sync::Cache<(TenantId, MemberId, ConnectionId), Instant>;
/// Members of whom that is remembered.
const LOOKED_MAX: u64 = 10_000;

/// Nobody was asked yet.
pub(crate) fn new_looked() -> Looked {
    moka::sync::Cache::new(LOOKED_MAX)
}

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
