//! Limits, counted inside the transaction that books, so that racing requests cannot exceed them.

use berth_model::{booking::Booking, id::MemberId, time::Interval};

use super::{super::Db, Conn, bookings, number, places};
use crate::{StoreError, records::Allowance, types::Ts};

queries! {
    COUNT = concat!("SELECT COUNT(*), ", minutes!("SUM(ends_at - starts_at)"), " FROM bookings
        WHERE tenant_id = $1 AND event_type_id = $2 AND starts_at >= $3 AND starts_at < $4 AND id <> $5
            AND status IN ('pending', 'confirmed', 'completed', 'no_show')
            AND (member_id = $6 OR CAST(other_members AS TEXT) LIKE $7)");
}

/// Is there room for this booking in each of these periods, itself not counted? `LimitReached` if not.
pub(crate) async fn check(
    conn: &mut Conn,
    booking: &Booking,
    when: Interval,
    allowances: &[Allowance],
) -> Result<(), StoreError> {
    if allowances.is_empty() {
        return Ok(());
    }
    let mut members: Vec<MemberId> = allowances.iter().map(|allowance| allowance.member).collect();
    members.sort_unstable();
    members.dedup();
    places::touch(conn, booking.tenant, &members).await?;
    let length = number(when.end().micros_since(when.start()) / 60_000_000, "length")?;
    for allowance in allowances {
        let (bookings, minutes): (i64, i64) = sqlx::query_as::<Db, _>(COUNT)
            .bind(booking.tenant.uuid())
            .bind(booking.event_type.uuid())
            .bind(Ts(allowance.period.start()))
            .bind(Ts(allowance.period.end()))
            .bind(booking.id.uuid())
            .bind(allowance.member.uuid())
            .bind(bookings::naming(allowance.member))
            .fetch_one(&mut *conn)
            .await?;
        if !allowance.limit.allows(number(bookings, "count")?, number(minutes, "minutes")?, length) {
            return Err(StoreError::LimitReached(allowance.limit));
        }
    }
    Ok(())
}
