//! Limits, counted inside the transaction that books, so that racing requests cannot exceed them.

use std::collections::HashMap;

use berth_model::{bookings::booking::Booking, id::MemberId, limits, time::Interval};
use futures_util::TryStreamExt as _;
use uuid::Uuid;

use super::{
    super::{super::Db, Conn, number},
    occupancy,
};
use crate::{StoreError, records::MemberLimit, types::Ts};

queries! {
    COUNT = concat!("SELECT COUNT(*), ", minutes!("SUM(ends_at - starts_at)"), " FROM bookings b
        WHERE tenant_id = $1 AND event_type_id = $2 AND starts_at >= $3 AND starts_at < $4 AND id <> $5
            AND status IN ('pending', 'confirmed', 'completed', 'no_show')
            AND (member_id = $6 OR EXISTS (
                SELECT 1 FROM booking_members m WHERE m.tenant_id = $1 AND m.booking_id = b.id AND m.member_id = $6))");
    TOGETHER = "SELECT member_id, starts_at, ends_at FROM bookings
        WHERE tenant_id = $1 AND event_type_id = $2 AND starts_at >= $3 AND starts_at < $4 AND id <> $5
            AND status IN ('pending', 'confirmed', 'completed', 'no_show')
        UNION ALL SELECT m.member_id, b.starts_at, b.ends_at FROM bookings b
            JOIN booking_members m ON m.tenant_id = b.tenant_id AND m.booking_id = b.id
        WHERE b.tenant_id = $1 AND b.event_type_id = $2 AND b.starts_at >= $3 AND b.starts_at < $4 AND b.id <> $5
            AND b.status IN ('pending', 'confirmed', 'completed', 'no_show') AND b.further_members > 0";
}

/// Is there room for this booking in each of these periods, itself not counted? `LimitReached` if not.
pub(crate) async fn check(
    conn: &mut Conn,
    booking: &Booking,
    when: Interval,
    limits: &[MemberLimit],
) -> Result<(), StoreError> {
    if limits.is_empty() {
        return Ok(());
    }
    let mut members: Vec<MemberId> = limits.iter().map(|limit| limit.member).collect();
    members.sort_unstable();
    members.dedup();
    occupancy::lock_members(conn, booking.tenant, &members).await?;
    let length = number(when.end().micros_since(when.start()) / 60_000_000, "length")?;
    if limits.len() > limits::MEMBER_LIMITS_COUNTED_SINGLY_MAX {
        let counts = together(conn, booking, limits).await?;
        let full = limits
            .iter()
            .zip(counts)
            .find(|(limit, (bookings, minutes))| !limit.limit.allows(*bookings, *minutes, length));
        return full.map_or(Ok(()), |(limit, _)| Err(StoreError::LimitReached(limit.limit)));
    }
    for limit in limits {
        let (bookings, minutes): (i64, i64) = sqlx::query_as::<Db, _>(COUNT)
            .bind(booking.tenant.uuid())
            .bind(booking.event_type.uuid())
            .bind(Ts(limit.period.start()))
            .bind(Ts(limit.period.end()))
            .bind(booking.id.uuid())
            .bind(limit.member.uuid())
            .fetch_one(&mut *conn)
            .await?;
        if !limit.limit.allows(number(bookings, "count")?, number(minutes, "minutes")?, length) {
            return Err(StoreError::LimitReached(limit.limit));
        }
    }
    Ok(())
}

/// Bookings and minutes in each of these periods. A meeting of a large team has a period for each member and limit: its bookings are
/// read once for all of them.
async fn together(
    conn: &mut Conn,
    booking: &Booking,
    limits: &[MemberLimit],
) -> Result<Vec<(u32, u64)>, StoreError> {
    let periods = limits.iter().map(|limit| limit.period);
    let Some(hull) = periods.reduce(Interval::joined) else { return Ok(Vec::new()) };
    let mut counts = vec![(0_u32, 0_i64); limits.len()];
    let mut of_member: HashMap<Uuid, Vec<usize>> = HashMap::new();
    for (i, limit) in limits.iter().enumerate() {
        of_member.entry(limit.member.uuid()).or_default().push(i);
    }
    let mut rows = sqlx::query_as::<Db, (Uuid, Ts, Ts)>(TOGETHER)
        .bind(booking.tenant.uuid())
        .bind(booking.event_type.uuid())
        .bind(Ts(hull.start()))
        .bind(Ts(hull.end()))
        .bind(booking.id.uuid())
        .fetch(conn);
    while let Some((member, start, end)) = rows.try_next().await? {
        for i in of_member.get(&member).into_iter().flatten() {
            let (Some(limit), Some(count)) = (limits.get(*i), counts.get_mut(*i)) else { continue };
            if limit.period.start() <= start.0 && start.0 < limit.period.end() {
                count.0 = count.0.saturating_add(1);
                count.1 = count.1.saturating_add(end.0.micros_since(start.0));
            }
        }
    }
    Ok(counts.into_iter().map(|(bookings, micros)| (bookings, minutes(micros))).collect())
}

/// Whole minutes.
fn minutes(micros: i64) -> u64 {
    u64::try_from(micros / 60_000_000).unwrap_or(0)
}
