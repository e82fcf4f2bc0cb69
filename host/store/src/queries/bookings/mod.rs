//! Bookings: made and read. How they change is in `booking_changes`.

pub(crate) mod assignments;
pub(crate) mod bulk;
pub(crate) mod change;
pub(crate) mod clocks;
pub(crate) mod counterparts;
pub(crate) mod holds;
pub(crate) mod idempotency;
pub(crate) mod limits;
pub(crate) mod list;
pub(crate) mod members;
pub(crate) mod occupancy;
pub(crate) mod words;

use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus, ProviderTask},
        domain_events,
        occupancy::Occupancy,
    },
    id::{BookingId, ConnectionId, CustomerId, EventTypeId, ListingId, MemberId, SeriesId, TenantId},
    time::Instant,
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    super::Db,
    Conn,
    catalog::private_links,
    customers::identify::identify,
    events::insert_event,
    from_json, interval,
    jobs::queue,
    members_of,
    mirror::external,
    number, opt_instant, or_not_found, parse_enum,
    privacy::consents,
    tenants::audit::{self, insert_with_event},
};
use crate::{
    StoreError,
    macs::Known,
    records::{Audit, NewBooking, NewConsent},
    types::Ts,
};

/// The columns of a new booking, in the order of the table.
macro_rules! columns {
    () => {
        "tenant_id, id, listing_id, event_type_id, member_id, connection_id, status, provider_task, starts_at, ends_at,
            previous_starts_at, previous_ends_at, attendee, guests, answers, notes, reason, external_id, external,
            external_updated_at, sequence, created_at, updated_at, further_members, seats, series_id, assignment, clocks, customer_id,
            rescheduled_at, metadata, local_changes, location, seats_taken"
    };
}

