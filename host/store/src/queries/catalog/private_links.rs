//! Links to one event type for those who are given them.

use berth_model::{
    catalog::private_link::{LinkThere, PrivateLink},
    id::{ConnectionId, EventTypeId, PrivateLinkId, TenantId},
    limits,
    time::Instant,
};
use serde_json::json;
use uuid::Uuid;

use super::super::{
    super::Db, Conn, expect_affected, number, opt_instant, or_not_found, page_after, tenants::audit,
};
use crate::{StoreError, records::Audit, types::Ts};

queries! {
    // Those that have been over for long, which nobody asks about any more.
    CLEAR = "DELETE FROM private_links WHERE tenant_id = $1 AND event_type_id = $2
        AND (expires_at <= $3 OR (single_use AND uses > 0 AND last_used_at <= $3))";
    COUNT = "SELECT COUNT(*) FROM private_links WHERE tenant_id = $1 AND event_type_id = $2";
    INSERT = "INSERT INTO private_links (tenant_id, id, event_type_id, name, single_use, uses, expires_at, created_at,
            connection_id, url)
        VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9)";
    GET = "SELECT tenant_id, id, event_type_id, name, single_use, uses, last_used_at, expires_at, created_at,
            connection_id, url
        FROM private_links WHERE tenant_id = $1 AND id = $2";
    LIST = "SELECT tenant_id, id, event_type_id, name, single_use, uses, last_used_at, expires_at, created_at,
            connection_id, url
        FROM private_links WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    LIST_OF_EVENT_TYPE = "SELECT tenant_id, id, event_type_id, name, single_use, uses, last_used_at, expires_at, created_at,
            connection_id, url
        FROM private_links WHERE tenant_id = $1 AND event_type_id = $4 AND id > $2 ORDER BY id LIMIT $3";
    DELETE = "DELETE FROM private_links WHERE tenant_id = $1 AND id = $2";
    // Two bookings at once wait for each other here, and the second finds it used.
    TAKE = "UPDATE private_links SET uses = uses + 1, last_used_at = $4
        WHERE tenant_id = $1 AND id = $2 AND event_type_id = $3
            AND (expires_at IS NULL OR expires_at > $4) AND (uses = 0 OR NOT single_use) AND connection_id IS NULL";
}

/// Seconds after which a link that is over is forgotten when another is made.
const KEPT_SECONDS: i64 = limits::PRIVATE_LINKS_KEPT_DAYS * 86_400;

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    event_type_id: Uuid,
    name: String,
    single_use: bool,
    uses: i64,
    last_used_at: Option<Ts>,
    expires_at: Option<Ts>,
    created_at: Ts,
    connection_id: Option<Uuid>,
    url: Option<String>,
}

impl TryFrom<Row> for PrivateLink {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: PrivateLinkId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            event_type: EventTypeId::from_uuid(row.event_type_id),
            name: row.name,
            single_use: row.single_use,
            uses: number(row.uses, "uses of a link")?,
            last_used_at: opt_instant(row.last_used_at),
            expires_at: opt_instant(row.expires_at),
            there: row
                .connection_id
                .zip(row.url)
                .map(|(id, url)| LinkThere { connection: ConnectionId::from_uuid(id), url }),
            created_at: row.created_at.0,
        })
    }
}

pub(crate) async fn insert(conn: &mut Conn, link: &PrivateLink, audit: &Audit) -> Result<(), StoreError> {
    sqlx::query::<Db>(CLEAR)
        .bind(link.tenant.uuid())
        .bind(link.event_type.uuid())
        .bind(Ts(audit.at.plus_seconds(-KEPT_SECONDS)))
        .execute(&mut *conn)
        .await?;
    sqlx::query::<Db>(INSERT)
        .bind(link.tenant.uuid())
        .bind(link.id.uuid())
        .bind(link.event_type.uuid())
        .bind(&link.name)
        .bind(link.single_use)
        .bind(link.expires_at.map(Ts))
        .bind(Ts(link.created_at))
        .bind(link.there.as_ref().map(|there| there.connection.uuid()))
        .bind(link.there.as_ref().map(|there| &there.url))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("a link with this id").missing("event type"))?;
    let count: i64 = sqlx::query_scalar::<Db, i64>(COUNT)
        .bind(link.tenant.uuid())
        .bind(link.event_type.uuid())
        .fetch_one(&mut *conn)
        .await?;
    if count > limits::PRIVATE_LINKS_OF_ONE_MAX {
        return Err(StoreError::TooMany(limits::PRIVATE_LINKS_OF_ONE_MAX));
    }
    let data = json!({ "event_type": link.event_type, "single_use": link.single_use, "expires_at": link.expires_at,
        "connection": link.there.as_ref().map(|there| there.connection) });
    audit::append(conn, audit, Some(link.tenant), "private_link.created", link.id.uuid(), data).await
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    link: PrivateLinkId,
) -> Result<PrivateLink, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).bind(link.uuid());
    or_not_found(row.fetch_optional(conn).await?, "link")?.try_into()
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    event_type: Option<EventTypeId>,
    after: Option<PrivateLinkId>,
    limit: u32,
) -> Result<Vec<PrivateLink>, StoreError> {
    let statement = if event_type.is_some() { LIST_OF_EVENT_TYPE } else { LIST };
    let mut query = sqlx::query_as::<Db, Row>(statement)
        .bind(tenant.uuid())
        .bind(page_after(after))
        .bind(i64::from(limit));
    if let Some(event_type) = event_type {
        query = query.bind(event_type.uuid());
    }
    query.fetch_all(conn).await?.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    link: PrivateLinkId,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(DELETE).bind(tenant.uuid()).bind(link.uuid()).execute(&mut *conn).await?;
    expect_affected(&done, StoreError::NotFound("link"))?;
    audit::append(conn, audit, Some(tenant), "private_link.deleted", link.uuid(), json!({})).await
}

/// Book by a link: part of the booking's transaction. `NotFound` if it is not there, is over, or leads elsewhere.
pub(crate) async fn take(
    conn: &mut Conn,
    tenant: TenantId,
    link: PrivateLinkId,
    event_type: EventTypeId,
    now: Instant,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(TAKE)
        .bind(tenant.uuid())
        .bind(link.uuid())
        .bind(event_type.uuid())
        .bind(Ts(now))
        .execute(conn)
        .await?;
    expect_affected(&done, StoreError::NotFound("open link"))
}
