//! OAuth 2: clients and flows.

use berth_model::{
    id::{ConnectionId, TenantId},
    plugins::manifest::PluginId,
    time::Instant,
};

/// A client that an operator registered at a provider, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthClientRecord {
    /// For which plugin.
    pub plugin: PluginId,
    /// For which of its credentials.
    pub credential: String,
    /// The client's public id.
    pub client_id: String,
    /// Addresses in place of the manifest's: `authorize`, `token`, `revoke`.
    pub endpoints: std::collections::BTreeMap<String, String>,
    /// Where a browser may be sent after consent.
    pub return_addresses: Vec<String>,
    /// When it was registered or changed.
    pub updated_at: Instant,
}

/// A flow that waits for a person's consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthFlow {
    /// SHA-256 of its state.
    pub state_hash: Vec<u8>,
    /// Whose.
    pub tenant: TenantId,
    /// The connection that it makes or mends.
    pub connection: ConnectionId,
    /// Does it make the connection?
    pub is_new: bool,
    /// Which plugin.
    pub plugin: PluginId,
    /// Which of its credentials.
    pub credential: String,
    /// Where the browser goes afterwards.
    pub return_to: Option<String>,
    /// Who began it.
    pub started_by: String,
    /// When it is over.
    pub expires_at: Instant,
}
