//! The stateless form of availability.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use berth_model::{
    budget::Budget,
    limits,
    problem::{Code, Problem},
    scheduling::compute::compute,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::{
    app::App,
    auth::AsTenant,
    body::{self, BodyLimits},
    extract::Tree,
    problem::{ApiResult, ProblemDocument},
};

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
pub(crate) struct ComputeRequest {
    /// `slots`, `slot_check`, `team_bookable`, `windows`, `rrule`, `intervals`, `conflict`, `limit_check`, `limits_config`,
    /// `choose_host`, `fairness_run` or `fairness_period`. `rrule` needs `take_first` or a `window` only where its rule has neither `COUNT`
    /// nor `UNTIL`.
    kind: String,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    members: serde_json::Map<String, Value>,
}

/// The limit of this route's body: rules and busy times of a team.
pub(crate) fn body_limit() -> BodyLimits {
    body::limited(limits::COMPUTE_BODY_BYTES_MAX)
}

/// Rules and busy times in, slots out; nothing is stored.
#[utoipa::path(post, path = "/api/booking/availability/compute", operation_id = "availability_compute", tag = "availability", request_body = ComputeRequest,
    responses((status = 200, body = Object), (status = 422, body = ProblemDocument)))]
pub(crate) async fn post(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Tree(request): Tree,
) -> ApiResult<Response> {
    let work = move |budget: &Budget| {
        let answer = compute(request, budget)?;
        serde_json::to_vec(&answer)
            .map_err(|_| Problem::new(Code::Internal, "The answer could not be written."))
    };
    // Not between other requests: it may take a core for long, and so may what it answers.
    let answer = app.engine().computing.run(caller.tenant, work).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], answer).into_response())
}
