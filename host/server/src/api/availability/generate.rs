//! What a pattern would offer, before it is saved or after.

use axum::{Json, extract::State};
use berth_engine::{PatternPreview, PreviewOf};
use berth_model::{
    bookings::lists::Bound,
    id::RuleId,
    problem::{FieldError, Problem},
    scheduling::local::at_offset,
    zone::Zone,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{rules, schemas};
use crate::http::{
    app::App,
    auth::AsTenant,
    extract::{Json as Body, malformed},
    problem::{ApiResult, ProblemDocument},
};

/// A pattern to be looked at: one that is there (`pattern_id`), or one that is not saved yet (`pattern`).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "pattern_id": "0193b3f0-0000-7000-8000-000000000003", "from": "2026-11-23", "to": "2026-12-07" }))]
pub(crate) struct Generate {
    /// One that is there.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pattern_id: Option<RuleId>,
    /// One that is not saved yet, in any way in which it could be.
    #[serde(default)]
    #[schema(value_type = Option<schemas::PatternBody>)]
    pattern: Option<Value>,
    /// The clock of a pattern that names none, and of days; needed with `pattern`. Absent with `pattern_id`: that of its member or listing.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "Europe/Lisbon")]
    time_zone: Option<Zone>,
    /// From here: an instant (RFC 3339), or a day.
    #[schema(value_type = String, example = "2026-11-23")]
    from: Bound,
    /// To here, at most 92 days later; a day is in it to its end.
    #[schema(value_type = String, example = "2026-12-07T00:00:00Z")]
    to: Bound,
    /// Absent: that of the event type whose pattern it is; needed otherwise.
    #[serde(default)]
    length_minutes: Option<u32>,
    /// Distance between starts; absent: that of the event type whose pattern it is, or the length.
    #[serde(default)]
    slot_interval_minutes: Option<u32>,
}

/// Starts that a pattern would offer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Generated {
    count: usize,
    /// With the offset of `time_zone` that was asked for, or of the pattern's own clock.
    #[schema(example = json!(["2026-11-23T09:00:00Z"]))]
    slots: Vec<String>,
    /// Of each slot.
    length_minutes: u32,
    /// The clock of the pattern.
    #[schema(value_type = String)]
    time_zone: Zone,
}

/// The slots of a recurring pattern, one that is there or one that is not saved yet, whatever else is open, closed or booked. Nothing is stored.
#[utoipa::path(post, path = "/api/booking/availability/generate", operation_id = "availability_generate", tag = "availability", request_body = Generate,
    responses((status = 200, body = Generated), (status = 422, body = ProblemDocument)))]
pub(crate) async fn generate(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(body): Body<Generate>,
) -> ApiResult<Json<Generated>> {
    let of = match (body.pattern_id, body.pattern) {
        (Some(id), None) => PreviewOf::Kept(id),
        (None, Some(pattern)) => PreviewOf::Unsaved(rules::unsaved(&pattern)?),
        (Some(_), Some(_)) => {
            let message = "name one that is there, or give one in pattern, not both";
            return Err(Problem::invalid(vec![FieldError::new("/pattern_id", message)]).into());
        }
        (None, None) => return Err(malformed(FieldError::new("/pattern_id", "is required"))),
    };
    let preview = PatternPreview {
        of,
        time_zone: body.time_zone,
        within: (body.from, body.to),
        length_minutes: body.length_minutes,
        slot_interval_minutes: body.slot_interval_minutes,
    };
    let found = app.engine().availability.preview_pattern(&caller, preview).await?;
    let zone = body.time_zone.unwrap_or(found.time_zone);
    Ok(Json(Generated {
        count: found.starts.len(),
        slots: found.starts.into_iter().map(|start| at_offset(zone, start)).collect(),
        length_minutes: found.length_minutes,
        time_zone: found.time_zone,
    }))
}
