//! Members' calendars, and the entries of bookings in them.

use berth_model::{
    calendars::calendar::{CalendarEntry, CalendarRecord},
    id::{BookingId, CalendarId, ConnectionId, MemberId, TenantId},
    limits,
    time::Instant,
};
use serde_json::json;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::super::{
    super::Db, Conn, bookings::occupancy::push_ids, expect_affected, interval, or_not_found, page_after,
    tenants::audit,
};
use crate::{StoreError, records::Audit, types::Ts};

/// All columns of calendars, and what is wrong with them.
macro_rules! select {
    () => {
        "SELECT c.tenant_id, c.id, c.member_id, c.connection_id, c.calendar, c.reads, c.writes, c.blocks, l.trouble, c.created_at,
            c.updated_at
        FROM calendars c LEFT JOIN calendar_looks l ON l.tenant_id = c.tenant_id AND l.calendar_id = c.id"
    };
}

queries! {
    INSERT = "INSERT INTO calendars (tenant_id, id, member_id, connection_id, calendar, reads, writes, blocks, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    GET = concat!(select!(), " WHERE c.tenant_id = $1 AND c.id = $2");
    LIST = concat!(select!(), " WHERE c.tenant_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3");
    SHOWING = concat!(select!(), " JOIN calendar_entries e ON e.tenant_id = c.tenant_id AND e.calendar_id = c.id
        WHERE e.tenant_id = $1 AND e.booking_id = $2 AND e.external_id IS NOT NULL ORDER BY c.id");
    PUT_LOOK = "INSERT INTO calendar_looks (tenant_id, calendar_id, looked_at, trouble) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant_id, calendar_id) DO UPDATE SET trouble = excluded.trouble";
    LOOK_AGAIN = "UPDATE calendar_looks SET looked_at = $3 WHERE tenant_id = $1 AND looked_at > $3 AND calendar_id IN (
            SELECT id FROM calendars WHERE tenant_id = $1 AND connection_id = $2 AND reads)";
    // Of whoever has something to come, the longest not looked at first.
    CLAIM_LOOKS = "UPDATE calendar_looks SET looked_at = $1 WHERE (tenant_id, calendar_id) IN (
            SELECT l.tenant_id, l.calendar_id FROM calendar_looks l
            JOIN calendars c ON c.tenant_id = l.tenant_id AND c.id = l.calendar_id AND c.reads
            JOIN connections k ON k.tenant_id = c.tenant_id AND k.id = c.connection_id AND k.state = 'active'
            JOIN tenants t ON t.id = c.tenant_id AND t.state = 'active'
            WHERE l.looked_at <= $2 AND EXISTS (SELECT 1 FROM occupancies o WHERE o.tenant_id = c.tenant_id
                AND o.member_id = c.member_id AND o.owner_kind = 'booking' AND o.blocked_end > $1 AND o.blocked_start < $3)
            ORDER BY l.looked_at LIMIT $4) AND looked_at <= $2
        RETURNING tenant_id, calendar_id";
    UPDATE = "UPDATE calendars SET calendar = $3, reads = $4, writes = $5, updated_at = $6 WHERE tenant_id = $1 AND id = $2";
    DELETE = "DELETE FROM calendars WHERE tenant_id = $1 AND id = $2";
    ENTRY = "SELECT tenant_id, booking_id, calendar_id, connection_id, external_id, written, starts_at, ends_at, updated_at
        FROM calendar_entries WHERE tenant_id = $1 AND booking_id = $2 AND calendar_id = $3";
    ENTRY_BY_EXTERNAL = "SELECT tenant_id, booking_id, calendar_id, connection_id, external_id, written, starts_at, ends_at, updated_at
        FROM calendar_entries WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3";
    ENTRIES_OF = "SELECT tenant_id, booking_id, calendar_id, connection_id, external_id, written, starts_at, ends_at, updated_at
        FROM calendar_entries WHERE tenant_id = $1 AND calendar_id = $2 AND external_id IS NOT NULL
        ORDER BY booking_id LIMIT $3";
    ENTRIES_OF_BOOKING = "SELECT tenant_id, booking_id, calendar_id, connection_id, external_id, written, starts_at, ends_at, updated_at
        FROM calendar_entries WHERE tenant_id = $1 AND booking_id = $2 ORDER BY calendar_id";
    PUT_ENTRY = "INSERT INTO calendar_entries (tenant_id, booking_id, calendar_id, connection_id, external_id, written, updated_at,
            starts_at, ends_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (tenant_id, booking_id, calendar_id) DO UPDATE SET external_id = excluded.external_id,
            written = excluded.written, updated_at = excluded.updated_at, starts_at = excluded.starts_at, ends_at = excluded.ends_at";
    // Bookings to come that a calendar of whoever takes part shows in another version, or not at all.
    BEHIND = "SELECT b.tenant_id, b.id FROM calendars c
        JOIN connections k ON k.tenant_id = c.tenant_id AND k.id = c.connection_id AND k.state = 'active'
        JOIN tenants t ON t.id = c.tenant_id AND t.state = 'active'
        JOIN occupancies o ON o.tenant_id = c.tenant_id AND o.member_id = c.member_id AND o.blocked_end > $1
            AND o.owner_kind = 'booking'
        JOIN bookings b ON b.tenant_id = o.tenant_id AND b.id = o.owner_id AND b.status = 'confirmed'
        LEFT JOIN calendar_entries e ON e.tenant_id = b.tenant_id AND e.booking_id = b.id AND e.calendar_id = c.id
        WHERE c.writes AND k.writes_busy AND NOT c.blocks AND (b.connection_id IS NULL OR b.connection_id <> c.connection_id)
            AND e.written IS NULL
        UNION SELECT b.tenant_id, b.id FROM calendar_entries e
        JOIN bookings b ON b.tenant_id = e.tenant_id AND b.id = e.booking_id AND b.ends_at > $1
        JOIN calendars c ON c.tenant_id = e.tenant_id AND c.id = e.calendar_id AND c.writes
        JOIN connections k ON k.tenant_id = c.tenant_id AND k.id = c.connection_id AND k.state = 'active'
        JOIN tenants t ON t.id = c.tenant_id AND t.state = 'active'
        WHERE k.writes_busy AND e.written <> b.sequence
        LIMIT $2";
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    member_id: Uuid,
    connection_id: Uuid,
    calendar: String,
    reads: bool,
    writes: bool,
    blocks: bool,
    trouble: Option<String>,
    created_at: Ts,
    updated_at: Ts,
}

