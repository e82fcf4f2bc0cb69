//! Places: who holds which stretch of a member's time. The database itself refuses an overlap.
//!
//! A meeting that customers share is a *session*: its places have one session id, one blocked range and a seat each. Every
//! other place is a session of its own.

use std::collections::HashSet;

use berth_model::{
    bookings::{
        booking::Booking,
        hold::HoldRecord,
        occupancy::{Occupancy, OccupancyChange},
    },
    id::{BookingId, EventTypeId, HoldId, Id, MemberId, TenantId},
    time::{Instant, Interval},
};
use ring::digest::{Context, SHA256};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::super::{super::Db, Conn, interval, number};
use crate::{StoreError, records::Occupied, types::Ts};

const BOOKING: &str = "booking";
const HOLD: &str = "hold";

queries! {
    TAKE = "INSERT INTO occupancies (tenant_id, member_id, session_id, seat, blocked_start, blocked_end, starts_at,
            ends_at, owner_kind, owner_id, event_type_id, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    // Holds that are over and in the way.
    CLEAR = "DELETE FROM occupancies WHERE tenant_id = $1 AND member_id = $2 AND expires_at <= $3
            AND blocked_end > $4 AND blocked_start < $5";
    SEATS = "SELECT seat, blocked_start, blocked_end FROM occupancies
        WHERE tenant_id = $1 AND member_id = $2 AND session_id = $3 ORDER BY seat";
    OF_OWNER = "SELECT member_id, session_id, blocked_start, blocked_end FROM occupancies
        WHERE tenant_id = $1 AND owner_id = $2";
    OWN_SEATS = "SELECT seat FROM occupancies
        WHERE tenant_id = $1 AND owner_id = $2 AND member_id = $3 AND session_id = $4 ORDER BY seat";
    LEAVE_SEAT = "DELETE FROM occupancies WHERE tenant_id = $1 AND member_id = $2 AND session_id = $3 AND seat = $4 AND owner_id = $5";
    EXTEND = "UPDATE occupancies SET expires_at = $3 WHERE tenant_id = $1 AND owner_id = $2";
    RELEASE = "DELETE FROM occupancies WHERE tenant_id = $1 AND owner_id = $2";
    RELEASE_OTHERS = "DELETE FROM occupancies WHERE tenant_id = $1 AND owner_id = $2 AND session_id <> $3";
}

/// Who takes places, of whose time, and as what.
#[derive(Clone)]
pub(crate) struct Taker {
    tenant: TenantId,
    kind: &'static str,
    id: Uuid,
    members: Vec<MemberId>,
    event_type: EventTypeId,
    seats: u32,
    /// How many of them it takes.
    taken: u32,
    expires_at: Option<Instant>,
}

impl Taker {
    pub(crate) fn booking(booking: &Booking) -> Self {
        Self {
            tenant: booking.tenant,
            kind: BOOKING,
            id: booking.id.uuid(),
            members: sorted(booking.members()),
            event_type: booking.event_type,
            seats: booking.seats,
            taken: booking.seats_taken.clamp(1, booking.seats.max(1)),
            expires_at: None,
        }
    }

    pub(crate) fn hold(hold: &HoldRecord, seats: u32) -> Self {
        Self {
            tenant: hold.tenant,
            kind: HOLD,
            id: hold.id.uuid(),
            members: sorted(hold.members()),
            event_type: hold.event_type,
            seats,
            taken: 1,
            expires_at: Some(hold.expires_at),
        }
    }

