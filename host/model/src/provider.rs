//! What the engine knows of a provider: the host-side mirror of the contract in `wit/`, and the port through which it is
//! called. The runtime fulfils the port with sandboxed components; engine tests with an in-memory one.
//!
//! Field meanings are documented once, in `wit/`; the names here are the same.

use std::{collections::BTreeSet, future::Future, pin::Pin, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    id::{ConnectionId, ListingId, ProviderCallId, TenantId},
    manifest::PluginId,
    secret::Credentials,
    time::{Instant, Interval},
};

/// An id that the provider chose.
pub type ExternalId = String;

/// `berth:provider/types.money`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Smallest units of the currency.
    pub minor_units: i64,
    /// ISO 4217.
    pub currency: String,
}

/// `berth:provider/types.attendee`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendee {
    /// Full name.
    pub name: String,
    /// Mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// E.164 number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// IANA zone that the person reads times in.
    pub time_zone: String,
    /// BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// `berth:provider/connection.account`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/connection.wit")]
pub struct Account {
    pub id: ExternalId,
    pub name: String,
    pub email: Option<String>,
    pub time_zone: Option<String>,
    pub raw: Value,
}

/// `berth:provider/types.event-type`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct ExternalEventType {
    pub id: ExternalId,
    pub title: String,
    pub description: Option<String>,
    pub length_minutes: u32,
    pub length_options_minutes: Vec<u32>,
    pub buffer_before_minutes: u32,
    pub buffer_after_minutes: u32,
    pub minimum_notice_minutes: u32,
    pub seats: u32,
    pub price: Option<Money>,
    pub needs_confirmation: bool,
    pub booking_url: Option<String>,
    pub active: bool,
    pub raw: Value,
}

/// `berth:provider/types.slot`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct ExternalSlot {
    pub when: Interval,
    pub token: Option<String>,
    pub seats_left: Option<u32>,
}

/// `berth:provider/types.booking-status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub enum ExternalStatus {
    Pending,
    Confirmed,
    Cancelled,
    Completed,
    NoShow,
}

impl ExternalStatus {
    /// Does a booking in this state take its time at the provider?
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Pending | Self::Confirmed)
    }
}

/// `berth:provider/types.booking`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct ExternalBooking {
    pub id: ExternalId,
    pub reference: Option<String>,
    pub status: ExternalStatus,
    pub when: Interval,
    pub event_type: Option<ExternalId>,
    pub title: Option<String>,
    pub attendees: Vec<Attendee>,
    pub location: Option<String>,
    pub cancellation_reason: Option<String>,
    pub rescheduled_from: Option<ExternalId>,
    pub rescheduled_to: Option<ExternalId>,
    pub updated_at: Option<Instant>,
    pub raw: Value,
}

/// A page of something, with the token of the next one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Token of the next page; none on the last.
    pub next: Option<String>,
}

/// `berth:provider/types.page-request`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct PageRequest {
    pub token: Option<String>,
    pub limit: u32,
}

/// `berth:provider/availability.query-spans`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/availability.wit")]
pub struct QuerySpans {
    pub free_slots_days: u32,
    pub busy_days: u32,
}

/// `berth:provider/availability.slot-query`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/availability.wit")]
pub struct SlotQuery {
    pub event_type: ExternalId,
    pub within: Interval,
    pub length_minutes: Option<u32>,
    pub time_zone: String,
    pub rescheduling: Option<ExternalId>,
}

/// `berth:provider/availability.busy-query`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/availability.wit")]
pub struct BusyQuery {
    pub within: Interval,
    pub calendars: Vec<ExternalId>,
    pub time_zone: String,
}

/// `berth:provider/availability.busy-time`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/availability.wit")]
pub struct ExternalBusyTime {
    pub when: Interval,
    pub source: Option<String>,
}

/// `berth:provider/bookings.create-request`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "documented in wit/bookings.wit")]
pub struct CreateRequest {
    pub idempotency_key: String,
    pub reference: String,
    pub event_type: ExternalId,
    pub when: Interval,
    pub attendee: Attendee,
    pub guests: Vec<String>,
    /// Question name and JSON value.
    pub answers: Vec<(String, Value)>,
    pub notes: Option<String>,
    pub slot_token: Option<String>,
}

/// `berth:provider/bookings.reference-lookup`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/bookings.wit")]
pub struct ReferenceLookup {
    pub reference: String,
    pub attendee_email: Option<String>,
    pub created_after: Instant,
    pub when: Interval,
}

