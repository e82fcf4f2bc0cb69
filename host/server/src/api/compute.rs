//! The stateless form of availability.

use std::sync::Arc;

use axum::{Json, extract::DefaultBodyLimit};
use berth_model::{
    budget::Budget,
    limits,
    problem::{Code, Problem},
    scheduling::compute::compute,
};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use crate::http::{
    app::RequestId,
    auth::Authenticated,
    extract::Json as Body,
    problem::{ApiError, ApiResult, ProblemDocument},
};

/// Computations under way. They need a core each.
static UNDER_WAY: Semaphore = Semaphore::const_new(limits::COMPUTES_CONCURRENT_MAX);

/// What to compute. The members depend on the kind; `slots` takes the rules and busy times of hosts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "kind": "slots", "now": "2026-11-20T09:00:00Z",
    "range": { "start": "2026-11-23T00:00:00Z", "end": "2026-11-28T00:00:00Z" },
    "event_length_min": 45, "slot_interval_min": 30, "team_mode": "round_robin",
    "hosts": [{ "id": "ana", "timezone": "Europe/Lisbon",
        "working_hours": [{ "weekdays": ["mon", "tue", "wed"], "start": "09:00", "end": "13:00" }],
        "busy": [{ "start": "2026-11-23T10:00:00Z", "end": "2026-11-23T10:30:00Z" }] }],
    "minimum_notice_min": 120, "explain": true
}))]
pub(super) struct ComputeRequest {
    /// `slots`, `slot_check`, `team_bookable`, `windows`, `rrule`, `intervals`, `conflict`, `limit_check`, `limits_config`,
    /// `choose_host`, `fairness_run` or `fairness_period`.
    kind: String,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    members: serde_json::Map<String, Value>,
}

/// The limit of this route's body: rules and busy times of a team.
pub(super) fn body_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(limits::COMPUTE_BODY_BYTES_MAX)
}

/// Rules and busy times in, slots out; nothing is stored.
#[utoipa::path(post, path = "/api/booking/availability/compute", tag = "availability", request_body = ComputeRequest,
    responses((status = 200, body = Object), (status = 422, body = ProblemDocument)))]
pub(super) async fn post(
    key: Authenticated,
    request_id: RequestId,
    Body(request): Body<Value>,
) -> ApiResult<Json<Value>> {
    key.caller("availability:read", &request_id)?;
    let busy =
        || Problem::new(Code::Busy, "Too many computations are under way.").with_retry_after_seconds(1);
    let permit = UNDER_WAY.try_acquire().map_err(|_| ApiError(busy()))?;
    // A large question takes tens of milliseconds of a core: not between other requests.
    let answer =
        tokio::task::spawn_blocking(move || compute(request, &Budget::of_answer(Arc::default()))).await;
    drop(permit);
    let answer =
        answer.map_err(|_| Problem::new(Code::Internal, "The computation could not be finished."))?;
    Ok(Json(answer?))
}
