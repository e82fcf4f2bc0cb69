//! A tenant's connections to providers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    id::{ConnectionId, ListingId, TenantId},
    manifest::PluginId,
    plugin::HostGrant,
    provider::Subscription,
    time::Instant,
};

/// Does a connection work?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// The last call was answered.
    Healthy,
    /// The provider refuses the credentials; the tenant must renew them.
    Unauthorised,
    /// The provider gives no usable answer.
    Unavailable,
}

impl ConnectionStatus {
    /// The name in the database and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unauthorised => "unauthorised",
            Self::Unavailable => "unavailable",
        }
    }

    /// All states.
    pub const ALL: [Self; 3] = [Self::Healthy, Self::Unauthorised, Self::Unavailable];
}

/// A connection without its credentials, which only the store's vault holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionRecord {
    /// Its id.
    pub id: ConnectionId,
    /// Whose.
    pub tenant: TenantId,
    /// Only for this listing; none for all of the tenant's.
    pub listing: Option<ListingId>,
    /// Which provider plugin.
    pub plugin: PluginId,
    /// Name for people.
    pub name: String,
    /// Settings, valid under the manifest's schema, defaults filled in.
    pub settings: Value,
    /// Hosts this tenant grants; none: all that the operator grants.
    pub granted_hosts: Option<HostGrant>,
    /// Does it work?
    pub status: ConnectionStatus,
    /// What keeps it from working, for people.
    pub status_detail: Option<String>,
    /// The account at the provider: `{id, name, email, time_zone}`.
    pub account: Value,
    /// The webhook subscription, if there is one.
    pub subscription: Option<Subscription>,
    /// Why there is no subscription, or why it was not renewed.
    pub subscription_detail: Option<String>,
    /// Networks (CIDR) that webhooks may come from; none: any.
    pub webhook_sources: Option<Vec<String>>,
    /// Names of the credentials that are stored (never their values).
    pub credential_names: Vec<String>,
    /// Counts the addresses that messages were asked to: one for each webhook secret.
    pub webhook_address: i64,
    /// Counts changes; the `ETag`.
    pub revision: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}
