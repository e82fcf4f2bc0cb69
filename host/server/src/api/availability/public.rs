//! Slots for people without a key.

use std::collections::BTreeMap;

use axum::{extract::State, http::HeaderMap, response::Response};
use berth_engine::{AvailabilityAnswer, AvailabilityQuery};
use berth_model::{
    connections::secret::Secret,
    id::{EventTypeId, MemberId},
    limits,
    problem::{Code, Problem},
    scheduling::{hours, local::at_offset},
    time::{Instant, Interval},
    zone::Zone,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    api::described::{Described, routes},
    http::{
        app::App,
        extract::Query,
        kept::{Written, kept, written},
        problem::{ApiResult, ProblemDocument},
        public::Visitor,
        request_id::RequestId,
    },
};

/// Seconds for which everybody may show slots without asking again; they are asked again when one is booked.
const CACHE_CONTROL: &str = "public, max-age=5";
/// Slots that only whoever has a link sees.
const BY_LINK: &str = "private, max-age=5";

/// Routes without a key, of one tenant.
pub(in crate::api) fn public() -> Described {
    Described::new().routes(routes!(availability))
}

/// Which slots are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    #[param(value_type = String)]
    event_type_id: EventTypeId,
    /// From here (RFC 3339).
    #[param(value_type = String, format = DateTime, example = "2026-11-23T00:00:00Z")]
    from: Instant,
    /// To here, at most 92 days later.
    #[param(value_type = String, format = DateTime, example = "2026-11-28T00:00:00Z")]
    to: Instant,
    /// Zone of the person who looks; slots are grouped by its days.
    #[param(value_type = String, example = "Europe/Lisbon")]
    time_zone: Zone,
    /// Length wanted, if several can be chosen.
    length_minutes: Option<u32>,
    /// With this member only.
    #[param(value_type = Option<String>)]
    member_id: Option<MemberId>,
    /// The token of a private link to the event type; for one that is not public.
    #[param(value_type = Option<String>)]
    link: Option<Secret>,
}

/// Slots by day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublicSlots {
    /// Days that have slots, in the zone asked for.
    days: Vec<PublicDay>,
    /// Is something not known at the moment, so that there may be other times?
    degraded: bool,
}

/// The slots of a day.
#[derive(Debug, Serialize, ToSchema)]
struct PublicDay {
    /// `2026-11-23`.
    date: String,
    slots: Vec<PublicSlot>,
}

/// A start that is offered.
#[derive(Debug, Serialize, ToSchema)]
struct PublicSlot {
    /// With the offset of `time_zone`.
    #[schema(format = DateTime)]
    start: String,
    #[schema(format = DateTime)]
    end: String,
    /// Seats that are left; 1 for a meeting of one's own.
    seats_left: u32,
}

fn shown(found: AvailabilityAnswer, zone: Zone) -> Result<Written, Problem> {
    let mut days: BTreeMap<_, Vec<PublicSlot>> = BTreeMap::new();
    for slot in found.slots {
        let (start, end) = (slot.when.start(), slot.when.end());
        let text = |at| at_offset(zone, at);
        let slot = PublicSlot { start: text(start), end: text(end), seats_left: slot.seats_left };
        days.entry(hours::civil_day(zone, start)).or_default().push(slot);
    }
    let days = days.into_iter().map(|(date, slots)| PublicDay { date: date.to_string(), slots });
    // Nor is anything known of an event type that its provider does not have.
    let degraded = !found.degraded.is_empty() || !found.counterpart.is_bookable();
    written(&PublicSlots { days: days.collect(), degraded })
}

/// The slots of an event type.
#[utoipa::path(get, path = "/api/public/{tenant}/availability", tag = "public", operation_id = "public_availability_list", security(()),
    params(("tenant" = String, Path), Params),
    responses((status = 200, body = PublicSlots, headers(("ETag" = String, description = "Send it back as If-None-Match."))), (status = 304, description = "Nothing changed."), (status = 400, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 410, body = ProblemDocument, description = "The link is over: `state` says why"), (status = 429, body = ProblemDocument)))]
pub(crate) async fn availability(
    State(app): State<App>,
    visitor: Visitor,
    request_id: RequestId,
    headers: HeaderMap,
    Query(params): Query<Params>,
) -> ApiResult<Response> {
    let within = Interval::new(params.from, params.to)
        .map_err(|_| Problem::new(Code::MalformedParameter, "to must not be before from."))?;
    let caller = visitor.caller(&request_id);
    let engine = app.engine();
    let offered =
        engine.catalog.offered_event_type(&caller, params.event_type_id, params.link.as_ref()).await?;
    let query = AvailabilityQuery {
        event_type: params.event_type_id,
        within,
        time_zone: params.time_zone,
        length_minutes: params.length_minutes,
        member: params.member_id,
        provider: None,
        explain: false,
    };
    let found = engine.availability.availability(&caller, query).await?;
    let zone = params.time_zone;
    let answer = if found.slots.len() <= limits::SLOTS_INLINE_MAX {
        shown(found, zone)?
    } else {
        engine.computing.run(caller.tenant, move |_| shown(found, zone)).await?
    };
    Ok(kept(&headers, answer, if offered.link.is_some() { BY_LINK } else { CACHE_CONTROL }))
}
