//! What waits for a connection that failed, and goes on when the connection works again.

use berth_model::time::Instant;
use uuid::Uuid;

use super::super::{super::Db, Conn};
use crate::{StoreError, records::Recovered, types::Ts};

queries! {
    WAKE_OF_CONNECTION = concat!("UPDATE jobs SET due_at = $2, waits_for = NULL
        WHERE (tenant_id, id) IN (
            SELECT tenant_id, id FROM jobs WHERE tenant_id = $4 AND waits_for = $1 AND NOT dead AND leased_until IS NULL AND due_at > $2
            ORDER BY priority, due_at, id LIMIT $3", lock_rows_skipping!(), ")");
    WAKE_OF_PLUGIN = concat!("UPDATE jobs SET due_at = $2, waits_for = NULL
        WHERE (tenant_id, id) IN (
            SELECT tenant_id, id FROM jobs
            WHERE waits_for IN (SELECT id FROM connections WHERE plugin = $1 AND (tenant_id = $4 OR $4 IS NULL))
                AND NOT dead AND leased_until IS NULL AND due_at > $2
            ORDER BY priority, due_at, id LIMIT $3", lock_rows_skipping!(), ")");
    // What is being tried right now may have begun before: it is tried once more.
    AGAIN_OF_CONNECTION = "UPDATE jobs SET rerun_at = $2
        WHERE tenant_id = $3 AND waits_for = $1 AND NOT dead AND leased_until > $2 AND rerun_at IS NULL";
    AGAIN_OF_PLUGIN = "UPDATE jobs SET rerun_at = $2
        WHERE waits_for IN (SELECT id FROM connections WHERE plugin = $1 AND (tenant_id = $3 OR $3 IS NULL))
            AND NOT dead AND leased_until > $2 AND rerun_at IS NULL";
    SYNC_OF_CONNECTION = "UPDATE sync_states SET due_at = $2
        WHERE tenant_id = $3 AND connection_id = $1 AND failures > 0 AND due_at > $2";
    SYNC_OF_PLUGIN = "UPDATE sync_states SET due_at = $2
        WHERE failures > 0 AND due_at > $2 AND (tenant_id, connection_id) IN (
            SELECT tenant_id, id FROM connections WHERE plugin = $1 AND (tenant_id = $3 OR $3 IS NULL))";
    SUBSCRIPTION_OF_CONNECTION = "UPDATE connections SET subscription_due_at = $2
        WHERE tenant_id = $3 AND id = $1 AND subscription_failures > 0 AND subscription_due_at > $2";
    SUBSCRIPTION_OF_PLUGIN = "UPDATE connections SET subscription_due_at = $2
        WHERE plugin = $1 AND (tenant_id = $3 OR $3 IS NULL)
            AND subscription_failures > 0 AND subscription_due_at > $2";
}

/// Jobs that wait for it are due at that time, if that is earlier; at most so many, the most urgent first. How many.
pub(crate) async fn wake(
    conn: &mut Conn,
    what: &Recovered,
    due_at: Instant,
    limit: u32,
) -> Result<u64, StoreError> {
    let woken = match what {
        Recovered::Connection(tenant, id) => {
            sqlx::query::<Db>(WAKE_OF_CONNECTION)
                .bind(id.uuid())
                .bind(Ts(due_at))
                .bind(i64::from(limit))
                .bind(tenant.uuid())
                .execute(conn)
                .await?
        }
        Recovered::Plugin { plugin, tenant } => {
            sqlx::query::<Db>(WAKE_OF_PLUGIN)
                .bind(plugin.as_str())
                .bind(Ts(due_at))
                .bind(i64::from(limit))
                .bind(tenant.map(berth_model::id::Id::uuid))
                .execute(conn)
                .await?
        }
    };
    Ok(woken.rows_affected())
}

/// What is tried right now is tried once more.
pub(crate) async fn again(conn: &mut Conn, what: &Recovered, now: Instant) -> Result<(), StoreError> {
    carry_out(conn, what, (AGAIN_OF_CONNECTION, AGAIN_OF_PLUGIN), now).await
}

/// What is looked after by time is due.
pub(crate) async fn upkeep(conn: &mut Conn, what: &Recovered, now: Instant) -> Result<(), StoreError> {
    carry_out(conn, what, (SYNC_OF_CONNECTION, SYNC_OF_PLUGIN), now).await?;
    carry_out(conn, what, (SUBSCRIPTION_OF_CONNECTION, SUBSCRIPTION_OF_PLUGIN), now).await
}

async fn carry_out(
    conn: &mut Conn,
    what: &Recovered,
    (of_connection, of_plugin): (&'static str, &'static str),
    now: Instant,
) -> Result<(), StoreError> {
    match what {
        Recovered::Connection(tenant, id) => {
            let query = sqlx::query::<Db>(of_connection).bind(id.uuid()).bind(Ts(now)).bind(tenant.uuid());
            query.execute(conn).await?;
        }
        Recovered::Plugin { plugin, tenant } => {
            let tenant: Option<Uuid> = tenant.map(berth_model::id::Id::uuid);
            let query = sqlx::query::<Db>(of_plugin).bind(plugin.as_str()).bind(Ts(now)).bind(tenant);
            query.execute(conn).await?;
        }
    }
    Ok(())
}