    /// The id of the session that a meeting of this taker belongs to: the same for all who share it, and for nobody else.
    fn session(&self, when: Interval) -> Uuid {
        let of = if self.seats > 1 { self.event_type.uuid() } else { self.id };
        let mut context = Context::new(&SHA256);
        context.update(of.as_bytes());
        context.update(&when.start().micros().to_be_bytes());
        context.update(&when.end().micros().to_be_bytes());
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// Each once, in an order that all transactions follow, so that they do not wait for each other crosswise.
fn sorted(members: impl Iterator<Item = MemberId>) -> Vec<MemberId> {
    let mut members: Vec<MemberId> = members.collect();
    members.sort_unstable();
    members.dedup();
    members
}

/// Take a place of each member's time; `Overlap` if one is taken, or no seat is left.
pub(crate) async fn take(
    conn: &mut Conn,
    taker: &Taker,
    place: Occupancy,
    now: Instant,
) -> Result<(), StoreError> {
    // One after the other: two that race for one place would each wait for the other's row until the database calls it a deadlock.
    let in_the_way = touch_for(conn, taker, place, now).await?;
    for member in &taker.members {
        if in_the_way.contains(&member.uuid()) {
            clear(conn, taker.tenant, *member, place, now).await?;
        }
        take_of(conn, taker, *member, place, taker.taken).await?;
    }
    Ok(())
}

/// Begin a change of these members' places: what is remembered of them is out of date (`taken.rs`), and no other transaction
/// that changes them goes on before this one has ended. Rows are locked in the order of their ids.
pub(crate) async fn lock_members(
    conn: &mut Conn,
    tenant: TenantId,
    members: &[MemberId],
) -> Result<(), StoreError> {
    if members.is_empty() {
        return Ok(());
    }
    touching(tenant, members).build().execute(conn).await?;
    Ok(())
}

fn touching(tenant: TenantId, members: &[MemberId]) -> QueryBuilder<Db> {
    let mut query =
        QueryBuilder::<Db>::new("UPDATE members SET places_version = places_version + 1 WHERE tenant_id = ");
    query.push_bind(tenant.uuid());
    if let [member] = members {
        query.push(" AND id = ").push_bind(member.uuid());
        return query;
    }
    query.push(" AND id IN (SELECT id FROM members WHERE tenant_id = ");
    query.push_bind(tenant.uuid()).push(" AND id IN ");
    push_ids(&mut query, members);
    query.push(concat!(" ORDER BY id", lock_row!(), ")"));
    query
}

/// The same before a place is taken. Of whose time there are holds in the way that are over: hardly ever anybody's.
async fn touch_for(
    conn: &mut Conn,
    taker: &Taker,
    place: Occupancy,
    now: Instant,
) -> Result<Vec<Uuid>, StoreError> {
    if taker.members.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = touching(taker.tenant, &taker.members);
    query.push(
        " RETURNING id, EXISTS (SELECT 1 FROM occupancies o WHERE o.tenant_id = members.tenant_id AND o.member_id = members.id
            AND o.expires_at <= ",
    );
    query.push_bind(Ts(now)).push(" AND o.blocked_end > ").push_bind(Ts(place.padded.start()));
    query.push(" AND o.blocked_start < ").push_bind(Ts(place.padded.end())).push(")");
    let rows: Vec<(Uuid, bool)> = query.build_query_as().fetch_all(conn).await?;
    Ok(rows.into_iter().filter(|(_, holds)| *holds).map(|(member, _)| member).collect())
}

/// The same for whoever's time an owner holds.
async fn touch_of(conn: &mut Conn, tenant: TenantId, owner: Uuid) -> Result<(), StoreError> {
    let members = held(conn, tenant, owner).await?.into_iter().map(|(member, ..)| member);
    lock_members(conn, tenant, &sorted(members)).await
}

/// Remove the holds of a member's time that are over and in the way.
async fn clear(
    conn: &mut Conn,
    tenant: TenantId,
    member: MemberId,
    place: Occupancy,
    now: Instant,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(CLEAR)
        .bind(tenant.uuid())
        .bind(member.uuid())
        .bind(Ts(now))
        .bind(Ts(place.padded.start()))
        .bind(Ts(place.padded.end()))
        .execute(conn)
        .await?;
    Ok(())
}

async fn take_of(
    conn: &mut Conn,
    taker: &Taker,
    member: MemberId,
    place: Occupancy,
    count: u32,
) -> Result<(), StoreError> {
    let session = taker.session(place.when);
    let (seats, padded) = if taker.seats > 1 {
        seats_in(conn, taker, member, session, (place.padded, count)).await?
    } else {
        (vec![0], place.padded)
    };
    for seat in seats {
        take_seat(conn, taker, member, (session, seat), Occupancy { padded, when: place.when }).await?;
    }
    Ok(())
}

async fn take_seat(
    conn: &mut Conn,
    taker: &Taker,
    member: MemberId,
    (session, seat): (Uuid, i64),
    Occupancy { padded, when }: Occupancy,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(TAKE)
        .bind(taker.tenant.uuid())
        .bind(member.uuid())
        .bind(session)
        .bind(seat)
        .bind(Ts(padded.start()))
        .bind(Ts(padded.end()))
        .bind(Ts(when.start()))
        .bind(Ts(when.end()))
        .bind(taker.kind)
        .bind(taker.id)
        .bind(taker.event_type.uuid())
        .bind(taker.expires_at.map(Ts))
        .execute(conn)
        .await
        .map_err(|error| match StoreError::from(error) {
            // The seat was given to another in this moment.
            StoreError::Duplicate(_) => StoreError::Overlap,
            other => other.missing("member"),
        })?;
    Ok(())
}

/// Take more seats of a meeting in which this taker has some, or give the last ones back, until there are as many as it takes.
async fn reseat(
    conn: &mut Conn,
    taker: &Taker,
    member: MemberId,
    place: Occupancy,
    now: Instant,
) -> Result<(), StoreError> {
    let session = taker.session(place.when);
    let own = sqlx::query_scalar::<Db, i64>(OWN_SEATS)
        .bind(taker.tenant.uuid())
        .bind(taker.id)
        .bind(member.uuid())
        .bind(session)
        .fetch_all(&mut *conn)
        .await?;
    let kept = usize::try_from(taker.taken).unwrap_or(usize::MAX);
    for seat in own.iter().skip(kept) {
        sqlx::query::<Db>(LEAVE_SEAT)
            .bind(taker.tenant.uuid())
            .bind(member.uuid())
            .bind(session)
            .bind(seat)
            .bind(taker.id)
            .execute(&mut *conn)
            .await?;
    }
    let more = taker.taken.saturating_sub(u32::try_from(own.len()).unwrap_or(u32::MAX));
    if more > 0 {
        // Holds that are over have no seat.
        clear(conn, taker.tenant, member, place, now).await?;
        take_of(conn, taker, member, place, more).await?;
    }
    Ok(())
}

/// The lowest free seats of a session, so many, and the range that the session blocks already: buffers may have been edited since.
async fn seats_in(
    conn: &mut Conn,
    taker: &Taker,
    member: MemberId,
    session: Uuid,
    (padded, count): (Interval, u32),
) -> Result<(Vec<i64>, Interval), StoreError> {
    let seats = sqlx::query_as::<Db, (i64, Ts, Ts)>(SEATS)
        .bind(taker.tenant.uuid())
        .bind(member.uuid())
        .bind(session)
        .fetch_all(conn)
        .await?;
    let occupied: HashSet<i64> = seats.iter().map(|(seat, ..)| *seat).collect();
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let free: Vec<i64> =
        (0..i64::from(taker.seats)).filter(|seat| !occupied.contains(seat)).take(count).collect();
    if free.len() < count {
        return Err(StoreError::Overlap);
    }
    let padded = match seats.first() {
        Some((_, start, end)) => interval(*start, *end)?,
        None => padded,
    };
    Ok((free, padded))
}

/// Give back all places of a booking or hold.
pub(crate) async fn release(conn: &mut Conn, tenant: TenantId, owner: Uuid) -> Result<u64, StoreError> {
    touch_of(conn, tenant, owner).await?;
    let done = sqlx::query::<Db>(RELEASE).bind(tenant.uuid()).bind(owner).execute(conn).await?;
    Ok(done.rows_affected())
}

/// Keep the places of a hold for longer. How many there were.
pub(crate) async fn extend(
    conn: &mut Conn,
    tenant: TenantId,
    hold: HoldId,
    expires_at: Instant,
) -> Result<u64, StoreError> {
    touch_of(conn, tenant, hold.uuid()).await?;
    let done = sqlx::query::<Db>(EXTEND)
        .bind(tenant.uuid())
        .bind(hold.uuid())
        .bind(Ts(expires_at))
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

/// Bring the places of a booking to what a change decided.
pub(crate) async fn arrange(
    conn: &mut Conn,
    booking: &Booking,
    places: OccupancyChange,
    now: Instant,
) -> Result<(), StoreError> {
    let taker = Taker::booking(booking);
    match places {
        OccupancyChange::Keep => Ok(()),
        OccupancyChange::Release => release(conn, taker.tenant, taker.id).await.map(drop),
        OccupancyChange::Only(place) => {
            let session = taker.session(place.when);
            let held = held(conn, taker.tenant, taker.id).await?;
            // Who has a seat of the meeting keeps it.
            let seated = taker.seats > 1
                && taker
                    .members
                    .iter()
                    .all(|member| held.iter().any(|(other, at, _)| other == member && *at == session));
            if seated {
                lock_members(conn, taker.tenant, &taker.members).await?;
                sqlx::query::<Db>(RELEASE_OTHERS)
                    .bind(taker.tenant.uuid())
                    .bind(taker.id)
                    .bind(session)
                    .execute(&mut *conn)
                    .await?;
                for member in &taker.members {
                    reseat(conn, &taker, *member, place, now).await?;
                }
                return Ok(());
            }
            release(conn, taker.tenant, taker.id).await?;
            take(conn, &taker, place, now).await
        }
        OccupancyChange::Also(place) => {
            let held = held(conn, taker.tenant, taker.id).await?;
            let stays = |member: &MemberId| taker.members.contains(member);
            let touching: Vec<Interval> = held
                .iter()
                .filter(|(member, _, old)| stays(member) && old.overlaps(place.padded))
                .map(|(.., old)| *old)
                .collect();
            if touching.is_empty() {
                return take(conn, &taker, place, now).await;
            }
            // Both times as one, for nobody else until it is settled where the booking stays.
            let padded = touching.into_iter().fold(place.padded, Interval::joined);
            release(conn, taker.tenant, taker.id).await?;
            // Whoever took part before keeps the old time for as long as the move may be refused.
            for (member, _, old) in held.into_iter().filter(|(member, ..)| !stays(member)) {
                let before = Taker { seats: 1, taken: 1, members: vec![member], ..taker.clone() };
                take(conn, &before, Occupancy { padded: old, when: old }, now).await?;
            }
            take(conn, &Taker { seats: 1, taken: 1, ..taker }, Occupancy { padded, when: place.when }, now)
                .await
        }
    }
}

/// Whose time an owner holds, in which session, and which stretch.
async fn held(
    conn: &mut Conn,
    tenant: TenantId,
    owner: Uuid,
) -> Result<Vec<(MemberId, Uuid, Interval)>, StoreError> {
    let rows = sqlx::query_as::<Db, (Uuid, Uuid, Ts, Ts)>(OF_OWNER)
        .bind(tenant.uuid())
        .bind(owner)
        .fetch_all(conn)
        .await?;
    let mut held = rows
        .into_iter()
        .map(|(member, session, start, end)| {
            Ok((MemberId::from_uuid(member), session, interval(start, end)?))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    // Several seats of one meeting are one stretch of time.
    held.sort_unstable_by_key(|(member, session, _)| (*member, *session));
    held.dedup_by_key(|(member, session, _)| (*member, *session));
    Ok(held)
}

#[derive(sqlx::FromRow)]
struct Row {
    member_id: Uuid,
    session_id: Uuid,
    seat: i64,
    blocked_start: Ts,
    blocked_end: Ts,
    starts_at: Ts,
    ends_at: Ts,
    owner_kind: String,
    owner_id: Uuid,
    event_type_id: Option<Uuid>,
}

/// Append `(id, id, …)`.
pub(crate) fn push_ids<T>(query: &mut QueryBuilder<Db>, members: &[Id<T>]) {
    query.push("(");
    let mut ids = query.separated(", ");
    for member in members {
        ids.push_bind(member.uuid());
    }
    query.push(")");
}

/// What of these members' time is taken within an interval, by start. Holds that are over by `now` are not.
pub(crate) async fn busy_times(
    conn: &mut Conn,
    tenant: TenantId,
    members: &[MemberId],
    within: Interval,
    now: Instant,
) -> Result<Vec<Occupied>, StoreError> {
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::<Db>::new(
        "SELECT member_id, session_id, seat, blocked_start, blocked_end, starts_at, ends_at, owner_kind, owner_id,
            event_type_id
        FROM occupancies WHERE tenant_id = ",
    );
    query.push_bind(tenant.uuid()).push(" AND member_id IN ");
    push_ids(&mut query, members);
    query.push(" AND blocked_end > ").push_bind(Ts(within.start()));
    query.push(" AND blocked_start < ").push_bind(Ts(within.end()));
    query.push(" AND (expires_at IS NULL OR expires_at > ").push_bind(Ts(now));
    query.push(") ORDER BY blocked_start, member_id, seat");
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Occupied {
                member: MemberId::from_uuid(row.member_id),
                padded: interval(row.blocked_start, row.blocked_end)?,
                when: interval(row.starts_at, row.ends_at)?,
                booking: (row.owner_kind == BOOKING).then(|| BookingId::from_uuid(row.owner_id)),
                hold: (row.owner_kind == HOLD).then(|| HoldId::from_uuid(row.owner_id)),
                event_type: row.event_type_id.map(EventTypeId::from_uuid),
                session: row.session_id,
                seat: number(row.seat, "seat")?,
            })
        })
        .collect()
}
