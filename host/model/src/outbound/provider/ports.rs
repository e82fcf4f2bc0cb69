//! What the runtime asks of the host around it: a connection's small state, and somebody to take finished calls.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    boxed::BoxFuture,
    connections::secret::Secret,
    id::{ConnectionId, ListingId, ProviderCallId, TenantId},
    plugins::manifest::PluginId,
    time::Instant,
};

/// Why the per-connection state could not be read or written: `berth:provider/state.state-error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "documented in wit/imports.wit")]
pub enum StateError {
    #[error("key or value is too large")]
    TooLarge,
    #[error("all entries are in use")]
    Full,
    #[error("the store cannot be reached")]
    Unavailable,
}

/// The port through which the runtime keeps a connection's small state; the server fulfils it with the store.
#[expect(missing_docs, reason = "documented in wit/imports.wit")]
pub trait ConnectionState: Send + Sync {
    fn get<'a>(
        &'a self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, StateError>>;
    fn set<'a>(
        &'a self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &'a str,
        value: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), StateError>>;
    fn delete<'a>(
        &'a self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<(), StateError>>;
}

/// One request that a component made, or was refused. Never holds a query string, a header or a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressRecord {
    /// HTTP method.
    pub method: String,
    /// Host and port.
    pub host: String,
    /// Path with ids replaced by `{}`.
    pub path: String,
    /// Status of the answer, if there was one.
    pub status: Option<u16>,
    /// How it ended: `ok`, or the name of the rule that refused it or of the failure.
    pub outcome: String,
    /// For a refusal: the manifest or grant line that would allow it.
    pub hint: Option<String>,
    /// Milliseconds from the first check to the end of the body.
    pub elapsed_ms: u64,
    /// Body bytes sent and received.
    pub bytes_out: u64,
    /// See `bytes_out`.
    pub bytes_in: u64,
}

/// A finished call into a component, for the `calls` page of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// The call.
    pub call: ProviderCallId,
    /// Whose.
    pub tenant: TenantId,
    /// For which listing, if for one.
    pub listing: Option<ListingId>,
    /// Over which connection.
    pub connection: ConnectionId,
    /// Which plugin.
    pub plugin: PluginId,
    /// Digest of the version that ran, first 12 hex digits.
    pub digest: String,
    /// Function of the contract: `bookings.create`.
    pub operation: &'static str,
    /// When it began.
    pub started_at: Instant,
    /// Milliseconds until it ended.
    pub elapsed_ms: u64,
    /// `ok` or [`super::CallError::outcome`].
    pub outcome: &'static str,
    /// Error text for people, if it failed. Secrets are removed.
    pub error: Option<String>,
    /// The last that the component said, if it failed inside its sandbox (its panic, its log), or warned of something while it went well.
    pub said: Option<String>,
    /// What caused it.
    pub request_id: String,
    /// Requests it made.
    pub egress: Vec<EgressRecord>,
}

/// The port through which the runtime hands over finished calls. Must not block; may drop when it cannot keep up, and
/// then counts what it dropped.
pub trait CallLog: Send + Sync {
    /// Take a finished call.
    fn record(&self, call: CallRecord);
}

/// A request to a token or revocation endpoint: a form by POST. Never printed.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// For whom: tenants share no connections.
    pub tenant: TenantId,
    /// Where to.
    pub url: Url,
    /// Fields of the form.
    pub form: Vec<(String, Secret)>,
    /// User and password of HTTP Basic.
    pub basic: Option<(String, Secret)>,
}

/// What a token endpoint answered, whatever it was.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenReply {
    /// HTTP status.
    pub status: u16,
    /// The body; holds tokens.
    pub body: Vec<u8>,
}

/// The port through which the host asks for tokens; the runtime fulfils it under the same rules of addresses, time and size as the
/// requests of components.
pub trait TokenEndpoint: Send + Sync {
    /// Send. The error names a rule or a failure, never a secret.
    fn ask(&self, request: TokenRequest) -> BoxFuture<'_, Result<TokenReply, String>>;
}
