//! What people decide of a connection: pause, resume, disconnect; and what is left of one that was disconnected.

use berth_model::{
    catalog::listing::TenantState,
    connections::connection::{ConnectionState, Stopped},
    events::EventKind,
    id::{BookingId, ConnectionId, EventTypeId, ListingId, MemberId, TenantId},
    limits,
    time::Instant,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    super::{
        super::Db, Conn, bookings::occupancy, connections, mirror::conflicts, parse_enum, tenants::audit,
    },
    domain_events, secret_rotation,
};
use crate::{
    StoreError,
    records::{Audit, OfferCounts},
    types::Ts,
};

queries! {
    // One that is being tried is not saved yet.
    STOPPED = "SELECT c.state, t.state FROM tenants t LEFT JOIN connections c ON c.tenant_id = t.id AND c.id = $2 WHERE t.id = $1";
    ALL_STOPPED = "SELECT id, state FROM connections WHERE tenant_id = $1 AND state <> 'active' ORDER BY id LIMIT $2";
    LISTINGS_OVER = "SELECT title FROM listings WHERE tenant_id = $1 AND booking_provider = $2 ORDER BY id LIMIT $3";
    PAUSE = "UPDATE connections SET state = 'paused', revision = revision + 1, updated_at = $4
        WHERE tenant_id = $1 AND id = $2 AND revision = $3 AND state = 'active'";
    RESUME = "UPDATE connections SET state = 'active', leftovers = FALSE, subscription_due_at = $4, subscription_failures = 0,
            revision = revision + 1, updated_at = $4
        WHERE tenant_id = $1 AND id = $2 AND revision = $3 AND state <> 'active'";
    READ_ANEW = "UPDATE sync_states SET phase = 'idle', position = NULL, due_at = $3, failures = 0, error = NULL
        WHERE tenant_id = $1 AND connection_id = $2";
    DISCONNECT = "UPDATE connections SET state = 'disconnected', leftovers = TRUE, credential_names = '[]',
            sealed_credentials = $5, subscription = NULL, subscription_due_at = NULL, subscription_failures = 0,
            subscription_detail = NULL, status_detail = NULL, renewing_until = NULL, revision = revision + 1, updated_at = $4
        WHERE tenant_id = $1 AND id = $2 AND revision = $3 AND state <> 'disconnected'";
    FORGET_OLD_SUBSCRIPTIONS = "DELETE FROM old_subscriptions WHERE tenant_id = $1 AND connection_id = $2";
    FORGET_FLOWS = "DELETE FROM oauth_flows WHERE tenant_id = $1 AND connection_id = $2";
    FORGET_STATE = "DELETE FROM connection_state WHERE tenant_id = $1 AND connection_id = $2";
    // Else what it lists would be read as "nothing" when it is connected again.
    FORGET_CATALOG = "DELETE FROM catalog_reads WHERE tenant_id = $1 AND connection_id = $2";
    // Whoever takes it up again meanwhile waits, or was first.
    STILL_OVER = concat!("SELECT id FROM connections WHERE tenant_id = $1 AND id = $2 AND state = 'disconnected'", lock_row!());
    READ_NO_MORE = "UPDATE sync_states SET phase = 'idle', position = NULL, due_at = NULL, failures = 0, error = NULL
        WHERE tenant_id = $1 AND connection_id = $2";
    END_CONFLICTS = "UPDATE sync_conflicts SET status = 'resolved', resolution = 'ignored', resolved_by = 'system', resolved_at = $3
        WHERE tenant_id = $1 AND connection_id = $2 AND status = 'open' RETURNING id";
    // Two halves, since each has an index of its own.
    END_JOBS = "DELETE FROM jobs WHERE tenant_id = $1 AND id IN (
        SELECT id FROM jobs WHERE tenant_id = $1 AND dedup_key = $2 AND NOT dead
        UNION ALL SELECT id FROM jobs WHERE tenant_id = $1 AND dedup_key = $2 AND dead)";
    LEFT_OVER = "SELECT tenant_id, id, updated_at FROM connections WHERE leftovers ORDER BY id LIMIT $1";
    NO_LEFTOVERS = "UPDATE connections SET leftovers = FALSE WHERE tenant_id = $1 AND id = $2 AND state = 'disconnected'";
    UNDELIVERED = "SELECT id FROM bookings WHERE tenant_id = $1 AND connection_id = $2 AND provider_task IS NOT NULL LIMIT $3";
    NOTE_UNENDED = "UPDATE connections SET subscription_detail = $3 WHERE tenant_id = $1 AND id = $2 AND state = 'disconnected'";
    MIRRORED_MEMBERS = "SELECT DISTINCT member_id FROM external_bookings
        WHERE tenant_id = $1 AND connection_id = $2 AND member_id IS NOT NULL";
    MIRRORED = "DELETE FROM external_bookings WHERE tenant_id = $1 AND connection_id = $2 AND external_id IN (
        SELECT external_id FROM external_bookings WHERE tenant_id = $1 AND connection_id = $2 LIMIT $3)";
    ITEMS = "DELETE FROM external_items WHERE tenant_id = $1 AND connection_id = $2 AND (kind, external_id) IN (
        SELECT kind, external_id FROM external_items WHERE tenant_id = $1 AND connection_id = $2 LIMIT $3)";
    ENTRIES = "DELETE FROM calendar_entries WHERE tenant_id = $1 AND (booking_id, calendar_id) IN (
        SELECT booking_id, calendar_id FROM calendar_entries WHERE tenant_id = $1 AND connection_id = $2 LIMIT $3)";
    BLOCKS = "DELETE FROM calendar_blocks WHERE tenant_id = $1 AND id IN (
        SELECT id FROM calendar_blocks WHERE tenant_id = $1 AND connection_id = $2 LIMIT $3)";
    CALENDARS = "DELETE FROM calendars WHERE tenant_id = $1 AND id IN (
        SELECT id FROM calendars WHERE tenant_id = $1 AND connection_id = $2 LIMIT $3)";
    MESSAGES = "UPDATE inbound_webhooks SET status = 'ignored', detail = 'the connection was disconnected'
        WHERE tenant_id = $1 AND id IN (
        SELECT id FROM inbound_webhooks WHERE tenant_id = $1 AND connection_id = $2 AND status = 'stored' LIMIT $3)";
    OF_LISTING = "SELECT
            (SELECT COUNT(*) FROM bookings b WHERE b.tenant_id = $1 AND b.listing_id = $2
                AND b.status IN ('pending', 'confirmed') AND b.ends_at > $3) AS upcoming_bookings,
            (SELECT COUNT(*) FROM bookings b WHERE b.tenant_id = $1 AND b.listing_id = $2
                AND NOT (b.status IN ('pending', 'confirmed') AND b.ends_at > $3)) AS past_bookings,
            (SELECT COUNT(*) FROM event_types e WHERE e.tenant_id = $1 AND e.listing_id = $2) AS event_types,
            (SELECT COUNT(*) FROM connections c WHERE c.tenant_id = $1 AND c.listing_id = $2) AS connections";
    OF_EVENT_TYPE = "SELECT
            (SELECT COUNT(*) FROM bookings b WHERE b.tenant_id = $1 AND b.event_type_id = $2
                AND b.status IN ('pending', 'confirmed') AND b.ends_at > $3) AS upcoming_bookings,
            (SELECT COUNT(*) FROM bookings b WHERE b.tenant_id = $1 AND b.event_type_id = $2
                AND NOT (b.status IN ('pending', 'confirmed') AND b.ends_at > $3)) AS past_bookings,
            CAST(0 AS BIGINT) AS event_types, CAST(0 AS BIGINT) AS connections";
    COUNTS = "SELECT
            (SELECT COUNT(*) FROM bookings b WHERE b.tenant_id = $1 AND b.connection_id = $2
                AND b.status IN ('pending', 'confirmed') AND b.ends_at > $3),
            (SELECT COUNT(*) FROM bookings b WHERE b.tenant_id = $1 AND b.connection_id = $2
                AND NOT (b.status IN ('pending', 'confirmed') AND b.ends_at > $3)),
            (SELECT COUNT(*) FROM bookings b WHERE b.tenant_id = $1 AND b.connection_id = $2 AND b.provider_task IS NOT NULL),
            (SELECT COUNT(*) FROM calendars c WHERE c.tenant_id = $1 AND c.connection_id = $2),
            (SELECT COUNT(*) FROM external_bookings x WHERE x.tenant_id = $1 AND x.connection_id = $2),
            (SELECT COUNT(*) FROM sync_conflicts f WHERE f.tenant_id = $1 AND f.connection_id = $2 AND f.status = 'open')";
}

