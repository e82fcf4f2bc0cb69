//! Bookings: reading them, and making them together with their place.

use berth_model::{
    booking::{Booking, BookingStatus, ProviderTask},
    id::{BookingId, ConnectionId, EventTypeId, ListingId, MemberId, TenantId},
    time::{Instant, Interval},
};
use serde_json::{Value, json};
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::{super::Db, Conn, audit, found, jobs, limit as rows, places, shaped};
use crate::{
    StoreError,
    records::{Audit, BookingFilter, NewBooking},
    types::Ts,
};

queries! {
    INSERT = "INSERT INTO bookings (tenant_id, id, listing_id, event_type_id, member_id, connection_id, status, provider_task,
            starts_at, ends_at, attendee, guests, answers, notes, sequence, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    GET = "SELECT * FROM bookings WHERE tenant_id = $1 AND id = $2";
    GET_TO_CHANGE = concat!("SELECT * FROM bookings WHERE tenant_id = $1 AND id = $2", lock_row!());
    BY_EXTERNAL_ID = "SELECT * FROM bookings WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3
        ORDER BY created_at DESC LIMIT 1";
}

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
}

impl TryFrom<Row> for Booking {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let interval = |start: Ts, end: Ts| {
            Interval::new(start.0, end.0).map_err(|e| StoreError::Corrupt(e.to_string()))
        };
        let status = BookingStatus::ALL.into_iter().find(|s| s.as_str() == row.status);
        let task = row.provider_task.map(|name| {
            let task = ProviderTask::ALL.into_iter().find(|t| t.as_str() == name);
            task.ok_or_else(|| StoreError::Corrupt(format!("provider task {name:?}")))
        });
        Ok(Self {
            id: BookingId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            listing: ListingId::from_uuid(row.listing_id),
            event_type: EventTypeId::from_uuid(row.event_type_id),
            member: MemberId::from_uuid(row.member_id),
            connection: row.connection_id.map(ConnectionId::from_uuid),
            status: status.ok_or_else(|| StoreError::Corrupt(format!("booking status {:?}", row.status)))?,
            provider_task: task.transpose()?,
            when: interval(row.starts_at, row.ends_at)?,
            previous_when: match (row.previous_starts_at, row.previous_ends_at) {
                (Some(start), Some(end)) => Some(interval(start, end)?),
                _ => None,
            },
            attendee: shaped(row.attendee, "attendee")?,
            guests: shaped(row.guests, "guests")?,
            answers: shaped(row.answers, "answers")?,
            notes: row.notes,
            reason: row.reason,
            external_id: row.external_id,
            external: row.external.map(|e| e.0),
            external_updated_at: row.external_updated_at.map(|t| t.0),
            sequence: row.sequence,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

pub(crate) async fn insert(conn: &mut Conn, new: &NewBooking, audit: &Audit) -> Result<(), StoreError> {
    let booking = &new.booking;
    sqlx::query::<Db>(INSERT)
        .bind(booking.tenant.uuid())
        .bind(booking.id.uuid())
        .bind(booking.listing.uuid())
        .bind(booking.event_type.uuid())
        .bind(booking.member.uuid())
        .bind(booking.connection.map(ConnectionId::uuid))
        .bind(booking.status.as_str())
        .bind(booking.provider_task.map(ProviderTask::as_str))
        .bind(Ts(booking.when.start()))
        .bind(Ts(booking.when.end()))
        .bind(Json(&booking.attendee))
        .bind(Json(&booking.guests))
        .bind(Json(&booking.answers))
        .bind(&booking.notes)
        .bind(booking.sequence)
        .bind(Ts(booking.created_at))
        .bind(Ts(booking.updated_at))
        .execute(&mut *conn)
        .await
        .map_err(|e| {
            StoreError::from(e)
                .duplicate("a booking with this id")
                .missing("listing, event type, member or connection")
        })?;
    let place = places::Place {
        tenant: booking.tenant,
        member: booking.member,
        booking: booking.id,
        when: booking.when,
        blocked: new.blocked,
    };
    places::take(conn, place).await?;
    if let Some(job) = &new.job {
        jobs::enqueue(conn, job, audit.at).await?;
    }
    let data = json!({
        "status": booking.status, "member": booking.member, "when": booking.when, "connection": booking.connection,
    });
    let event = audit::Event {
        tenant: Some(booking.tenant),
        action: "booking.created",
        kind: "booking",
        subject: booking.id.uuid(),
        data: &data,
    };
    audit::insert(conn, audit, &event).await
}

pub(crate) async fn get(conn: &mut Conn, tenant: TenantId, id: BookingId) -> Result<Booking, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).bind(id.uuid()).fetch_optional(conn).await?;
    found(row, "booking")?.try_into()
}

/// The booking, locked until the end of the transaction.
pub(crate) async fn get_to_change(
    conn: &mut Conn,
    tenant: TenantId,
    id: BookingId,
) -> Result<Booking, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET_TO_CHANGE)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .fetch_optional(conn)
        .await?;
    found(row, "booking")?.try_into()
}

