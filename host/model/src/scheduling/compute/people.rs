//! `choose_host`, `fairness_run`, `fairness_period`.

use chrono::Weekday;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{only, read::at_most, refused};
use crate::{
    budget::Budget,
    catalog::member::RoundRobinShare,
    limits,
    problem::Problem,
    scheduling::{
        choose::{Candidate, chosen},
        limit::period_of,
        rules::{Period, Strategy},
    },
    time::Instant,
    zone::Zone,
};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCandidate {
    id: String,
    #[serde(default)]
    bookings_in_period: u32,
    #[serde(default)]
    calibration: u32,
    #[serde(default)]
    weight: Option<u32>,
    #[serde(default)]
    priority: Option<u32>,
    #[serde(default)]
    last_assigned_at: Option<Instant>,
    #[serde(default)]
    upcoming: u32,
}

impl WireCandidate {
    fn candidate(&self) -> Candidate {
        let usual = RoundRobinShare::default();
        Candidate {
            bookings: self.bookings_in_period,
            calibration: self.calibration,
            weight: self.weight.unwrap_or(usual.weight),
            priority: self.priority.unwrap_or(usual.priority),
            last_assigned_at: self.last_assigned_at,
            upcoming: self.upcoming,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChooseHost {
    strategy: Strategy,
    hosts: Vec<WireCandidate>,
}

pub(super) fn choose_host(request: &ChooseHost) -> Result<Map<String, Value>, Problem> {
    at_most("/hosts", &request.hosts, limits::COMPUTE_HOSTS_MAX)?;
    let candidates: Vec<Candidate> = request.hosts.iter().map(WireCandidate::candidate).collect();
    let one = chosen(request.strategy, &candidates).and_then(|i| request.hosts.get(i));
    Ok(only("chosen", json!(one.map(|host| &host.id))))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FairnessRun {
    strategy: Strategy,
    hosts: Vec<WireCandidate>,
    sequential_bookings: u32,
}

pub(super) fn fairness_run(request: &FairnessRun, budget: &Budget) -> Result<Map<String, Value>, Problem> {
    at_most("/hosts", &request.hosts, limits::COMPUTE_HOSTS_MAX)?;
    let steps = u64::from(request.sequential_bookings)
        .saturating_mul(u64::try_from(request.hosts.len()).unwrap_or(u64::MAX));
    if steps > limits::FAIRNESS_STEPS_MAX {
        let most = limits::FAIRNESS_STEPS_MAX;
        return Err(refused("/sequential_bookings", format!("bookings times hosts must be at most {most}")));
    }
    let mut candidates: Vec<Candidate> = request.hosts.iter().map(WireCandidate::candidate).collect();
    let mut given = vec![0_u32; candidates.len()];
    // Later than every assignment that the request names.
    let begin = candidates.iter().filter_map(|c| c.last_assigned_at).max().unwrap_or(Instant::MIN);
    for round in 1..=i64::from(request.sequential_bookings) {
        budget.spend_each(candidates.len().saturating_add(1))?;
        let Some(i) = chosen(request.strategy, &candidates) else { break };
        if let (Some(candidate), Some(given)) = (candidates.get_mut(i), given.get_mut(i)) {
            candidate.bookings = candidate.bookings.saturating_add(1);
            candidate.upcoming = candidate.upcoming.saturating_add(1);
            candidate.last_assigned_at = Some(begin.plus_micros(round));
            *given = given.saturating_add(1);
        }
    }
    let per_host: Map<String, Value> =
        request.hosts.iter().zip(given).map(|(host, count)| (host.id.clone(), json!(count))).collect();
    Ok(only("per_host", per_host))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Basis {
    CreatedAt,
    MeetingStart,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FairnessPeriod {
    reset: Period,
    basis: Basis,
    #[serde(default)]
    now: Option<Instant>,
    #[serde(default)]
    meeting_start: Option<Instant>,
    #[serde(default)]
    timezone: Option<Zone>,
}

pub(super) fn fairness_period(request: &FairnessPeriod) -> Result<Map<String, Value>, Problem> {
    let at = match request.basis {
        Basis::CreatedAt => request.now.ok_or_else(|| refused("/now", "is needed for created_at"))?,
        Basis::MeetingStart => {
            request.meeting_start.ok_or_else(|| refused("/meeting_start", "is needed for meeting_start"))?
        }
    };
    let period = period_of(request.reset, request.timezone.unwrap_or(Zone::UTC), Weekday::Mon, at);
    let mut answer = only("start", json!(period.start()));
    answer.insert("end".to_owned(), json!(period.end()));
    Ok(answer)
}
