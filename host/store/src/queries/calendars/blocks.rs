//! Times that are closed in calendars. What shall be closed is read from what is taken, so that nothing has to be told apart: bookings
//! and other providers' bookings take their member's time alike.

use berth_model::{
    calendars::calendar::{BlockMarks, BlockState, CalendarBlock, CalendarRecord},
    id::{CalendarBlockId, CalendarId, ConnectionId, MemberId, TenantId},
    limits,
    time::{Instant, Interval},
};
use uuid::Uuid;

use super::super::{super::Db, Conn, interval, parse_enum};
use crate::{StoreError, types::Ts};

/// Connections of the tenant (`$1`) to the provider of one of them (`$2`), which may be to one account.
macro_rules! of_plugin {
    () => {
        "(SELECT k.id FROM connections l JOIN connections k ON k.tenant_id = l.tenant_id AND k.plugin = l.plugin
            WHERE l.tenant_id = $1 AND l.id = $2)"
    };
}

/// What takes a member's time to come, but for bookings over one connection: the three as SQL, and the parameter that is now.
macro_rules! taken {
    ($tenant:literal, $member:literal, $connection:literal, $now:literal) => {
        concat!(
            "SELECT o.blocked_start AS starts_at, o.blocked_end AS ends_at FROM occupancies o
                JOIN bookings b ON b.tenant_id = o.tenant_id AND b.id = o.owner_id
                    AND (b.connection_id IS NULL OR b.connection_id <> ",
            $connection,
            ")
                WHERE o.tenant_id = ",
            $tenant,
            " AND o.member_id = ",
            $member,
            " AND o.owner_kind = 'booking'
                    AND o.blocked_end > ",
            $now,
            "
            UNION SELECT x.starts_at, x.ends_at FROM external_bookings x WHERE x.tenant_id = ",
            $tenant,
            "
                AND x.member_id = ",
            $member,
            " AND x.connection_id <> ",
            $connection,
            " AND x.ends_at > ",
            $now
        )
    };
}

/// The same of a calendar `c`.
macro_rules! taken_of_calendar {
    () => {
        taken!("c.tenant_id", "c.member_id", "c.connection_id", "$1")
    };
}

queries! {
    WANTED = concat!(taken!("$1", "$2", "$3", "$4"), " ORDER BY starts_at, ends_at LIMIT $5");
    THERE = "SELECT tenant_id, id, calendar_id, connection_id, starts_at, ends_at, state, external_id, updated_at
        FROM calendar_blocks WHERE tenant_id = $1 AND calendar_id = $2 AND ends_at > $3 ORDER BY starts_at, ends_at LIMIT $4";
    PUT = "INSERT INTO calendar_blocks (tenant_id, id, calendar_id, connection_id, starts_at, ends_at, state, external_id, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (tenant_id, calendar_id, starts_at, ends_at) DO UPDATE SET state = excluded.state,
            external_id = excluded.external_id, updated_at = excluded.updated_at";
    FORGET = "DELETE FROM calendar_blocks WHERE tenant_id = $1 AND id = $2";
    // Two connections to one account see each other's. What was refused is somebody else's.
    MARKS = concat!("SELECT e.external_id, e.starts_at, e.ends_at, c.member_id FROM calendar_blocks e
        JOIN calendars c ON c.tenant_id = e.tenant_id AND c.id = e.calendar_id
        WHERE e.tenant_id = $1 AND e.connection_id IN ", of_plugin!(), " AND e.state <> 'refused'
            AND e.starts_at < $3 AND e.ends_at > $4
        ORDER BY e.starts_at, e.id LIMIT $5");
    // Entries that show another time than their booking has, or one that is free again.
    ENTRIES = concat!("SELECT e.starts_at, e.ends_at, c.member_id FROM calendar_entries e
        JOIN calendars c ON c.tenant_id = e.tenant_id AND c.id = e.calendar_id
        JOIN bookings b ON b.tenant_id = e.tenant_id AND b.id = e.booking_id
        WHERE e.tenant_id = $1 AND e.connection_id IN ", of_plugin!(), " AND e.external_id IS NOT NULL
            AND e.starts_at < $3 AND e.ends_at > $4
            AND (b.starts_at <> e.starts_at OR b.ends_at <> e.ends_at OR b.status NOT IN ('pending', 'confirmed'))
        LIMIT $5");
    OPENED = concat!("SELECT o.external_id FROM opened_blocks o
        WHERE o.tenant_id = $1 AND o.connection_id IN ", of_plugin!(), " ORDER BY o.opened_at DESC LIMIT $3");
    NOTE_OPENED = "INSERT INTO opened_blocks (tenant_id, connection_id, external_id, opened_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant_id, connection_id, external_id) DO UPDATE SET opened_at = excluded.opened_at";
    // Calendars in which a time is to be closed that is not, or is closed that is not taken.
    BEHIND = concat!("SELECT c.tenant_id, c.id FROM calendars c
        JOIN connections k ON k.tenant_id = c.tenant_id AND k.id = c.connection_id AND k.state = 'active'
        JOIN tenants p ON p.id = c.tenant_id AND p.state = 'active'
        WHERE c.blocks AND (
            (c.writes AND k.writes_busy AND EXISTS (SELECT 1 FROM (", taken_of_calendar!(), ") t WHERE NOT EXISTS (
                SELECT 1 FROM calendar_blocks e WHERE e.tenant_id = c.tenant_id AND e.calendar_id = c.id
                    AND e.starts_at = t.starts_at AND e.ends_at = t.ends_at AND e.state <> 'wanted')))
            OR EXISTS (SELECT 1 FROM calendar_blocks e WHERE e.tenant_id = c.tenant_id AND e.calendar_id = c.id AND e.ends_at > $1
                AND (NOT c.writes OR NOT k.writes_busy OR NOT EXISTS (SELECT 1 FROM (", taken_of_calendar!(), ") t
                    WHERE t.starts_at = e.starts_at AND t.ends_at = e.ends_at))))
        LIMIT $2");
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    calendar_id: Uuid,
    connection_id: Uuid,
    starts_at: Ts,
    ends_at: Ts,
    state: String,
    external_id: Option<String>,
    updated_at: Ts,
}

impl TryFrom<Row> for CalendarBlock {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: CalendarBlockId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            calendar: CalendarId::from_uuid(row.calendar_id),
            connection: ConnectionId::from_uuid(row.connection_id),
            when: interval(row.starts_at, row.ends_at)?,
            state: parse_enum(&BlockState::ALL, BlockState::as_str, &row.state, "block state")?,
            external_id: row.external_id,
            updated_at: row.updated_at.0,
        })
    }
}

/// Times to come that shall be closed in a calendar, by their start.
pub(crate) async fn wanted(
    conn: &mut Conn,
    calendar: &CalendarRecord,
    now: Instant,
) -> Result<Vec<Interval>, StoreError> {
    let rows = sqlx::query_as::<Db, (Ts, Ts)>(WANTED)
        .bind(calendar.tenant.uuid())
        .bind(calendar.member.uuid())
        .bind(calendar.connection.uuid())
        .bind(Ts(now))
        .bind(limits::CALENDAR_BLOCKS_MAX)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(|(start, end)| interval(start, end)).collect()
}

/// Blocks to come of a calendar, by their start.
pub(crate) async fn there(
    conn: &mut Conn,
    tenant: TenantId,
    calendar: CalendarId,
    now: Instant,
) -> Result<Vec<CalendarBlock>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(THERE)
        .bind(tenant.uuid())
        .bind(calendar.uuid())
        .bind(Ts(now))
        .bind(limits::CALENDAR_BLOCKS_MAX)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn put(conn: &mut Conn, block: &CalendarBlock) -> Result<(), StoreError> {
    sqlx::query::<Db>(PUT)
        .bind(block.tenant.uuid())
        .bind(block.id.uuid())
        .bind(block.calendar.uuid())
        .bind(block.connection.uuid())
        .bind(Ts(block.when.start()))
        .bind(Ts(block.when.end()))
        .bind(block.state.as_str())
        .bind(&block.external_id)
        .bind(Ts(block.updated_at))
        .execute(conn)
        .await
        .map_err(|e| StoreError::from(e).missing("calendar"))?;
    Ok(())
}

/// Forget a block that was opened, but for its id: an answer that was read before may still tell it.
pub(crate) async fn forget(
    conn: &mut Conn,
    block: &CalendarBlock,
    opened: Option<&str>,
    now: Instant,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(FORGET).bind(block.tenant.uuid()).bind(block.id.uuid()).execute(&mut *conn).await?;
    if let Some(id) = opened {
        sqlx::query::<Db>(NOTE_OPENED)
            .bind(block.tenant.uuid())
            .bind(block.connection.uuid())
            .bind(id)
            .bind(Ts(now))
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// What of busy times within a stretch is our own closing, or an entry of ours that is not up to date.
pub(crate) async fn marks(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    within: Interval,
) -> Result<BlockMarks, StoreError> {
    let rows = sqlx::query_as::<Db, (Option<String>, Ts, Ts, Uuid)>(MARKS)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(Ts(within.end()))
        .bind(Ts(within.start()))
        .bind(limits::CALENDAR_BLOCKS_MAX)
        .fetch_all(&mut *conn)
        .await?;
    let opened = sqlx::query_scalar::<Db, String>(OPENED)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(limits::CALENDAR_BLOCKS_MAX)
        .fetch_all(&mut *conn)
        .await?;
    let mut marks = BlockMarks { ids: opened.into_iter().collect(), ..BlockMarks::default() };
    let entries = sqlx::query_as::<Db, (Ts, Ts, Uuid)>(ENTRIES)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(Ts(within.end()))
        .bind(Ts(within.start()))
        .bind(limits::CALENDAR_BLOCKS_MAX)
        .fetch_all(conn)
        .await?;
    let entries = entries.into_iter().map(|(start, end, member)| (None, start, end, member));
    for (id, start, end, member) in rows.into_iter().chain(entries) {
        marks.ids.extend(id);
        marks.times.entry(interval(start, end)?).or_default().insert(MemberId::from_uuid(member));
    }
    Ok(marks)
}

/// Calendars, of any tenant, in which a time is to be closed or opened.
pub(crate) async fn behind(
    conn: &mut Conn,
    now: Instant,
    limit: u32,
) -> Result<Vec<(TenantId, CalendarId)>, StoreError> {
    let rows = sqlx::query_as::<Db, (Uuid, Uuid)>(BEHIND)
        .bind(Ts(now))
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|(t, c)| (TenantId::from_uuid(t), CalendarId::from_uuid(c))).collect())
}
