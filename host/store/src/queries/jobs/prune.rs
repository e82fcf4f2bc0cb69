//! Logs do not grow for ever. The audit log is kept.

use berth_model::{limits, time::Instant};

use super::super::{super::Db, Conn};
use crate::{StoreError, types::Ts};

queries! {
    IDEMPOTENCY_KEYS = "DELETE FROM idempotency_keys WHERE (tenant_id, scope, key) IN (
        SELECT tenant_id, scope, key FROM idempotency_keys WHERE created_at <= $1 LIMIT $2)";
    PROVIDER_CALLS = "DELETE FROM provider_calls WHERE (tenant_id, id) IN (
        SELECT tenant_id, id FROM provider_calls WHERE started_at <= $1 LIMIT $2)";
    WEBHOOKS = "DELETE FROM inbound_webhooks WHERE (tenant_id, id) IN (
        SELECT tenant_id, id FROM inbound_webhooks WHERE received_at <= $1 AND status <> 'stored' LIMIT $2)";
    HELD_PLACES = "DELETE FROM occupancies WHERE (tenant_id, owner_id) IN (
        SELECT tenant_id, owner_id FROM occupancies WHERE expires_at <= $1 LIMIT $2) AND expires_at <= $1";
    HOLDS = "DELETE FROM holds WHERE (tenant_id, id) IN (
        SELECT tenant_id, id FROM holds WHERE expires_at <= $1 LIMIT $2)";
    BLOCKS = "DELETE FROM calendar_blocks WHERE (tenant_id, id) IN (
        SELECT tenant_id, id FROM calendar_blocks WHERE ends_at <= $1 LIMIT $2)";
    OPENED_BLOCKS = "DELETE FROM opened_blocks WHERE (tenant_id, connection_id, external_id) IN (
        SELECT tenant_id, connection_id, external_id FROM opened_blocks WHERE opened_at <= $1 LIMIT $2)";
    OAUTH_FLOWS = "DELETE FROM oauth_flows WHERE (tenant_id, state_hash) IN (
        SELECT tenant_id, state_hash FROM oauth_flows WHERE expires_at <= $1 LIMIT $2)";
    OLD_WEBHOOK_SECRETS = "DELETE FROM old_webhook_secrets WHERE (tenant_id, connection_id, id) IN (
        SELECT tenant_id, connection_id, id FROM old_webhook_secrets WHERE ends_at <= $1 LIMIT $2)";
    BULK_OPERATIONS = "DELETE FROM bulk_operations WHERE (tenant_id, id) IN (
        SELECT tenant_id, id FROM bulk_operations WHERE finished_at <= $1 LIMIT $2)";
    INSTALLATIONS = "DELETE FROM plugin_installations WHERE id IN (
        SELECT id FROM plugin_installations WHERE created_at <= $1 LIMIT $2)";
}

/// Remove what is older than its limit. Returns how many rows; there may be more left for the next time.
pub(crate) async fn prune(conn: &mut Conn, now: Instant) -> Result<u64, StoreError> {
    let mut rows = 0;
    for (statement, kept_seconds) in [
        (IDEMPOTENCY_KEYS, limits::IDEMPOTENCY_SECONDS),
        (PROVIDER_CALLS, limits::CALLS_KEPT_SECONDS),
        (WEBHOOKS, limits::WEBHOOKS_KEPT_SECONDS),
        (HELD_PLACES, 0),
        (HOLDS, 0),
        (BLOCKS, 0),
        (OPENED_BLOCKS, limits::AVAILABILITY_CACHED_SECONDS_MAX),
        (OAUTH_FLOWS, 0),
        (OLD_WEBHOOK_SECRETS, 0),
        (BULK_OPERATIONS, limits::BULK_KEPT_SECONDS),
        (INSTALLATIONS, limits::INSTALLATIONS_KEPT_SECONDS),
    ] {
        let done = sqlx::query::<Db>(statement)
            .bind(Ts(now.plus_seconds(-kept_seconds)))
            .bind(limits::PRUNE_ROWS_MAX)
            .execute(&mut *conn)
            .await?;
        rows += done.rows_affected();
    }
    Ok(rows)
}
