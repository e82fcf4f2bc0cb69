//! Bookings in people's calendars: invitations, and private feeds.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use berth_engine::Caller;
use berth_model::id::{ApiKeyId, BookingId, ListingId, MemberId};
use berth_store::records::FeedSubject;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    api::bookings::manage::customer,
    http::{
        app::App,
        auth::AsTenant,
        contacts,
        extract::{Path, Query},
        once::private,
        problem::{ApiResult, ProblemDocument},
        request_id::RequestId,
    },
};

fn calendar(text: String) -> Response {
    let mut response = private(text.into_response());
    let kind = HeaderValue::from_static("text/calendar; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The invitation of a booking for calendars (RFC 5545): `METHOD:REQUEST`, or `CANCEL` once it is cancelled or failed. Without the scope
/// `customers:read` it has names and no addresses of the customer and the guests.
#[utoipa::path(get, path = "/api/booking/{id}/invitation.ics", operation_id = "invitations_get", tag = "calendars", params(("id" = String, Path)),
    responses((status = 200, body = String, content_type = "text/calendar"), (status = 404, body = ProblemDocument)))]
pub(crate) async fn invitation(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<BookingId>,
) -> ApiResult<Response> {
    Ok(calendar(app.engine().calendars.invitation(&caller, id, contacts::shown()).await?))
}

/// The customer's own invitation.
#[utoipa::path(get, path = "/api/booking/manage/{token}/invitation.ics", operation_id = "managed_invitations_get", tag = "customers", security(()), params(("token" = String, Path)),
    responses((status = 200, body = String, content_type = "text/calendar"), (status = 404, body = ProblemDocument)))]
pub(crate) async fn own_invitation(
    State(app): State<App>,
    request_id: RequestId,
    Path(token): Path<String>,
) -> ApiResult<Response> {
    let (caller, id) = customer(&app, &token, &request_id).await?;
    Ok(calendar(app.engine().calendars.invitation(&caller, id, true).await?))
}

/// A private feed. Not to be printed.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeedView {
    /// For `/api/booking/feed.ics?token=`. Shown now and never again; whoever has it reads the bookings.
    token: String,
    /// The whole address, to subscribe to in a calendar; null if the engine does not know its own.
    url: Option<String>,
}

async fn rotate(app: &App, caller: &Caller, subject: FeedSubject) -> ApiResult<Response> {
    let token = app.engine().calendars.rotate_feed(caller, subject).await?;
    let url = app.engine().calendars.feed_url(&token).map(|url| url.expose().to_owned());
    Ok(private(Json(FeedView { token: token.expose().to_owned(), url }).into_response()))
}

async fn end(app: &App, caller: &Caller, subject: FeedSubject) -> ApiResult<StatusCode> {
    app.engine().calendars.remove_feed(caller, subject).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a member's feed a new token; the one it had opens nothing any more.
#[utoipa::path(put, path = "/api/booking/team/{id}/feed", operation_id = "member_feeds_rotate", tag = "calendars", params(("id" = String, Path)),
    responses((status = 200, body = FeedView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn rotate_member(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<MemberId>,
) -> ApiResult<Response> {
    rotate(&app, &caller, FeedSubject::Member(id)).await
}

/// End a member's feed.
#[utoipa::path(delete, path = "/api/booking/team/{id}/feed", operation_id = "member_feeds_delete", tag = "calendars", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument)))]
pub(crate) async fn end_member(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<MemberId>,
) -> ApiResult<StatusCode> {
    end(&app, &caller, FeedSubject::Member(id)).await
}

/// Give a listing's feed a new token; the one it had opens nothing any more.
#[utoipa::path(put, path = "/api/listings/{id}/feed", operation_id = "listing_feeds_rotate", tag = "calendars", params(("id" = String, Path)),
    responses((status = 200, body = FeedView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn rotate_listing(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ListingId>,
) -> ApiResult<Response> {
    rotate(&app, &caller, FeedSubject::Listing(id)).await
}

/// End a listing's feed.
#[utoipa::path(delete, path = "/api/listings/{id}/feed", operation_id = "listing_feeds_delete", tag = "calendars", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument)))]
pub(crate) async fn end_listing(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ListingId>,
) -> ApiResult<StatusCode> {
    end(&app, &caller, FeedSubject::Listing(id)).await
}

/// Which feed is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedParams {
    /// The feed's token.
    token: String,
}

/// A private feed of bookings (RFC 5545): those that are not cancelled, from thirty days ago to a year ahead.
#[utoipa::path(get, path = "/api/booking/feed.ics", operation_id = "feeds_get", tag = "calendars", security(()), params(FeedParams),
    responses((status = 200, body = String, content_type = "text/calendar"), (status = 404, body = ProblemDocument),
        (status = 429, body = ProblemDocument)))]
pub(crate) async fn feed(
    State(app): State<App>,
    request_id: RequestId,
    Query(params): Query<FeedParams>,
) -> ApiResult<Response> {
    match app.engine().calendars.feed_of(&params.token, &request_id.0).await {
        Ok((caller, subject)) => {
            app.link_rate().take(ApiKeyId::from_uuid(subject.parts().1), None).check()?;
            Ok(calendar(app.engine().calendars.feed(&caller, subject).await?))
        }
        Err(problem) => {
            app.link_rate().take(ApiKeyId::from_uuid(uuid::Uuid::nil()), None).check()?;
            Err(problem.into())
        }
    }
}
