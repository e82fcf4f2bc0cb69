//! What a customer booked, here and at providers.

use berth_model::{
    customers::{AtProvider, Counts, Visit, identity::names_alike},
    id::{ConnectionId, CustomerId, EventTypeId, ListingId, MemberId, TenantId},
    limits,
    time::Instant,
};
use uuid::Uuid;

use super::{super::super::Db, Conn};
use crate::{StoreError, types::Ts};

queries! {
    COUNTS = "SELECT COUNT(*) AS bookings, COUNT(CASE WHEN status = 'cancelled' THEN 1 END) AS cancelled,
            COUNT(CASE WHEN status = 'no_show' THEN 1 END) AS no_shows,
            MAX(CASE WHEN starts_at <= $3 AND status IN ('confirmed', 'completed', 'no_show') THEN starts_at END) AS last_at,
            MIN(CASE WHEN starts_at > $3 AND status IN ('pending', 'confirmed') THEN starts_at END) AS next_at
        FROM bookings WHERE tenant_id = $1 AND customer_id = $2";
    // The latest first, of each kind by itself: no more is read than is shown.
    HISTORY = "SELECT * FROM (
            SELECT id, 'here' AS origin, status, starts_at, ends_at, member_id, event_type_id, listing_id, connection_id, external_id
            FROM bookings WHERE tenant_id = $1 AND customer_id = $2 AND (starts_at, id) < ($3, $4)
            ORDER BY starts_at DESC, id DESC LIMIT $5) b
        UNION ALL SELECT * FROM (
            SELECT id, 'external' AS origin, status, starts_at, ends_at, member_id, NULLIF(id, id) AS event_type_id, NULLIF(id, id) AS listing_id,
                connection_id,
                external_id
            FROM external_bookings
            WHERE tenant_id = $1 AND customer_id = $2 AND booking_id IS NULL AND (starts_at, id) < ($3, $4)
            ORDER BY starts_at DESC, id DESC LIMIT $5) x
        ORDER BY starts_at DESC, id DESC LIMIT $5";
    AT_PROVIDERS = "SELECT x.connection_id, x.external_id, x.title FROM customer_keys k CROSS JOIN external_items x
            WHERE k.tenant_id = $1 AND k.customer_id = $2 AND k.kind = 'email' AND x.tenant_id = $1 AND x.email_mac = k.mac
        UNION SELECT x.connection_id, x.external_id, x.title FROM customer_keys k CROSS JOIN external_items x
            WHERE k.tenant_id = $1 AND k.customer_id = $2 AND k.kind = 'phone' AND x.tenant_id = $1 AND x.phone_mac = k.mac
        ORDER BY 1, 2 LIMIT $3";
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    origin: String,
    status: String,
    starts_at: Ts,
    ends_at: Ts,
    member_id: Option<Uuid>,
    event_type_id: Option<Uuid>,
    listing_id: Option<Uuid>,
    connection_id: Option<Uuid>,
    external_id: Option<String>,
}

impl From<Row> for Visit {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            external: row.origin == "external",
            status: row.status,
            start: row.starts_at.0,
            end: row.ends_at.0,
            member: row.member_id.map(MemberId::from_uuid),
            event_type: row.event_type_id.map(EventTypeId::from_uuid),
            listing: row.listing_id.map(ListingId::from_uuid),
            connection: row.connection_id.map(ConnectionId::from_uuid),
            external_id: row.external_id,
        }
    }
}

/// How often a customer booked here.
pub(crate) async fn counts(
    conn: &mut Conn,
    tenant: TenantId,
    customer: CustomerId,
    now: Instant,
) -> Result<Counts, StoreError> {
    let (bookings, cancelled, no_shows, last, next) =
        sqlx::query_as::<Db, (i64, i64, i64, Option<Ts>, Option<Ts>)>(COUNTS)
            .bind(tenant.uuid())
            .bind(customer.uuid())
            .bind(Ts(now))
            .fetch_one(conn)
            .await?;
    Ok(Counts { bookings, cancelled, no_shows, last_at: last.map(|at| at.0), next_at: next.map(|at| at.0) })
}

/// A page of what a customer booked, the latest start first; from the latest if none is given.
pub(crate) async fn history(
    conn: &mut Conn,
    tenant: TenantId,
    customer: CustomerId,
    before: Option<(Instant, Uuid)>,
    limit: u32,
) -> Result<Vec<Visit>, StoreError> {
    super::get(conn, tenant, customer).await?;
    let (start, id) = before.unwrap_or((Instant::MAX, Uuid::max()));
    let rows = sqlx::query_as::<Db, Row>(HISTORY)
        .bind(tenant.uuid())
        .bind(customer.uuid())
        .bind(Ts(start))
        .bind(id)
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// What providers call a customer: their clients with one of the customer's addresses and this name.
pub(crate) async fn at_providers(
    conn: &mut Conn,
    tenant: TenantId,
    customer: CustomerId,
    name: &str,
) -> Result<Vec<AtProvider>, StoreError> {
    let rows = sqlx::query_as::<Db, (Uuid, String, String)>(AT_PROVIDERS)
        .bind(tenant.uuid())
        .bind(customer.uuid())
        .bind(limits::CUSTOMER_AT_PROVIDERS_MAX)
        .fetch_all(conn)
        .await?;
    let theirs = rows.into_iter().filter(|(_, _, title)| names_alike(title, name));
    let at = |(connection, external_id, _)| AtProvider {
        connection: ConnectionId::from_uuid(connection),
        external_id,
    };
    Ok(theirs.map(at).collect())
}
