//! Holds: slots that are kept for some minutes.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use berth_engine::{HoldClaim, HoldRequest};
use berth_model::{
    bookings::hold::HoldRecord,
    connections::secret::Secret,
    id::{EventTypeId, HoldId, MemberId},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{
    app::App,
    auth::AsTenant,
    etag::located,
    extract::{Json as Body, Path},
    once::shown_once,
    problem::{ApiResult, ProblemDocument},
};

/// A slot to be held.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewHold {
    #[schema(value_type = String)]
    #[serde(rename = "event_type_id")]
    event_type: EventTypeId,
    /// When it starts (RFC 3339): one of the offered slots.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T09:00:00Z")]
    start: Instant,
    /// One of the event type's lengths; absent: its first.
    #[serde(default)]
    length_minutes: Option<u32>,
    /// With whom; absent: whoever is free and has least to do.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    #[serde(rename = "member_id")]
    member: Option<MemberId>,
    /// For so long, in seconds: 1 to 1800 (300).
    #[serde(default)]
    seconds: Option<i64>,
    /// The holder's own token, 16 to 200 characters that nobody can guess; absent: one is made.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    token: Option<Secret>,
}

/// A hold. Not to be printed.
#[derive(Serialize, ToSchema)]
pub(crate) struct HoldView {
    #[schema(value_type = String)]
    id: HoldId,
    #[schema(value_type = String)]
    #[serde(rename = "event_type_id")]
    event_type: EventTypeId,
    /// Whose time is kept, the organiser first.
    #[schema(value_type = Vec<String>)]
    #[serde(rename = "member_ids")]
    members: Vec<MemberId>,
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    #[schema(value_type = String, format = DateTime)]
    end: Instant,
    /// From then on it keeps nothing.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
    /// Shown when the hold is made and never again: to extend it and to book it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl From<HoldRecord> for HoldView {
    fn from(hold: HoldRecord) -> Self {
        Self {
            id: hold.id,
            event_type: hold.event_type,
            members: hold.members().collect(),
            start: hold.when.start(),
            end: hold.when.end(),
            expires_at: hold.expires_at,
            token: None,
        }
    }
}

/// Hold a slot while a customer fills in a form. Book it with `hold: {id, token}`.
#[utoipa::path(post, path = "/api/booking/holds", operation_id = "holds_create", tag = "holds", request_body = NewHold,
    responses((status = 201, body = HoldView),
        (status = 409, body = ProblemDocument, description = "Not available; `reason` says why, `alternatives` names the nearest starts"),
        (status = 422, body = ProblemDocument)))]
pub(crate) async fn create(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(new): Body<NewHold>,
) -> ApiResult<Response> {
    let request = HoldRequest {
        event_type: new.event_type,
        start: new.start,
        length_minutes: new.length_minutes,
        member: new.member,
        seconds: new.seconds,
        token: new.token,
    };
    let (hold, token) = app.engine().bookings.hold(&caller, request).await?;
    let location = format!("/api/booking/holds/{}", hold.id);
    let view = HoldView { token: Some(token.expose().to_owned()), ..hold.into() };
    let response = located((StatusCode::CREATED, Json(view)).into_response(), location);
    let instead = "Choose the hold's token yourself (`token`), so that you know it; or hold another time.";
    Ok(shown_once(response, instead))
}

/// A hold that is not over.
#[utoipa::path(get, path = "/api/booking/holds/{id}", operation_id = "holds_get", tag = "holds", params(("id" = String, Path)),
    responses((status = 200, body = HoldView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<HoldId>,
) -> ApiResult<Json<HoldView>> {
    Ok(Json(app.engine().bookings.held_slot(&caller, id).await?.into()))
}

/// How to extend.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extend {
    /// The holder's token.
    #[schema(value_type = String)]
    token: Secret,
    /// For so long from now, in seconds: 1 to 1800 (300); at most an hour in all.
    #[serde(default)]
    seconds: Option<i64>,
}

/// Keep a hold for longer.
#[utoipa::path(post, path = "/api/booking/holds/{id}/extend", operation_id = "holds_extend", tag = "holds", request_body = Extend, params(("id" = String, Path)),
    responses((status = 200, body = HoldView), (status = 409, body = ProblemDocument, description = "It is over"),
        (status = 422, body = ProblemDocument)))]
pub(crate) async fn extend(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<HoldId>,
    Body(extend): Body<Extend>,
) -> ApiResult<Json<HoldView>> {
    let claim = HoldClaim { id, token: extend.token };
    Ok(Json(app.engine().bookings.extend_hold(&caller, &claim, extend.seconds).await?.into()))
}

/// Give a hold's place back.
#[utoipa::path(delete, path = "/api/booking/holds/{id}", operation_id = "holds_release", tag = "holds", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument)))]
pub(crate) async fn release(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<HoldId>,
) -> ApiResult<StatusCode> {
    app.engine().bookings.release_hold(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
