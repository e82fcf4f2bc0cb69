//! Every id that a booking of ours has had at its provider. Written with the booking, and never forgotten while the booking is known: who
//! asks whether something at a provider is ours asks here.

use berth_model::{
    bookings::booking::Booking,
    id::{BookingId, ConnectionId, TenantId},
};
use uuid::Uuid;

use super::super::{super::Db, Conn, bookings};
use crate::StoreError;

/// Bookings that one id is looked up for: ids of several accounts may be alike.
const ALIKE_MAX: i64 = 8;

queries! {
    NOTE = "INSERT INTO booking_twins (tenant_id, external_id, connection_id, booking_id) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING";
    OF = "SELECT booking_id FROM booking_twins WHERE tenant_id = $1 AND external_id = $2
        ORDER BY CASE WHEN connection_id = $3 THEN 0 ELSE 1 END, booking_id DESC LIMIT $4";
}

/// This is an id of the booking's counterpart.
pub(crate) async fn note(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    booking: BookingId,
    external_id: &str,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(NOTE)
        .bind(tenant.uuid())
        .bind(external_id)
        .bind(connection.uuid())
        .bind(booking.uuid())
        .execute(conn)
        .await?;
    Ok(())
}

/// The same of the counterpart that a booking says it has.
pub(crate) async fn note_own(conn: &mut Conn, booking: &Booking) -> Result<(), StoreError> {
    match (booking.connection, &booking.external_id) {
        (Some(connection), Some(id)) => note(conn, booking.tenant, connection, booking.id, id).await,
        _ => Ok(()),
    }
}

/// Bookings whose counterpart has or had this id, over any connection of the tenant: first those over this one, the latest first.
pub(crate) async fn of(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    external_id: &str,
) -> Result<Vec<Booking>, StoreError> {
    let ids = sqlx::query_scalar::<Db, Uuid>(OF)
        .bind(tenant.uuid())
        .bind(external_id)
        .bind(connection.uuid())
        .bind(ALIKE_MAX)
        .fetch_all(&mut *conn)
        .await?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.push(bookings::get(conn, tenant, BookingId::from_uuid(id)).await?);
    }
    Ok(found)
}
