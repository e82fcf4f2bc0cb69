//! Whom a booking is for: looked up, or made, in the transaction of the booking. What the findings mean is decided in
//! `berth_model::customers`.
//!
//! Two bookings of one new person may be made at once. Neither sees the other's customer, and both insert one with the same identity: the
//! second waits for the first, and is given its customer.

use berth_model::{
    customers::{
        identity::{Candidate, Decision, decide},
        keys::KeyKind,
        search::{name_key, search_text},
    },
    id::{BookingId, ConnectionId, CustomerId, TenantId},
    limits,
    outbound::provider::ExternalBooking,
    random::Random,
    time::Instant,
};
use serde_json::Value;
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::super::{super::Db, Conn, from_json, or_not_found, page_after};
use crate::{
    StoreError,
    macs::{Known, MacKey, attendee_of},
    types::Ts,
};

queries! {
    // Each address by itself, and customers after it (SQLite keeps the order of a CROSS JOIN): it would read all of the tenant's otherwise.
    // Whoever is found stays who they are until the booking is written; one that became part of another meanwhile is that other.
    CANDIDATES = concat!("SELECT k.kind, COALESCE(c.merged_into, c.id) AS id, c.name, c.email, c.phone, c.last_seen_at,
            c.blocked_at IS NOT NULL AS is_blocked FROM (
            SELECT kind, customer_id FROM customer_keys WHERE tenant_id = $1 AND kind = 'email' AND mac = $2
            UNION ALL SELECT kind, customer_id FROM customer_keys WHERE tenant_id = $1 AND kind = 'phone' AND mac = $3
            ORDER BY customer_id LIMIT $4) k
        CROSS JOIN customers c WHERE c.tenant_id = $1 AND c.id = k.customer_id ORDER BY c.id", keep_rows!("c"));
    // With its keys; or the one that another booking of the same new person has just made.
    INSERT = insert_with!(
        "INSERT INTO customers (tenant_id, id, name, email, phone, identity, revision, created_at, last_seen_at, name_key, search)
        VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7, $10, $11)
        ON CONFLICT (tenant_id, identity) DO UPDATE SET last_seen_at = excluded.last_seen_at",
        "SELECT id FROM customers WHERE tenant_id = $1 AND (id = $2 OR identity = $6)",
        concat!("INSERT INTO customer_keys (tenant_id, kind, mac, customer_id)
        SELECT $1, k.kind, k.mac, made.id FROM made CROSS JOIN (
            SELECT 'email' AS kind, CAST($8 AS ", bytes!(), ") AS mac UNION ALL SELECT 'phone', CAST($9 AS ", bytes!(), ")) k
        WHERE made.id = $2 AND k.mac IS NOT NULL ON CONFLICT DO NOTHING"));
    // Whoever became part of another one since is that other.
    STANDS = "SELECT s.id, s.blocked_at IS NOT NULL FROM customers c CROSS JOIN customers s
        WHERE c.tenant_id = $1 AND c.id = $2 AND s.tenant_id = $1 AND s.id = COALESCE(c.merged_into, c.id)";
    SEEN = "UPDATE customers SET last_seen_at = $3 WHERE tenant_id = $1 AND id = $2 AND last_seen_at < $3";
    LEARN = "UPDATE customers SET email = COALESCE(email, $3), phone = COALESCE(phone, $4), last_seen_at = $5, search = $6,
            revision = revision + 1
        WHERE tenant_id = $1 AND id = $2";
    KEYS = "SELECT COUNT(*) FROM customer_keys WHERE tenant_id = $1 AND customer_id = $2";
    // Tenants with rows of before there were customers.
    WAITING = "SELECT tenant_id FROM (
        SELECT tenant_id FROM (SELECT tenant_id FROM bookings WHERE customer_id IS NULL AND tenant_id > $1 ORDER BY tenant_id, id LIMIT 1) b
        UNION ALL
        SELECT tenant_id FROM (SELECT tenant_id FROM external_bookings WHERE unidentified AND tenant_id > $1
            ORDER BY tenant_id, connection_id, external_id LIMIT 1) x
        UNION ALL
        SELECT tenant_id FROM (SELECT tenant_id FROM customers WHERE search IS NULL AND tenant_id > $1 ORDER BY tenant_id, id LIMIT 1) c)
            waiting
        ORDER BY tenant_id LIMIT 1";
    BOOKINGS = concat!("SELECT id, attendee, created_at FROM bookings WHERE tenant_id = $1 AND customer_id IS NULL ORDER BY id LIMIT $2",
        lock_rows_skipping!());
    SET_BOOKING = "UPDATE bookings SET customer_id = $3 WHERE tenant_id = $1 AND id = $2";
    EXTERNAL = concat!("SELECT connection_id, external_id, booking_id, payload, last_synced_at FROM external_bookings
        WHERE tenant_id = $1 AND unidentified ORDER BY connection_id, external_id LIMIT $2", lock_rows_skipping!());
    SET_EXTERNAL = "UPDATE external_bookings SET unidentified = FALSE,
            customer_id = COALESCE((SELECT b.customer_id FROM bookings b WHERE b.tenant_id = $1 AND b.id = $4), $5)
        WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3";
    UNFOLDED = "SELECT id, name, email, phone FROM customers WHERE tenant_id = $1 AND search IS NULL ORDER BY id LIMIT $2";
    FOLD = "UPDATE customers SET name_key = $3, search = $4 WHERE tenant_id = $1 AND id = $2 AND search IS NULL";
}

#[derive(sqlx::FromRow)]
struct Row {
    kind: String,
    id: Uuid,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    last_seen_at: Ts,
    is_blocked: bool,
}

/// Whom a booking is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identified {
    pub(crate) customer: CustomerId,
    /// They may not book.
    pub(crate) is_blocked: bool,
}

/// Who is known and is this person, with the rows by which they were found.
async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    known: &Known,
) -> Result<Option<(CustomerId, Vec<Row>)>, StoreError> {
    if known.keys.is_empty() {
        return Ok(None);
    }
    let rows = sqlx::query_as::<Db, Row>(CANDIDATES)
        .bind(tenant.uuid())
        .bind(known.mac(KeyKind::Email))
        .bind(known.mac(KeyKind::Phone))
        .bind(limits::CUSTOMER_CANDIDATES_MAX)
        .fetch_all(conn)
        .await?;
    match decide(&known.person, &candidates(&rows)) {
        Decision::Same(customer) => Ok(Some((customer, rows))),
        Decision::New | Decision::Open(_) => Ok(None),
    }
}

