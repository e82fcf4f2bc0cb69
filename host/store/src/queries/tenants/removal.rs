//! Removing everything of a tenant, some rows at a time: no transaction is long, and one that is interrupted is gone on with, since what is
//! left says how far it was.

use berth_model::{id::TenantId, limits, time::Instant};
use serde_json::json;

use super::{
    super::{super::Db, Conn, expect_affected, tenants},
    audit,
};
use crate::{
    StoreError,
    records::{Audit, TenantCounts},
    types::Ts,
};

queries! {
    DEFAULT_ROUTE = "UPDATE tenants SET default_connection = NULL WHERE id = $1 AND default_connection IS NOT NULL";
    ROUTES = "UPDATE listings SET booking_provider = NULL WHERE tenant_id = $1 AND id IN (
        SELECT id FROM listings WHERE tenant_id = $1 AND booking_provider IS NOT NULL LIMIT $2)";
    LISTING_OF_CONNECTIONS = "UPDATE connections SET listing_id = NULL WHERE tenant_id = $1 AND id IN (
        SELECT id FROM connections WHERE tenant_id = $1 AND listing_id IS NOT NULL LIMIT $2)";
    JOBS = "DELETE FROM jobs WHERE tenant_id = $1 AND id IN (
        SELECT id FROM jobs WHERE tenant_id = $1 AND NOT dead LIMIT $2)";
    DEAD_JOBS = "DELETE FROM jobs WHERE tenant_id = $1 AND id IN (
        SELECT id FROM jobs WHERE tenant_id = $1 AND dead LIMIT $2)";
    HOLDS = "DELETE FROM holds WHERE tenant_id = $1 AND id IN (
        SELECT id FROM holds WHERE tenant_id = $1 LIMIT $2)";
    FEEDS = "DELETE FROM feeds WHERE tenant_id = $1 AND (subject_kind, subject_id) IN (
        SELECT subject_kind, subject_id FROM feeds WHERE tenant_id = $1 LIMIT $2)";
    OCCUPANCIES = "DELETE FROM occupancies WHERE tenant_id = $1 AND (member_id, session_id, seat) IN (
        SELECT member_id, session_id, seat FROM occupancies WHERE tenant_id = $1 LIMIT $2)";
    ENTRIES = "DELETE FROM calendar_entries WHERE tenant_id = $1 AND (booking_id, calendar_id) IN (
        SELECT booking_id, calendar_id FROM calendar_entries WHERE tenant_id = $1 LIMIT $2)";
    BLOCKS = "DELETE FROM calendar_blocks WHERE tenant_id = $1 AND id IN (
        SELECT id FROM calendar_blocks WHERE tenant_id = $1 LIMIT $2)";
    LOOKS = "DELETE FROM calendar_looks WHERE tenant_id = $1 AND calendar_id IN (
        SELECT calendar_id FROM calendar_looks WHERE tenant_id = $1 LIMIT $2)";
    OPENED = "DELETE FROM opened_blocks WHERE tenant_id = $1 AND (connection_id, external_id) IN (
        SELECT connection_id, external_id FROM opened_blocks WHERE tenant_id = $1 LIMIT $2)";
    CATALOGS = "DELETE FROM catalog_reads WHERE tenant_id = $1 AND connection_id IN (
        SELECT connection_id FROM catalog_reads WHERE tenant_id = $1 LIMIT $2)";
    UNCHECKED = "DELETE FROM unchecked_twins WHERE tenant_id = $1 AND event_type_id IN (
        SELECT event_type_id FROM unchecked_twins WHERE tenant_id = $1 LIMIT $2)";
    CALENDARS = "DELETE FROM calendars WHERE tenant_id = $1 AND id IN (
        SELECT id FROM calendars WHERE tenant_id = $1 LIMIT $2)";
    MIRRORED = "DELETE FROM external_bookings WHERE tenant_id = $1 AND (connection_id, external_id) IN (
        SELECT connection_id, external_id FROM external_bookings WHERE tenant_id = $1 LIMIT $2)";
    MIRRORED_WORDS = "DELETE FROM external_words WHERE tenant_id = $1 AND (external_booking_id, word) IN (
        SELECT external_booking_id, word FROM external_words WHERE tenant_id = $1 LIMIT $2)";
    ITEMS = "DELETE FROM external_items WHERE tenant_id = $1 AND (connection_id, kind, external_id) IN (
        SELECT connection_id, kind, external_id FROM external_items WHERE tenant_id = $1 LIMIT $2)";
    CONFLICTS = "DELETE FROM sync_conflicts WHERE tenant_id = $1 AND id IN (
        SELECT id FROM sync_conflicts WHERE tenant_id = $1 LIMIT $2)";
    SYNCS = "DELETE FROM sync_states WHERE tenant_id = $1 AND connection_id IN (
        SELECT connection_id FROM sync_states WHERE tenant_id = $1 LIMIT $2)";
    MESSAGES = "DELETE FROM inbound_webhooks WHERE tenant_id = $1 AND id IN (
        SELECT id FROM inbound_webhooks WHERE tenant_id = $1 LIMIT $2)";
    REFUSALS = "DELETE FROM webhook_refusals WHERE tenant_id = $1 AND (connection_id, reason) IN (
        SELECT connection_id, reason FROM webhook_refusals WHERE tenant_id = $1 LIMIT $2)";
    STATE = "DELETE FROM connection_state WHERE tenant_id = $1 AND (connection_id, key) IN (
        SELECT connection_id, key FROM connection_state WHERE tenant_id = $1 LIMIT $2)";
    OLD_SECRETS = "DELETE FROM old_webhook_secrets WHERE tenant_id = $1 AND (connection_id, id) IN (
        SELECT connection_id, id FROM old_webhook_secrets WHERE tenant_id = $1 LIMIT $2)";
    OLD_SUBSCRIPTIONS = "DELETE FROM old_subscriptions WHERE tenant_id = $1 AND (connection_id, id) IN (
        SELECT connection_id, id FROM old_subscriptions WHERE tenant_id = $1 LIMIT $2)";
    FLOWS = "DELETE FROM oauth_flows WHERE tenant_id = $1 AND state_hash IN (
        SELECT state_hash FROM oauth_flows WHERE tenant_id = $1 LIMIT $2)";
    CALLS = "DELETE FROM provider_calls WHERE tenant_id = $1 AND id IN (
        SELECT id FROM provider_calls WHERE tenant_id = $1 LIMIT $2)";
    COUNTERPARTS = "DELETE FROM booking_twins WHERE tenant_id = $1 AND (external_id, connection_id, booking_id) IN (
        SELECT external_id, connection_id, booking_id FROM booking_twins WHERE tenant_id = $1 LIMIT $2)";
    BULK_ITEMS = "DELETE FROM bulk_items WHERE tenant_id = $1 AND (operation_id, position) IN (
        SELECT operation_id, position FROM bulk_items WHERE tenant_id = $1 LIMIT $2)";
    BULK_OPERATIONS = "DELETE FROM bulk_operations WHERE tenant_id = $1 AND id IN (
        SELECT id FROM bulk_operations WHERE tenant_id = $1 LIMIT $2)";
    TOGETHER = "DELETE FROM booking_members WHERE tenant_id = $1 AND (booking_id, member_id) IN (
        SELECT booking_id, member_id FROM booking_members WHERE tenant_id = $1 LIMIT $2)";
    WORDS = "DELETE FROM booking_words WHERE tenant_id = $1 AND (booking_id, word) IN (
        SELECT booking_id, word FROM booking_words WHERE tenant_id = $1 LIMIT $2)";
    BOOKINGS = "DELETE FROM bookings WHERE tenant_id = $1 AND id IN (
        SELECT id FROM bookings WHERE tenant_id = $1 LIMIT $2)";
    CONSENTS = "DELETE FROM consents WHERE tenant_id = $1 AND id IN (
        SELECT id FROM consents WHERE tenant_id = $1 LIMIT $2)";
    CONSENT_TEXTS = "DELETE FROM consent_texts WHERE tenant_id = $1 AND id IN (
        SELECT id FROM consent_texts WHERE tenant_id = $1 LIMIT $2)";
    CUSTOMER_KEYS = "DELETE FROM customer_keys WHERE tenant_id = $1 AND (kind, mac, customer_id) IN (
        SELECT kind, mac, customer_id FROM customer_keys WHERE tenant_id = $1 LIMIT $2)";
    CUSTOMER_TAGS = "DELETE FROM customer_tags WHERE tenant_id = $1 AND (customer_id, tag) IN (
        SELECT customer_id, tag FROM customer_tags WHERE tenant_id = $1 LIMIT $2)";
    CUSTOMERS_APART = "DELETE FROM customers_apart WHERE tenant_id = $1 AND (one_id, other_id) IN (
        SELECT one_id, other_id FROM customers_apart WHERE tenant_id = $1 LIMIT $2)";
    CUSTOMERS = "DELETE FROM customers WHERE tenant_id = $1 AND id IN (
        SELECT id FROM customers WHERE tenant_id = $1 LIMIT $2)";
    RULES = "DELETE FROM rules WHERE tenant_id = $1 AND id IN (
        SELECT id FROM rules WHERE tenant_id = $1 LIMIT $2)";
    TAKING_PART = "DELETE FROM event_type_members WHERE tenant_id = $1 AND (event_type_id, member_id) IN (
        SELECT event_type_id, member_id FROM event_type_members WHERE tenant_id = $1 LIMIT $2)";
    PRIVATE_LINKS = "DELETE FROM private_links WHERE tenant_id = $1 AND id IN (
        SELECT id FROM private_links WHERE tenant_id = $1 LIMIT $2)";
    EVENT_TYPES = "DELETE FROM event_types WHERE tenant_id = $1 AND id IN (
        SELECT id FROM event_types WHERE tenant_id = $1 LIMIT $2)";
    GRANTS = "DELETE FROM plugin_grants WHERE tenant_id = $1 AND (plugin, level) IN (
        SELECT plugin, level FROM plugin_grants WHERE tenant_id = $1 LIMIT $2)";
    CONNECTIONS = "DELETE FROM connections WHERE tenant_id = $1 AND id IN (
        SELECT id FROM connections WHERE tenant_id = $1 LIMIT $2)";
    LISTINGS = "DELETE FROM listings WHERE tenant_id = $1 AND id IN (
        SELECT id FROM listings WHERE tenant_id = $1 LIMIT $2)";
    PLACE_CHANGES = "DELETE FROM place_changes WHERE tenant_id = $1 AND (member_id, version, starts_at) IN (
        SELECT member_id, version, starts_at FROM place_changes WHERE tenant_id = $1 LIMIT $2)";
    MEMBERS = "DELETE FROM members WHERE tenant_id = $1 AND id IN (
        SELECT id FROM members WHERE tenant_id = $1 LIMIT $2)";
    ANSWERS = "DELETE FROM idempotency_keys WHERE tenant_id = $1 AND (scope, key) IN (
        SELECT scope, key FROM idempotency_keys WHERE tenant_id = $1 LIMIT $2)";
    KEYS = "DELETE FROM api_keys WHERE tenant_id = $1 AND id IN (SELECT id FROM api_keys WHERE tenant_id = $1 LIMIT $2)";
    EVENTS = "DELETE FROM events WHERE tenant_id = $1 AND id IN (
        SELECT id FROM events WHERE tenant_id = $1 LIMIT $2)";
    EVENT_HEAD = "DELETE FROM event_heads WHERE tenant_id IN (SELECT tenant_id FROM event_heads WHERE tenant_id = $1 LIMIT $2)";
    // What was done to the tenant itself stays for ever.
    AUDIT = "DELETE FROM audit_log WHERE tenant_id = $1 AND id IN (
        SELECT id FROM audit_log WHERE tenant_id = $1 AND subject_kind <> 'tenant' LIMIT $2)";
    TENANT = "DELETE FROM tenants WHERE id = $1 AND state = 'deleting'";
    COUNTS = "SELECT
            (SELECT COUNT(*) FROM bookings WHERE tenant_id = $1 AND status IN ('pending', 'confirmed') AND ends_at > $2) AS upcoming_bookings,
            (SELECT COUNT(*) FROM bookings WHERE tenant_id = $1 AND NOT (status IN ('pending', 'confirmed') AND ends_at > $2))
                AS past_bookings,
            (SELECT COUNT(*) FROM listings WHERE tenant_id = $1) AS listings,
            (SELECT COUNT(*) FROM event_types WHERE tenant_id = $1) AS event_types,
            (SELECT COUNT(*) FROM members WHERE tenant_id = $1) AS members,
            (SELECT COUNT(*) FROM rules WHERE tenant_id = $1) AS rules,
            (SELECT COUNT(*) FROM calendars WHERE tenant_id = $1) AS calendars,
            (SELECT COUNT(*) FROM connections WHERE tenant_id = $1) AS connections,
            (SELECT COUNT(*) FROM api_keys WHERE tenant_id = $1 AND revoked_at IS NULL) AS keys";
}