queries! {
    // What every booking writes besides its places, in one statement.
    INSERT = insert_with_event!(concat!("INSERT INTO bookings (", columns!(), ", unsearchable)
        VALUES ($1, $5, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36,
            $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, FALSE)"));
    GET = concat!("SELECT ", columns!(), ", undelivered FROM bookings WHERE tenant_id = $1 AND id = $2");
    LOCK = concat!("SELECT ", columns!(), ", undelivered FROM bookings WHERE tenant_id = $1 AND id = $2", lock_row!());
    // Of all tenants: for the sweep that completes them.
    ENDED = "SELECT tenant_id, id, sequence FROM bookings
        WHERE status = 'confirmed' AND ends_at <= $1 AND provider_task IS NULL ORDER BY ends_at LIMIT $2";
    UNANSWERED = "SELECT tenant_id, id, sequence FROM bookings
        WHERE status = 'pending' AND starts_at <= $1 AND provider_task IS NULL AND external_id IS NULL ORDER BY starts_at LIMIT $2";
}

/// Bookings of a tenant, which is bound next.
const ALL_OF: &str = concat!("SELECT ", columns!(), ", undelivered FROM bookings b WHERE tenant_id = ");

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    listing_id: Uuid,
    event_type_id: Uuid,
    member_id: Uuid,
    connection_id: Option<Uuid>,
    status: String,
    provider_task: Option<String>,
    starts_at: Ts,
    ends_at: Ts,
    previous_starts_at: Option<Ts>,
    previous_ends_at: Option<Ts>,
    attendee: Json<Value>,
    guests: Json<Value>,
    answers: Json<Value>,
    notes: Option<String>,
    reason: Option<String>,
    external_id: Option<String>,
    external: Option<Json<Value>>,
    external_updated_at: Option<Ts>,
    sequence: i64,
    created_at: Ts,
    updated_at: Ts,
    further_members: i64,
    seats: i64,
    series_id: Option<Uuid>,
    assignment: Option<Json<Value>>,
    clocks: Option<Json<Value>>,
    customer_id: Option<Uuid>,
    rescheduled_at: Option<Ts>,
    metadata: Json<Value>,
    local_changes: Option<Json<Value>>,
    undelivered: Option<Json<Value>>,
    location: Option<Json<Value>>,
    seats_taken: i64,
}

impl TryFrom<Row> for Booking {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let task = row.provider_task.as_deref();
        let task =
            task.map(|text| parse_enum(&ProviderTask::ALL, ProviderTask::as_str, text, "provider task"));
        let previous = row.previous_starts_at.zip(row.previous_ends_at);
        Ok(Self {
            id: BookingId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            listing: ListingId::from_uuid(row.listing_id),
            event_type: EventTypeId::from_uuid(row.event_type_id),
            member: MemberId::from_uuid(row.member_id),
            other_members: Vec::new(),
            seats: number(row.seats, "seats")?,
            seats_taken: number(row.seats_taken, "seats taken")?,
            series: row.series_id.map(SeriesId::from_uuid),
            assignment: row.assignment.map(|value| value.0),
            connection: row.connection_id.map(ConnectionId::from_uuid),
            status: parse_enum(&BookingStatus::ALL, BookingStatus::as_str, &row.status, "booking status")?,
            provider_task: task.transpose()?,
            when: interval(row.starts_at, row.ends_at)?,
            clocks: row.clocks.map(|value| from_json(value, "clocks")).transpose()?,
            previous_when: previous.map(|(start, end)| interval(start, end)).transpose()?,
            customer: row.customer_id.map(CustomerId::from_uuid),
            attendee: from_json(row.attendee, "attendee")?,
            guests: from_json(row.guests, "guests")?,
            answers: from_json(row.answers, "answers")?,
            notes: row.notes,
            location: row.location.map(|value| from_json(value, "location")).transpose()?,
            metadata: from_json(row.metadata, "metadata")?,
            local_changes: row
                .local_changes
                .map(|value| from_json(value, "local changes"))
                .transpose()?
                .unwrap_or_default(),
            undelivered: row.undelivered.map(|value| from_json(value, "undelivered")).transpose()?,
            reason: row.reason,
            external_id: row.external_id,
            external: row.external.map(|value| value.0),
            external_updated_at: opt_instant(row.external_updated_at),
            rescheduled_at: opt_instant(row.rescheduled_at),
            sequence: row.sequence,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

/// Whom a booking is for, as far as that is known before the transaction.
#[derive(Clone, Copy)]
pub(crate) enum Who<'a> {
    /// To be looked up, or made.
    Known(&'a Known),
    /// This one.
    Is(CustomerId),
    /// Nobody can be looked for at the moment; it is made up for in the background.
    Unknown,
}

/// Places, customer, booking with event and audit row, job.
pub(crate) async fn create(
    conn: &mut Conn,
    new: &NewBooking,
    who: Who<'_>,
    audit: &Audit,
) -> Result<Option<CustomerId>, StoreError> {
    let booking = &new.booking;
    let place = Occupancy { padded: new.padded, when: booking.when };
    // First what only one may have: the link, then the place. When it is taken, nothing else has been done.
    if let Some(link) = new.private_link {
        private_links::take(conn, booking.tenant, link, booking.event_type, audit.at).await?;
    }
    if let Some(hold) = new.hold {
        holds::remove(conn, booking.tenant, hold, audit.at).await?;
    }
    limits::check(conn, booking, booking.when, &new.limits).await?;
    if let Some(adopted) = &new.adopts {
        external::release(conn, adopted, booking.id).await?;
    }
    occupancy::take(conn, &occupancy::Taker::booking(booking), place, audit.at).await?;
    let customer = match who {
        Who::Known(known) => {
            let who = identify(conn, booking.tenant, known, audit.at).await?;
            if who.is_blocked && !new.allow_blocked {
                return Err(StoreError::Blocked);
            }
            Some(who.customer)
        }
        Who::Is(customer) => Some(customer),
        Who::Unknown => None,
    };
    insert(conn, new, customer, audit).await?;
    for consent in &new.consents {
        // A consent is somebody's: without them there is no booking with it.
        let customer = customer.ok_or(StoreError::Vault("the customer who consents cannot be known now"))?;
        let said = NewConsent { customer, ..consent.said.clone() };
        consents::say(conn, &said, consent.ip_mac.as_deref(), &consent.audit).await?;
    }
    if let Some(job) = &new.job {
        queue::enqueue(conn, job).await?;
    }
    if let Some(key) = &new.idempotency_key {
        idempotency::made(conn, key, booking.id).await?;
    }
    Ok(customer)
}

/// Several bookings, all or none, of those who are named in `known`, in the same order. Whom each is for.
pub(crate) async fn create_all(
    conn: &mut Conn,
    all: &[(NewBooking, Audit)],
    known: &[Option<Known>],
) -> Result<Vec<Option<CustomerId>>, StoreError> {
    // Series that race for the same members go one after the other, not crosswise.
    if let Some((first, _)) = all.first() {
        let mut members: Vec<MemberId> = all.iter().flat_map(|(new, _)| new.booking.members()).collect();
        members.sort_unstable();
        members.dedup();
        occupancy::lock_members(conn, first.booking.tenant, &members).await?;
    }
    let mut customers: Vec<Option<CustomerId>> = Vec::new();
    let mut last: Option<&Known> = None;
    for ((new, audit), known) in all.iter().zip(known) {
        // All of a series are for one person, who is looked up once.
        let same = last.zip(known.as_ref()).is_some_and(|(last, known)| last.person == known.person);
        let who = match (customers.last().copied().flatten().filter(|_| same), known) {
            (Some(customer), _) => Who::Is(customer),
            (None, Some(known)) => Who::Known(known),
            (None, None) => Who::Unknown,
        };
        customers.push(create(conn, new, who, audit).await?);
        last = known.as_ref();
    }
    Ok(customers)
}

/// The booking with its event and audit row, who else takes part, and its counterpart.
async fn insert(
    conn: &mut Conn,
    new: &NewBooking,
    customer: Option<CustomerId>,
    audit: &Audit,
) -> Result<(), StoreError> {
    let booking = &new.booking;
    let action = if new.adopts.is_some() { domain_events::ADOPTED } else { domain_events::CREATED };
    let mut event = domain_events::created(booking, action, audit.at, &audit.actor);
    // Who that is, was found just now.
    if let Some(data) = event.data.as_object_mut() {
        data.insert("customer_id".to_owned(), json!(customer));
    }
    let data = json!({
        "listing": booking.listing, "event_type": booking.event_type, "member": booking.member,
        "other_members": booking.other_members, "assignment": booking.assignment, "series": booking.series,
        "connection": booking.connection, "when": booking.when, "status": booking.status.as_str(), "hold": new.hold,
        "private_link": new.private_link, "external_booking": new.adopts.as_ref().map(|adopted| adopted.id),
        "customer": customer,
    });
    audit::bound_with_event(INSERT, audit, (booking.tenant, &event), action, data)
        .bind(booking.listing.uuid())
        .bind(booking.event_type.uuid())
        .bind(booking.member.uuid())
        .bind(booking.connection.map(ConnectionId::uuid))
        .bind(booking.status.as_str())
        .bind(booking.provider_task.map(ProviderTask::as_str))
        .bind(Ts(booking.when.start()))
        .bind(Ts(booking.when.end()))
        .bind(booking.previous_when.map(|when| Ts(when.start())))
        .bind(booking.previous_when.map(|when| Ts(when.end())))
        .bind(Json(&booking.attendee))
        .bind(Json(&booking.guests))
        .bind(Json(&booking.answers))
        .bind(&booking.notes)
        .bind(&booking.reason)
        .bind(&booking.external_id)
        .bind(booking.external.as_ref().map(Json))
        .bind(booking.external_updated_at.map(Ts))
        .bind(booking.sequence)
        .bind(Ts(booking.created_at))
        .bind(Ts(booking.updated_at))
        .bind(count(&booking.other_members))
        .bind(i64::from(booking.seats))
        .bind(booking.series.map(SeriesId::uuid))
        .bind(booking.assignment.as_ref().map(Json))
        .bind(booking.clocks.as_ref().map(Json))
        .bind(customer.map(CustomerId::uuid))
        .bind(booking.rescheduled_at.map(Ts))
        .bind(Json(&booking.metadata))
        .bind(local_changes(booking))
        .bind(booking.location.as_ref().map(Json))
        .bind(i64::from(booking.seats_taken))
        .execute(&mut *conn)
        .await
        .map_err(|e| {
            StoreError::from(e)
                .duplicate("a booking, event or audit row with this id")
                .missing("listing, event type, member or connection")
        })?;
    members::join(conn, booking).await?;
    words::note(conn, (booking.tenant, booking.id), &booking.attendee).await?;
    counterparts::note_own(conn, booking).await
}

/// What was changed here alone; most often nothing.
fn local_changes(booking: &Booking) -> Option<Json<&Vec<String>>> {
    (!booking.local_changes.is_empty()).then_some(Json(&booking.local_changes))
}

/// How many rows of members there are.
fn count(members: &[MemberId]) -> i64 {
    i64::try_from(members.len()).unwrap_or(i64::MAX)
}

/// Bookings of one tenant with who takes part.
async fn with_members(conn: &mut Conn, tenant: TenantId, rows: Vec<Row>) -> Result<Vec<Booking>, StoreError> {
    let shared: Vec<Uuid> = rows.iter().filter(|row| row.further_members > 0).map(|row| row.id).collect();
    let of = ("booking_members", "booking_id");
    let mut members = members_of(conn, of, tenant, shared.into_iter()).await?;
    let whole = |row: Row| {
        let mut booking = Booking::try_from(row)?;
        booking.other_members = members.remove(&booking.id.uuid()).unwrap_or_default();
        Ok(booking)
    };
    rows.into_iter().map(whole).collect()
}

async fn one(
    conn: &mut Conn,
    statement: &'static str,
    tenant: TenantId,
    booking: BookingId,
) -> Result<Booking, StoreError> {
    let row = sqlx::query_as::<Db, Row>(statement)
        .bind(tenant.uuid())
        .bind(booking.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    let row = or_not_found(row, "booking")?;
    or_not_found(with_members(conn, tenant, vec![row]).await?.pop(), "booking")
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    booking: BookingId,
) -> Result<Booking, StoreError> {
    one(conn, GET, tenant, booking).await
}

/// Read a booking that is about to change.
pub(crate) async fn lock(
    conn: &mut Conn,
    tenant: TenantId,
    booking: BookingId,
) -> Result<Booking, StoreError> {
    one(conn, LOCK, tenant, booking).await
}

/// Confirmed bookings that ended by `until`, with their sequences; the longest ended first.
pub(crate) async fn ended(
    conn: &mut Conn,
    until: Instant,
    limit: u32,
) -> Result<Vec<(TenantId, BookingId, i64)>, StoreError> {
    due(conn, ENDED, until, limit).await
}

/// Bookings that wait for their tenant although they began by `until`, with their sequences; the longest begun first.
pub(crate) async fn unanswered(
    conn: &mut Conn,
    until: Instant,
    limit: u32,
) -> Result<Vec<(TenantId, BookingId, i64)>, StoreError> {
    due(conn, UNANSWERED, until, limit).await
}

async fn due(
    conn: &mut Conn,
    statement: &'static str,
    until: Instant,
    limit: u32,
) -> Result<Vec<(TenantId, BookingId, i64)>, StoreError> {
    let rows = sqlx::query_as::<Db, (Uuid, Uuid, i64)>(statement)
        .bind(Ts(until))
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    let ids = |(tenant, id, sequence)| (TenantId::from_uuid(tenant), BookingId::from_uuid(id), sequence);
    Ok(rows.into_iter().map(ids).collect())
}
