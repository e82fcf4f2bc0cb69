//! Places: who takes a member's time when. The overlap rule itself lives in the schema.

use berth_model::{
    id::{BookingId, MemberId, TenantId},
    time::{Instant, Interval},
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{super::Db, Conn};
use crate::{StoreError, records::Occupied, types::Ts};

queries! {
    TAKE = "INSERT INTO occupancies (tenant_id, member_id, seat, blocked_start, blocked_end, starts_at, ends_at, owner_kind,
            owner_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'booking', $8)";
    OF_OWNER = "SELECT blocked_start, blocked_end FROM occupancies WHERE tenant_id = $1 AND owner_id = $2";
    RELEASE = "DELETE FROM occupancies WHERE tenant_id = $1 AND owner_id = $2";
}

/// The only seat of an event that seats one.
const FIRST_SEAT: i64 = 0;

/// A place for a booking: whose time, the meeting, and the meeting with its buffers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) tenant: TenantId,
    pub(crate) member: MemberId,
    pub(crate) booking: BookingId,
    pub(crate) when: Interval,
    pub(crate) blocked: Interval,
}

/// Take a place; `Overlap` if somebody has it.
pub(crate) async fn take(conn: &mut Conn, place: Place) -> Result<(), StoreError> {
    sqlx::query::<Db>(TAKE)
        .bind(place.tenant.uuid())
        .bind(place.member.uuid())
        .bind(FIRST_SEAT)
        .bind(Ts(place.blocked.start()))
        .bind(Ts(place.blocked.end()))
        .bind(Ts(place.when.start()))
        .bind(Ts(place.when.end()))
        .bind(place.booking.uuid())
        .execute(conn)
        .await?;
    Ok(())
}

/// Take a further place for the same booking while it keeps the one it has. Where the two overlap it keeps their hull, since one
/// booking cannot stand in its own way.
pub(crate) async fn take_besides(conn: &mut Conn, mut place: Place) -> Result<(), StoreError> {
    let held: Vec<(Ts, Ts)> = sqlx::query_as::<Db, (Ts, Ts)>(OF_OWNER)
        .bind(place.tenant.uuid())
        .bind(place.booking.uuid())
        .fetch_all(&mut *conn)
        .await?;
    for (start, end) in held {
        let held = Interval::new(start.0, end.0).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        if held.overlaps(place.blocked) {
            release(conn, place.tenant, place.booking).await?;
            let hull =
                Interval::new(held.start().min(place.blocked.start()), held.end().max(place.blocked.end()));
            place.blocked = hull.map_err(|e| StoreError::Corrupt(e.to_string()))?;
        }
    }
    take(conn, place).await
}

/// Give up every place of a booking.
pub(crate) async fn release(conn: &mut Conn, tenant: TenantId, booking: BookingId) -> Result<(), StoreError> {
    sqlx::query::<Db>(RELEASE).bind(tenant.uuid()).bind(booking.uuid()).execute(conn).await?;
    Ok(())
}

/// Give up every place of a booking and take this one instead.
pub(crate) async fn replace(conn: &mut Conn, place: Place) -> Result<(), StoreError> {
    release(conn, place.tenant, place.booking).await?;
    take(conn, place).await
}

#[derive(sqlx::FromRow)]
struct Row {
    member_id: Uuid,
    blocked_start: Ts,
    blocked_end: Ts,
    starts_at: Ts,
    ends_at: Ts,
    owner_kind: String,
    owner_id: Uuid,
}

/// What these members' time is taken by, overlapping `within`, by member and start.
pub(crate) async fn occupied(
    conn: &mut Conn,
    tenant: TenantId,
    members: &[MemberId],
    within: Interval,
) -> Result<Vec<Occupied>, StoreError> {
    let mut query = QueryBuilder::<Db>::new(
        "SELECT member_id, blocked_start, blocked_end, starts_at, ends_at, owner_kind, owner_id FROM occupancies
        WHERE tenant_id = ",
    );
    query.push_bind(tenant.uuid()).push(" AND member_id IN (");
    let mut ids = query.separated(", ");
    ids.push_bind(Uuid::nil());
    for member in members {
        ids.push_bind(member.uuid());
    }
    query.push(") AND blocked_start < ").push_bind(Ts(within.end()));
    query.push(" AND blocked_end > ").push_bind(Ts(within.start()));
    query.push(" ORDER BY member_id, blocked_start");
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    let interval = |start: Instant, end: Instant| {
        Interval::new(start, end).map_err(|e| StoreError::Corrupt(e.to_string()))
    };
    rows.into_iter()
        .map(|row| {
            Ok(Occupied {
                member: MemberId::from_uuid(row.member_id),
                blocked: interval(row.blocked_start.0, row.blocked_end.0)?,
                when: interval(row.starts_at.0, row.ends_at.0)?,
                booking: (row.owner_kind == "booking").then(|| BookingId::from_uuid(row.owner_id)),
            })
        })
        .collect()
}