impl From<Row> for CalendarRecord {
    fn from(row: Row) -> Self {
        Self {
            id: CalendarId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            member: MemberId::from_uuid(row.member_id),
            connection: ConnectionId::from_uuid(row.connection_id),
            calendar: row.calendar,
            reads: row.reads,
            writes: row.writes,
            blocks: row.blocks,
            trouble: row.trouble,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        }
    }
}

#[derive(sqlx::FromRow)]
struct EntryRow {
    tenant_id: Uuid,
    booking_id: Uuid,
    calendar_id: Uuid,
    connection_id: Uuid,
    external_id: Option<String>,
    written: i64,
    starts_at: Option<Ts>,
    ends_at: Option<Ts>,
    updated_at: Ts,
}

impl From<EntryRow> for CalendarEntry {
    fn from(row: EntryRow) -> Self {
        let shown = row.starts_at.zip(row.ends_at);
        Self {
            when: shown.and_then(|(start, end)| interval(start, end).ok()),
            tenant: TenantId::from_uuid(row.tenant_id),
            booking: BookingId::from_uuid(row.booking_id),
            calendar: CalendarId::from_uuid(row.calendar_id),
            connection: ConnectionId::from_uuid(row.connection_id),
            external_id: row.external_id,
            written: row.written,
            updated_at: row.updated_at.0,
        }
    }
}

