//! What was in use before a webhook secret was rotated: the secret, which is accepted for a while, and the subscription, which is ended
//! when the next one is there.

use berth_model::{
    connections::connection::ConnectionRecord,
    id::{ConnectionId, TenantId},
    limits,
    outbound::provider::Subscription,
    time::Instant,
};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::super::{super::Db, Conn, from_json};
use crate::{StoreError, records::Audit, types::Ts};

queries! {
    // The current credentials first.
    ACCEPTED = "SELECT CAST(0 AS BIGINT) AS age, sealed_credentials AS sealed FROM connections WHERE tenant_id = $1 AND id = $2
        UNION ALL
        SELECT 1, sealed FROM old_webhook_secrets WHERE tenant_id = $1 AND connection_id = $2 AND ends_at > $3
        ORDER BY age";
    COUNT = "SELECT COUNT(*) FROM old_webhook_secrets WHERE tenant_id = $1 AND connection_id = $2 AND ends_at > $3";
    KEEP = "INSERT INTO old_webhook_secrets (tenant_id, connection_id, id, sealed, ends_at) VALUES ($1, $2, $3, $4, $5)";
    ERASE = "DELETE FROM old_webhook_secrets WHERE tenant_id = $1 AND connection_id = $2";
    SEALED = "SELECT tenant_id, connection_id, id, sealed FROM old_webhook_secrets
        WHERE (tenant_id, connection_id, id) > ($1, $2, $3) ORDER BY tenant_id, connection_id, id LIMIT $4";
    RESEAL = "UPDATE old_webhook_secrets SET sealed = $4 WHERE tenant_id = $1 AND connection_id = $2 AND id = $3";
    NEXT_ADDRESS = "UPDATE connections SET webhook_address = webhook_address + 1, subscription = NULL,
            subscription_due_at = $3, subscription_failures = 0, subscription_detail = NULL
        WHERE tenant_id = $1 AND id = $2";
    DUE = "UPDATE connections SET subscription_due_at = $3 WHERE tenant_id = $1 AND id = $2";
    ADD_SUBSCRIPTION = "INSERT INTO old_subscriptions (tenant_id, connection_id, id, subscription) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant_id, connection_id, id) DO UPDATE SET subscription = excluded.subscription";
    SUBSCRIPTIONS = "SELECT subscription FROM old_subscriptions WHERE tenant_id = $1 AND connection_id = $2 ORDER BY id LIMIT $3";
    REMOVE_SUBSCRIPTION = "DELETE FROM old_subscriptions WHERE tenant_id = $1 AND connection_id = $2 AND id = $3";
}

/// Secrets before this one prove nothing any more.
pub(crate) async fn erase(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(ERASE).bind(tenant.uuid()).bind(connection.uuid()).execute(conn).await?;
    Ok(())
}

/// Put the secret before and its subscription aside; without one, all earlier ones end now. `WrongState` if too many are accepted still.
pub(crate) async fn put_aside(
    conn: &mut Conn,
    connection: &ConnectionRecord,
    before: Option<&(Vec<u8>, Instant)>,
    audit: &Audit,
) -> Result<(), StoreError> {
    let (tenant, id) = (connection.tenant.uuid(), connection.id.uuid());
    if let Some((sealed, ends_at)) = before {
        let kept = sqlx::query_scalar::<Db, i64>(COUNT)
            .bind(tenant)
            .bind(id)
            .bind(Ts(audit.at))
            .fetch_one(&mut *conn)
            .await?;
        if kept >= limits::OLD_WEBHOOK_SECRETS_MAX {
            return Err(StoreError::WrongState);
        }
        sqlx::query::<Db>(KEEP)
            .bind(tenant)
            .bind(id)
            .bind(audit.id.uuid())
            .bind(sealed)
            .bind(Ts(*ends_at))
            .execute(&mut *conn)
            .await?;
    } else {
        erase(conn, connection.tenant, connection.id).await?;
    }
    if let Some(subscription) = &connection.subscription {
        add_old_subscription(conn, connection.tenant, connection.id, subscription).await?;
    }
    // Whoever made this change subscribes at once; if it cannot, somebody else does after that time.
    sqlx::query::<Db>(NEXT_ADDRESS)
        .bind(tenant)
        .bind(id)
        .bind(Ts(audit.at.plus_seconds(limits::SUBSCRIPTION_LEASE_SECONDS)))
        .execute(conn)
        .await?;
    Ok(())
}

/// The sealed credentials, and those sealed secrets before that are accepted still.
pub(crate) async fn accepted(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    now: Instant,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows = sqlx::query_as::<Db, (i64, Vec<u8>)>(ACCEPTED)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(Ts(now))
        .fetch_all(conn)
        .await?;
    if rows.first().is_none_or(|(age, _)| *age != 0) {
        return Err(StoreError::NotFound("connection"));
    }
    Ok(rows.into_iter().map(|(_, sealed)| sealed).collect())
}

/// What a secret before is told from others by: its own id is the last.
pub(crate) type SecretKey = (TenantId, ConnectionId, Uuid);

/// A secret before, as it is sealed.
pub(crate) type SealedSecret = (SecretKey, Vec<u8>);

/// A page of sealed secrets over all tenants, in the order of their keys.
pub(crate) async fn sealed_secrets(
    conn: &mut Conn,
    (tenant, connection, id): SecretKey,
    limit: i64,
) -> Result<Vec<SealedSecret>, StoreError> {
    let rows = sqlx::query_as::<Db, (Uuid, Uuid, Uuid, Vec<u8>)>(SEALED)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(id)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    let of = |(tenant, connection, id, sealed)| {
        ((TenantId::from_uuid(tenant), ConnectionId::from_uuid(connection), id), sealed)
    };
    Ok(rows.into_iter().map(of).collect())
}

/// Put another seal on a secret, which never changes itself.
pub(crate) async fn reseal(
    conn: &mut Conn,
    (tenant, connection, id): SecretKey,
    sealed: &[u8],
) -> Result<bool, StoreError> {
    let query = sqlx::query::<Db>(RESEAL).bind(tenant.uuid()).bind(connection.uuid()).bind(id).bind(sealed);
    let done = query.execute(conn).await?;
    Ok(done.rows_affected() > 0)
}

async fn add_old_subscription(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    subscription: &Subscription,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(ADD_SUBSCRIPTION)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(&subscription.id)
        .bind(Json(subscription))
        .execute(conn)
        .await?;
    Ok(())
}

/// A subscription that came too late, for an address before: somebody has to end it.
pub(crate) async fn too_late(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    subscription: &Subscription,
    now: Instant,
) -> Result<(), StoreError> {
    add_old_subscription(conn, tenant, connection, subscription).await?;
    sqlx::query::<Db>(DUE)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(Ts(now.plus_seconds(limits::SUBSCRIPTION_LEASE_SECONDS)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Subscriptions that are to be ended at the provider.
pub(crate) async fn old_subscriptions(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<Vec<Subscription>, StoreError> {
    let rows = sqlx::query_scalar::<Db, Json<Value>>(SUBSCRIPTIONS)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(limits::LIST_ROWS_MAX)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(|row| from_json(row, "subscription")).collect()
}

/// It is ended.
pub(crate) async fn remove_old_subscription(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    id: &str,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(REMOVE_SUBSCRIPTION)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}
