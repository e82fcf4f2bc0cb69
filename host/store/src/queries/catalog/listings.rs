//! Listings.

use berth_model::{
    catalog::listing::ListingRecord,
    id::{ConnectionId, ListingId, TenantId},
};
use serde_json::json;
use uuid::Uuid;

use super::super::{
    super::Db, Conn, expect_affected, opt_instant, or_not_found, page_after, parsed, tenants::audit,
};
use crate::{StoreError, records::Audit, types::Ts};

queries! {
    INSERT = "INSERT INTO listings (tenant_id, id, slug, title, description, time_zone, booking_provider, active,
            offer_when_degraded, revision, created_at, updated_at, currency)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    GET = "SELECT tenant_id, id, slug, title, description, time_zone, booking_provider, active, offer_when_degraded,
            archived_at, revision, created_at, updated_at, currency
        FROM listings WHERE tenant_id = $1 AND id = $2";
    BY_SLUG = "SELECT tenant_id, id, slug, title, description, time_zone, booking_provider, active, offer_when_degraded,
            archived_at, revision, created_at, updated_at, currency
        FROM listings WHERE tenant_id = $1 AND slug = $2";
    LIST = "SELECT tenant_id, id, slug, title, description, time_zone, booking_provider, active, offer_when_degraded,
            archived_at, revision, created_at, updated_at, currency
        FROM listings WHERE tenant_id = $1 AND id > $2 AND (archived_at IS NULL OR $4) ORDER BY id LIMIT $3";
    UPDATE = "UPDATE listings SET slug = $4, title = $5, description = $6, time_zone = $7, booking_provider = $8,
            active = $9, offer_when_degraded = $10, archived_at = $12, currency = $13, revision = revision + 1, updated_at = $11
        WHERE tenant_id = $1 AND id = $2 AND revision = $3
        RETURNING tenant_id, id, slug, title, description, time_zone, booking_provider, active, offer_when_degraded,
            archived_at, revision, created_at, updated_at, currency";
    DELETE = "DELETE FROM listings WHERE tenant_id = $1 AND id = $2";
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    slug: String,
    title: String,
    description: String,
    time_zone: String,
    currency: Option<String>,
    booking_provider: Option<Uuid>,
    active: bool,
    offer_when_degraded: bool,
    archived_at: Option<Ts>,
    revision: i64,
    created_at: Ts,
    updated_at: Ts,
}

impl TryFrom<Row> for ListingRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: ListingId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            slug: row.slug,
            title: row.title,
            description: row.description,
            time_zone: parsed(&row.time_zone, "time zone")?,
            currency: row.currency,
            booking_provider: row.booking_provider.map(ConnectionId::from_uuid),
            active: row.active,
            archived_at: opt_instant(row.archived_at),
            offer_when_degraded: row.offer_when_degraded,
            revision: row.revision,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

async fn note(
    conn: &mut Conn,
    audit: &Audit,
    action: &'static str,
    listing: &ListingRecord,
) -> Result<(), StoreError> {
    let data = json!({
        "slug": listing.slug, "title": listing.title, "time_zone": listing.time_zone,
        "currency": listing.currency,
        "booking_provider": listing.booking_provider, "active": listing.active, "archived_at": listing.archived_at,
        "offer_when_degraded": listing.offer_when_degraded, "revision": listing.revision,
    });
    audit::append(conn, audit, Some(listing.tenant), action, listing.id.uuid(), data).await
}

pub(crate) async fn insert(
    conn: &mut Conn,
    listing: &ListingRecord,
    audit: &Audit,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(INSERT)
        .bind(listing.tenant.uuid())
        .bind(listing.id.uuid())
        .bind(&listing.slug)
        .bind(&listing.title)
        .bind(&listing.description)
        .bind(listing.time_zone.to_string())
        .bind(listing.booking_provider.map(ConnectionId::uuid))
        .bind(listing.active)
        .bind(listing.offer_when_degraded)
        .bind(listing.revision)
        .bind(Ts(listing.created_at))
        .bind(Ts(listing.updated_at))
        .bind(&listing.currency)
        .execute(&mut *conn)
        .await
        .map_err(|e| {
            StoreError::from(e).duplicate("a listing with this slug").missing("tenant or connection")
        })?;
    note(conn, audit, "listing.created", listing).await
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    listing: ListingId,
) -> Result<ListingRecord, StoreError> {
    let row =
        sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).bind(listing.uuid()).fetch_optional(conn).await?;
    or_not_found(row, "listing")?.try_into()
}

pub(crate) async fn by_slug(
    conn: &mut Conn,
    tenant: TenantId,
    slug: &str,
) -> Result<ListingRecord, StoreError> {
    let row = sqlx::query_as::<Db, Row>(BY_SLUG).bind(tenant.uuid()).bind(slug).fetch_optional(conn).await?;
    or_not_found(row, "listing")?.try_into()
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    archived: bool,
    after: Option<ListingId>,
    limit: u32,
) -> Result<Vec<ListingRecord>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(LIST)
        .bind(tenant.uuid())
        .bind(page_after(after))
        .bind(i64::from(limit))
        .bind(archived)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn update(
    conn: &mut Conn,
    listing: &ListingRecord,
    expected_revision: i64,
    audit: &Audit,
) -> Result<ListingRecord, StoreError> {
    let row = sqlx::query_as::<Db, Row>(UPDATE)
        .bind(listing.tenant.uuid())
        .bind(listing.id.uuid())
        .bind(expected_revision)
        .bind(&listing.slug)
        .bind(&listing.title)
        .bind(&listing.description)
        .bind(listing.time_zone.to_string())
        .bind(listing.booking_provider.map(ConnectionId::uuid))
        .bind(listing.active)
        .bind(listing.offer_when_degraded)
        .bind(Ts(audit.at))
        .bind(listing.archived_at.map(Ts))
        .bind(&listing.currency)
        .fetch_optional(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("a listing with this slug").missing("connection"))?;
    let Some(row) = row else {
        get(conn, listing.tenant, listing.id).await?;
        return Err(StoreError::Stale);
    };
    let listing = row.try_into()?;
    note(conn, audit, "listing.updated", &listing).await?;
    Ok(listing)
}

pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    listing: ListingId,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(DELETE)
        .bind(tenant.uuid())
        .bind(listing.uuid())
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).used_by("event types, bookings or connections"))?;
    expect_affected(&done, StoreError::NotFound("listing"))?;
    audit::append(conn, audit, Some(tenant), "listing.deleted", listing.uuid(), json!({})).await
}
