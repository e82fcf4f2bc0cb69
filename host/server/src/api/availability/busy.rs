//! What takes members' time.

use axum::{Json, extract::State};
use berth_engine::{BusyAnswer, BusyOf};
use berth_model::{
    id::{ConnectionId, EventTypeId, MemberId},
    scheduling::local::at_clock,
    time::{Instant, Interval},
    zone::Zone,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::{
    app::App,
    auth::AsTenant,
    extract::Query,
    problem::{ApiResult, ProblemDocument, wrong},
};

/// Whose time is wanted, and when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// Of all who can be booked for it, within its hours; or …
    #[param(value_type = Option<String>)]
    event_type_id: Option<EventTypeId>,
    /// … of this member, within their own hours.
    #[param(value_type = Option<String>)]
    member_id: Option<MemberId>,
    /// From here (RFC 3339).
    #[param(value_type = String, format = DateTime, example = "2026-11-23T00:00:00Z")]
    from: Instant,
    /// To here, at most 92 days later.
    #[param(value_type = String, format = DateTime, example = "2026-11-28T00:00:00Z")]
    to: Instant,
    /// Zone whose offset the answer is written with.
    #[param(value_type = String, example = "Europe/Lisbon")]
    time_zone: Zone,
}

/// What is taken, and when members are open at all.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Busy)]
pub(crate) struct TakenAndOpen {
    /// By member and start: bookings and holds, entries of calendars, bookings at providers, time off. Without the time that is kept free around them.
    busy: Vec<BusyStretch>,
    /// When each member is open, taken or not.
    date_ranges: Vec<DateRange>,
    /// Providers and calendars that could not be asked; empty when all is known.
    degraded: Vec<NotAsked>,
}

/// A stretch that is taken.
#[derive(Debug, Serialize, ToSchema)]
struct BusyStretch {
    #[schema(value_type = String)]
    member_id: MemberId,
    #[schema(format = DateTime, example = "2026-11-23T09:00:00+00:00")]
    start: String,
    #[schema(format = DateTime)]
    end: String,
    /// Is it only held, for somebody who is about to book?
    hold: bool,
}

/// A stretch in which a member is open.
#[derive(Debug, Serialize, ToSchema)]
struct DateRange {
    #[schema(value_type = String)]
    member_id: MemberId,
    #[schema(format = DateTime)]
    start: String,
    #[schema(format = DateTime)]
    end: String,
}

/// A provider, or a member's calendar, that could not be asked.
#[derive(Debug, Serialize, ToSchema)]
struct NotAsked {
    #[schema(value_type = String)]
    connection_id: ConnectionId,
    /// Whose calendars; null: the provider that is booked.
    #[schema(value_type = Option<String>)]
    member_id: Option<MemberId>,
    reason: String,
}

impl TakenAndOpen {
    fn of(answer: BusyAnswer, zone: Zone) -> Self {
        let text = |at| at_clock(zone, at);
        let busy = answer.busy.into_iter().map(|taken| BusyStretch {
            member_id: taken.member,
            start: text(taken.when.start()),
            end: text(taken.when.end()),
            hold: taken.is_hold,
        });
        let open = answer.open.into_iter().map(|(member_id, when)| DateRange {
            member_id,
            start: text(when.start()),
            end: text(when.end()),
        });
        let degraded = answer.degraded.into_iter().map(|d| NotAsked {
            connection_id: d.connection,
            member_id: d.member,
            reason: d.reason,
        });
        Self { busy: busy.collect(), date_ranges: open.collect(), degraded: degraded.collect() }
    }
}

/// What takes the time of an event type's members, or of one member, and when they are open.
#[utoipa::path(get, path = "/api/booking/busy", tag = "availability", operation_id = "busy_list", params(Params),
    responses((status = 200, body = TakenAndOpen), (status = 400, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Query(params): Query<Params>,
) -> ApiResult<Json<TakenAndOpen>> {
    let within = Interval::new(params.from, params.to).map_err(|_| wrong("to", "must not be before from"))?;
    let of = match (params.event_type_id, params.member_id) {
        (Some(event_type), None) => BusyOf::EventType(event_type),
        (None, Some(member)) => BusyOf::Member(member),
        _ => return Err(wrong("event_type_id", "give either event_type_id or member_id").into()),
    };
    let answer = app.engine().availability.busy(&caller, of, within).await?;
    Ok(Json(TakenAndOpen::of(answer, params.time_zone)))
}