/// Who this is, if they are known already.
pub(crate) async fn known_as(
    conn: &mut Conn,
    tenant: TenantId,
    known: &Known,
) -> Result<Option<CustomerId>, StoreError> {
    Ok(find(conn, tenant, known).await?.map(|(customer, _)| customer))
}

/// The customer that this is, made if it is somebody new.
pub(crate) async fn identify(
    conn: &mut Conn,
    tenant: TenantId,
    known: &Known,
    now: Instant,
) -> Result<Identified, StoreError> {
    if let Some((customer, rows)) = find(conn, tenant, known).await? {
        again(conn, tenant, customer, known, &rows, now).await?;
        let is_blocked = rows.iter().any(|row| row.id == customer.uuid() && row.is_blocked);
        return Ok(Identified { customer, is_blocked });
    }
    let id = sqlx::query_scalar::<Db, Uuid>(INSERT)
        .bind(tenant.uuid())
        .bind(known.new.uuid())
        .bind(&known.person.name)
        .bind(&known.email)
        .bind(&known.phone)
        .bind(&known.identity)
        .bind(Ts(now))
        .bind(known.mac(KeyKind::Email))
        .bind(known.mac(KeyKind::Phone))
        .bind(&known.name_key)
        .bind(&known.search)
        .fetch_one(&mut *conn)
        .await?;
    if id == known.new.uuid() {
        return Ok(Identified { customer: known.new, is_blocked: false });
    }
    let stands = sqlx::query_as::<Db, (Uuid, bool)>(STANDS).bind(tenant.uuid()).bind(id);
    let (id, is_blocked) = or_not_found(stands.fetch_optional(conn).await?, "customer")?;
    Ok(Identified { customer: CustomerId::from_uuid(id), is_blocked })
}

/// One candidate for each customer: a row says by which of the addresses it was found.
fn candidates(rows: &[Row]) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = Vec::new();
    for row in rows {
        let customer = CustomerId::from_uuid(row.id);
        let (by_email, by_phone) = (row.kind == KeyKind::Email.as_str(), row.kind == KeyKind::Phone.as_str());
        if let Some(last) = all.last_mut().filter(|last| last.customer == customer) {
            last.by_email |= by_email;
            last.by_phone |= by_phone;
        } else {
            let (name, has_phone) = (row.name.clone(), row.phone.is_some());
            all.push(Candidate { customer, name, by_email, by_phone, has_phone });
        }
    }
    all
}

/// Somebody who is known came again, maybe with an address that is not known yet.
async fn again(
    conn: &mut Conn,
    tenant: TenantId,
    customer: CustomerId,
    known: &Known,
    rows: &[Row],
    now: Instant,
) -> Result<(), StoreError> {
    let found: Vec<&Row> = rows.iter().filter(|row| row.id == customer.uuid()).collect();
    let unknown: Vec<_> =
        known.keys.iter().filter(|(kind, _)| found.iter().all(|row| row.kind != kind.as_str())).collect();
    let Some(row) = found.first() else { return Ok(()) };
    if !unknown.is_empty() {
        let keys = sqlx::query_scalar::<Db, i64>(KEYS).bind(tenant.uuid()).bind(customer.uuid());
        if keys.fetch_one(&mut *conn).await? < limits::CUSTOMER_KEYS_MAX {
            insert_keys(conn, tenant, customer, &unknown).await?;
        }
    }
    let learns = |there: &Option<String>, given: &Option<String>| there.is_none() && given.is_some();
    if learns(&row.email, &known.email) || learns(&row.phone, &known.phone) {
        let (email, phone) =
            (row.email.as_ref().or(known.email.as_ref()), row.phone.as_ref().or(known.phone.as_ref()));
        sqlx::query::<Db>(LEARN)
            .bind(tenant.uuid())
            .bind(customer.uuid())
            .bind(&known.email)
            .bind(&known.phone)
            .bind(Ts(now))
            .bind(search_text(&row.name, email.map(String::as_str), phone.map(String::as_str)))
            .execute(conn)
            .await?;
    } else if row.last_seen_at.0.plus_seconds(limits::CUSTOMER_SEEN_SECONDS) <= now {
        sqlx::query::<Db>(SEEN).bind(tenant.uuid()).bind(customer.uuid()).bind(Ts(now)).execute(conn).await?;
    }
    Ok(())
}

