//! Slots.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use berth_engine::{AvailabilityQuery, ProviderChoice};
use berth_model::{
    hours,
    id::{ConnectionId, EventTypeId, MemberId},
    problem::{Code, Problem},
    time::{Instant, Interval, Zone},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::{
    app::{App, RequestId},
    auth::Authenticated,
    extract::Query,
    problem::{ApiResult, ProblemDocument},
};

/// Which slots are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Event type.
    #[param(value_type = String)]
    event_type: EventTypeId,
    /// From here (RFC 3339).
    #[param(value_type = String, example = "2026-11-23T00:00:00Z")]
    from: Instant,
    /// To here, at most 92 days later.
    #[param(value_type = String, example = "2026-11-28T00:00:00Z")]
    to: Instant,
    /// Zone of the person who looks; slots are grouped by its days.
    #[param(value_type = String, example = "Europe/Lisbon")]
    time_zone: Zone,
    /// With this member only.
    #[param(value_type = Option<String>)]
    member: Option<MemberId>,
    /// As if booked there: a connection's id, or `builtin`.
    provider: Option<String>,
}

/// Slots by day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Answer {
    /// Days that have slots, in the zone asked for.
    days: Vec<Day>,
    /// Providers that could not be asked; empty when all is known.
    degraded: Vec<DegradedProvider>,
}

/// The slots of a day.
#[derive(Debug, Serialize, ToSchema)]
struct Day {
    /// `2026-11-23`.
    date: String,
    slots: Vec<Slot>,
}

/// A start that is offered.
#[derive(Debug, Serialize, ToSchema)]
struct Slot {
    #[schema(value_type = String)]
    start: Instant,
    #[schema(value_type = String)]
    end: Instant,
    /// Who could take it.
    #[schema(value_type = Vec<String>)]
    members: Vec<MemberId>,
}

/// A provider that could not be asked.
#[derive(Debug, Serialize, ToSchema)]
struct DegradedProvider {
    #[schema(value_type = String)]
    connection: ConnectionId,
    reason: String,
}

/// `builtin` or a connection's id.
pub(super) fn choice(text: Option<&str>) -> Result<Option<ProviderChoice>, Problem> {
    match text {
        None => Ok(None),
        Some("builtin") => Ok(Some(ProviderChoice::BuiltIn)),
        Some(id) => id.parse().map(|id| Some(ProviderChoice::Connection(id))).map_err(|_| {
            Problem::new(Code::MalformedParameter, "provider must be the id of a connection, or builtin.")
        }),
    }
}

/// The slots of an event type.
#[utoipa::path(get, path = "/api/booking/availability", tag = "availability", params(Params),
    responses((status = 200, body = Answer), (status = 404, body = ProblemDocument)))]
pub(super) async fn availability(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Query(params): Query<Params>,
) -> ApiResult<Json<Answer>> {
    let caller = key.caller("availability:read", &request_id)?;
    let within = Interval::new(params.from, params.to)
        .map_err(|_| Problem::new(Code::MalformedParameter, "to must not be before from."))?;
    let query = AvailabilityQuery {
        event_type: params.event_type,
        within,
        time_zone: params.time_zone,
        member: params.member,
        provider: choice(params.provider.as_deref())?,
    };
    let answer = app.engine().availability(&caller, query).await?;
    let mut days: BTreeMap<String, Vec<Slot>> = BTreeMap::new();
    for slot in answer.slots {
        let date = hours::civil_day(params.time_zone, slot.when.start()).to_string();
        let slot = Slot { start: slot.when.start(), end: slot.when.end(), members: slot.members };
        days.entry(date).or_default().push(slot);
    }
    Ok(Json(Answer {
        days: days.into_iter().map(|(date, slots)| Day { date, slots }).collect(),
        degraded: answer
            .degraded
            .into_iter()
            .map(|d| DegradedProvider { connection: d.connection, reason: d.reason })
            .collect(),
    }))
}
