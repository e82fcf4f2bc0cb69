//! What recovers.

use berth_model::{
    id::{ConnectionId, TenantId},
    plugins::manifest::PluginId,
};

/// What works again, so that the jobs that it stopped need not wait any longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovered {
    /// One connection.
    Connection(TenantId, ConnectionId),
    /// The connections of a plugin, of one tenant or of all.
    Plugin {
        /// Which plugin.
        plugin: PluginId,
        /// Whose connections; none: everybody's.
        tenant: Option<TenantId>,
    },
}