pub(crate) async fn by_external_id(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    external_id: &str,
) -> Result<Option<Booking>, StoreError> {
    let row = sqlx::query_as::<Db, Row>(BY_EXTERNAL_ID)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(external_id)
        .fetch_optional(conn)
        .await?;
    row.map(TryInto::try_into).transpose()
}

/// Bookings in the order of (start, id).
pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    filter: &BookingFilter,
    limit: u32,
) -> Result<Vec<Booking>, StoreError> {
    let mut query = QueryBuilder::<Db>::new("SELECT * FROM bookings WHERE tenant_id = ");
    query.push_bind(tenant.uuid());
    if let Some(listing) = filter.listing {
        query.push(" AND listing_id = ").push_bind(listing.uuid());
    }
    if let Some(event_type) = filter.event_type {
        query.push(" AND event_type_id = ").push_bind(event_type.uuid());
    }
    if let Some(member) = filter.member {
        query.push(" AND member_id = ").push_bind(member.uuid());
    }
    if let Some(status) = filter.status {
        query.push(" AND status = ").push_bind(status.as_str());
    }
    if let Some(task) = filter.provider_task {
        query.push(" AND provider_task = ").push_bind(task.as_str());
    }
    if let Some(within) = filter.within {
        query.push(" AND starts_at < ").push_bind(Ts(within.end()));
        query.push(" AND ends_at > ").push_bind(Ts(within.start()));
    }
    if let Some((start, id)) = filter.after {
        query.push(" AND (starts_at, id) > (").push_bind(Ts(start));
        query.push(", ").push_bind(id.uuid()).push(")");
    }
    query.push(" ORDER BY starts_at, id LIMIT ").push_bind(rows(limit));
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Per member: how many active bookings end after `now`, and when the last one was made.
pub(crate) async fn upcoming_counts(
    conn: &mut Conn,
    tenant: TenantId,
    members: &[MemberId],
    now: Instant,
) -> Result<Vec<(MemberId, i64, Option<Instant>)>, StoreError> {
    let mut query = QueryBuilder::<Db>::new(
        "SELECT member_id, count(*), max(created_at) FROM bookings
        WHERE status IN ('pending', 'confirmed') AND tenant_id = ",
    );
    query.push_bind(tenant.uuid()).push(" AND ends_at > ").push_bind(Ts(now)).push(" AND member_id IN (");
    let mut ids = query.separated(", ");
    ids.push_bind(Uuid::nil());
    for member in members {
        ids.push_bind(member.uuid());
    }
    query.push(") GROUP BY member_id");
    let counts: Vec<(Uuid, i64, Option<Ts>)> = query.build_query_as().fetch_all(conn).await?;
    Ok(members
        .iter()
        .map(|member| {
            let counted = counts.iter().find(|(id, ..)| *id == member.uuid());
            counted.map_or((*member, 0, None), |(_, n, last)| (*member, *n, last.map(|t| t.0)))
        })
        .collect())
}