pub(super) async fn insert_keys(
    conn: &mut Conn,
    tenant: TenantId,
    customer: CustomerId,
    keys: &[&(KeyKind, Vec<u8>)],
) -> Result<(), StoreError> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut insert =
        QueryBuilder::<Db>::new("INSERT INTO customer_keys (tenant_id, kind, mac, customer_id) ");
    insert.push_values(keys, |mut row, (kind, mac)| {
        row.push_bind(tenant.uuid())
            .push_bind(kind.as_str())
            .push_bind(mac.as_slice())
            .push_bind(customer.uuid());
    });
    insert.push(" ON CONFLICT DO NOTHING");
    insert.build().execute(conn).await?;
    Ok(())
}

/// The next tenant, after this one, with rows of before there were customers.
pub(crate) async fn waiting(conn: &mut Conn, from: Option<TenantId>) -> Result<Option<TenantId>, StoreError> {
    let tenant = sqlx::query_scalar::<Db, Uuid>(WAITING).bind(page_after(from)).fetch_optional(conn).await?;
    Ok(tenant.map(TenantId::from_uuid))
}

/// Give some rows of a tenant their customers. How many were looked at, fewer than `CUSTOMERS_FILLED_AT_ONCE` if none is left.
pub(crate) async fn fill(
    conn: &mut Conn,
    tenant: TenantId,
    key: &MacKey,
    random: &dyn Random,
) -> Result<i64, StoreError> {
    let mut filled = 0;
    let bookings = sqlx::query_as::<Db, (Uuid, Json<Value>, Ts)>(BOOKINGS)
        .bind(tenant.uuid())
        .bind(limits::CUSTOMERS_FILLED_AT_ONCE)
        .fetch_all(&mut *conn)
        .await?;
    for (booking, attendee, at) in bookings {
        let known = key.known(&from_json(attendee, "attendee")?, CustomerId::new(at.0, random));
        let Identified { customer, .. } = identify(conn, tenant, &known, at.0).await?;
        let set = sqlx::query::<Db>(SET_BOOKING).bind(tenant.uuid()).bind(booking).bind(customer.uuid());
        set.execute(&mut *conn).await?;
        filled += 1;
    }
    let external = sqlx::query_as::<Db, (Uuid, String, Option<Uuid>, Json<Value>, Ts)>(EXTERNAL)
        .bind(tenant.uuid())
        .bind(limits::CUSTOMERS_FILLED_AT_ONCE - filled)
        .fetch_all(&mut *conn)
        .await?;
    for (connection, external_id, booking, payload, at) in external {
        let external: ExternalBooking = from_json(payload, "external booking")?;
        let customer = match attendee_of(&external).filter(|_| booking.is_none()) {
            Some(attendee) => {
                let known = key.known(attendee, CustomerId::new(at.0, random));
                Some(identify(conn, tenant, &known, at.0).await?.customer)
            }
            None => None,
        };
        let connection = ConnectionId::from_uuid(connection);
        set_external(conn, tenant, connection, &external_id, booking.map(BookingId::from_uuid), customer)
            .await?;
        filled += 1;
    }
    Ok(filled + fold(conn, tenant, limits::CUSTOMERS_FILLED_AT_ONCE - filled).await?)
}

/// Write how customers of before are looked for.
async fn fold(conn: &mut Conn, tenant: TenantId, most: i64) -> Result<i64, StoreError> {
    let rows = sqlx::query_as::<Db, (Uuid, String, Option<String>, Option<String>)>(UNFOLDED)
        .bind(tenant.uuid())
        .bind(most)
        .fetch_all(&mut *conn)
        .await?;
    let mut folded = 0;
    for (id, name, email, phone) in rows {
        sqlx::query::<Db>(FOLD)
            .bind(tenant.uuid())
            .bind(id)
            .bind(name_key(&name))
            .bind(search_text(&name, email.as_deref(), phone.as_deref()))
            .execute(&mut *conn)
            .await?;
        folded += 1;
    }
    Ok(folded)
}

/// Whom a booking at a provider is for: whom ours is for, if it is ours.
async fn set_external(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    external_id: &str,
    booking: Option<BookingId>,
    customer: Option<CustomerId>,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(SET_EXTERNAL)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(external_id)
        .bind(booking.map(BookingId::uuid))
        .bind(customer.map(CustomerId::uuid))
        .execute(conn)
        .await?;
    Ok(())
}
