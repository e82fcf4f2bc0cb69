//! `limit_check`, `limits_config`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    only,
    read::{Span, at_most, within},
};
use crate::{
    budget::Budget,
    limits,
    problem::Problem,
    scheduling::{
        limit::contradiction,
        rules::{Limit, Period},
    },
    time::{Instant, Interval},
    zone::Zone,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitCheck {
    limit: Limit,
    #[serde(default)]
    existing_bookings_in_period: Option<u32>,
    #[serde(default)]
    existing_bookings: Vec<Span>,
    request_start: Instant,
    request_length_min: u32,
    #[serde(default)]
    rescheduling_one_of_them: bool,
}

pub(super) fn limit_check(request: &LimitCheck, budget: &Budget) -> Result<Map<String, Value>, Problem> {
    within("/request_length_min", request.request_length_min, 1, limits::MEETING_MINUTES_MAX)?;
    at_most("/existing_bookings", &request.existing_bookings, limits::COMPUTE_BUSY_MAX)?;
    budget.spend_each(request.existing_bookings.len())?;
    let period = request.limit.period_of(Zone::UTC, request.request_start);
    let length = u64::from(request.request_length_min);
    let (mut bookings, mut minutes) = if let Some(count) = request.existing_bookings_in_period {
        (count, u64::from(count).saturating_mul(length))
    } else {
        let counts = |i: &Interval| period.start() <= i.start() && i.start() < period.end();
        let counted: Vec<Interval> =
            request.existing_bookings.iter().filter_map(|b| b.data()).filter(counts).collect();
        let minutes = |i: &Interval| u64::try_from(i.end().micros_since(i.start()) / 60_000_000).unwrap_or(0);
        (u32::try_from(counted.len()).unwrap_or(u32::MAX), counted.iter().map(minutes).sum())
    };
    if request.rescheduling_one_of_them {
        // A booking that moves keeps its length.
        bookings = bookings.saturating_sub(1);
        minutes = minutes.saturating_sub(length);
    }
    Ok(only("allowed", request.limit.allows(bookings, minutes, request.request_length_min)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsConfig {
    max_bookings: BTreeMap<Period, u32>,
}

pub(super) fn limits_config(request: LimitsConfig) -> Map<String, Value> {
    let limits: Vec<(Period, u32)> = request.max_bookings.into_iter().collect();
    only("valid", contradiction(&limits).is_none())
}
