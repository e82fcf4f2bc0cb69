//! What providers have, as they last said it, and how far each synchronisation is.

use berth_model::{
    customers::identity::Person,
    id::{BookingId, ConnectionId, CustomerId, MemberId, MirroredId, TenantId},
    limits,
    mirror::sync::{Mirrored, SyncPhase, SyncRules, SyncState},
    time::{Instant, Interval},
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    super::{
        super::Db, Conn, bookings::occupancy, customers::identify::identify, expect_affected, from_json,
        interval, opt_instant, or_not_found, parse_enum, tenants::audit,
    },
    words,
};
use crate::{
    StoreError,
    macs::{Known, attendee_of},
    records::Audit,
    types::Ts,
};

queries! {
    BEGIN_STATE = "INSERT INTO sync_states (tenant_id, connection_id, rules, phase, run, pages, items, due_at, failures)
        VALUES ($1, $2, $3, 'idle', 0, 0, 0, $4, 0)";
    STATE = "SELECT tenant_id, connection_id, rules, phase, position, run, pages, items, started_at, finished_at, full_at, due_at,
            failures, error
        FROM sync_states WHERE tenant_id = $1 AND connection_id = $2";
    SET_RULES = "UPDATE sync_states SET rules = $3, due_at = $4 WHERE tenant_id = $1 AND connection_id = $2";
    SET_BUSY = "UPDATE connections SET reads_busy = $3, writes_busy = $4 WHERE tenant_id = $1 AND id = $2";
    // What is half-way by the rules before counts no longer; what has begun and is not written yet is one ahead.
    FROM_THE_BEGINNING = "UPDATE sync_states SET position = NULL, phase = 'idle', run = run + 2 WHERE tenant_id = $1 AND connection_id = $2";
    TIMES_TAKEN = "SELECT DISTINCT member_id FROM external_bookings
        WHERE tenant_id = $1 AND connection_id = $2 AND member_id IS NOT NULL ORDER BY member_id";
    FREE_TIMES = "UPDATE external_bookings SET member_id = NULL
        WHERE tenant_id = $1 AND connection_id = $2 AND member_id IS NOT NULL";
    PROGRESS = "UPDATE sync_states SET phase = $3, position = $4, run = $5, pages = $6, items = $7, started_at = $8,
            finished_at = $9, full_at = $10, due_at = $11, failures = $12, error = $13
        WHERE tenant_id = $1 AND connection_id = $2 AND run <= $5";
    CLAIM = concat!("UPDATE sync_states SET due_at = NULL
        WHERE (tenant_id, connection_id) IN (
            SELECT tenant_id, connection_id FROM sync_states WHERE due_at <= $1
            ORDER BY due_at LIMIT $2", lock_rows_skipping!(), ")
        RETURNING tenant_id, connection_id");
    PUT = "INSERT INTO external_bookings (tenant_id, id, connection_id, external_id, booking_id, member_id, status, starts_at,
            ends_at, event_type, payload, run, last_synced_at, customer_id, unidentified, when_start, when_end, created_at, updated_at,
            unsearchable)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
            COALESCE((SELECT b.customer_id FROM bookings b WHERE b.tenant_id = $1 AND b.id = $5), $14), $15, $16, $17, $13, $13, FALSE)
        ON CONFLICT (tenant_id, connection_id, external_id) DO UPDATE SET
            booking_id = COALESCE(excluded.booking_id, CASE WHEN EXISTS (SELECT 1 FROM booking_twins t WHERE t.tenant_id = $1
                AND t.external_id = $4 AND t.connection_id = $3 AND t.booking_id = external_bookings.booking_id)
                THEN external_bookings.booking_id END),
            member_id = CASE WHEN EXISTS (SELECT 1 FROM booking_twins t WHERE t.tenant_id = $1 AND t.external_id = $4
                AND t.connection_id = $3 AND t.booking_id = external_bookings.booking_id) THEN NULL ELSE excluded.member_id END,
            status = excluded.status, starts_at = excluded.starts_at,
            ends_at = excluded.ends_at, event_type = excluded.event_type, payload = excluded.payload, run = excluded.run,
            last_synced_at = excluded.last_synced_at, customer_id = excluded.customer_id, unidentified = excluded.unidentified,
            when_start = excluded.when_start, when_end = excluded.when_end, unsearchable = FALSE,
            updated_at = CASE WHEN $18 THEN excluded.updated_at ELSE external_bookings.updated_at END
        RETURNING id";
    GET = "SELECT tenant_id, id, connection_id, booking_id, customer_id, member_id, starts_at, ends_at, payload, run, last_synced_at
        FROM external_bookings WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3";
    WITHIN = "SELECT tenant_id, id, connection_id, booking_id, customer_id, member_id, starts_at, ends_at, payload, run, last_synced_at
        FROM external_bookings WHERE tenant_id = $1 AND connection_id = $2 AND starts_at >= $3 AND starts_at < $4
        ORDER BY starts_at, external_id LIMIT $5";
    // Those of bookings over this very connection are asked for one by one. Others of ours may only be shown in its account.
    UNSEEN = "SELECT x.tenant_id, x.id, x.connection_id, x.booking_id, x.customer_id, x.member_id, x.starts_at, x.ends_at, x.payload, x.run,
            x.last_synced_at
        FROM external_bookings x WHERE x.tenant_id = $1 AND x.connection_id = $2 AND x.run < $3
            AND NOT EXISTS (SELECT 1 FROM bookings b WHERE b.tenant_id = x.tenant_id AND b.id = x.booking_id
                AND b.connection_id = x.connection_id)
        ORDER BY x.run, x.external_id LIMIT $4";
    // As it was when somebody decided; and nobody's by then.
    RELEASE = "UPDATE external_bookings SET booking_id = $3, member_id = NULL, starts_at = when_start, ends_at = when_end, unidentified = FALSE
        WHERE tenant_id = $1 AND id = $2 AND booking_id IS NULL AND run = $4 AND status = $5 AND when_start = $6 AND when_end = $7";
    FORGET = "DELETE FROM external_bookings WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3";
}

