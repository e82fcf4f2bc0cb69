//! Conflicts about events in members' calendars: about a booking, and about nothing that has an id.

use berth_model::{
    id::{BookingId, ConnectionId, TenantId},
    limits,
    mirror::sync::Conflict,
};

use super::super::{super::Db, Conn, mirror::conflicts::Row};
use crate::StoreError;

/// What a conflict is.
macro_rules! select {
    () => {
        "SELECT tenant_id, id, connection_id, booking_id, external_id, own_twin, kind, ours, theirs, status, resolution,
            resolved_by, detected_at, resolved_at, findings
        FROM sync_conflicts WHERE tenant_id = $1 AND connection_id = $2"
    };
}

queries! {
    OPEN = concat!(select!(), " AND status = 'open' AND booking_id IS NOT NULL AND external_id IS NULL ORDER BY id LIMIT $3");
    OF_BOOKING = "SELECT tenant_id, id, connection_id, booking_id, external_id, own_twin, kind, ours, theirs, status, resolution,
            resolved_by, detected_at, resolved_at, findings
        FROM sync_conflicts WHERE tenant_id = $1 AND booking_id = $2 AND status = 'open' AND external_id IS NULL ORDER BY id LIMIT $3";
    LAST = concat!(select!(), " AND dedup_key = $3 ORDER BY id DESC LIMIT 1");
}

/// Those that are open over a connection.
pub(crate) async fn open(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<Vec<Conflict>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(OPEN)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(limits::LIST_ROWS_MAX)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Those that are open about a booking, over any connection.
pub(crate) async fn of_booking(
    conn: &mut Conn,
    tenant: TenantId,
    booking: BookingId,
) -> Result<Vec<Conflict>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(OF_BOOKING)
        .bind(tenant.uuid())
        .bind(booking.uuid())
        .bind(limits::LIST_ROWS_MAX)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The latest conflict about the same, open or not.
pub(crate) async fn last(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    dedup_key: &str,
) -> Result<Option<Conflict>, StoreError> {
    let row = sqlx::query_as::<Db, Row>(LAST)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(dedup_key)
        .fetch_optional(conn)
        .await?;
    row.map(TryInto::try_into).transpose()
}
