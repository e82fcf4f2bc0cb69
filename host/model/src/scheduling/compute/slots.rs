//! `slots`, `slot_check`, `team_bookable`, `windows`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    hosts::{Restriction, WireHost, check_ids, seen},
    only,
    read::{Day, Span, at_most, within},
    refused,
};
use crate::{
    budget::Budget,
    limits,
    problem::Problem,
    scheduling::{
        busy::{BusyKind, BusyTime},
        meeting::Meeting,
        question::Question,
        reason::Reason,
        rules::{BookingWindow, DayCount, GridAnchor, Limit, TeamMode},
        slots::{Offer, Rejection},
    },
    time::{Instant, Interval},
    zone::Zone,
};

/// A question about slots, in the words of SCHEDULING section 1. Which fields are needed depends on the kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    #[serde(default)]
    now: Option<Instant>,
    #[serde(default)]
    range: Option<Span>,
    #[serde(default)]
    event_length_min: Option<u32>,
    #[serde(default)]
    slot_interval_min: Option<u32>,
    #[serde(default)]
    step_min: Option<u32>,
    #[serde(default)]
    offset_min: Option<u32>,
    #[serde(default)]
    grid: Option<WireGrid>,
    #[serde(default)]
    team_mode: Option<TeamMode>,
    #[serde(default)]
    hosts: Option<Vec<WireHost>>,
    #[serde(default)]
    host: Option<WireHost>,
    #[serde(default)]
    slot: Option<Span>,
    #[serde(default)]
    checks: Option<Vec<Span>>,
    #[serde(default)]
    buffer_before_min: u32,
    #[serde(default)]
    buffer_after_min: u32,
    #[serde(default)]
    minimum_notice_min: u32,
    #[serde(default)]
    seats_per_slot: Option<u32>,
    #[serde(default)]
    limits: Option<Vec<Limit>>,
    #[serde(default)]
    booking_window: Option<WireWindow>,
    #[serde(default)]
    holds: Option<Vec<WireHold>>,
    #[serde(default)]
    requester: Option<String>,
    #[serde(default)]
    event_type: Option<String>,
    #[serde(default)]
    restriction_schedule: Option<Restriction>,
    #[serde(default)]
    explain: bool,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireGrid {
    #[serde(default)]
    anchor: GridAnchor,
    #[serde(default)]
    round_up_to_min: Option<u32>,
    #[serde(default)]
    timezone: Option<Zone>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WindowKind {
    Rolling,
    RollingWindow,
    Range,
}

/// The booking window as it comes; without a type, dates make it a range and days a rolling one.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireWindow {
    #[serde(default, rename = "type", alias = "kind", alias = "mode")]
    kind: Option<WindowKind>,
    #[serde(default)]
    days: Option<u32>,
    #[serde(default)]
    count: DayCount,
    #[serde(default)]
    from: Option<Day>,
    #[serde(default)]
    to: Option<Day>,
    #[serde(default)]
    timezone: Option<Zone>,
}

