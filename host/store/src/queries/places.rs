//! Places: who holds which stretch of a member's time. The database itself refuses an overlap.

use berth_model::{
    id::{BookingId, MemberId, TenantId},
    time::Interval,
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{super::Db, Conn, interval};
use crate::{
    StoreError,
    records::Occupied,
    transition::{Place, Places},
    types::Ts,
};

/// The seat of a meeting that is not shared.
const ONLY_SEAT: i64 = 0;
const BOOKING: &str = "booking";

queries! {
    TAKE = "INSERT INTO occupancies (tenant_id, member_id, seat, blocked_start, blocked_end, starts_at, ends_at,
            owner_kind, owner_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    OF_OWNER = "SELECT blocked_start, blocked_end FROM occupancies WHERE tenant_id = $1 AND owner_id = $2";
    RELEASE = "DELETE FROM occupancies WHERE tenant_id = $1 AND owner_id = $2";
}

/// Take a place for a booking; `Overlap` if it is taken.
pub(crate) async fn take(
    conn: &mut Conn,
    tenant: TenantId,
    member: MemberId,
    booking: BookingId,
    place: Place,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(TAKE)
        .bind(tenant.uuid())
        .bind(member.uuid())
        .bind(ONLY_SEAT)
        .bind(Ts(place.blocked.start()))
        .bind(Ts(place.blocked.end()))
        .bind(Ts(place.when.start()))
        .bind(Ts(place.when.end()))
        .bind(BOOKING)
        .bind(booking.uuid())
        .execute(conn)
        .await
        .map_err(|e| StoreError::from(e).missing("member"))?;
    Ok(())
}

async fn release(conn: &mut Conn, tenant: TenantId, booking: BookingId) -> Result<(), StoreError> {
    sqlx::query::<Db>(RELEASE).bind(tenant.uuid()).bind(booking.uuid()).execute(conn).await?;
    Ok(())
}

/// Bring the places of a booking to what a change decided.
pub(crate) async fn arrange(
    conn: &mut Conn,
    tenant: TenantId,
    member: MemberId,
    booking: BookingId,
    places: Places,
) -> Result<(), StoreError> {
    match places {
        Places::Keep => Ok(()),
        Places::Release => release(conn, tenant, booking).await,
        Places::Only(place) => {
            release(conn, tenant, booking).await?;
            take(conn, tenant, member, booking, place).await
        }
        Places::Also(place) => {
            let held = sqlx::query_as::<Db, (Ts, Ts)>(OF_OWNER)
                .bind(tenant.uuid())
                .bind(booking.uuid())
                .fetch_all(&mut *conn)
                .await?;
            let mut blocked = place.blocked;
            let mut merged = false;
            for (start, end) in held {
                let old = interval(start, end)?;
                if old.overlaps(blocked) {
                    merged = true;
                    blocked =
                        interval(Ts(old.start().min(blocked.start())), Ts(old.end().max(blocked.end())))?;
                }
            }
            if merged {
                release(conn, tenant, booking).await?;
            }
            take(conn, tenant, member, booking, Place { blocked, when: place.when }).await
        }
    }
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

/// Append `(id, id, …)`.
pub(super) fn push_ids(query: &mut QueryBuilder<Db>, members: &[MemberId]) {
    query.push("(");
    let mut ids = query.separated(", ");
    for member in members {
        ids.push_bind(member.uuid());
    }
    query.push(")");
}

/// What of these members' time is taken within an interval, by start.
pub(crate) async fn occupied(
    conn: &mut Conn,
    tenant: TenantId,
    members: &[MemberId],
    within: Interval,
) -> Result<Vec<Occupied>, StoreError> {
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::<Db>::new(
        "SELECT member_id, blocked_start, blocked_end, starts_at, ends_at, owner_kind, owner_id FROM occupancies
        WHERE tenant_id = ",
    );
    query.push_bind(tenant.uuid()).push(" AND member_id IN ");
    push_ids(&mut query, members);
    query.push(" AND blocked_end > ").push_bind(Ts(within.start()));
    query.push(" AND blocked_start < ").push_bind(Ts(within.end()));
    query.push(" ORDER BY blocked_start, member_id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Occupied {
                member: MemberId::from_uuid(row.member_id),
                blocked: interval(row.blocked_start, row.blocked_end)?,
                when: interval(row.starts_at, row.ends_at)?,
                booking: (row.owner_kind == BOOKING).then(|| BookingId::from_uuid(row.owner_id)),
            })
        })
        .collect()
}
