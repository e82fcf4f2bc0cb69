//! Listings: where a tenant offers what it offers.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use berth_engine::{Ends, ListingPatch, NewListing};
use berth_model::{
    catalog::listing::ListingRecord,
    id::{ConnectionId, ListingId},
    time::Instant,
    zone::Zone,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    api::nullable,
    http::{
        app::App,
        auth::AsTenant,
        etag,
        extract::{IfMatch, Json as Body, Path, Query},
        page::{self, Page},
        problem::{ApiResult, ProblemDocument},
    },
};

/// A listing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Listing)]
pub(crate) struct View {
    #[schema(value_type = String)]
    id: ListingId,
    slug: String,
    title: String,
    description: String,
    #[schema(value_type = String)]
    time_zone: Zone,
    /// The currency (ISO 4217) of prices that are written as a bare number; null: the tenant's.
    currency: Option<String>,
    /// Connection its bookings go over; null: the tenant's default, or the built-in provider.
    #[schema(value_type = Option<String>)]
    #[serde(rename = "connection_id")]
    connection: Option<ConnectionId>,
    active: bool,
    /// When it was closed: it is not active then, and stays for its bookings. `active: true` takes it up again.
    #[schema(value_type = Option<String>, format = DateTime)]
    archived_at: Option<Instant>,
    /// Offer slots when the provider cannot be asked.
    offer_when_degraded: bool,
    /// Counts changes; the `ETag`.
    revision: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

/// A listing to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewListing, example = json!({ "slug": "studio", "title": "Studio", "time_zone": "Europe/Lisbon" }))]
pub(crate) struct New {
    /// Name in URLs, unique within the tenant: 2 to 64 of a-z, 0-9 and -.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,62}[a-z0-9]$")]
    slug: String,
    /// Name for people, 1 to 200 characters; `name` is read as well.
    #[serde(alias = "name")]
    title: String,
    /// Free text for customers, at most 4000 characters.
    #[serde(default)]
    description: String,
    /// IANA zone.
    #[schema(value_type = String)]
    time_zone: Zone,
    /// The currency (ISO 4217) of prices that are written as a bare number; absent: the tenant's.
    #[serde(default)]
    #[schema(example = "EUR")]
    currency: Option<String>,
    /// Connection its bookings go over; absent: the tenant's default, or the built-in provider.
    #[serde(default, alias = "booking_provider_id")]
    #[schema(value_type = Option<String>)]
    #[serde(rename = "connection_id")]
    connection: Option<ConnectionId>,
    /// Offer slots when the provider cannot be asked; if not, they are hidden.
    #[serde(default)]
    offer_when_degraded: bool,
}

/// Changes of a listing. Absent fields stay as they are.
#[expect(clippy::option_option, reason = "absent and null mean different things in a patch")]
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ListingPatch)]
pub(crate) struct Patch {
    slug: Option<String>,
    #[serde(alias = "name")]
    title: Option<String>,
    description: Option<String>,
    #[schema(value_type = Option<String>)]
    time_zone: Option<Zone>,
    /// Prices that are there already stay as they are.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    currency: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable", alias = "booking_provider_id")]
    #[schema(value_type = Option<String>)]
    #[serde(rename = "connection_id")]
    connection: Option<Option<ConnectionId>>,
    active: Option<bool>,
    offer_when_degraded: Option<bool>,
}

impl From<ListingRecord> for View {
    fn from(r: ListingRecord) -> Self {
        Self {
            id: r.id,
            slug: r.slug,
            title: r.title,
            description: r.description,
            time_zone: r.time_zone,
            currency: r.currency,
            connection: r.booking_provider,
            active: r.active,
            archived_at: r.archived_at,
            offer_when_degraded: r.offer_when_degraded,
            revision: r.revision,
            created_at: r.created_at,
            updated_at: r.updated_at,
        }
    }
}

fn tagged(status: StatusCode, record: ListingRecord) -> Response {
    etag::tagged(status, record.revision, View::from(record))
}

/// Make a listing.
#[utoipa::path(post, path = "/api/listings", operation_id = "listings_create", tag = "listings", request_body = New, responses((status = 201, body = View), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn create(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(new): Body<New>,
) -> ApiResult<Response> {
    let new = NewListing {
        slug: new.slug,
        title: new.title,
        description: new.description,
        time_zone: new.time_zone,
        currency: new.currency,
        booking_provider: new.connection,
        offer_when_degraded: new.offer_when_degraded,
    };
    Ok(tagged(StatusCode::CREATED, app.engine().catalog.create_listing(&caller, new).await?))
}

/// Which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    /// Also those that are archived (false).
    #[serde(default)]
    archived: bool,
    /// Items wanted, 1 to 200 (50).
    limit: Option<u32>,
    /// `next` of the last page.
    cursor: Option<String>,
}

/// All of them that are not archived, by age.
#[utoipa::path(get, path = "/api/listings", operation_id = "listings_list", tag = "listings", params(ListParams), responses((status = 200, body = Page<View>)))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Query(params): Query<ListParams>,
) -> ApiResult<Json<Page<View>>> {
    let limit = page::items(params.limit)?;
    let after = page::position(params.cursor.as_ref())?;
    let rows =
        app.engine().catalog.list_listings(&caller, params.archived, after, limit.saturating_add(1)).await?;
    Ok(Json(page::page(rows, limit, |r| r.id, View::from)))
}

/// A listing.
#[utoipa::path(get, path = "/api/listings/{id}", operation_id = "listings_get", tag = "listings", params(("id" = String, Path)), responses((status = 200, body = View), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ListingId>,
) -> ApiResult<Response> {
    Ok(tagged(StatusCode::OK, app.engine().catalog.listing(&caller, id).await?))
}

/// Change a listing. Absent fields stay as they are.
#[utoipa::path(patch, path = "/api/listings/{id}", operation_id = "listings_update", tag = "listings", request_body = Patch, params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag that was read")),
    responses((status = 200, body = View), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 412, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn update(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ListingId>,
    IfMatch(revision): IfMatch,
    Body(patch): Body<Patch>,
) -> ApiResult<Response> {
    let patch = ListingPatch {
        slug: patch.slug,
        title: patch.title,
        description: patch.description,
        time_zone: patch.time_zone,
        currency: patch.currency,
        booking_provider: patch.connection,
        active: patch.active,
        offer_when_degraded: patch.offer_when_degraded,
    };
    Ok(tagged(StatusCode::OK, app.engine().catalog.update_listing(&caller, id, patch, revision).await?))
}

/// Close a listing. One that nothing refers to is gone (204). Another is archived (200): it offers nothing and is not listed, its bookings
/// live on and can be cancelled, and the business can move them. `active: true` takes it up again. See `deletion`.
#[utoipa::path(delete, path = "/api/listings/{id}", operation_id = "listings_delete", tag = "listings", params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag that was read")),
    responses((status = 200, body = View, description = "Archived; it stays for what refers to it"), (status = 204, description = "Gone"), (status = 404, body = ProblemDocument), (status = 412, body = ProblemDocument)))]
pub(crate) async fn delete(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ListingId>,
    IfMatch(revision): IfMatch,
) -> ApiResult<Response> {
    Ok(match app.engine().catalog.delete_listing(&caller, id, revision).await? {
        Ends::Removed => StatusCode::NO_CONTENT.into_response(),
        Ends::Kept(listing) => tagged(StatusCode::OK, listing),
    })
}
