//! Event types: what can be booked.

mod rules;
mod shapes;

use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use berth_engine::{Caller, Ends};
use berth_model::{
    catalog::event_type::{EventTypePolicy, EventTypeRecord},
    id::{EventTypeId, ListingId},
    json,
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

pub(crate) use shapes::View;
use shapes::{Duplicate, New, Patch};

use crate::http::{
    app::App,
    auth::AsTenant,
    etag,
    extract::{IfMatch, Json as Body, Path, Query, malformed, with_numbers_as_written},
    page::{self, Page},
    problem::{ApiError, ApiResult, ProblemDocument},
};

/// A body with prices in it.
pub(crate) struct Priced(Value);

impl<S: Send + Sync> FromRequest<S> for Priced {
    type Rejection = ApiError;
    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        with_numbers_as_written(request, rules::PRICES).await.map(Self)
    }
}

async fn tagged(
    app: &App,
    caller: &Caller,
    status: StatusCode,
    record: EventTypeRecord,
) -> ApiResult<Response> {
    let counterpart = app
        .engine()
        .catalog
        .counterparts_of(caller, std::slice::from_ref(&record))
        .await?
        .into_iter()
        .flatten()
        .next();
    Ok(etag::tagged(status, record.revision, View::of(record, counterpart)))
}

/// Make an event type. Where its listing is booked over a provider, `external_id` is needed, and the provider is asked whether it has such
/// an event type; if it cannot be asked now, `provider_event_type` says so, and it is looked for with the next synchronisation.
#[utoipa::path(post, path = "/api/booking/event-types", operation_id = "event_types_create", tag = "event types", request_body = New, responses((status = 201, body = View), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn create(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Priced(body): Priced,
) -> ApiResult<Response> {
    let mut new: New = json::read(&body).map_err(malformed)?;
    let rules = new.rules();
    let beside = rules.beside();
    let policy = rules.over(&EventTypePolicy::default(), &app, &caller, new.listing()).await?;
    let made = app.engine().catalog.create_event_type(&caller, new.with_policy(policy)?).await;
    let made = made.map_err(|problem| beside.renamed(problem))?;
    tagged(&app, &caller, StatusCode::CREATED, made).await
}

/// Which page of which listing.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    /// Only of this listing.
    #[param(value_type = Option<String>)]
    #[serde(rename = "listing_id")]
    listing: Option<ListingId>,
    /// Also those that are archived (false).
    #[serde(default)]
    archived: bool,
    /// Items wanted, 1 to 200 (50).
    limit: Option<u32>,
    /// `next` of the last page.
    cursor: Option<String>,
}

/// All of them that are not archived, by age.
#[utoipa::path(get, path = "/api/booking/event-types", operation_id = "event_types_list", tag = "event types", params(ListParams), responses((status = 200, body = Page<View>)))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Query(params): Query<ListParams>,
) -> ApiResult<Json<Page<View>>> {
    let limit = page::items(params.limit)?;
    let after = page::position(params.cursor.as_ref())?;
    let (listing, archived) = (params.listing, params.archived);
    let rows = app
        .engine()
        .catalog
        .list_event_types(&caller, listing, archived, after, limit.saturating_add(1))
        .await?;
    let counterparts = app.engine().catalog.counterparts_of(&caller, &rows).await?;
    let rows: Vec<_> = rows.into_iter().zip(counterparts).collect();
    Ok(Json(page::page(
        rows,
        limit,
        |(record, _)| record.id,
        |(record, counterpart)| View::of(record, counterpart),
    )))
}

/// An event type.
#[utoipa::path(get, path = "/api/booking/event-types/{id}", operation_id = "event_types_get", tag = "event types", params(("id" = String, Path)), responses((status = 200, body = View), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<EventTypeId>,
) -> ApiResult<Response> {
    let found = app.engine().catalog.event_type(&caller, id).await?;
    tagged(&app, &caller, StatusCode::OK, found).await
}

/// Change an event type. Absent fields stay as they are.
#[utoipa::path(patch, path = "/api/booking/event-types/{id}", operation_id = "event_types_update", tag = "event types", request_body = Patch, params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag that was read")),
    responses((status = 200, body = View), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 412, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn update(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<EventTypeId>,
    IfMatch(revision): IfMatch,
    Priced(body): Priced,
) -> ApiResult<Response> {
    let mut patch: Patch = json::read(&body).map_err(malformed)?;
    let rules = patch.rules();
    let beside = rules.beside();
    let (policy, revision) = if rules.is_empty() {
        (None, revision)
    } else {
        // Laid over what is there now; the revision makes sure that it is still there then.
        let current = app.engine().catalog.event_type(&caller, id).await?;
        let policy = rules.over(&current.policy, &app, &caller, current.listing).await?;
        (Some(policy), revision.or(Some(current.revision)))
    };
    let patch = patch.with_policy(policy)?;
    let changed = app.engine().catalog.update_event_type(&caller, id, patch, revision).await;
    let changed = changed.map_err(|problem| beside.renamed(problem))?;
    tagged(&app, &caller, StatusCode::OK, changed).await
}

/// Copy an event type: all its rules, members and questions, but not its counterpart at a provider. The copy is not active: change what
/// is different, then set `active`.
#[utoipa::path(post, path = "/api/booking/event-types/{id}/duplicate", operation_id = "event_types_duplicate", tag = "event types", request_body = Duplicate, params(("id" = String, Path)),
    responses((status = 201, body = View), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn duplicate(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<EventTypeId>,
    Body(copy): Body<Duplicate>,
) -> ApiResult<Response> {
    let copy = app.engine().catalog.duplicate_event_type(&caller, id, copy.into()).await?;
    tagged(&app, &caller, StatusCode::CREATED, copy).await
}

/// Close an event type. One that nothing refers to is gone (204). Another is archived (200): it offers nothing and is not listed, its bookings
/// live on and can be cancelled, and the business can move them. `active: true` takes it up again. See `deletion`.
#[utoipa::path(delete, path = "/api/booking/event-types/{id}", operation_id = "event_types_delete", tag = "event types", params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag that was read")),
    responses((status = 200, body = View, description = "Archived; it stays for what refers to it"), (status = 204, description = "Gone"), (status = 404, body = ProblemDocument), (status = 412, body = ProblemDocument)))]
pub(crate) async fn delete(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<EventTypeId>,
    IfMatch(revision): IfMatch,
) -> ApiResult<Response> {
    Ok(match app.engine().catalog.delete_event_type(&caller, id, revision).await? {
        Ends::Removed => StatusCode::NO_CONTENT.into_response(),
        Ends::Kept(event_type) => tagged(&app, &caller, StatusCode::OK, event_type).await?,
    })
}