impl WireWindow {
    fn window(self) -> Result<BookingWindow, Problem> {
        let field = |name: &str| format!("/booking_window/{name}");
        let kind =
            self.kind.unwrap_or(if self.from.is_some() { WindowKind::Range } else { WindowKind::Rolling });
        let days = || -> Result<u32, Problem> {
            let days = self.days.ok_or_else(|| refused(&field("days"), "is missing"))?;
            within(&field("days"), days, 0, limits::BOOKING_WINDOW_DAYS_MAX)?;
            Ok(days)
        };
        let (count, timezone) = (self.count, self.timezone);
        match kind {
            WindowKind::Rolling => Ok(BookingWindow::Rolling { days: days()?, count, timezone }),
            WindowKind::RollingWindow => Ok(BookingWindow::RollingWindow { days: days()?, count, timezone }),
            WindowKind::Range => {
                let from = self.from.ok_or_else(|| refused(&field("from"), "is missing"))?.0;
                let to = self.to.ok_or_else(|| refused(&field("to"), "is missing"))?.0;
                if to < from {
                    return Err(refused(&field("to"), "must not be before from"));
                }
                Ok(BookingWindow::Range { from, to, timezone })
            }
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireHold {
    start: Instant,
    end: Instant,
    #[serde(default)]
    holder: Option<String>,
    #[serde(default)]
    expires_at: Option<Instant>,
    #[serde(default)]
    seat: bool,
    #[serde(default)]
    event_type: Option<String>,
}

/// A field that this kind needs.
fn needed<T>(field: &str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| refused(field, "is missing"))
}

impl Request {
    fn seats(&self) -> u32 {
        self.seats_per_slot.unwrap_or(1)
    }

    fn meeting(&self, length_minutes: u32) -> Meeting {
        Meeting {
            length_minutes,
            buffer_before_minutes: self.buffer_before_min,
            buffer_after_minutes: self.buffer_after_min,
            seats: self.seats(),
        }
    }

    /// Holds of others that still stand. One that expires now is over (SCHEDULING rule 4).
    fn held(&self) -> Vec<BusyTime> {
        let stands = |hold: &&WireHold| {
            let over = self.now.zip(hold.expires_at).is_some_and(|(now, expires)| expires <= now);
            let own = hold.holder.is_some() && hold.holder == self.requester;
            !over && !own
        };
        let of_this_type = |hold: &WireHold| match (&hold.event_type, &self.event_type) {
            (Some(held), Some(asked)) => held == asked,
            _ => true,
        };
        self.holds
            .iter()
            .flatten()
            .filter(stands)
            .filter_map(|hold| {
                let when = Span { start: hold.start, end: hold.end }.data()?;
                let by = if hold.seat && of_this_type(hold) { BusyKind::SeatHold } else { BusyKind::Hold };
                Some(BusyTime { by, ..BusyTime::of(when) })
            })
            .collect()
    }

    fn check(&self) -> Result<(), Problem> {
        within("/buffer_before_min", self.buffer_before_min, 0, limits::BUFFER_MINUTES_MAX)?;
        within("/buffer_after_min", self.buffer_after_min, 0, limits::BUFFER_MINUTES_MAX)?;
        within("/minimum_notice_min", self.minimum_notice_min, 0, limits::NOTICE_MINUTES_MAX)?;
        within("/seats_per_slot", self.seats(), 1, limits::SEATS_MAX)?;
        at_most("/limits", self.limits.as_deref().unwrap_or_default(), limits::LIMITS_MAX)?;
        at_most("/holds", self.holds.as_deref().unwrap_or_default(), limits::COMPUTE_BUSY_MAX)
    }

    /// The stretch of time whose rules must be seen. A window of free days is counted from today on, wherever the range begins.
    fn reach(&self, range: Interval, window: Option<BookingWindow>) -> Result<Interval, Problem> {
        let reach = match (window, self.now) {
            (Some(BookingWindow::RollingWindow { .. }), Some(now)) => {
                Interval::new(now.min(range.start()), range.end()).unwrap_or(range)
            }
            _ => range,
        };
        let days = limits::COMPUTE_DAYS_MAX;
        if reach.end().micros_since(reach.start()) > days.saturating_mul(86_400_000_000) {
            return Err(refused("/range", format!("at most {days} days, from now on for rolling_window")));
        }
        Ok(reach)
    }

    /// The question about these hosts; `range` is what is asked for.
    fn question(
        &self,
        range: Interval,
        length_minutes: u32,
        hosts: &[WireHost],
        budget: &Budget,
    ) -> Result<Question, Problem> {
        self.check()?;
        let booking_window = self.booking_window.map(WireWindow::window).transpose()?;
        let reach = self.reach(range, booking_window)?;
        let rules: usize = hosts.iter().map(WireHost::rules).sum();
        if rules > limits::COMPUTE_RULES_MAX {
            return Err(refused(
                "/hosts",
                format!("at most {} rules of all hosts", limits::COMPUTE_RULES_MAX),
            ));
        }
        let held = self.held();
        let mut question = Question {
            now: self.now,
            range,
            meeting: self.meeting(length_minutes),
            step_minutes: length_minutes,
            offset_minutes: 0,
            anchor: GridAnchor::RangeStart,
            round_up_minutes: None,
            grid_zone: None,
            team_mode: self.team_mode.unwrap_or_default(),
            notice_minutes: self.minimum_notice_min,
            limits: self.limits.clone().unwrap_or_default(),
            booking_window,
            hosts: Vec::with_capacity(hosts.len()),
        };
        for (i, wire) in hosts.iter().enumerate() {
            let seen = seen(wire.zone(), reach);
            let open = self.restriction_schedule.as_ref().map(|r| r.windows(seen, budget)).transpose()?;
            let path = if self.host.is_some() { "/host".to_owned() } else { format!("/hosts/{i}") };
            let mut host = wire.host(&path, seen, self.seats(), open.as_deref(), budget)?;
            budget.spend_each(held.len().saturating_add(wire.busy.len()))?;
            host.taken.extend(held.iter().copied());
            question.hosts.push(host);
        }
        Ok(question)
    }

    /// Is this very time offered? If not, why.
    fn check_time(
        &self,
        field: &str,
        slot: Span,
        hosts: &[WireHost],
        budget: &Budget,
    ) -> Result<Option<Reason>, Problem> {
        let slot = slot.rule(field)?;
        let question = self.question(slot, minutes_of(field, slot)?, hosts, budget)?;
        if question.offers(budget)?.iter().any(|offer| offer.start == slot.start()) {
            return Ok(None);
        }
        // Free by every other rule: beyond the days that have something free.
        Ok(Some(question.refusal(slot.start(), budget)?.map_or(Reason::Window, |(reason, _)| reason)))
    }
}

fn minutes_of(field: &str, slot: Interval) -> Result<u32, Problem> {
    let micros = slot.end().micros_since(slot.start());
    if micros % 60_000_000 != 0 {
        return Err(refused(field, "must be whole minutes long"));
    }
    let minutes = u32::try_from(micros / 60_000_000).unwrap_or(u32::MAX);
    within(field, minutes, 1, limits::MEETING_MINUTES_MAX)?;
    Ok(minutes)
}

/// The question of a `slots` request, with its grid.
fn whole_question(request: &Request, hosts: &[WireHost], budget: &Budget) -> Result<Question, Problem> {
    let range = needed("/range", request.range)?.rule("/range")?;
    check_ids(hosts)?;
    let length = needed("/event_length_min", request.event_length_min)?;
    within("/event_length_min", length, 1, limits::MEETING_MINUTES_MAX)?;
    let mut question = request.question(range, length, hosts, budget)?;
    question.step_minutes = request.step_min.or(request.slot_interval_min).unwrap_or(length);
    let field = if request.step_min.is_some() { "/step_min" } else { "/slot_interval_min" };
    within(field, question.step_minutes, 1, limits::MEETING_MINUTES_MAX)?;
    question.offset_minutes = request.offset_min.unwrap_or(0);
    within("/offset_min", question.offset_minutes, 0, limits::MEETING_MINUTES_MAX)?;
    let grid = request.grid.unwrap_or_default();
    question.anchor = grid.anchor;
    question.round_up_minutes = grid.round_up_to_min.filter(|minutes| *minutes > 0);
    question.grid_zone = grid.timezone;
    within("/grid/round_up_to_min", grid.round_up_to_min.unwrap_or(0), 0, limits::MEETING_MINUTES_MAX)?;
    let minutes = range.end().micros_since(range.start()) / 60_000_000;
    let starts = minutes
        .div_euclid(i64::from(question.step_minutes))
        .saturating_mul(i64::try_from(hosts.len()).unwrap_or(i64::MAX));
    if starts > limits::COMPUTE_STARTS_MAX {
        let most = limits::COMPUTE_STARTS_MAX;
        let message = format!("too long for this step and so many hosts: at most {most} starts");
        return Err(refused("/range", message));
    }
    Ok(question)
}

fn rejected(rejection: &Rejection, hosts: &[WireHost]) -> Value {
    let reason = rejection.reason;
    let detail = rejection.by.map_or_else(
        || reason.detail().to_owned(),
        |by| format!("{}: {} to {}", reason.detail(), by.start(), by.end()),
    );
    let host = hosts.get(rejection.host).map_or("", |host| host.id.as_str());
    json!({ "start": rejection.start, "host": host, "reason": reason.as_str(), "detail": detail })
}

pub(super) fn slots(request: &Request, budget: &Budget) -> Result<Map<String, Value>, Problem> {
    let hosts = needed("/hosts", request.hosts.as_deref())?;
    let question = whole_question(request, hosts, budget)?;
    let offers = question.offers(budget)?;
    let id = |host: &usize| hosts.get(*host).map_or("", |host| host.id.as_str());
    let mut starts = Vec::with_capacity(offers.len());
    let mut hosts_at_slot = Map::new();
    for Offer { start, hosts, .. } in &offers {
        let start = start.to_string();
        hosts_at_slot.insert(start.clone(), hosts.iter().map(id).collect());
        starts.push(Value::String(start));
    }
    let mut answer = only("count", starts.len());
    answer.insert("slots".to_owned(), Value::Array(starts));
    answer.insert("hosts_at_slot".to_owned(), Value::Object(hosts_at_slot));
    if request.explain {
        let rejections = question.rejections(&offers, budget)?;
        answer.insert("rejected".to_owned(), rejections.iter().map(|r| rejected(r, hosts)).collect());
    }
    Ok(answer)
}

pub(super) fn slot_check(request: &Request, budget: &Budget) -> Result<Map<String, Value>, Problem> {
    let host = needed("/host", request.host.as_ref())?;
    let slot = needed("/slot", request.slot)?;
    let reason = request.check_time("/slot", slot, std::slice::from_ref(host), budget)?;
    let mut answer = only("available", reason.is_none());
    answer.insert("reason".to_owned(), json!(reason.map(Reason::as_str)));
    Ok(answer)
}

pub(super) fn team_bookable(request: &Request, budget: &Budget) -> Result<Map<String, Value>, Problem> {
    let hosts = needed("/hosts", request.hosts.as_deref())?;
    let checks = needed("/checks", request.checks.as_deref())?;
    check_ids(hosts)?;
    at_most("/checks", checks, limits::CHECKS_MAX)?;
    let mut answers = Vec::with_capacity(checks.len());
    for (i, check) in checks.iter().enumerate() {
        let reason = request.check_time(&format!("/checks/{i}"), *check, hosts, budget)?;
        answers.push(json!({ "start": check.start, "end": check.end, "bookable": reason.is_none() }));
    }
    Ok(only("checks", answers))
}

pub(super) fn windows(request: &Request, budget: &Budget) -> Result<Map<String, Value>, Problem> {
    let range = request.reach(needed("/range", request.range)?.rule("/range")?, None)?;
    let host = needed("/host", request.host.as_ref())?;
    let open = request.restriction_schedule.as_ref().map(|r| r.windows(range, budget)).transpose()?;
    let host = host.host("/host", range, 1, open.as_deref(), budget)?;
    let clipped: Vec<Interval> = host.windows.iter().filter_map(|w| w.intersection(range)).collect();
    Ok(only("windows", json!(clipped)))
}