#[derive(sqlx::FromRow)]
struct StateRow {
    tenant_id: Uuid,
    connection_id: Uuid,
    rules: Json<Value>,
    phase: String,
    position: Option<String>,
    run: i64,
    pages: i64,
    items: i64,
    started_at: Option<Ts>,
    finished_at: Option<Ts>,
    full_at: Option<Ts>,
    due_at: Option<Ts>,
    failures: i64,
    error: Option<String>,
}

impl TryFrom<StateRow> for SyncState {
    type Error = StoreError;
    fn try_from(row: StateRow) -> Result<Self, StoreError> {
        Ok(Self {
            tenant: TenantId::from_uuid(row.tenant_id),
            connection: ConnectionId::from_uuid(row.connection_id),
            rules: from_json(row.rules, "sync rules")?,
            phase: parse_enum(&SyncPhase::ALL, SyncPhase::as_str, &row.phase, "sync phase")?,
            position: row.position,
            run: row.run,
            pages: row.pages,
            items: row.items,
            started_at: opt_instant(row.started_at),
            finished_at: opt_instant(row.finished_at),
            full_at: opt_instant(row.full_at),
            due_at: opt_instant(row.due_at),
            failures: row.failures,
            error: row.error,
        })
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    tenant_id: Uuid,
    id: Uuid,
    connection_id: Uuid,
    booking_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    member_id: Option<Uuid>,
    starts_at: Ts,
    ends_at: Ts,
    payload: Json<Value>,
    run: i64,
    last_synced_at: Ts,
}

impl TryFrom<Row> for Mirrored {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: MirroredId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            connection: ConnectionId::from_uuid(row.connection_id),
            booking: row.booking_id.map(BookingId::from_uuid),
            customer: row.customer_id.map(CustomerId::from_uuid),
            member: row.member_id.map(MemberId::from_uuid),
            external: from_json(row.payload, "external booking")?,
            padded: interval(row.starts_at, row.ends_at)?,
            run: row.run,
            last_synced_at: row.last_synced_at.0,
        })
    }
}

