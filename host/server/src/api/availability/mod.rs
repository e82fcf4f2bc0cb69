//! Slots.

pub(crate) mod busy;
pub(crate) mod compute;
pub(crate) mod generate;
pub(crate) mod holidays;
pub(crate) mod public;
pub(crate) mod rules;
pub(crate) mod schemas;
pub(crate) mod time_off;
pub(crate) mod zones;

use std::collections::BTreeMap;

use axum::{extract::State, http::HeaderMap, response::Response};
use berth_engine::{AvailabilityAnswer, AvailabilityQuery, RejectedSlot};
use berth_model::{
    catalog::event_type::CounterpartState,
    id::{BookingId, ConnectionId, EventTypeId, MemberId, RuleId, ScheduleId},
    limits,
    problem::{Code, Problem},
    scheduling::{hours, local::at_offset, reason::Reason},
    tenants::scope::Scope,
    time::{Instant, Interval},
    zone::Zone,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::described::{Described, routes};
use crate::{
    api::connections::choice,
    http::{
        app::App,
        auth::{AsTenant, Authenticated},
        extract::Query,
        kept::{self, Written},
        problem::{ApiResult, ProblemDocument},
    },
};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(availability: AvailabilityRead))
        .routes(routes!(generate::generate: AvailabilityRead))
        .routes(routes!(busy::list: AvailabilityRead))
        .routes(routes!(zones::list: AvailabilityRead))
        .routes(routes!(zones::convert: AvailabilityRead))
        .merge(Described::new().routes(routes!(holidays::import: ListingsWrite)).layer(holidays::body_limit()))
        .routes(routes!(holidays::import_country: ListingsWrite))
        .routes(routes!(holidays::countries: ListingsRead))
        .routes(routes!(rules::patterns::create: ListingsWrite, rules::patterns::list: ListingsRead))
        .routes(routes!(rules::patterns::get: ListingsRead, rules::patterns::replace: ListingsWrite, rules::patterns::delete: ListingsWrite))
        .routes(routes!(rules::overrides::create: ListingsWrite, rules::overrides::list: ListingsRead))
        .routes(routes!(rules::overrides::get: ListingsRead, rules::overrides::replace: ListingsWrite, rules::overrides::delete: ListingsWrite))
        .routes(routes!(rules::holidays::create: ListingsWrite, rules::holidays::list: ListingsRead))
        .routes(routes!(rules::holidays::get: ListingsRead, rules::holidays::replace: ListingsWrite, rules::holidays::delete: ListingsWrite))
        .routes(routes!(time_off::preview: BookingsRead))
        .routes(routes!(rules::out_of_office::create: ListingsWrite, rules::out_of_office::list: ListingsRead))
        .routes(routes!(rules::out_of_office::get: ListingsRead, rules::out_of_office::replace: ListingsWrite, rules::out_of_office::delete: ListingsWrite))
        .routes(routes!(rules::travel::create: ListingsWrite, rules::travel::list: ListingsRead))
        .routes(routes!(rules::travel::get: ListingsRead, rules::travel::replace: ListingsWrite, rules::travel::delete: ListingsWrite))
        .routes(routes!(rules::restriction_schedules::create: ListingsWrite, rules::restriction_schedules::list: ListingsRead))
        .routes(routes!(rules::restriction_schedules::get: ListingsRead, rules::restriction_schedules::replace: ListingsWrite, rules::restriction_schedules::delete: ListingsWrite))
        .routes(routes!(rules::schedules::create: ListingsWrite, rules::schedules::list: ListingsRead))
        .routes(routes!(rules::schedules::get: ListingsRead, rules::schedules::replace: ListingsWrite, rules::schedules::delete: ListingsWrite))
        .merge(Described::new().routes(routes!(compute::post: AvailabilityRead)).layer(compute::body_limit()))
}

/// How long a browser may show slots without asking again: seconds only, and it is asked again at booking.
const CACHE_CONTROL: &str = "private, max-age=5";

/// Which slots are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// Event type.
    #[param(value_type = String)]
    #[serde(rename = "event_type_id")]
    event_type: EventTypeId,
    /// From here (RFC 3339).
    #[param(value_type = String, format = DateTime, example = "2026-11-23T00:00:00Z")]
    from: Instant,
    /// To here, at most 92 days later.
    #[param(value_type = String, format = DateTime, example = "2026-11-28T00:00:00Z")]
    to: Instant,
    /// Zone of the person who looks: slots are grouped by its days, and written with its offset.
    #[param(value_type = String, example = "Europe/Lisbon")]
    time_zone: Zone,
    /// Length wanted, if the event type offers several.
    length_minutes: Option<u32>,
    /// With this member only.
    #[param(value_type = Option<String>)]
    #[serde(rename = "member_id")]
    member: Option<MemberId>,
    /// As if booked there: a provider's name (or alias) where there is one connection to it, or `builtin`.
    provider: Option<String>,
    /// As if booked over this connection.
    #[param(value_type = Option<String>)]
    connection_id: Option<ConnectionId>,
    /// For moving this booking: its own time is in nobody's way, its length is taken, and it keeps its organiser unless `member_id` names another.
    /// Needs the scope `bookings:read`.
    #[param(value_type = Option<String>)]
    #[serde(rename = "booking_id")]
    booking: Option<BookingId>,
    /// Also say why other starts are not offered.
    #[serde(default)]
    explain: bool,
}

/// Slots by day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer {
    /// Days that have slots, in the zone asked for.
    days: Vec<Day>,
    /// Providers that could not be asked; empty when all is known.
    degraded: Vec<DegradedProvider>,
    /// Why nothing is offered whatever is free: the event type cannot be booked at the provider. Absent where it can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_bookable: Option<NotBookable>,
    /// Starts that are not offered, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<Vec<Rejected>>,
    /// Patterns that an older version stored and that take too many steps to follow: they open nothing. Change their `rrule`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    left_out: Vec<RuleId>,
}

