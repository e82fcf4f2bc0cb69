//! What the engine knows of a provider: the host-side mirror of the contract in `wit/`, and the port through which it is
//! called. The runtime fulfils the port with sandboxed components; engine tests with an in-memory one.
//!
//! Field meanings are documented once, in `wit/`; the names here are the same.

mod asked;
mod edits;
mod error;
mod ports;

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    boxed::BoxFuture,
    connections::secret::Credentials,
    id::{ConnectionId, ListingId, ProviderCallId, TenantId},
    plugins::manifest::PluginId,
    time::{Instant, Interval},
};

pub use asked::Asked;
pub use edits::{BookingPart, MeetingPlace, ReassignRequest, UpdateRequest};
pub use error::{CallError, ExternalFieldProblem, ProviderConflict, ProviderError};
pub use ports::{
    CallLog, CallRecord, ConnectionState, EgressRecord, StateError, TokenEndpoint, TokenReply, TokenRequest,
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

/// `berth:provider/blocks.block-request`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/blocks.wit")]
pub struct BlockRequest {
    pub idempotency_key: String,
    pub reference: String,
    pub calendar: ExternalId,
    pub when: Interval,
    pub title: String,
}

/// `berth:provider/blocks.block-lookup`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/blocks.wit")]
pub struct BlockLookup {
    pub reference: String,
    pub calendar: ExternalId,
    pub when: Interval,
}

/// `berth:provider/blocks.block`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "documented in wit/blocks.wit")]
pub struct ExternalBlock {
    pub id: ExternalId,
    pub calendar: ExternalId,
    pub when: Interval,
    pub raw: Value,
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
    /// Noted by the runtime when a request leaves.
    pub asked: Asked,
    /// Nobody waits for it, whatever its function: it leaves a part of the provider's rate to what somebody waits for.
    pub in_background: bool,
    /// It is made even if the connection is paused or disconnected: to try credentials before they are saved, and to take leave.
    pub despite_state: bool,
}

/// The future of a provider call.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, CallError>>;

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
    fn update_booking<'a>(
        &'a self,
        cx: &'a CallContext,
        request: UpdateRequest,
    ) -> Reply<'a, ExternalBooking>;
    fn reassign_booking<'a>(
        &'a self,
        cx: &'a CallContext,
        request: ReassignRequest,
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
    fn create_block<'a>(&'a self, cx: &'a CallContext, request: BlockRequest) -> Reply<'a, ExternalBlock>;
    fn find_blocks<'a>(&'a self, cx: &'a CallContext, lookup: BlockLookup) -> Reply<'a, Vec<ExternalBlock>>;
    fn remove_block<'a>(&'a self, cx: &'a CallContext, id: ExternalId) -> Reply<'a, ()>;
    /// The interfaces that the active version of a plugin exports; none if there is no active version.
    fn capabilities(&self, plugin: &PluginId) -> Option<crate::plugins::plugin::Capabilities>;
    /// The manifest of the active version.
    fn manifest(&self, plugin: &PluginId) -> Option<Arc<crate::plugins::manifest::Manifest>>;
}