/// The state of a new connection: with these rules, due at once.
pub(crate) async fn begin(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    rules: &SyncRules,
    due_at: Instant,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(BEGIN_STATE)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(Json(rules))
        .bind(Ts(due_at))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn state(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<SyncState, StoreError> {
    let row = sqlx::query_as::<Db, StateRow>(STATE)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .fetch_optional(conn)
        .await?;
    or_not_found(row, "connection")?.try_into()
}

/// Members whose time is free now, because the rules follow the provider's bookings no longer. Other rules mean that everything is read again.
pub(crate) async fn set_rules(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    rules: &SyncRules,
    audit: &Audit,
) -> Result<Vec<MemberId>, StoreError> {
    let before = state(conn, tenant, connection).await?.rules;
    let done = sqlx::query::<Db>(SET_RULES)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(Json(rules))
        .bind(Ts(audit.at))
        .execute(&mut *conn)
        .await?;
    expect_affected(&done, StoreError::NotFound("connection"))?;
    sqlx::query::<Db>(SET_BUSY)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(rules.reads_busy())
        .bind(rules.writes_busy())
        .execute(&mut *conn)
        .await?;
    if !rules.reads_as(&before) {
        sqlx::query::<Db>(FROM_THE_BEGINNING)
            .bind(tenant.uuid())
            .bind(connection.uuid())
            .execute(&mut *conn)
            .await?;
    }
    let mut freed = Vec::new();
    if !rules.takes_any_time() {
        let taken = sqlx::query_scalar::<Db, Uuid>(TIMES_TAKEN)
            .bind(tenant.uuid())
            .bind(connection.uuid())
            .fetch_all(&mut *conn)
            .await?;
        freed = taken.into_iter().map(MemberId::from_uuid).collect();
        occupancy::lock_members(conn, tenant, &freed).await?;
        let free = sqlx::query::<Db>(FREE_TIMES).bind(tenant.uuid()).bind(connection.uuid());
        free.execute(&mut *conn).await?;
    }
    let data = json!(rules);
    let action = "connection.sync_rules_changed";
    audit::append(conn, audit, Some(tenant), action, connection.uuid(), data).await?;
    Ok(freed)
}

/// Write how far a synchronisation is, without its rules; nothing, if another one has begun from the beginning since.
pub(crate) async fn progress(conn: &mut Conn, state: &SyncState) -> Result<(), StoreError> {
    sqlx::query::<Db>(PROGRESS)
        .bind(state.tenant.uuid())
        .bind(state.connection.uuid())
        .bind(state.phase.as_str())
        .bind(&state.position)
        .bind(state.run)
        .bind(state.pages)
        .bind(state.items)
        .bind(state.started_at.map(Ts))
        .bind(state.finished_at.map(Ts))
        .bind(state.full_at.map(Ts))
        .bind(state.due_at.map(Ts))
        .bind(state.failures)
        .bind(&state.error)
        .execute(conn)
        .await?;
    Ok(())
}

/// Take connections whose synchronisation is due.
pub(crate) async fn claim(
    conn: &mut Conn,
    now: Instant,
    limit: u32,
) -> Result<Vec<(TenantId, ConnectionId)>, StoreError> {
    let rows = sqlx::query_as::<Db, (Uuid, Uuid)>(CLAIM)
        .bind(Ts(now))
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|(t, c)| (TenantId::from_uuid(t), ConnectionId::from_uuid(c))).collect())
}

/// Write what the provider says of a booking. Whoever's time it took or takes now sees that at once. It takes nobody's where the rules say so by
/// now.
///
/// `who` is whom it is for; none if nobody is named, or cannot be looked for at the moment.
pub(crate) async fn put(conn: &mut Conn, mirrored: &Mirrored, who: Option<&Known>) -> Result<(), StoreError> {
    let mut mirrored = mirrored.clone();
    if mirrored.member.is_some() {
        let rules = state(conn, mirrored.tenant, mirrored.connection).await?.rules;
        mirrored.member = mirrored.member.filter(|_| rules.takes_any_time());
    }
    let external = &mirrored.external;
    let before = get(conn, mirrored.tenant, mirrored.connection, &external.id).await?;
    let mut touched: Vec<MemberId> = before.iter().filter_map(|b| b.member).chain(mirrored.member).collect();
    touched.sort_unstable();
    touched.dedup();
    let same = before.as_ref().is_some_and(|b| b.member == mirrored.member && b.padded == mirrored.padded);
    if !same {
        occupancy::lock_members(conn, mirrored.tenant, &touched).await?;
    }
    let customer = customer_of(conn, &mirrored, before.as_ref(), who).await?;
    let status = serde_json::to_value(external.status).unwrap_or_default();
    let news = before.as_ref().is_none_or(|b| b.external != *external || b.booking != mirrored.booking);
    let id = sqlx::query_scalar::<Db, Uuid>(PUT)
        .bind(mirrored.tenant.uuid())
        .bind(mirrored.id.uuid())
        .bind(mirrored.connection.uuid())
        .bind(&external.id)
        .bind(mirrored.booking.map(BookingId::uuid))
        .bind(mirrored.member.map(MemberId::uuid))
        .bind(status.as_str().unwrap_or_default())
        .bind(Ts(mirrored.padded.start()))
        .bind(Ts(mirrored.padded.end()))
        .bind(&external.event_type)
        .bind(Json(external))
        .bind(mirrored.run)
        .bind(Ts(mirrored.last_synced_at))
        .bind(customer.map(CustomerId::uuid))
        .bind(who.is_none() && customer.is_none() && attendee_of(external).is_some())
        .bind(Ts(external.when.start()))
        .bind(Ts(external.when.end()))
        .bind(news)
        .fetch_one(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).missing("connection or member"))?;
    let found_by = |of: &Mirrored| of.booking.is_none().then(|| attendee_of(&of.external).cloned()).flatten();
    let words = found_by(&mirrored);
    if before.as_ref().is_none_or(|before| found_by(before) != words) {
        words::set_words(conn, mirrored.tenant, id, words.as_ref()).await?;
    }
    Ok(())
}

