//! Time zones, as the data in use has them.

use axum::{Json, extract::State};
use berth_model::{
    scheduling::local::{self, Local},
    time::Instant,
    zone::{Transition, Zone},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::{
    app::App,
    auth::AsTenant,
    extract::Query,
    page::{self, Page},
    problem::{ApiResult, ProblemDocument, wrong},
};

/// Longest text that zones are searched by, in characters: longer than any name.
const QUERY_CHARS_MAX: usize = 100;

/// Which zones are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ZoneParams {
    /// Words that begin words of the name, whatever case and accents: `são paulo`, `new york`, `europe`.
    #[param(max_length = 100)]
    q: Option<String>,
    /// As clocks run then (now).
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Instant>,
    /// Items wanted, 1 to the most that a page has (50).
    limit: Option<u32>,
    /// `next` of the last page.
    cursor: Option<String>,
}

/// A time zone, and how its clock runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ZoneView {
    /// IANA name.
    #[schema(example = "America/New_York")]
    name: &'static str,
    /// The place that it is named after.
    #[schema(example = "New York")]
    city: String,
    /// What its clock shows more than UTC does.
    #[schema(example = "-05:00")]
    offset: String,
    offset_seconds: i32,
    /// What people call it, or the offset where there is no such word.
    #[schema(example = "EST")]
    abbreviation: String,
    /// Is it daylight saving time, by the data's own word?
    is_saving: bool,
    /// When the clock is changed next; null: never, as far as the data says.
    next_change: Option<ZoneChange>,
}

/// A change of a clock.
#[derive(Debug, Serialize, ToSchema)]
struct ZoneChange {
    /// First instant of the other offset.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    #[schema(example = "-04:00")]
    offset: String,
    offset_seconds: i32,
}

/// `+05:45`; with seconds only where there are some.
fn offset(seconds: i32) -> String {
    let (sign, all) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
    let (h, m, s) = (all / 3_600, all / 60 % 60, all % 60);
    if s == 0 { format!("{sign}{h:02}:{m:02}") } else { format!("{sign}{h:02}:{m:02}:{s:02}") }
}

impl From<Transition> for ZoneChange {
    fn from(t: Transition) -> Self {
        Self { at: t.at, offset: offset(t.offset_seconds), offset_seconds: t.offset_seconds }
    }
}

fn view(zone: Zone, at: Instant) -> Option<ZoneView> {
    let running = zone.running(at)?;
    Some(ZoneView {
        name: zone.name(),
        city: zone.city(),
        offset: offset(running.now.offset_seconds),
        offset_seconds: running.now.offset_seconds,
        abbreviation: running.now.abbreviation,
        is_saving: running.now.is_saving,
        next_change: running.next.map(Into::into),
    })
}

/// Time zones by name, as the zone data in use has them.
#[utoipa::path(get, path = "/api/booking/zones", tag = "availability", operation_id = "zones_list", params(ZoneParams),
    responses((status = 200, body = Page<ZoneView>), (status = 400, body = ProblemDocument)))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(_caller): AsTenant,
    Query(params): Query<ZoneParams>,
) -> ApiResult<Json<Page<ZoneView>>> {
    let limit = page::items(params.limit)?;
    let after: Option<String> = page::position(params.cursor.as_ref())?;
    let words = params.q.unwrap_or_default();
    if words.chars().count() > QUERY_CHARS_MAX {
        return Err(wrong("q", format!("must be at most {QUERY_CHARS_MAX} characters")).into());
    }
    let at = params.at.unwrap_or_else(|| app.engine().now());
    let mut found: Vec<Zone> = Zone::all()
        .into_iter()
        .filter(|zone| after.as_ref().is_none_or(|after| zone.name() > after.as_str()))
        .filter(|zone| zone.is_found_by(&words))
        .collect();
    found.sort_unstable_by_key(|zone| zone.name());
    found.truncate(usize::try_from(limit.saturating_add(1)).unwrap_or(usize::MAX));
    let Page { items, next } = page::page(found, limit, |zone| zone.name(), |zone| view(zone, at));
    Ok(Json(Page { items: items.into_iter().flatten().collect(), next }))
}

/// What is to be converted: an instant (`at`), or what a clock shows (`local` and `from`).
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConvertParams {
    /// An instant (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Instant>,
    /// Or a local time, without offset …
    #[param(example = "2026-12-01T09:00")]
    local: Option<String>,
    /// … of this zone's clock; with `at`, the zone that it is shown in as well.
    #[param(value_type = Option<String>, example = "Europe/Lisbon")]
    from: Option<Zone>,
    /// The zone that is wanted.
    #[param(value_type = String, example = "Europe/Warsaw")]
    to: Zone,
}

/// One instant on two clocks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Converted {
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// How often the clock of `from` shows the local time that was asked for: `once`; `twice`, since it is set back over it (the answer is the
    /// first); `never`, since it is set forward over it (the answer goes on by the offset before). Null for an instant.
    shown: Option<&'static str>,
    from: Option<LocalTime>,
    to: LocalTime,
}

/// What a clock shows.
#[derive(Debug, Serialize, ToSchema)]
struct LocalTime {
    #[schema(value_type = String, example = "Europe/Warsaw")]
    time_zone: Zone,
    #[schema(example = "2026-12-01T10:00:00")]
    local: String,
    #[schema(example = "+01:00")]
    offset: String,
    offset_seconds: i32,
}

impl LocalTime {
    fn of(zone: Zone, at: Instant) -> Self {
        let seconds = zone.offset_seconds(at);
        Self {
            time_zone: zone,
            local: local::text_of(zone, at),
            offset: offset(seconds),
            offset_seconds: seconds,
        }
    }
}

/// One instant on another clock, by the zone data in use.
#[utoipa::path(get, path = "/api/booking/zones/convert", tag = "availability", operation_id = "zones_convert", params(ConvertParams),
    responses((status = 200, body = Converted), (status = 400, body = ProblemDocument)))]
pub(crate) async fn convert(
    AsTenant(_caller): AsTenant,
    Query(params): Query<ConvertParams>,
) -> ApiResult<Json<Converted>> {
    let (at, shown) = match (params.at, params.local, params.from) {
        (Some(at), None, _) => (at, None),
        (None, Some(local), Some(from)) => {
            let Local { at, shown } =
                local::read(from, &local).map_err(|error| wrong("local", error.to_string()))?;
            (at, Some(shown.as_str()))
        }
        (None, Some(_), None) => return Err(wrong("from", "is required with local").into()),
        _ => return Err(wrong("at", "give either at, or local and from").into()),
    };
    let from = params.from.map(|zone| LocalTime::of(zone, at));
    Ok(Json(Converted { at, shown, from, to: LocalTime::of(params.to, at) }))
}

#[cfg(test)]
mod tests {
    use super::offset;

    #[test]
    fn offsets_are_written_as_people_know_them() {
        for (seconds, text) in [(20_700, "+05:45"), (-2_670, "-00:44:30"), (0, "+00:00"), (-43_200, "-12:00")]
        {
            assert_eq!(offset(seconds), text);
        }
    }
}