/// `berth:provider/bookings.cancel-request`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/bookings.wit")]
pub struct CancelRequest {
    pub idempotency_key: String,
    pub id: ExternalId,
    pub reason: Option<String>,
}

/// `berth:provider/bookings.reschedule-request`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/bookings.wit")]
pub struct RescheduleRequest {
    pub idempotency_key: String,
    pub id: ExternalId,
    pub reference: String,
    pub when: Interval,
    pub reason: Option<String>,
    pub requested_by: Option<String>,
    pub slot_token: Option<String>,
}

/// `berth:provider/bookings.change-page`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "documented in wit/bookings.wit")]
pub struct ChangePage {
    pub items: Vec<ExternalBooking>,
    pub cursor: String,
    pub more: bool,
}

/// `berth:provider/links.link-request`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/links.wit")]
pub struct LinkRequest {
    pub idempotency_key: String,
    pub event_type: ExternalId,
    pub max_bookings: u32,
}

/// `berth:provider/links.booking-link`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "documented in wit/links.wit")]
pub struct BookingLink {
    pub url: String,
    pub expires_at: Option<Instant>,
}

/// `berth:provider/webhooks.subscribe-request`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/webhooks.wit")]
pub struct SubscribeRequest {
    pub idempotency_key: String,
    pub callback_url: String,
}

/// `berth:provider/webhooks.subscription`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/webhooks.wit")]
pub struct Subscription {
    pub id: ExternalId,
    pub expires_at: Option<Instant>,
    pub data: Option<String>,
}

/// `berth:provider/webhooks.webhook-request`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/webhooks.wit")]
pub struct WebhookRequest {
    pub method: String,
    pub headers: Vec<(String, String)>,
    pub query: String,
    pub body: Vec<u8>,
    pub received_at: Instant,
    pub subscription: Option<String>,
}

/// `berth:provider/webhooks.webhook-event`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "documented in wit/webhooks.wit")]
pub enum WebhookEvent {
    Created(ExternalBooking),
    Rescheduled { old_id: ExternalId, booking: ExternalBooking },
    Cancelled(ExternalBooking),
    Updated(ExternalBooking),
    ChangedGoAndSync(Option<ExternalId>),
    SubscriptionEnded,
}

/// `berth:provider/webhooks.webhook-reply`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/webhooks.wit")]
pub struct WebhookReply {
    pub status: u16,
    pub content_type: String,
    pub body: Vec<u8>,
}

/// `berth:provider/webhooks.webhook-outcome`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "documented in wit/webhooks.wit")]
pub struct WebhookOutcome {
    pub events: Vec<WebhookEvent>,
    pub reply: Option<WebhookReply>,
}

/// `berth:provider/clients.client`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "documented in wit/clients.wit")]
pub struct ExternalClient {
    pub id: ExternalId,
    pub person: Attendee,
    pub raw: Value,
}

/// `berth:provider/types.field-problem`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub struct ExternalFieldProblem {
    pub field: String,
    pub message: String,
}

/// `berth:provider/types.conflict`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub enum ProviderConflict {
    SlotTaken,
    WrongState(String),
    Changed,
}

/// `berth:provider/types.provider-error`: what the provider (or its component) answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "documented in wit/types.wit")]
pub enum ProviderError {
    #[error("the provider refused the credential")]
    Unauthorised,
    #[error("the credential may not do this: {0}")]
    Forbidden(String),
    #[error("the provider does not have it")]
    NotFound,
    #[error("the provider reports a conflict: {0:?}")]
    Conflict(ProviderConflict),
    #[error("asked too often")]
    RateLimited { retry_after_ms: Option<u64> },
    #[error("the provider refused the data")]
    Invalid(Vec<ExternalFieldProblem>),
    #[error("the provider cannot do this by API")]
    Unsupported { url: Option<String> },
    #[error("the cursor is too old")]
    CursorExpired,
    #[error("the provider gave no usable answer")]
    Unavailable { retry_after_ms: Option<u64> },
    #[error("the provider answered {status} {code}: {message}")]
    Vendor { status: u16, code: String, message: String },
}

