//! Event types and the members who can be booked for them.

use berth_model::{
    event_type::EventTypeRecord,
    id::{EventTypeId, ListingId, MemberId, TenantId},
    listing::{ListingRecord, TenantRecord},
    member::MemberRecord,
};
use serde_json::{Value, json};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{super::Db, Conn, audit, found, limit as rows, listings, met, number, tenants};
use crate::{StoreError, records::Audit, types::Ts};

queries! {
    INSERT = "INSERT INTO event_types (tenant_id, id, listing_id, slug, title, description, length_minutes,
            slot_interval_minutes, buffer_before_minutes, buffer_after_minutes, minimum_notice_minutes,
            booking_window_days, external_id, active, revision, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    GET = "SELECT * FROM event_types WHERE tenant_id = $1 AND id = $2";
    UPDATE = "UPDATE event_types SET slug = $3, title = $4, description = $5, length_minutes = $6,
            slot_interval_minutes = $7, buffer_before_minutes = $8, buffer_after_minutes = $9,
            minimum_notice_minutes = $10, booking_window_days = $11, external_id = $12, active = $13, updated_at = $14,
            revision = revision + 1
        WHERE tenant_id = $1 AND id = $2 AND revision = $15";
    DELETE = "DELETE FROM event_types WHERE tenant_id = $1 AND id = $2";
    MEMBERS = "SELECT member_id FROM event_type_members WHERE tenant_id = $1 AND event_type_id = $2 ORDER BY position";
    ADD_MEMBER = "INSERT INTO event_type_members (tenant_id, event_type_id, member_id, position)
        VALUES ($1, $2, $3, $4)";
    CLEAR_MEMBERS = "DELETE FROM event_type_members WHERE tenant_id = $1 AND event_type_id = $2";
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    listing_id: Uuid,
    slug: String,
    title: String,
    description: String,
    length_minutes: i64,
    slot_interval_minutes: Option<i64>,
    buffer_before_minutes: i64,
    buffer_after_minutes: i64,
    minimum_notice_minutes: i64,
    booking_window_days: i64,
    external_id: Option<String>,
    active: bool,
    revision: i64,
    created_at: Ts,
    updated_at: Ts,
}