/// Whom a booking is for that is not ours: who it was for, as long as the same is said of them.
async fn customer_of(
    conn: &mut Conn,
    mirrored: &Mirrored,
    before: Option<&Mirrored>,
    who: Option<&Known>,
) -> Result<Option<CustomerId>, StoreError> {
    if mirrored.booking.is_some() {
        return Ok(None);
    }
    let kept = before.and_then(|before| {
        let same =
            attendee_of(&before.external).map(Person::of) == attendee_of(&mirrored.external).map(Person::of);
        before.customer.filter(|_| same || who.is_some_and(|known| known.keys.is_empty()))
    });
    match (kept, who) {
        (None, Some(known)) => {
            Ok(Some(identify(conn, mirrored.tenant, known, mirrored.last_synced_at).await?.customer))
        }
        (kept, _) => Ok(kept),
    }
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    external_id: &str,
) -> Result<Option<Mirrored>, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(external_id)
        .fetch_optional(conn)
        .await?;
    row.map(TryInto::try_into).transpose()
}

/// Bookings of the provider that begin within a period.
pub(crate) async fn within(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    within: Interval,
    limit: i64,
) -> Result<Vec<Mirrored>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(WITHIN)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(Ts(within.start()))
        .bind(Ts(within.end()))
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// What a full synchronisation did not see, but for bookings over this connection.
pub(crate) async fn unseen(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    run: i64,
) -> Result<Vec<Mirrored>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(UNSEEN)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(run)
        .bind(limits::SYNC_VANISHED_MAX)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// It is this booking's counterpart from now on, which takes its time itself. `Stale` if it is not as it was.
pub(crate) async fn release(
    conn: &mut Conn,
    adopted: &Mirrored,
    booking: BookingId,
) -> Result<(), StoreError> {
    let touched: Vec<MemberId> = adopted.member.into_iter().collect();
    occupancy::lock_members(conn, adopted.tenant, &touched).await?;
    let status = serde_json::to_value(adopted.external.status).unwrap_or_default();
    let done = sqlx::query::<Db>(RELEASE)
        .bind(adopted.tenant.uuid())
        .bind(adopted.id.uuid())
        .bind(booking.uuid())
        .bind(adopted.run)
        .bind(status.as_str().unwrap_or_default())
        .bind(Ts(adopted.external.when.start()))
        .bind(Ts(adopted.external.when.end()))
        .execute(conn)
        .await?;
    expect_affected(&done, StoreError::Stale)
}

pub(crate) async fn forget(conn: &mut Conn, mirrored: &Mirrored) -> Result<(), StoreError> {
    let touched: Vec<MemberId> = mirrored.member.into_iter().collect();
    occupancy::lock_members(conn, mirrored.tenant, &touched).await?;
    sqlx::query::<Db>(FORGET)
        .bind(mirrored.tenant.uuid())
        .bind(mirrored.connection.uuid())
        .bind(&mirrored.external.id)
        .execute(conn)
        .await?;
    Ok(())
}
