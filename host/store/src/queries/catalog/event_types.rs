//! Event types and who can be booked for them.

use berth_model::{
    catalog::event_type::EventTypeRecord,
    id::{EventTypeId, ListingId, MemberId, TenantId},
};
use serde_json::{Value, json};
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::super::{
    super::Db, Conn, availability::rules, expect_affected, from_json, members_of, number, opt_instant,
    or_not_found, page_after, tenants::audit,
};
use crate::{StoreError, records::Audit, types::Ts};

queries! {
    INSERT = "INSERT INTO event_types (tenant_id, id, listing_id, slug, title, description, length_minutes,
            slot_interval_minutes, buffer_before_minutes, buffer_after_minutes, minimum_notice_minutes,
            booking_window_days, external_id, active, revision, created_at, updated_at, policy, counterparts)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
    GET = "SELECT tenant_id, id, listing_id, slug, title, description, length_minutes, slot_interval_minutes,
            buffer_before_minutes, buffer_after_minutes, minimum_notice_minutes, booking_window_days, external_id,
            active, archived_at, revision, created_at, updated_at, policy, counterparts
        FROM event_types WHERE tenant_id = $1 AND id = $2";
    LIST = "SELECT tenant_id, id, listing_id, slug, title, description, length_minutes, slot_interval_minutes,
            buffer_before_minutes, buffer_after_minutes, minimum_notice_minutes, booking_window_days, external_id,
            active, archived_at, revision, created_at, updated_at, policy, counterparts
        FROM event_types WHERE tenant_id = $1 AND id > $2 AND (archived_at IS NULL OR $4) ORDER BY id LIMIT $3";
    LIST_OF_LISTING = "SELECT tenant_id, id, listing_id, slug, title, description, length_minutes,
            slot_interval_minutes, buffer_before_minutes, buffer_after_minutes, minimum_notice_minutes,
            booking_window_days, external_id, active, archived_at, revision, created_at, updated_at, policy, counterparts
        FROM event_types WHERE tenant_id = $1 AND id > $2 AND (archived_at IS NULL OR $4) AND listing_id = $5 ORDER BY id LIMIT $3";
    UPDATE = "UPDATE event_types SET slug = $4, title = $5, description = $6, length_minutes = $7,
            slot_interval_minutes = $8, buffer_before_minutes = $9, buffer_after_minutes = $10,
            minimum_notice_minutes = $11, booking_window_days = $12, external_id = $13, active = $14,
            policy = $16, archived_at = $17, counterparts = $18, revision = revision + 1, updated_at = $15
        WHERE tenant_id = $1 AND id = $2 AND revision = $3
        RETURNING tenant_id, id, listing_id, slug, title, description, length_minutes, slot_interval_minutes,
            buffer_before_minutes, buffer_after_minutes, minimum_notice_minutes, booking_window_days, external_id,
            active, archived_at, revision, created_at, updated_at, policy, counterparts";
    DELETE = "DELETE FROM event_types WHERE tenant_id = $1 AND id = $2";
    LEAVE = "DELETE FROM event_type_members WHERE tenant_id = $1 AND event_type_id = $2";
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
    archived_at: Option<Ts>,
    revision: i64,
    created_at: Ts,
    updated_at: Ts,
    policy: Json<Value>,
    counterparts: Json<Value>,
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
                .map(|minutes| number(minutes, "slot interval"))
                .transpose()?,
            buffer_before_minutes: number(self.buffer_before_minutes, "buffer")?,
            buffer_after_minutes: number(self.buffer_after_minutes, "buffer")?,
            minimum_notice_minutes: number(self.minimum_notice_minutes, "notice")?,
            booking_window_days: number(self.booking_window_days, "booking window")?,
            members,
            policy: from_json(self.policy, "policy")?,
            external_id: self.external_id,
            external: from_json(self.counterparts, "counterparts")?,
            active: self.active,
            archived_at: opt_instant(self.archived_at),
            revision: self.revision,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}

/// The schedule that it names stays until this transaction ends; `NotFound` if there is none.
async fn hold_schedule(conn: &mut Conn, event_type: &EventTypeRecord) -> Result<(), StoreError> {
    match event_type.policy.schedule_id {
        Some(schedule) => rules::hold_schedule(conn, event_type.tenant, schedule).await,
        None => Ok(()),
    }
}

async fn note(
    conn: &mut Conn,
    audit: &Audit,
    action: &'static str,
    event_type: &EventTypeRecord,
) -> Result<(), StoreError> {
    let data = json!({
        "listing": event_type.listing, "slug": event_type.slug, "title": event_type.title,
        "length_minutes": event_type.length_minutes, "members": event_type.members,
        "policy": event_type.policy,
        "external_id": event_type.external_id, "external": event_type.external, "active": event_type.active, "archived_at": event_type.archived_at, "revision": event_type.revision,
    });
    audit::append(conn, audit, Some(event_type.tenant), action, event_type.id.uuid(), data).await
}