fn data(calendar: &CalendarRecord) -> serde_json::Value {
    json!({
        "member": calendar.member, "connection": calendar.connection, "calendar": calendar.calendar,
        "reads": calendar.reads, "writes": calendar.writes, "blocks": calendar.blocks,
    })
}

pub(crate) async fn insert(
    conn: &mut Conn,
    calendar: &CalendarRecord,
    audit: &Audit,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(INSERT)
        .bind(calendar.tenant.uuid())
        .bind(calendar.id.uuid())
        .bind(calendar.member.uuid())
        .bind(calendar.connection.uuid())
        .bind(&calendar.calendar)
        .bind(calendar.reads)
        .bind(calendar.writes)
        .bind(calendar.blocks)
        .bind(Ts(calendar.created_at))
        .bind(Ts(calendar.updated_at))
        .execute(&mut *conn)
        .await
        .map_err(|e| {
            StoreError::from(e).duplicate("this calendar of the member").missing("member or connection")
        })?;
    let never = Instant::from_seconds(0);
    put_look(conn, calendar.tenant, calendar.id, never, calendar.trouble.as_deref()).await?;
    audit::append(
        conn,
        audit,
        Some(calendar.tenant),
        "calendar.connected",
        calendar.id.uuid(),
        data(calendar),
    )
    .await
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    calendar: CalendarId,
) -> Result<CalendarRecord, StoreError> {
    let row =
        sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).bind(calendar.uuid()).fetch_optional(conn).await?;
    Ok(or_not_found(row, "calendar")?.into())
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    after: Option<CalendarId>,
    limit: u32,
) -> Result<Vec<CalendarRecord>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(LIST)
        .bind(tenant.uuid())
        .bind(page_after(after))
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The calendars of these members.
pub(crate) async fn of_members(
    conn: &mut Conn,
    tenant: TenantId,
    members: &[MemberId],
) -> Result<Vec<CalendarRecord>, StoreError> {
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::<Db>::new(concat!(select!(), " WHERE c.tenant_id = "));
    query.push_bind(tenant.uuid()).push(" AND c.member_id IN ");
    push_ids(&mut query, members);
    query.push(" ORDER BY c.id");
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The calendars that have an entry of a booking.
pub(crate) async fn showing(
    conn: &mut Conn,
    tenant: TenantId,
    booking: BookingId,
) -> Result<Vec<CalendarRecord>, StoreError> {
    let rows =
        sqlx::query_as::<Db, Row>(SHOWING).bind(tenant.uuid()).bind(booking.uuid()).fetch_all(conn).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(crate) async fn update(
    conn: &mut Conn,
    calendar: &CalendarRecord,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(UPDATE)
        .bind(calendar.tenant.uuid())
        .bind(calendar.id.uuid())
        .bind(&calendar.calendar)
        .bind(calendar.reads)
        .bind(calendar.writes)
        .bind(Ts(calendar.updated_at))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("this calendar of the member"))?;
    expect_affected(&done, StoreError::NotFound("calendar"))?;
    put_look(conn, calendar.tenant, calendar.id, audit.at, calendar.trouble.as_deref()).await?;
    audit::append(conn, audit, Some(calendar.tenant), "calendar.changed", calendar.id.uuid(), data(calendar))
        .await
}

/// Note what is wrong with a calendar; `looked_at` is for one that was never looked at.
pub(crate) async fn put_look(
    conn: &mut Conn,
    tenant: TenantId,
    calendar: CalendarId,
    looked_at: Instant,
    trouble: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(PUT_LOOK)
        .bind(tenant.uuid())
        .bind(calendar.uuid())
        .bind(Ts(looked_at))
        .bind(trouble)
        .execute(conn)
        .await
        .map_err(|e| StoreError::from(e).missing("calendar"))?;
    Ok(())
}

/// Have the calendars of a connection looked at with the next turn.
pub(crate) async fn look_again(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(LOOK_AGAIN)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(Ts(Instant::from_seconds(0)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Calendars, of any tenant, that are to be looked at now; each is taken by one asker.
pub(crate) async fn claim_looks(
    conn: &mut Conn,
    now: Instant,
    before: Instant,
    ahead: Instant,
    limit: u32,
) -> Result<Vec<(TenantId, CalendarId)>, StoreError> {
    let rows = sqlx::query_as::<Db, (Uuid, Uuid)>(CLAIM_LOOKS)
        .bind(Ts(now))
        .bind(Ts(before))
        .bind(Ts(ahead))
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|(t, c)| (TenantId::from_uuid(t), CalendarId::from_uuid(c))).collect())
}

pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    calendar: CalendarId,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done =
        sqlx::query::<Db>(DELETE).bind(tenant.uuid()).bind(calendar.uuid()).execute(&mut *conn).await?;
    expect_affected(&done, StoreError::NotFound("calendar"))?;
    audit::append(conn, audit, Some(tenant), "calendar.disconnected", calendar.uuid(), json!({})).await
}

pub(crate) async fn entry(
    conn: &mut Conn,
    tenant: TenantId,
    booking: BookingId,
    calendar: CalendarId,
) -> Result<Option<CalendarEntry>, StoreError> {
    let row = sqlx::query_as::<Db, EntryRow>(ENTRY)
        .bind(tenant.uuid())
        .bind(booking.uuid())
        .bind(calendar.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(row.map(Into::into))
}

pub(crate) async fn entry_by_external(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    external_id: &str,
) -> Result<Option<CalendarEntry>, StoreError> {
    let row = sqlx::query_as::<Db, EntryRow>(ENTRY_BY_EXTERNAL)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(external_id)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(Into::into))
}

pub(crate) async fn entries_of(
    conn: &mut Conn,
    tenant: TenantId,
    calendar: CalendarId,
) -> Result<Vec<CalendarEntry>, StoreError> {
    let rows = sqlx::query_as::<Db, EntryRow>(ENTRIES_OF)
        .bind(tenant.uuid())
        .bind(calendar.uuid())
        .bind(limits::LIST_ROWS_MAX)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// What shows a booking in calendars.
pub(crate) async fn entries_of_booking(
    conn: &mut Conn,
    tenant: TenantId,
    booking: BookingId,
) -> Result<Vec<CalendarEntry>, StoreError> {
    let rows = sqlx::query_as::<Db, EntryRow>(ENTRIES_OF_BOOKING)
        .bind(tenant.uuid())
        .bind(booking.uuid())
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(crate) async fn put_entry(conn: &mut Conn, entry: &CalendarEntry) -> Result<(), StoreError> {
    sqlx::query::<Db>(PUT_ENTRY)
        .bind(entry.tenant.uuid())
        .bind(entry.booking.uuid())
        .bind(entry.calendar.uuid())
        .bind(entry.connection.uuid())
        .bind(&entry.external_id)
        .bind(entry.written)
        .bind(Ts(entry.updated_at))
        .bind(entry.when.map(|when| Ts(when.start())))
        .bind(entry.when.map(|when| Ts(when.end())))
        .execute(conn)
        .await
        .map_err(|e| StoreError::from(e).missing("calendar or booking"))?;
    Ok(())
}

/// Bookings to come that a calendar shows in another version, or not at all.
pub(crate) async fn behind(
    conn: &mut Conn,
    now: Instant,
    limit: u32,
) -> Result<Vec<(TenantId, BookingId)>, StoreError> {
    let rows = sqlx::query_as::<Db, (Uuid, Uuid)>(BEHIND)
        .bind(Ts(now))
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|(t, b)| (TenantId::from_uuid(t), BookingId::from_uuid(b))).collect())
}