/// Why a call into a component gave no answer of the provider's. Except for [`CallError::Provider`] these are the
/// host's findings, and none of them says whether a change happened: see [`CallError::is_definite`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The provider answered, or the component did in its name.
    #[error("{0}")]
    Provider(#[from] ProviderError),
    /// All call permits are in use. Nothing was done.
    #[error("all provider calls are busy; try again in {retry_after_ms} ms")]
    Busy {
        /// When to try again.
        retry_after_ms: u64,
    },
    /// No active version of this plugin. Nothing was done.
    #[error("provider plugin {0} is not active")]
    NotActive(PluginId),
    /// The component does not export the interface. Nothing was done.
    #[error("the provider does not offer {0}")]
    NotOffered(&'static str),
    /// The door is closed after repeated traps. Nothing was done.
    #[error("the provider plugin failed repeatedly; closed for {retry_after_ms} ms")]
    BreakerOpen {
        /// When it opens.
        retry_after_ms: u64,
    },
    /// The component trapped, or returned something that the contract does not allow.
    #[error("the provider plugin failed: {message}")]
    Trap {
        /// What happened, with the guest's function names.
        message: String,
        /// The guest's last log lines.
        log_tail: String,
    },
    /// A budget of the sandbox ran out.
    #[error("the provider plugin used up its {limit}")]
    Exhausted {
        /// Which one: `cpu`, `memory`, `wall time`, `host calls`, `result size`, `call stack`.
        limit: &'static str,
        /// The guest's last log lines.
        log_tail: String,
    },
}

impl CallError {
    /// Is it certain that the provider changed nothing, and that trying the same again is useless? A definite refusal
    /// releases the slot; everything else stays pending.
    #[must_use]
    pub fn is_definite(&self) -> bool {
        match self {
            Self::Provider(error) => match error {
                ProviderError::Forbidden(_)
                | ProviderError::NotFound
                | ProviderError::Conflict(_)
                | ProviderError::Invalid(_)
                | ProviderError::Unsupported { .. } => true,
                ProviderError::Vendor { status, .. } => (400..500).contains(status),
                ProviderError::Unauthorised
                | ProviderError::RateLimited { .. }
                | ProviderError::CursorExpired
                | ProviderError::Unavailable { .. } => false,
            },
            Self::NotOffered(_) => true,
            _ => false,
        }
    }

    /// How long to wait before trying again, where somebody said so.
    #[must_use]
    pub const fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Provider(
                ProviderError::RateLimited { retry_after_ms } | ProviderError::Unavailable { retry_after_ms },
            ) => *retry_after_ms,
            Self::Busy { retry_after_ms } | Self::BreakerOpen { retry_after_ms } => Some(*retry_after_ms),
            _ => None,
        }
    }

    /// Constant name for metrics, logs and audit rows.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Provider(error) => match error {
                ProviderError::Unauthorised => "unauthorised",
                ProviderError::Forbidden(_) => "forbidden",
                ProviderError::NotFound => "not_found",
                ProviderError::Conflict(_) => "conflict",
                ProviderError::RateLimited { .. } => "rate_limited",
                ProviderError::Invalid(_) => "invalid",
                ProviderError::Unsupported { .. } => "unsupported",
                ProviderError::CursorExpired => "cursor_expired",
                ProviderError::Unavailable { .. } => "unavailable",
                ProviderError::Vendor { .. } => "vendor",
            },
            Self::Busy { .. } => "busy",
            Self::NotActive(_) => "not_active",
            Self::NotOffered(_) => "not_offered",
            Self::BreakerOpen { .. } => "breaker_open",
            Self::Trap { .. } => "trap",
            Self::Exhausted { .. } => "exhausted",
        }
    }
}

/// Everything a call needs to know of the connection it is made for. Loaded by the engine, used up by the runtime; the
/// component sees of it only the settings.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// Whose call it is.
    pub tenant: TenantId,
    /// For which listing, if for one.
    pub listing: Option<ListingId>,
    /// Over which connection. One that is being validated before it is saved has its future id.
    pub connection: ConnectionId,
    /// Which provider plugin.
    pub plugin: PluginId,
    /// A name for this call in logs and audit rows.
    pub call: ProviderCallId,
    /// The request or job that caused it.
    pub request_id: String,
    /// JSON object, valid under the manifest's settings schema.
    pub settings: Arc<Value>,
    /// Attached by the egress gate, never shown to the component.
    pub credentials: Arc<Credentials>,
    /// Hosts that instance, tenant and listing grant, intersected. The runtime intersects them with the manifest's.
    pub granted_hosts: Arc<BTreeSet<String>>,
}

