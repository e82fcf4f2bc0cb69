//! `rrule`, `intervals`, `conflict`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    hosts::WireBusy,
    only,
    read::{Local, Span, at_most, within},
    refused,
};
use crate::{
    budget::Budget,
    intervals::{intersection, merged, subtraction},
    limits,
    problem::Problem,
    scheduling::{hours::local_of, recurrence::Recurrence},
    time::{Instant, Interval},
    zone::Zone,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rrule {
    dtstart_local: Local,
    #[serde(default)]
    timezone: Option<Zone>,
    #[serde(default, rename = "rrule")]
    rule: Option<String>,
    #[serde(default)]
    exdates_local: Vec<Local>,
    #[serde(default)]
    rdates_local: Vec<Local>,
    #[serde(default)]
    take_first: Option<u32>,
    #[serde(default)]
    window: Option<Window>,
}

/// Where occurrences are looked for: instants, or local times when the rule is floating.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Window {
    start: Edge,
    end: Edge,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Edge {
    Instant(Instant),
    Local(Local),
}

impl Edge {
    fn instant(self, zone: Zone) -> Instant {
        match self {
            Self::Instant(at) => at,
            Self::Local(local) => crate::scheduling::hours::instant_of(zone, local.0),
        }
    }
}

pub(super) fn rrule(request: Rrule, budget: &Budget) -> Result<Map<String, Value>, Problem> {
    at_most("/exdates_local", &request.exdates_local, limits::HOURS_RULES_MAX)?;
    at_most("/rdates_local", &request.rdates_local, limits::HOURS_RULES_MAX)?;
    let zone = request.timezone.unwrap_or(Zone::UTC);
    let within = match request.window {
        None => Interval::new(Instant::MIN, Instant::MAX).ok(),
        Some(window) => Interval::new(window.start.instant(zone), window.end.instant(zone)).ok(),
    };
    let within = within.ok_or_else(|| refused("/window/end", "must be after start"))?;
    let locals = |list: Vec<Local>| list.into_iter().map(|local| local.0).collect();
    let recurrence = Recurrence {
        dtstart: request.dtstart_local.0,
        zone: request.timezone,
        rule: request.rule,
        exdates: locals(request.exdates_local),
        rdates: locals(request.rdates_local),
    };
    let first = request.take_first.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let most = limits::OCCURRENCES_MAX;
    let checked = recurrence.checked().map_err(|error| refused("/rrule", error.to_string()))?;
    if first.is_none() && request.window.is_none() && !checked.ends() {
        let message = "give take_first, a window, or both: the rule has neither COUNT nor UNTIL";
        return Err(refused("/take_first", message));
    }
    let found =
        checked.occurrences(within, first.unwrap_or(usize::MAX).min(most.saturating_add(1)), budget)?;
    if found.len() > most {
        return Err(refused(
            "/rrule",
            format!("comes more than {most} times; give take_first or a shorter window"),
        ));
    }
    let texts: Vec<String> = match request.timezone {
        Some(_) => found.iter().map(ToString::to_string).collect(),
        None => {
            found.iter().map(|at| local_of(Zone::UTC, *at).format("%Y-%m-%dT%H:%M:%S").to_string()).collect()
        }
    };
    let mut answer = only("count", texts.len());
    answer.insert("occurrences".to_owned(), json!(texts));
    Ok(answer)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Operation {
    Merge,
    Intersect,
    Subtract,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Intervals {
    operation: Operation,
    lists: Vec<Vec<Span>>,
}

pub(super) fn intervals(request: Intervals, budget: &Budget) -> Result<Map<String, Value>, Problem> {
    if request.lists.iter().map(Vec::len).sum::<usize>() > limits::COMPUTE_BUSY_MAX {
        return Err(refused("/lists", format!("at most {} intervals", limits::COMPUTE_BUSY_MAX)));
    }
    at_most("/lists", &request.lists, limits::CHECKS_MAX)?;
    // Each list is gone through with what is left of those before it.
    let all = request.lists.iter().map(Vec::len).sum::<usize>();
    budget.spend_each(all.saturating_mul(request.lists.len()).div_ceil(8))?;
    let mut lists =
        request.lists.into_iter().map(|list| merged(list.into_iter().filter_map(Span::data).collect()));
    let first = lists.next().unwrap_or_default();
    let answer = match request.operation {
        Operation::Merge => merged(first.into_iter().chain(lists.flatten()).collect()),
        Operation::Intersect => lists.fold(first, |both, next| intersection(&both, &next)),
        Operation::Subtract => subtraction(&first, &merged(lists.flatten().collect())),
    };
    Ok(only("intervals", json!(answer)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Conflict {
    slot: WireSlot,
    #[serde(default)]
    busy: Vec<WireBusy>,
    #[serde(default)]
    current_sessions: Vec<Session>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSlot {
    start: Instant,
    length_min: u32,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Session {
    start: Instant,
    seats_taken: u32,
    seats_per_slot: u32,
}

/// A running session at the slot's start decides by its seats, and its own busy time is no conflict; everything else that overlaps is.
pub(super) fn conflict(request: &Conflict, budget: &Budget) -> Result<Map<String, Value>, Problem> {
    within("/slot/length_min", request.slot.length_min, 1, limits::MEETING_MINUTES_MAX)?;
    at_most("/busy", &request.busy, limits::COMPUTE_BUSY_MAX)?;
    at_most("/current_sessions", &request.current_sessions, limits::COMPUTE_BUSY_MAX)?;
    budget.spend_each(request.busy.len().saturating_add(request.current_sessions.len()))?;
    let when = Interval::of_minutes(request.slot.start, request.slot.length_min);
    let session = request.current_sessions.iter().find(|s| s.start == when.start());
    let full = session.is_some_and(|s| s.seats_taken >= s.seats_per_slot);
    let overlaps = request.busy.iter().filter_map(|busy| busy.taken(1)).any(|taken| {
        let own = session.is_some() && taken.when.start() == when.start();
        !own && taken.when.widened(taken.buffer_before_minutes, taken.buffer_after_minutes).overlaps(when)
    });
    Ok(only("conflict", full || overlaps))
}