/// Put these members, in this order, behind an event type.
async fn join(conn: &mut Conn, event_type: &EventTypeRecord) -> Result<(), StoreError> {
    if event_type.members.is_empty() {
        return Ok(());
    }
    let mut insert = QueryBuilder::<Db>::new(
        "INSERT INTO event_type_members (tenant_id, event_type_id, member_id, position) ",
    );
    insert.push_values((0_i64..).zip(&event_type.members), |mut row, (position, member)| {
        row.push_bind(event_type.tenant.uuid())
            .push_bind(event_type.id.uuid())
            .push_bind(member.uuid())
            .push_bind(position);
    });
    insert
        .build()
        .execute(conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("this member of the event type").missing("member"))?;
    Ok(())
}

pub(crate) async fn insert(
    conn: &mut Conn,
    event_type: &EventTypeRecord,
    audit: &Audit,
) -> Result<(), StoreError> {
    hold_schedule(conn, event_type).await?;
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
        .bind(Json(&event_type.policy))
        .bind(Json(&event_type.external))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("an event type with this slug").missing("listing"))?;
    join(conn, event_type).await?;
    note(conn, audit, "event_type.created", event_type).await
}

/// Their members in their order.
async fn with_members(
    conn: &mut Conn,
    tenant: TenantId,
    rows: Vec<Row>,
) -> Result<Vec<EventTypeRecord>, StoreError> {
    let of = ("event_type_members", "event_type_id");
    let mut members = members_of(conn, of, tenant, rows.iter().map(|row| row.id)).await?;
    rows.into_iter()
        .map(|row| {
            let members = members.remove(&row.id).unwrap_or_default();
            row.with(members)
        })
        .collect()
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    event_type: EventTypeId,
) -> Result<EventTypeRecord, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET)
        .bind(tenant.uuid())
        .bind(event_type.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    let row = or_not_found(row, "event type")?;
    or_not_found(with_members(conn, tenant, vec![row]).await?.pop(), "event type")
}

/// One without its members, for a caller that reads them anyway.
pub(crate) async fn get_with(
    conn: &mut Conn,
    tenant: TenantId,
    event_type: EventTypeId,
    members: Vec<MemberId>,
) -> Result<EventTypeRecord, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET)
        .bind(tenant.uuid())
        .bind(event_type.uuid())
        .fetch_optional(conn)
        .await?;
    or_not_found(row, "event type")?.with(members)
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    listing: Option<ListingId>,
    archived: bool,
    after: Option<EventTypeId>,
    limit: u32,
) -> Result<Vec<EventTypeRecord>, StoreError> {
    let statement = if listing.is_some() { LIST_OF_LISTING } else { LIST };
    let mut query = sqlx::query_as::<Db, Row>(statement)
        .bind(tenant.uuid())
        .bind(page_after(after))
        .bind(i64::from(limit))
        .bind(archived);
    if let Some(listing) = listing {
        query = query.bind(listing.uuid());
    }
    let rows = query.fetch_all(&mut *conn).await?;
    with_members(conn, tenant, rows).await
}

pub(crate) async fn update(
    conn: &mut Conn,
    event_type: &EventTypeRecord,
    expected_revision: i64,
    audit: &Audit,
) -> Result<EventTypeRecord, StoreError> {
    hold_schedule(conn, event_type).await?;
    let row = sqlx::query_as::<Db, Row>(UPDATE)
        .bind(event_type.tenant.uuid())
        .bind(event_type.id.uuid())
        .bind(expected_revision)
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
        .bind(Json(&event_type.policy))
        .bind(event_type.archived_at.map(Ts))
        .bind(Json(&event_type.external))
        .fetch_optional(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("an event type with this slug"))?;
    let Some(row) = row else {
        get(conn, event_type.tenant, event_type.id).await?;
        return Err(StoreError::Stale);
    };
    sqlx::query::<Db>(LEAVE)
        .bind(event_type.tenant.uuid())
        .bind(event_type.id.uuid())
        .execute(&mut *conn)
        .await?;
    join(conn, event_type).await?;
    let event_type = row.with(event_type.members.clone())?;
    note(conn, audit, "event_type.updated", &event_type).await?;
    Ok(event_type)
}

pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    event_type: EventTypeId,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(DELETE)
        .bind(tenant.uuid())
        .bind(event_type.uuid())
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).used_by("bookings"))?;
    expect_affected(&done, StoreError::NotFound("event type"))?;
    audit::append(conn, audit, Some(tenant), "event_type.deleted", event_type.uuid(), json!({})).await
}