/// The future of a provider call.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, CallError>> + Send + 'a>>;

/// The port to all providers. One method per function of the contract; each runs in a sandbox of its own.
#[expect(missing_docs, reason = "documented in wit/")]
pub trait Providers: Send + Sync {
    fn validate<'a>(&'a self, cx: &'a CallContext) -> Reply<'a, Account>;
    fn list_event_types<'a>(
        &'a self,
        cx: &'a CallContext,
        page: PageRequest,
    ) -> Reply<'a, Page<ExternalEventType>>;
    fn resolve_link<'a>(&'a self, cx: &'a CallContext, url: String) -> Reply<'a, ExternalEventType>;
    fn query_spans<'a>(&'a self, cx: &'a CallContext) -> Reply<'a, QuerySpans>;
    fn free_slots<'a>(&'a self, cx: &'a CallContext, query: SlotQuery) -> Reply<'a, Vec<ExternalSlot>>;
    fn busy<'a>(&'a self, cx: &'a CallContext, query: BusyQuery) -> Reply<'a, Vec<ExternalBusyTime>>;
    fn create_booking<'a>(
        &'a self,
        cx: &'a CallContext,
        request: CreateRequest,
    ) -> Reply<'a, ExternalBooking>;
    fn get_booking<'a>(&'a self, cx: &'a CallContext, id: ExternalId) -> Reply<'a, ExternalBooking>;
    fn find_by_reference<'a>(
        &'a self,
        cx: &'a CallContext,
        lookup: ReferenceLookup,
    ) -> Reply<'a, Vec<ExternalBooking>>;
    fn cancel_booking<'a>(
        &'a self,
        cx: &'a CallContext,
        request: CancelRequest,
    ) -> Reply<'a, ExternalBooking>;
    fn reschedule_booking<'a>(
        &'a self,
        cx: &'a CallContext,
        request: RescheduleRequest,
    ) -> Reply<'a, ExternalBooking>;
    fn list_changes<'a>(
        &'a self,
        cx: &'a CallContext,
        cursor: Option<String>,
        limit: u32,
    ) -> Reply<'a, ChangePage>;
    fn create_booking_link<'a>(&'a self, cx: &'a CallContext, request: LinkRequest)
    -> Reply<'a, BookingLink>;
    fn subscribe<'a>(&'a self, cx: &'a CallContext, request: SubscribeRequest) -> Reply<'a, Subscription>;
    fn renew<'a>(
        &'a self,
        cx: &'a CallContext,
        subscription: Subscription,
        callback_url: String,
    ) -> Reply<'a, Subscription>;
    fn unsubscribe<'a>(&'a self, cx: &'a CallContext, subscription: Subscription) -> Reply<'a, ()>;
    fn handle_webhook<'a>(
        &'a self,
        cx: &'a CallContext,
        request: WebhookRequest,
    ) -> Reply<'a, WebhookOutcome>;
    fn list_clients<'a>(&'a self, cx: &'a CallContext, page: PageRequest) -> Reply<'a, Page<ExternalClient>>;
    fn erase_client<'a>(&'a self, cx: &'a CallContext, id: ExternalId) -> Reply<'a, ()>;
    /// The interfaces that the active version of a plugin exports; none if there is no active version.
    fn abilities(&self, plugin: &PluginId) -> Option<crate::plugin::Abilities>;
    /// The manifest of the active version.
    fn manifest(&self, plugin: &PluginId) -> Option<Arc<crate::manifest::Manifest>>;
}

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

/// A boxed future without a provider's error.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The port through which the runtime keeps a connection's small state; the server fulfils it with the store.
#[expect(missing_docs, reason = "documented in wit/imports.wit")]
pub trait ConnectionState: Send + Sync {
    fn get<'a>(
        &'a self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &'a str,
    ) -> Later<'a, Result<Option<Vec<u8>>, StateError>>;
    fn set<'a>(
        &'a self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &'a str,
        value: Vec<u8>,
    ) -> Later<'a, Result<(), StateError>>;
    fn delete<'a>(
        &'a self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &'a str,
    ) -> Later<'a, Result<(), StateError>>;
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
    /// `ok` or [`CallError::outcome`].
    pub outcome: &'static str,
    /// Error text for people, if it failed. Secrets are removed.
    pub error: Option<String>,
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
