//! The store: every question and change that Berth asks of its database, on SQLite and PostgreSQL.
//!
//! A method is a transaction: it opens, does everything, commits; nothing upward ever holds one open.
#![forbid(unsafe_code)]

pub mod error;
pub mod records;

use berth_model::{
    booking::*,
    connection::*,
    event_type::*,
    id::{
        ApiKeyId, BookingId, ConnectionId, EventTypeId, InboundWebhookId, JobId, ListingId, MemberId,
        TenantId,
    },
    listing::*,
    manifest::*,
    member::*,
    plugin::*,
    provider::*,
    secret::Credentials,
    time::*,
};
pub use error::StoreError;
use records::*;
use serde_json::Value;

/// A database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {}

/// Keys that seal credentials at rest (envelope encryption): the first seals, all open.
#[derive(Clone)]
pub struct VaultKeys(pub Vec<(String, [u8; 32])>);

#[expect(unused_variables, clippy::unused_async, missing_docs, reason = "signatures agreed; being written")]
impl Store {
    pub async fn open(
        url: &str,
        keys: VaultKeys,
        random: std::sync::Arc<dyn berth_model::random::Random>,
    ) -> Result<Self, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn ping(&self) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    /// `sqlite` or `postgres`.
    pub fn engine(&self) -> &'static str {
        "sqlite"
    }
    /// Finish what is queued, then close.
    pub async fn close(&self) {}

    pub async fn create_tenant(&self, tenant: TenantRecord, audit: Audit) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn tenant(&self, tenant: TenantId) -> Result<TenantRecord, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn tenant_by_slug(&self, slug: &str) -> Result<TenantRecord, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn list_tenants(&self) -> Result<Vec<TenantRecord>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn update_tenant(&self, tenant: TenantRecord, audit: Audit) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn create_key(
        &self,
        key: ApiKeyRecord,
        hash: [u8; 32],
        audit: Audit,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn key_by_hash(&self, hash: [u8; 32]) -> Result<ApiKeyRecord, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn list_keys(&self, tenant: Option<TenantId>) -> Result<Vec<ApiKeyRecord>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn revoke_key(
        &self,
        tenant: Option<TenantId>,
        key: ApiKeyId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn touch_key(&self, key: ApiKeyId, now: Instant) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn create_listing(&self, listing: ListingRecord, audit: Audit) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn listing(&self, tenant: TenantId, listing: ListingId) -> Result<ListingRecord, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn list_listings(
        &self,
        tenant: TenantId,
        after: Option<ListingId>,
        limit: u32,
    ) -> Result<Vec<ListingRecord>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn update_listing(
        &self,
        listing: ListingRecord,
        expected_revision: i64,
        audit: Audit,
    ) -> Result<ListingRecord, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn delete_listing(
        &self,
        tenant: TenantId,
        listing: ListingId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn create_member(&self, member: MemberRecord, audit: Audit) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn member(&self, tenant: TenantId, member: MemberId) -> Result<MemberRecord, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn list_members(
        &self,
        tenant: TenantId,
        after: Option<MemberId>,
        limit: u32,
    ) -> Result<Vec<MemberRecord>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn update_member(
        &self,
        member: MemberRecord,
        expected_revision: i64,
        audit: Audit,
    ) -> Result<MemberRecord, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn delete_member(
        &self,
        tenant: TenantId,
        member: MemberId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn create_event_type(
        &self,
        event_type: EventTypeRecord,
        audit: Audit,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn event_type(
        &self,
        tenant: TenantId,
        event_type: EventTypeId,
    ) -> Result<EventTypeRecord, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn list_event_types(
        &self,
        tenant: TenantId,
        listing: Option<ListingId>,
        after: Option<EventTypeId>,
        limit: u32,
    ) -> Result<Vec<EventTypeRecord>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn update_event_type(
        &self,
        event_type: EventTypeRecord,
        expected_revision: i64,
        audit: Audit,
    ) -> Result<EventTypeRecord, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn delete_event_type(
        &self,
        tenant: TenantId,
        event_type: EventTypeId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    /// One read for the booking path: event type, its listing, its tenant, its active members (by the event type's order).
    pub async fn booking_scene(
        &self,
        tenant: TenantId,
        event_type: EventTypeId,
    ) -> Result<(TenantRecord, ListingRecord, EventTypeRecord, Vec<MemberRecord>), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn create_connection(
        &self,
        connection: ConnectionRecord,
        credentials: Credentials,
        audit: Audit,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn connection(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<ConnectionRecord, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn connection_by_id(&self, connection: ConnectionId) -> Result<ConnectionRecord, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn list_connections(
        &self,
        tenant: TenantId,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<ConnectionRecord>, StoreError> {
        Err(StoreError::Busy)
    }
    /// Credentials of none leaves the sealed ones as they are; given ones replace all.
    pub async fn update_connection(
        &self,
        connection: ConnectionRecord,
        credentials: Option<Credentials>,
        expected_revision: i64,
        audit: Audit,
    ) -> Result<ConnectionRecord, StoreError> {
        Err(StoreError::Busy)
    }
    /// Status, account and subscription only; no revision check.
    pub async fn set_connection_health(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        status: ConnectionStatus,
        now: Instant,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn set_connection_subscription(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        subscription: Option<Subscription>,
        audit: Audit,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn delete_connection(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn connection_credentials(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<Credentials, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn state_get(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        Err(StoreError::Busy)
    }
    /// Refused as `WrongState` when all entries are in use.
    pub async fn state_set(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &str,
        value: Vec<u8>,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn state_delete(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        key: &str,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    /// Takes the place and inserts booking, job and audit row in one transaction; `Overlap` if the place is taken.
    pub async fn create_booking(&self, new: NewBooking, audit: Audit) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn booking(&self, tenant: TenantId, booking: BookingId) -> Result<Booking, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn booking_by_external_id(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        external_id: &str,
    ) -> Result<Option<Booking>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn list_bookings(
        &self,
        tenant: TenantId,
        filter: BookingFilter,
        limit: u32,
    ) -> Result<Vec<Booking>, StoreError> {
        Err(StoreError::Busy)
    }
    /// One transaction: check `sequence`, change, place, audit row, and the end of the job that did it, if one did. `Stale` when the
    /// sequence differs (nothing is changed then, the job included), `Overlap` when the new place is taken.
    pub async fn change_booking(
        &self,
        tenant: TenantId,
        booking: BookingId,
        expected_sequence: i64,
        change: BookingChange,
        job_done: Option<(JobId, i64)>,
        audit: Audit,
    ) -> Result<Booking, StoreError> {
        Err(StoreError::Busy)
    }
    /// Remember a twin's id on a booking whose sequence moved on while the provider was asked; no state changes.
    pub async fn note_external_id(
        &self,
        tenant: TenantId,
        booking: BookingId,
        external: ExternalBooking,
        audit: Audit,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn occupied(
        &self,
        tenant: TenantId,
        members: &[MemberId],
        within: Interval,
    ) -> Result<Vec<Occupied>, StoreError> {
        Err(StoreError::Busy)
    }
    /// Bookings per member that end after `now`: for choosing whom to give the next one.
    pub async fn upcoming_counts(
        &self,
        tenant: TenantId,
        members: &[MemberId],
        now: Instant,
    ) -> Result<Vec<(MemberId, i64, Option<Instant>)>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn timeline(
        &self,
        tenant: TenantId,
        subject_kind: &str,
        subject: uuid::Uuid,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn enqueue_job(&self, job: NewJob) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn claim_jobs(
        &self,
        now: Instant,
        leased_until: Instant,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError> {
        Err(StoreError::Busy)
    }
    /// False when the fence does not match (somebody else holds it now).
    pub async fn end_job(&self, job: JobId, attempt: i64, end: JobEnd) -> Result<bool, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn next_job_due(&self) -> Result<Option<Instant>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn dead_jobs(&self, tenant: TenantId, limit: u32) -> Result<Vec<Job>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn requeue_job(
        &self,
        tenant: TenantId,
        job: JobId,
        now: Instant,
        audit: Audit,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn open_job_count(&self) -> Result<i64, StoreError> {
        Err(StoreError::Busy)
    }
    /// False when the same message was stored before. The job is inserted with it.
    pub async fn store_webhook(&self, webhook: InboundWebhook, job: NewJob) -> Result<bool, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn webhook(
        &self,
        tenant: TenantId,
        webhook: InboundWebhookId,
    ) -> Result<InboundWebhook, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn end_webhook(
        &self,
        tenant: TenantId,
        webhook: InboundWebhookId,
        status: &str,
        detail: Option<String>,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn list_webhooks(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        limit: u32,
    ) -> Result<Vec<InboundWebhook>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn insert_plugin_version(
        &self,
        version: PluginVersion,
        component: Vec<u8>,
        audit: Audit,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn list_plugin_versions(
        &self,
        plugin: Option<&PluginId>,
    ) -> Result<Vec<PluginVersion>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn plugin_version(&self, digest: &Digest) -> Result<PluginVersion, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn plugin_component(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        Err(StoreError::Busy)
    }
    /// One transaction: this version active, the one that was active retired, generation bumped. Quarantined ones: `WrongState`.
    pub async fn activate_plugin_version(
        &self,
        digest: &Digest,
        audit: Audit,
    ) -> Result<PluginVersion, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn set_plugin_state(
        &self,
        digest: &Digest,
        state: PluginState,
        reason: Option<String>,
        audit: Audit,
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn plugin_generation(&self) -> Result<i64, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn set_grant(&self, grant: GrantRecord, audit: Audit) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn grants(
        &self,
        plugin: &PluginId,
        tenant: Option<TenantId>,
        listing: Option<ListingId>,
    ) -> Result<Vec<GrantRecord>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn insert_calls(&self, calls: Vec<CallRecord>) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn list_calls(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        limit: u32,
    ) -> Result<Vec<Value>, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn begin_idempotent(
        &self,
        scope: uuid::Uuid,
        key: &str,
        fingerprint: [u8; 32],
        now: Instant,
    ) -> Result<Idempotency, StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn complete_idempotent(
        &self,
        scope: uuid::Uuid,
        key: &str,
        status: u16,
        content_type: &str,
        location: Option<&str>,
        body: &[u8],
    ) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn release_idempotent(&self, scope: uuid::Uuid, key: &str) -> Result<(), StoreError> {
        Err(StoreError::Busy)
    }
    pub async fn prune(&self, now: Instant) -> Result<u64, StoreError> {
        Err(StoreError::Busy)
    }
}