/// In an order in which nothing refers to what is removed.
const STEPS: &[&str] = &[
    ROUTES,
    LISTING_OF_CONNECTIONS,
    JOBS,
    DEAD_JOBS,
    HOLDS,
    FEEDS,
    OCCUPANCIES,
    ENTRIES,
    BLOCKS,
    LOOKS,
    OPENED,
    CATALOGS,
    UNCHECKED,
    CALENDARS,
    MIRRORED_WORDS,
    MIRRORED,
    ITEMS,
    CONFLICTS,
    SYNCS,
    MESSAGES,
    REFUSALS,
    STATE,
    OLD_SECRETS,
    OLD_SUBSCRIPTIONS,
    FLOWS,
    CALLS,
    COUNTERPARTS,
    BULK_ITEMS,
    BULK_OPERATIONS,
    TOGETHER,
    WORDS,
    BOOKINGS,
    CONSENTS,
    CONSENT_TEXTS,
    CUSTOMER_KEYS,
    CUSTOMER_TAGS,
    CUSTOMERS_APART,
    CUSTOMERS,
    RULES,
    TAKING_PART,
    PRIVATE_LINKS,
    EVENT_TYPES,
    GRANTS,
    CONNECTIONS,
    LISTINGS,
    PLACE_CHANGES,
    MEMBERS,
    ANSWERS,
    KEYS,
    EVENTS,
    EVENT_HEAD,
    AUDIT,
];