impl Row {
    fn with(self, members: Vec<MemberId>) -> Result<EventTypeRecord, StoreError> {
        Ok(EventTypeRecord {
            id: EventTypeId::from_uuid(self.id),
            tenant: TenantId::from_uuid(self.tenant_id),
            listing: ListingId::from_uuid(self.listing_id),
            slug: self.slug,
            title: self.title,
            description: self.description,
            length_minutes: number(self.length_minutes, "length")?,
            slot_interval_minutes: self
                .slot_interval_minutes
                .map(|m| number(m, "slot interval"))
                .transpose()?,
            buffer_before_minutes: number(self.buffer_before_minutes, "buffer")?,
            buffer_after_minutes: number(self.buffer_after_minutes, "buffer")?,
            minimum_notice_minutes: number(self.minimum_notice_minutes, "notice")?,
            booking_window_days: number(self.booking_window_days, "booking window")?,
            members,
            external_id: self.external_id,
            active: self.active,
            revision: self.revision,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}

async fn note(
    conn: &mut Conn,
    audit: &Audit,
    action: &'static str,
    tenant: TenantId,
    id: EventTypeId,
    data: &Value,
) -> Result<(), StoreError> {
    let event = audit::Event { tenant: Some(tenant), action, kind: "event_type", subject: id.uuid(), data };
    audit::insert(conn, audit, &event).await
}

async fn members(conn: &mut Conn, tenant: Uuid, event_type: Uuid) -> Result<Vec<MemberId>, StoreError> {
    let ids: Vec<(Uuid,)> =
        sqlx::query_as::<Db, (Uuid,)>(MEMBERS).bind(tenant).bind(event_type).fetch_all(conn).await?;
    Ok(ids.into_iter().map(|(id,)| MemberId::from_uuid(id)).collect())
}

async fn set_members(conn: &mut Conn, event_type: &EventTypeRecord) -> Result<(), StoreError> {
    let (tenant, id) = (event_type.tenant.uuid(), event_type.id.uuid());
    sqlx::query::<Db>(CLEAR_MEMBERS).bind(tenant).bind(id).execute(&mut *conn).await?;
    for (position, member) in (0_i64..).zip(&event_type.members) {
        sqlx::query::<Db>(ADD_MEMBER)
            .bind(tenant)
            .bind(id)
            .bind(member.uuid())
            .bind(position)
            .execute(&mut *conn)
            .await
            .map_err(|e| StoreError::from(e).missing("member").duplicate("the member in this list"))?;
    }
    Ok(())
}

pub(crate) async fn insert(
    conn: &mut Conn,
    event_type: &EventTypeRecord,
    audit: &Audit,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(INSERT)
        .bind(event_type.tenant.uuid())
        .bind(event_type.id.uuid())
        .bind(event_type.listing.uuid())
        .bind(&event_type.slug)
        .bind(&event_type.title)
        .bind(&event_type.description)
        .bind(i64::from(event_type.length_minutes))
        .bind(event_type.slot_interval_minutes.map(i64::from))
        .bind(i64::from(event_type.buffer_before_minutes))
        .bind(i64::from(event_type.buffer_after_minutes))
        .bind(i64::from(event_type.minimum_notice_minutes))
        .bind(i64::from(event_type.booking_window_days))
        .bind(&event_type.external_id)
        .bind(event_type.active)
        .bind(event_type.revision)
        .bind(Ts(event_type.created_at))
        .bind(Ts(event_type.updated_at))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("an event type with this slug").missing("listing"))?;
    set_members(conn, event_type).await?;
    let data = json!({ "slug": event_type.slug, "members": event_type.members });
    note(conn, audit, "event_type.created", event_type.tenant, event_type.id, &data).await
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    id: EventTypeId,
) -> Result<EventTypeRecord, StoreError> {
    let row =
        sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).bind(id.uuid()).fetch_optional(&mut *conn).await?;
    let row = found(row, "event type")?;
    let members = members(conn, row.tenant_id, row.id).await?;
    row.with(members)
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    listing: Option<ListingId>,
    after: Option<EventTypeId>,
    limit: u32,
) -> Result<Vec<EventTypeRecord>, StoreError> {
    let mut query = QueryBuilder::<Db>::new("SELECT * FROM event_types WHERE tenant_id = ");
    query.push_bind(tenant.uuid());
    query.push(" AND id > ").push_bind(after.map_or(Uuid::nil(), EventTypeId::uuid));
    if let Some(listing) = listing {
        query.push(" AND listing_id = ").push_bind(listing.uuid());
    }
    query.push(" ORDER BY id LIMIT ").push_bind(rows(limit));
    let found: Vec<Row> = query.build_query_as().fetch_all(&mut *conn).await?;

    let mut members =
        QueryBuilder::<Db>::new("SELECT event_type_id, member_id FROM event_type_members WHERE tenant_id = ");
    members.push_bind(tenant.uuid()).push(" AND event_type_id IN (");
    let mut ids = members.separated(", ");
    ids.push_bind(Uuid::nil());
    for row in &found {
        ids.push_bind(row.id);
    }
    members.push(") ORDER BY event_type_id, position");
    let members: Vec<(Uuid, Uuid)> = members.build_query_as().fetch_all(conn).await?;
    found
        .into_iter()
        .map(|row| {
            let own = members.iter().filter(|(id, _)| *id == row.id).map(|(_, m)| MemberId::from_uuid(*m));
            let own = own.collect();
            row.with(own)
        })
        .collect()
}

pub(crate) async fn update(
    conn: &mut Conn,
    event_type: &EventTypeRecord,
    expected_revision: i64,
    audit: &Audit,
) -> Result<EventTypeRecord, StoreError> {
    get(conn, event_type.tenant, event_type.id).await?;
    let done = sqlx::query::<Db>(UPDATE)
        .bind(event_type.tenant.uuid())
        .bind(event_type.id.uuid())
        .bind(&event_type.slug)
        .bind(&event_type.title)
        .bind(&event_type.description)
        .bind(i64::from(event_type.length_minutes))
        .bind(event_type.slot_interval_minutes.map(i64::from))
        .bind(i64::from(event_type.buffer_before_minutes))
        .bind(i64::from(event_type.buffer_after_minutes))
        .bind(i64::from(event_type.minimum_notice_minutes))
        .bind(i64::from(event_type.booking_window_days))
        .bind(&event_type.external_id)
        .bind(event_type.active)
        .bind(Ts(audit.at))
        .bind(expected_revision)
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("an event type with this slug"))?;
    met(&done, StoreError::Stale)?;
    set_members(conn, event_type).await?;
    let data = json!({ "slug": event_type.slug, "members": event_type.members });
    note(conn, audit, "event_type.updated", event_type.tenant, event_type.id, &data).await?;
    get(conn, event_type.tenant, event_type.id).await
}

pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    id: EventTypeId,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(DELETE)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).used_by("bookings"))?;
    met(&done, StoreError::NotFound("event type"))?;
    note(conn, audit, "event_type.deleted", tenant, id, &json!({})).await
}

/// All that the booking path needs to know, in one go.
pub(crate) async fn scene(
    conn: &mut Conn,
    tenant: TenantId,
    id: EventTypeId,
) -> Result<(TenantRecord, ListingRecord, EventTypeRecord, Vec<MemberRecord>), StoreError> {
    let event_type = get(conn, tenant, id).await?;
    let listing = listings::get(conn, tenant, event_type.listing).await?;
    let owner = tenants::get(conn, tenant).await?;
    let people = super::members::of_event_type(conn, tenant, id.uuid()).await?;
    Ok((owner, listing, event_type, people))
}
