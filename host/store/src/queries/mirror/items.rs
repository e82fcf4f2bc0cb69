//! Event types and clients of providers, as they last said them.

use berth_model::{
    customers::keys::KeyKind,
    id::{ConnectionId, TenantId},
    mirror::sync::{ItemKind, MirroredItem},
};
use serde_json::Value;
use sqlx::types::Json;

use super::super::{super::Db, Conn};
use crate::{StoreError, macs::Known, types::Ts};

queries! {
    ONE = "SELECT external_id, title, payload, last_synced_at FROM external_items
        WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 AND external_id = $4";
    PUT_ITEM = "INSERT INTO external_items (tenant_id, connection_id, kind, external_id, title, payload, run, last_synced_at,
            email_mac, phone_mac)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (tenant_id, connection_id, kind, external_id) DO UPDATE SET title = excluded.title,
            payload = excluded.payload, run = excluded.run, last_synced_at = excluded.last_synced_at,
            email_mac = excluded.email_mac, phone_mac = excluded.phone_mac";
    FORGET_ITEMS = "DELETE FROM external_items WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 AND run < $4";
    ITEMS = "SELECT external_id, title, payload, last_synced_at FROM external_items
        WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 AND external_id > $4 ORDER BY external_id LIMIT $5";
}

/// Write a page of event types or clients.
pub(crate) async fn put_items(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    kind: ItemKind,
    items: &[(MirroredItem, Option<Known>)],
    run: i64,
) -> Result<(), StoreError> {
    for (item, known) in items {
        let mac = |kind| known.as_ref().and_then(|known| known.mac(kind));
        sqlx::query::<Db>(PUT_ITEM)
            .bind(tenant.uuid())
            .bind(connection.uuid())
            .bind(kind.as_str())
            .bind(&item.external_id)
            .bind(&item.title)
            .bind(Json(&item.payload))
            .bind(run)
            .bind(Ts(item.last_synced_at))
            .bind(mac(KeyKind::Email))
            .bind(mac(KeyKind::Phone))
            .execute(&mut *conn)
            .await
            .map_err(|e| StoreError::from(e).missing("connection"))?;
    }
    Ok(())
}

/// Forget event types or clients that a full synchronisation did not see.
pub(crate) async fn forget_items(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    kind: ItemKind,
    run: i64,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(FORGET_ITEMS)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(kind.as_str())
        .bind(run)
        .execute(conn)
        .await?;
    Ok(())
}

type Row = (String, String, Json<Value>, Ts);

fn item((external_id, title, payload, at): Row) -> MirroredItem {
    MirroredItem { external_id, title, payload: payload.0, last_synced_at: at.0 }
}

pub(crate) async fn items(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    kind: ItemKind,
    after: &str,
    limit: u32,
) -> Result<Vec<MirroredItem>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(ITEMS)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(kind.as_str())
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(item).collect())
}

/// One of them.
pub(crate) async fn one(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    kind: ItemKind,
    external_id: &str,
) -> Result<Option<MirroredItem>, StoreError> {
    let row = sqlx::query_as::<Db, Row>(ONE)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(kind.as_str())
        .bind(external_id)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(item))
}
