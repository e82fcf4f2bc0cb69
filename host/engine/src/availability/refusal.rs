//! Why a start is not available, and what is instead.

use berth_model::{
    problem::{Code, Problem},
    time::Instant,
};
use serde_json::json;

use crate::{
    Caller,
    availability::{Availability, Degraded, SlotSearch},
    connections::routing::BookingContext,
};

/// Alternatives named when a time is not available.
const ALTERNATIVES: usize = 5;

impl Availability {
    /// The refusal with its reason.
    pub(crate) async fn refused_at(
        &self,
        caller: &Caller,
        ctx: &BookingContext,
        start: Instant,
        search: SlotSearch<'_>,
        reason: &str,
    ) -> Problem {
        let mut problem = Problem::new(Code::SlotTaken, format!("{start} is not available."));
        let reason = match self.why_not(caller, ctx, start, search).await {
            // Somebody was faster a moment ago.
            Ok(None) | Err(_) => reason,
            Ok(Some(why)) => {
                problem.detail = match &why.schedule {
                    None => format!("{start} is not available: {}.", why.detail),
                    Some(schedule) => {
                        problem.extra.insert("schedule_id".to_owned(), json!(schedule.id));
                        format!("{start} is not available: {} ({}).", why.detail, schedule.name)
                    }
                };
                not_asked(&mut problem, &why.degraded);
                why.reason
            }
        };
        problem.extra.insert("reason".to_owned(), json!(reason));
        problem
    }

    /// The refusal, with its reason and the nearest times that are still offered.
    pub(crate) async fn not_available(
        &self,
        caller: &Caller,
        ctx: &BookingContext,
        start: Instant,
        search: SlotSearch<'_>,
        reason: &str,
    ) -> Problem {
        let mut problem = self.refused_at(caller, ctx, start, search, reason).await;
        if let Ok(mut starts) = self.starts_around(caller, ctx, start, search).await {
            starts.sort_by_key(|s| (s.micros_since(start).unsigned_abs(), *s));
            starts.truncate(ALTERNATIVES);
            problem.extra.insert("alternatives".to_owned(), json!(starts));
        }
        problem
    }
}

/// Name what could not be asked, and what to do then.
pub(crate) fn not_asked(problem: &mut Problem, degraded: &[Degraded]) {
    if !degraded.is_empty() {
        problem.extra.insert("degraded".to_owned(), json!(degraded));
        problem.hint = Some(
            "Choose one of the alternatives, or try again when what `degraded` names can be asked. A listing with `offer_when_degraded` is \
                booked without asking."
                .to_owned(),
        );
    }
}