/// Remove some rows of one step. How many, fewer than `REMOVED_ROWS_AT_ONCE` if the step is done; none if there is no such step.
pub(crate) async fn clear_some(
    conn: &mut Conn,
    tenant: TenantId,
    step: usize,
) -> Result<Option<u64>, StoreError> {
    if step == 0 {
        sqlx::query::<Db>(DEFAULT_ROUTE).bind(tenant.uuid()).execute(&mut *conn).await?;
    }
    let Some(statement) = STEPS.get(step) else { return Ok(None) };
    let done = sqlx::query::<Db>(*statement)
        .bind(tenant.uuid())
        .bind(limits::REMOVED_ROWS_AT_ONCE)
        .execute(conn)
        .await?;
    Ok(Some(done.rows_affected()))
}

/// The tenant itself, once nothing is left of it. `InUse` if something is.
pub(crate) async fn finish(conn: &mut Conn, tenant: TenantId, audit: &Audit) -> Result<(), StoreError> {
    let record = tenants::get(conn, tenant).await?;
    let done = sqlx::query::<Db>(TENANT)
        .bind(tenant.uuid())
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).used_by("what is removed yet"))?;
    expect_affected(&done, StoreError::WrongState)?;
    let data = json!({ "slug": record.slug });
    audit::append(conn, audit, Some(tenant), "tenant.deleted", tenant.uuid(), data).await
}

/// What a tenant has.
pub(crate) async fn counts(
    conn: &mut Conn,
    tenant: TenantId,
    now: Instant,
) -> Result<TenantCounts, StoreError> {
    Ok(sqlx::query_as::<Db, TenantCounts>(COUNTS).bind(tenant.uuid()).bind(Ts(now)).fetch_one(conn).await?)
}
