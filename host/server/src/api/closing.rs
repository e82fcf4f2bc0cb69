//! Pausing and resuming connections, and what deleting something would do.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use berth_model::id::{ConnectionId, EventTypeId, ListingId};
use berth_store::records::OfferCounts;
use serde::Serialize;
use utoipa::ToSchema;

use super::described::{Described, routes};
use crate::{
    api::connections::{ConnectionView, tagged},
    http::{
        app::App,
        auth::AsTenant,
        extract::{IfMatch, Path},
        problem::{ApiResult, ProblemDocument},
    },
};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(pause: ProvidersWrite))
        .routes(routes!(resume: ProvidersWrite))
        .routes(routes!(connection: ProvidersRead))
        .routes(routes!(listing: ListingsRead))
        .routes(routes!(event_type: ListingsRead))
}

/// Pause a connection: nothing is read, told or offered through it until it is resumed. Calls under way come to their end. Bookings can be
/// cancelled and confirmed meanwhile, and their provider is told when it is resumed; they cannot be moved, since what is free there cannot be
/// asked. Messages of the provider are taken and wait. Pausing what is paused changes nothing.
#[utoipa::path(post, path = "/api/booking-providers/{id}/pause", operation_id = "connections_pause", tag = "booking providers",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag that was read")),
    responses((status = 200, body = ConnectionView), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument, description = "It is disconnected"), (status = 412, body = ProblemDocument)))]
pub(super) async fn pause(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
    IfMatch(revision): IfMatch,
) -> ApiResult<Response> {
    let paused = app.engine().connections.pause_connection(&caller, id, revision).await?;
    tagged(app.engine(), StatusCode::OK, paused).await
}

/// Resume a connection: what waited is told, messages that waited are worked on, and everything is read anew. Resuming what is active
/// changes nothing.
#[utoipa::path(post, path = "/api/booking-providers/{id}/resume", operation_id = "connections_resume", tag = "booking providers",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag that was read")),
    responses((status = 200, body = ConnectionView), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument, description = "It is disconnected"), (status = 412, body = ProblemDocument)))]
pub(super) async fn resume(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
    IfMatch(revision): IfMatch,
) -> ApiResult<Response> {
    let resumed = app.engine().connections.resume_connection(&caller, id, revision).await?;
    tagged(app.engine(), StatusCode::OK, resumed).await
}

/// What deleting a connection would do now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectionDeletionView {
    /// `deleted`: gone, since nothing refers to it; `disconnected`: it stays for what refers to it.
    outcome: &'static str,
    /// Bookings that are to come or under way. They stay as they are here, and the provider is not told of later changes.
    upcoming_bookings: i64,
    /// Bookings that are over, cancelled or failed.
    past_bookings: i64,
    /// Of all of them, those with a change that was not delivered to the provider: it is as it was asked here.
    #[serde(rename = "untold_bookings")]
    undelivered_bookings: i64,
    /// Members' calendars that are read or written over it: forgotten.
    calendars: i64,
    /// Bookings of the provider's own: forgotten, and they take nobody's time any more.
    mirrored_bookings: i64,
    /// Conflicts that wait for a person: ended as `ignored`.
    open_conflicts: i64,
    /// Listings that book over it, by title: they offer nothing until they are routed elsewhere.
    listings: Vec<String>,
    /// Is it the tenant's default?
    is_default: bool,
}

/// What deleting a connection would do now. Nothing is done.
#[utoipa::path(get, path = "/api/booking-providers/{id}/deletion", operation_id = "connection_deletions_get", tag = "booking providers", params(("id" = String, Path)),
    responses((status = 200, body = ConnectionDeletionView), (status = 404, body = ProblemDocument)))]
pub(super) async fn connection(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
) -> ApiResult<Json<ConnectionDeletionView>> {
    let deletion = app.engine().connections.connection_deletion(&caller, id).await?;
    let counts = deletion.counts;
    Ok(Json(ConnectionDeletionView {
        outcome: if deletion.stays { "disconnected" } else { "deleted" },
        upcoming_bookings: counts.upcoming_bookings,
        past_bookings: counts.past_bookings,
        undelivered_bookings: counts.undelivered_bookings,
        calendars: counts.calendars,
        mirrored_bookings: counts.mirrored_bookings,
        open_conflicts: counts.open_conflicts,
        listings: deletion.listings,
        is_default: deletion.is_default,
    }))
}

/// What closing a listing or an event type would do now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OfferDeletionView {
    /// `deleted`: gone, since nothing refers to it; `archived`: it stays for what refers to it.
    outcome: &'static str,
    /// Bookings that are to come or under way: they live on.
    upcoming_bookings: i64,
    /// Bookings that are over, cancelled or failed.
    past_bookings: i64,
    /// Event types of a listing: they offer nothing any more.
    event_types: i64,
    /// Connections for a listing alone.
    connections: i64,
}

impl From<OfferCounts> for OfferDeletionView {
    fn from(counts: OfferCounts) -> Self {
        Self {
            outcome: if counts.is_used() { "archived" } else { "deleted" },
            upcoming_bookings: counts.upcoming_bookings,
            past_bookings: counts.past_bookings,
            event_types: counts.event_types,
            connections: counts.connections,
        }
    }
}

/// What closing a listing would do now. Nothing is done.
#[utoipa::path(get, path = "/api/listings/{id}/deletion", operation_id = "listing_deletions_get", tag = "listings", params(("id" = String, Path)),
    responses((status = 200, body = OfferDeletionView), (status = 404, body = ProblemDocument)))]
pub(super) async fn listing(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ListingId>,
) -> ApiResult<Json<OfferDeletionView>> {
    Ok(Json(app.engine().catalog.listing_deletion(&caller, id).await?.into()))
}

/// What closing an event type would do now. Nothing is done.
#[utoipa::path(get, path = "/api/booking/event-types/{id}/deletion", operation_id = "event_type_deletions_get", tag = "event types", params(("id" = String, Path)),
    responses((status = 200, body = OfferDeletionView), (status = 404, body = ProblemDocument)))]
pub(super) async fn event_type(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<EventTypeId>,
) -> ApiResult<Json<OfferDeletionView>> {
    Ok(Json(app.engine().catalog.event_type_deletion(&caller, id).await?.into()))
}
