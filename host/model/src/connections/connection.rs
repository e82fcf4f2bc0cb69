//! A tenant's connections to providers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    id::{ConnectionId, ListingId, TenantId},
    outbound::provider::Subscription,
    plugins::{manifest::PluginId, plugin::HostGrant},
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

/// May a connection be used? People decide it; whether it works is its [`ConnectionStatus`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// It is read, told and offered through.
    Active,
    /// Nothing goes over it until it is resumed; what has to be delivered waits.
    Paused,
    /// It is over: its credentials are gone, and its bookings keep what they know.
    Disconnected,
}

impl ConnectionState {
    /// The name in the database and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Disconnected => "disconnected",
        }
    }

    /// All states.
    pub const ALL: [Self; 3] = [Self::Active, Self::Paused, Self::Disconnected];

    /// Why nothing goes over it, if nothing does.
    #[must_use]
    pub const fn stopped(self) -> Option<Stopped> {
        match self {
            Self::Active => None,
            Self::Paused => Some(Stopped::Paused),
            Self::Disconnected => Some(Stopped::Disconnected),
        }
    }
}

/// Why nothing goes over a connection although nothing is wrong with it: somebody decided so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// Until somebody resumes it.
    #[error("the connection is paused")]
    Paused,
    /// Until an operator resumes its tenant.
    #[error("the tenant is suspended")]
    Suspended,
    /// It is over.
    #[error("the connection is disconnected")]
    Disconnected,
}

impl Stopped {
    /// Constant name for machines, metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Suspended => "suspended",
            Self::Disconnected => "disconnected",
        }
    }
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
    /// May it be used?
    pub state: ConnectionState,
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
    /// Are busy times read over it? As its rules of synchronisation have it.
    pub reads_busy: bool,
    /// Are they written over it?
    pub writes_busy: bool,
}