/// Why an event type cannot be booked at the provider.
#[derive(Debug, Serialize, ToSchema)]
struct NotBookable {
    /// `event_type`.
    reason: &'static str,
    #[schema(value_type = crate::api::catalog::schemas::CounterpartState)]
    state: CounterpartState,
    /// The same for people.
    detail: &'static str,
}

impl NotBookable {
    fn of(state: CounterpartState) -> Option<Self> {
        let (reason, detail) = (Reason::EventType.as_str(), state.detail());
        (!state.is_bookable()).then_some(Self { reason, state, detail })
    }
}

/// A start of open hours that a member does not offer.
#[derive(Debug, Serialize, ToSchema)]
struct Rejected {
    /// With the offset of `time_zone`.
    #[schema(format = DateTime)]
    start: String,
    #[schema(value_type = String)]
    #[serde(rename = "member_id")]
    member: MemberId,
    /// `notice`, `busy`, `buffer`, `limit`, `window`, `override`, `hold`, `seats`, …
    reason: &'static str,
    /// The same for people.
    detail: String,
    /// The named schedule outside of which it is: the member's (`hours`, `override`), the event type's (`schedule`), or the opening hours
    /// (`opening_hours`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
}

impl Rejected {
    fn of(r: RejectedSlot, zone: Zone) -> Self {
        let why = r.reason.detail();
        let detail = match (r.by, &r.schedule) {
            (Some(by), _) => format!("{why}: {} to {}", by.start(), by.end()),
            (None, Some(schedule)) => format!("{why}: {}", schedule.name),
            (None, None) => why.to_owned(),
        };
        let schedule_id = r.schedule.map(|schedule| schedule.id);
        Self {
            start: at_offset(zone, r.start),
            member: r.member,
            reason: r.reason.as_str(),
            detail,
            schedule_id,
        }
    }
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
    /// With the offset of `time_zone`.
    #[schema(format = DateTime)]
    start: String,
    #[schema(format = DateTime)]
    end: String,
    /// Who could take it.
    #[schema(value_type = Vec<String>)]
    #[serde(rename = "member_ids")]
    members: Vec<MemberId>,
    /// Seats that are left; 1 for a meeting of one's own.
    seats_left: u32,
}

/// A provider, or a member's calendar, that could not be asked.
#[derive(Debug, Serialize, ToSchema)]
struct DegradedProvider {
    #[schema(value_type = String)]
    #[serde(rename = "connection_id")]
    connection: ConnectionId,
    /// Whose calendars; null: the provider that is booked, which counts for everyone.
    #[schema(value_type = Option<String>)]
    #[serde(rename = "member_id")]
    member: Option<MemberId>,
    reason: String,
}

/// The slots of an event type.
#[utoipa::path(get, path = "/api/booking/availability", operation_id = "availability_get", tag = "availability", params(Params),
    responses((status = 200, body = Answer, headers(("ETag" = String, description = "Send it back as If-None-Match."))), (status = 304, description = "Nothing changed."), (status = 404, body = ProblemDocument)))]
pub(crate) async fn availability(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    key: Authenticated,
    headers: HeaderMap,
    Query(params): Query<Params>,
) -> ApiResult<Response> {
    let within = Interval::new(params.from, params.to)
        .map_err(|_| Problem::new(Code::MalformedParameter, "to must not be before from."))?;
    let query = AvailabilityQuery {
        event_type: params.event_type,
        within,
        time_zone: params.time_zone,
        length_minutes: params.length_minutes,
        member: params.member,
        provider: choice::of(params.provider.as_deref(), params.connection_id).map_err(|error| {
            Problem::new(
                Code::MalformedParameter,
                format!("{} {}.", error.field.trim_start_matches('/'), error.message),
            )
        })?,
        explain: params.explain,
    };
    let found = match params.booking {
        None => app.engine().availability.availability(&caller, query).await?,
        Some(booking) => {
            key.check(Scope::BookingsRead)?;
            app.engine().availability.availability_for(&caller, booking, query).await?
        }
    };
    let named: usize = found.slots.iter().map(|slot| slot.members.len().saturating_add(1)).sum();
    let zone = params.time_zone;
    let answer = if named.saturating_add(found.rejected.len()) <= limits::SLOTS_INLINE_MAX {
        shown(found, zone, params.explain)?
    } else {
        app.engine().computing.run(caller.tenant, move |_| shown(found, zone, params.explain)).await?
    };
    Ok(kept::kept(&headers, answer, CACHE_CONTROL))
}

fn shown(found: AvailabilityAnswer, zone: Zone, explain: bool) -> Result<Written, Problem> {
    let mut days: BTreeMap<_, Vec<Slot>> = BTreeMap::new();
    for slot in found.slots {
        let date = hours::civil_day(zone, slot.when.start());
        let slot = Slot {
            start: at_offset(zone, slot.when.start()),
            end: at_offset(zone, slot.when.end()),
            members: slot.members,
            seats_left: slot.seats_left,
        };
        days.entry(date).or_default().push(slot);
    }
    let answer = Answer {
        days: days.into_iter().map(|(date, slots)| Day { date: date.to_string(), slots }).collect(),
        degraded: found
            .degraded
            .into_iter()
            .map(|d| DegradedProvider { connection: d.connection, member: d.member, reason: d.reason })
            .collect(),
        not_bookable: NotBookable::of(found.counterpart),
        left_out: found.left_out,
        rejected: explain.then(|| found.rejected.into_iter().map(|r| Rejected::of(r, zone)).collect()),
    };
    kept::written(&answer)
}