/// Why nothing goes over a connection, if somebody decided so.
pub(crate) async fn stopped(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<Option<Stopped>, StoreError> {
    let row = sqlx::query_as::<Db, (Option<String>, String)>(STOPPED)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .fetch_optional(conn)
        .await?;
    let Some((own, tenants)) = row else { return Ok(None) };
    let own = own.map(|text| state(&text)).transpose()?.and_then(ConnectionState::stopped);
    let tenants = parse_enum(&TenantState::ALL, TenantState::as_str, &tenants, "tenant state")?;
    Ok(match own {
        Some(Stopped::Disconnected) => own,
        _ if tenants != TenantState::Active => Some(Stopped::Suspended),
        own => own,
    })
}

/// Titles of the listings that book over a connection.
pub(crate) async fn listings_over(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<Vec<String>, StoreError> {
    let titles = sqlx::query_scalar::<Db, String>(LISTINGS_OVER).bind(tenant.uuid()).bind(connection.uuid());
    Ok(titles.bind(limits::LIST_ROWS_MAX).fetch_all(conn).await?)
}

fn state(text: &str) -> Result<ConnectionState, StoreError> {
    parse_enum(&ConnectionState::ALL, ConnectionState::as_str, text, "connection state")
}

/// Connections of a tenant that are not active.
pub(crate) async fn all_stopped(
    conn: &mut Conn,
    tenant: TenantId,
) -> Result<Vec<(ConnectionId, ConnectionState)>, StoreError> {
    let rows = sqlx::query_as::<Db, (Uuid, String)>(ALL_STOPPED)
        .bind(tenant.uuid())
        .bind(limits::LIST_ROWS_MAX)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(|(id, text)| Ok((ConnectionId::from_uuid(id), state(&text)?))).collect()
}

/// A statement that changes the state of one connection at this revision; `Stale` if it is at another, `WrongState` if it is in that state
/// already, or in one from which there is no way.
async fn change(
    conn: &mut Conn,
    statement: &'static str,
    (tenant, connection): (TenantId, ConnectionId),
    revision: i64,
    sealed: Option<&[u8]>,
    audit: &Audit,
) -> Result<(), StoreError> {
    let query = sqlx::query::<Db>(statement)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(revision)
        .bind(Ts(audit.at));
    let query = match sealed {
        Some(sealed) => query.bind(sealed),
        None => query,
    };
    if query.execute(&mut *conn).await?.rows_affected() > 0 {
        return Ok(());
    }
    let now = connections::get(conn, tenant, connection).await?;
    Err(if now.revision == revision { StoreError::WrongState } else { StoreError::Stale })
}

pub(crate) async fn pause(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    revision: i64,
    audit: &Audit,
) -> Result<(), StoreError> {
    change(conn, PAUSE, (tenant, connection), revision, None, audit).await?;
    let kind = EventKind::ConnectionPaused;
    domain_events::append(conn, (tenant, connection), kind, audit.at, &audit.actor).await?;
    audit::append(conn, audit, Some(tenant), "connection.paused", connection.uuid(), json!({})).await
}

/// Active again; everything is read anew.
pub(crate) async fn resume(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    revision: i64,
    audit: &Audit,
) -> Result<(), StoreError> {
    change(conn, RESUME, (tenant, connection), revision, None, audit).await?;
    sqlx::query::<Db>(READ_ANEW)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(Ts(audit.at))
        .execute(&mut *conn)
        .await?;
    let kind = EventKind::ConnectionResumed;
    domain_events::append(conn, (tenant, connection), kind, audit.at, &audit.actor).await?;
    audit::append(conn, audit, Some(tenant), "connection.resumed", connection.uuid(), json!({})).await
}

/// Over: what opens the account is erased, and nothing is begun any more. `sealed` holds no credentials.
pub(crate) async fn disconnect(
    conn: &mut Conn,
    (tenant, connection): (TenantId, ConnectionId),
    revision: i64,
    sealed: &[u8],
    keys: &[String; 2],
    audit: &Audit,
) -> Result<(), StoreError> {
    change(conn, DISCONNECT, (tenant, connection), revision, Some(sealed), audit).await?;
    secret_rotation::erase(conn, tenant, connection).await?;
    for statement in [FORGET_OLD_SUBSCRIPTIONS, FORGET_FLOWS, FORGET_STATE, FORGET_CATALOG, READ_NO_MORE] {
        sqlx::query::<Db>(statement).bind(tenant.uuid()).bind(connection.uuid()).execute(&mut *conn).await?;
    }
    let ended = sqlx::query_scalar::<Db, Uuid>(END_CONFLICTS)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(Ts(audit.at))
        .fetch_all(&mut *conn)
        .await?;
    conflicts::tell_over(conn, tenant, ended, audit.at).await?;
    for key in keys {
        end_jobs(conn, tenant, key).await?;
    }
    let kind = EventKind::ConnectionDisconnected;
    domain_events::append(conn, (tenant, connection), kind, audit.at, &audit.actor).await?;
    audit::append(conn, audit, Some(tenant), "connection.disconnected", connection.uuid(), json!({})).await
}

/// Disconnected connections of which rows may be left, with when they were disconnected.
pub(crate) async fn left_over(conn: &mut Conn) -> Result<Vec<(TenantId, ConnectionId, Instant)>, StoreError> {
    let rows =
        sqlx::query_as::<Db, (Uuid, Uuid, Ts)>(LEFT_OVER).bind(limits::LIST_ROWS_MAX).fetch_all(conn).await?;
    let of =
        |(tenant, id, at): (Uuid, Uuid, Ts)| (TenantId::from_uuid(tenant), ConnectionId::from_uuid(id), at.0);
    Ok(rows.into_iter().map(of).collect())
}

/// Nothing is left of it.
pub(crate) async fn no_leftovers(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(NO_LEFTOVERS).bind(tenant.uuid()).bind(connection.uuid()).execute(conn).await?;
    Ok(())
}

/// Remove some of what is left of a disconnected connection. How many rows: none, if nothing is left, or it is in use again.
pub(crate) async fn clear_some(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<u64, StoreError> {
    let over = sqlx::query::<Db>(STILL_OVER).bind(tenant.uuid()).bind(connection.uuid());
    if over.fetch_optional(&mut *conn).await?.is_none() {
        return Ok(0);
    }
    // What the provider had there takes nobody's time any more.
    let members = sqlx::query_scalar::<Db, Uuid>(MIRRORED_MEMBERS)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .fetch_all(&mut *conn)
        .await?;
    let members: Vec<MemberId> = members.into_iter().map(MemberId::from_uuid).collect();
    if !members.is_empty() {
        occupancy::lock_members(conn, tenant, &members).await?;
    }
    let mut rows = 0;
    // Calendars last: what is of them goes first, so that nothing cascades.
    for statement in [MIRRORED, ITEMS, ENTRIES, BLOCKS, MESSAGES, CALENDARS] {
        let done = sqlx::query::<Db>(statement)
            .bind(tenant.uuid())
            .bind(connection.uuid())
            .bind(limits::REMOVED_ROWS_AT_ONCE)
            .execute(&mut *conn)
            .await?;
        rows += done.rows_affected();
        if rows > 0 {
            return Ok(rows);
        }
    }
    for statement in [FORGET_STATE, FORGET_CATALOG] {
        let done = sqlx::query::<Db>(statement)
            .bind(tenant.uuid())
            .bind(connection.uuid())
            .execute(&mut *conn)
            .await?;
        rows += done.rows_affected();
    }
    Ok(rows)
}

/// Some bookings of which not everything was delivered to the provider.
pub(crate) async fn undelivered(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<Vec<BookingId>, StoreError> {
    let rows = sqlx::query_scalar::<Db, Uuid>(UNDELIVERED)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(limits::REMOVED_ROWS_AT_ONCE)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(BookingId::from_uuid).collect())
}

/// Remove the jobs of a key, whatever state they are in: what they were for is settled.
pub(crate) async fn end_jobs(conn: &mut Conn, tenant: TenantId, key: &str) -> Result<(), StoreError> {
    sqlx::query::<Db>(END_JOBS).bind(tenant.uuid()).bind(key).execute(conn).await?;
    Ok(())
}

/// Note what could not be ended at the provider.
pub(crate) async fn note_unended(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    detail: &str,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(NOTE_UNENDED)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(detail)
        .execute(conn)
        .await?;
    Ok(())
}

/// What a connection holds: bookings to come, others, those of which not everything is delivered to the provider, members' calendars, bookings of
/// the provider's own, open conflicts.
pub(crate) async fn counts(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    now: Instant,
) -> Result<[i64; 6], StoreError> {
    let (upcoming, past, undelivered, calendars, mirrored, conflicts) =
        sqlx::query_as::<Db, (i64, i64, i64, i64, i64, i64)>(COUNTS)
            .bind(tenant.uuid())
            .bind(connection.uuid())
            .bind(Ts(now))
            .fetch_one(conn)
            .await?;
    Ok([upcoming, past, undelivered, calendars, mirrored, conflicts])
}

/// What a listing holds.
pub(crate) async fn of_listing(
    conn: &mut Conn,
    tenant: TenantId,
    listing: ListingId,
    now: Instant,
) -> Result<OfferCounts, StoreError> {
    let query = sqlx::query_as::<Db, OfferCounts>(OF_LISTING);
    Ok(query.bind(tenant.uuid()).bind(listing.uuid()).bind(Ts(now)).fetch_one(conn).await?)
}

/// What an event type holds.
pub(crate) async fn of_event_type(
    conn: &mut Conn,
    tenant: TenantId,
    event_type: EventTypeId,
    now: Instant,
) -> Result<OfferCounts, StoreError> {
    let query = sqlx::query_as::<Db, OfferCounts>(OF_EVENT_TYPE);
    Ok(query.bind(tenant.uuid()).bind(event_type.uuid()).bind(Ts(now)).fetch_one(conn).await?)
}
