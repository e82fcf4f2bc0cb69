//! Who takes part in a booking besides its organiser.

use berth_model::{
    bookings::booking::Booking,
    id::{MemberId, TenantId},
};
use sqlx::QueryBuilder;

use super::super::{super::Db, Conn};
use crate::StoreError;

queries! {
    LEAVE = "DELETE FROM booking_members WHERE tenant_id = $1 AND booking_id = $2";
}

/// Whether a booking is one of this member, the organiser or not: one set of ids, so that no row is read for those that are not.
pub(super) fn push_is_with(query: &mut QueryBuilder<Db>, tenant: TenantId, member: MemberId) {
    query.push(" AND id IN (SELECT id FROM bookings WHERE tenant_id = ").push_bind(tenant.uuid());
    query.push(" AND member_id = ").push_bind(member.uuid());
    query
        .push(" UNION ALL SELECT booking_id FROM booking_members WHERE tenant_id = ")
        .push_bind(tenant.uuid());
    query.push(" AND member_id = ").push_bind(member.uuid()).push(")");
}

/// Write down who takes part in a new booking.
pub(super) async fn join(conn: &mut Conn, booking: &Booking) -> Result<(), StoreError> {
    if booking.other_members.is_empty() {
        return Ok(());
    }
    let mut query =
        QueryBuilder::<Db>::new("INSERT INTO booking_members (tenant_id, booking_id, member_id, position) ");
    query.push_values((0_i64..).zip(&booking.other_members), |mut row, (position, member)| {
        row.push_bind(booking.tenant.uuid()).push_bind(booking.id.uuid());
        row.push_bind(member.uuid()).push_bind(position);
    });
    query.build().execute(conn).await.map_err(|error| StoreError::from(error).missing("member"))?;
    Ok(())
}

/// Others take part from now on.
pub(super) async fn replace(conn: &mut Conn, old: &Booking, new: &Booking) -> Result<(), StoreError> {
    if old.other_members == new.other_members {
        return Ok(());
    }
    sqlx::query::<Db>(LEAVE).bind(new.tenant.uuid()).bind(new.id.uuid()).execute(&mut *conn).await?;
    join(conn, new).await
}
