//! What clocks showed when bookings were made. What they show now is for whoever knows the zones.

use berth_model::{
    bookings::clocks::Clocks,
    id::{BookingId, TenantId},
    outbound::provider::Attendee,
    time::Instant,
};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::super::{super::Db, Conn, expect_affected, from_json, tenants::audit};
use crate::{
    StoreError,
    records::{Audit, BookingClocks},
    types::Ts,
};

queries! {
    // Of all tenants: for who looks through them.
    TO_COME = "SELECT b.tenant_id, b.id, b.starts_at, b.clocks, b.clocks_noted, b.attendee, l.time_zone
        FROM bookings b JOIN listings l ON l.tenant_id = b.tenant_id AND l.id = b.listing_id
        WHERE b.status IN ('pending', 'confirmed') AND (b.starts_at, b.id) > ($1, $2) ORDER BY b.starts_at, b.id LIMIT $3";
    // Who moved it meanwhile told of a time of its own.
    SET = "UPDATE bookings SET clocks = $4, clocks_noted = NULL WHERE tenant_id = $1 AND id = $2 AND starts_at = $3";
    NOTED = "UPDATE bookings SET clocks_noted = $4 WHERE tenant_id = $1 AND id = $2 AND starts_at = $3";
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    starts_at: Ts,
    clocks: Option<Json<Value>>,
    clocks_noted: Option<Json<Value>>,
    attendee: Json<Value>,
    time_zone: String,
}

/// Bookings that take their time and begin after this one, by start.
pub(crate) async fn to_come(
    conn: &mut Conn,
    after: (Instant, BookingId),
    limit: i64,
) -> Result<Vec<BookingClocks>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(TO_COME)
        .bind(Ts(after.0))
        .bind(after.1.uuid())
        .bind(limit)
        .fetch_all(conn)
        .await?;
    let read = |row: Row| {
        Ok(BookingClocks {
            tenant: TenantId::from_uuid(row.tenant_id),
            booking: BookingId::from_uuid(row.id),
            start: row.starts_at.0,
            told: row.clocks.map(|value| from_json(value, "clocks")).transpose()?,
            noted: row.clocks_noted.map(|value| from_json(value, "clocks")).transpose()?,
            listing_zone: row.time_zone,
            customer_zone: from_json::<Attendee>(row.attendee, "attendee")?.time_zone,
        })
    };
    rows.into_iter().map(read).collect()
}

/// This is what people are told from now on. `Stale` if it does not start then any more.
pub(crate) async fn set(
    conn: &mut Conn,
    of: (TenantId, BookingId, Instant),
    clocks: &Clocks,
    audit: Option<&Audit>,
) -> Result<(), StoreError> {
    expect_affected(&write(conn, SET, of, clocks).await?, StoreError::Stale)?;
    if let Some(audit) = audit {
        let data = serde_json::json!({ "told": clocks });
        audit::append(conn, audit, Some(of.0), "booking.clock_kept", of.1.uuid(), data).await?;
    }
    Ok(())
}

/// Note in the timeline that clocks show something else than was told.
pub(crate) async fn note(
    conn: &mut Conn,
    of: (TenantId, BookingId, Instant),
    now: &Clocks,
    data: &Value,
    audit: &Audit,
) -> Result<(), StoreError> {
    expect_affected(&write(conn, NOTED, of, now).await?, StoreError::Stale)?;
    audit::append(conn, audit, Some(of.0), "booking.clock_changed", of.1.uuid(), data.clone()).await
}

async fn write(
    conn: &mut Conn,
    statement: &'static str,
    (tenant, booking, start): (TenantId, BookingId, Instant),
    clocks: &Clocks,
) -> Result<<Db as sqlx::Database>::QueryResult, StoreError> {
    let query = sqlx::query::<Db>(statement).bind(tenant.uuid()).bind(booking.uuid()).bind(Ts(start));
    Ok(query.bind(Json(clocks)).execute(conn).await?)
}
