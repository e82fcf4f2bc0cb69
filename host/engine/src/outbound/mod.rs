//! What providers are told of our bookings: at once where somebody waits, else by a job, until they have it.

pub(crate) mod deliveries;
pub(crate) mod dispatch;
pub(crate) mod drive;
pub(crate) mod external;
pub(crate) mod settle;

use std::sync::Arc;

use berth_model::{connections::connection::ConnectionRecord, outbound::provider::Providers};

use crate::{
    base::Base,
    calendars::writer::CalendarWriter,
    connections::{cache::ProviderCache, call_context::CallContexts, recovery::Recovery},
    jobs::queue::Queue,
    mirror::{conflicts::Conflicts, external_bookings::ExternalBookings},
    outbound::deliveries::Deliveries,
};

/// Bringing bookings to providers.
#[derive(Clone)]
pub(crate) struct Outbound {
    pub(crate) base: Base,
    pub(crate) cache: Arc<ProviderCache>,
    pub(crate) calendar_writer: Arc<CalendarWriter>,
    pub(crate) conflicts: Arc<Conflicts>,
    pub(crate) contexts: Arc<CallContexts>,
    pub(crate) deliveries: Arc<Deliveries>,
    pub(crate) external_bookings: Arc<ExternalBookings>,
    pub(crate) providers: Arc<dyn Providers>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) recovery: Arc<Recovery>,
}

impl Outbound {
    /// Where people find the provider of this connection: the host that its settings name, or the first of its plugin.
    pub(crate) fn address_of(&self, connection: &ConnectionRecord) -> Option<String> {
        let manifest = self.providers.manifest(&connection.plugin)?;
        let own = manifest.hosts_of_settings(&connection.settings).into_iter();
        let host = own.chain(manifest.hosts.iter().cloned()).find(|host| !host.contains('*'))?;
        Some(format!("https://{host}"))
    }
}
