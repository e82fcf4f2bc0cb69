//! Hosts as they come: rules and busy times into open windows and taken time.

use std::collections::HashSet;

use chrono::{Datelike, Days};
use serde::Deserialize;

use super::{
    read::{Day, Local, Span, at_most},
    refused,
};
use crate::{
    budget::Budget,
    catalog::member::WeeklyHours,
    intervals::{intersection, merged},
    limits,
    problem::Problem,
    scheduling::{
        busy::{BusyKind, BusyTime},
        hours::{civil_day, day_start},
        question::Host,
        recurrence::Recurrence,
        windows::{DateOverride, LocalStretch, OpenHours, Travel},
    },
    time::{Instant, Interval},
    zone::Zone,
};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireHost {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    timezone: Option<Zone>,
    #[serde(default)]
    working_hours: Vec<WeeklyHours>,
    #[serde(default)]
    date_overrides: Vec<WireOverride>,
    #[serde(default)]
    unavailable_dates: Vec<Day>,
    #[serde(default)]
    travel: Vec<WireTravel>,
    #[serde(default)]
    free_ranges: Option<Vec<Span>>,
    #[serde(default)]
    free_rrule: Option<FreeRule>,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    pub(super) busy: Vec<WireBusy>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Role {
    Fixed,
    RoundRobin,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireOverride {
    date: Day,
    #[serde(default)]
    intervals: Vec<WireStretch>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireStretch {
    #[serde(with = "crate::catalog::member::clock_time")]
    start: chrono::NaiveTime,
    #[serde(with = "crate::catalog::member::closing_time")]
    end: Option<chrono::NaiveTime>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTravel {
    from: Day,
    #[serde(default)]
    to: Option<Day>,
    timezone: Zone,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FreeRule {
    dtstart: LocalOrInstant,
    rrule: String,
    duration_min: u32,
}

/// A local time, or an instant that is read on the host's clock.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum LocalOrInstant {
    Instant(Instant),
    Local(Local),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    #[default]
    Accepted,
    Pending,
    Rejected,
    Cancelled,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireBusy {
    start: Instant,
    end: Instant,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    pending_blocks: Option<bool>,
    #[serde(default)]
    buffer_before_min: u32,
    #[serde(default)]
    buffer_after_min: u32,
    #[serde(default)]
    counts_toward_limit: Option<bool>,
    #[serde(default)]
    same_event_type: bool,
    #[serde(default)]
    seats_taken: Option<u32>,
}

impl WireBusy {
    /// As taken time, if it blocks; `seats` are those of the event type that is asked for.
    pub(super) fn taken(self, seats: u32) -> Option<BusyTime> {
        let blocks = match self.status {
            Status::Accepted => true,
            Status::Pending => self.pending_blocks.unwrap_or(true),
            Status::Rejected | Status::Cancelled => false,
        };
        let when = Span { start: self.start, end: self.end }.data().filter(|_| blocks)?;
        let by = if self.same_event_type && seats > 1 {
            BusyKind::Session { seats: self.seats_taken.unwrap_or(1) }
        } else {
            BusyKind::Busy
        };
        Some(BusyTime {
            when,
            buffer_before_minutes: self.buffer_before_min.min(limits::BUFFER_MINUTES_MAX),
            buffer_after_minutes: self.buffer_after_min.min(limits::BUFFER_MINUTES_MAX),
            by,
            counts: self.counts_toward_limit.unwrap_or(self.same_event_type),
        })
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Restriction {
    timezone: Zone,
    #[serde(default)]
    working_hours: Vec<WeeklyHours>,
    #[serde(default)]
    date_overrides: Vec<WireOverride>,
}

fn check_hours(path: &str, hours: &[WeeklyHours]) -> Result<(), Problem> {
    at_most(&format!("{path}/working_hours"), hours, limits::HOURS_RULES_MAX)?;
    for (i, rule) in hours.iter().enumerate() {
        if rule.end.is_some_and(|end| end <= rule.start) {
            return Err(refused(
                &format!("{path}/working_hours/{i}/end"),
                "must be after start; 24:00 is the end of the day",
            ));
        }
    }
    Ok(())
}

fn overrides(path: &str, days: &[WireOverride]) -> Result<Vec<DateOverride>, Problem> {
    at_most(&format!("{path}/date_overrides"), days, limits::HOURS_RULES_MAX)?;
    let stretch = |d: usize, i: usize, s: &WireStretch| {
        if s.end.is_some_and(|end| end <= s.start) {
            let field = format!("{path}/date_overrides/{d}/intervals/{i}/end");
            return Err(refused(&field, "must be after start; 24:00 is the end of the day"));
        }
        Ok(LocalStretch { start: s.start, end: s.end })
    };
    days.iter()
        .enumerate()
        .map(|(d, day)| {
            let intervals = day.intervals.iter().enumerate().map(|(i, s)| stretch(d, i, s));
            Ok(DateOverride { date: day.date.0, intervals: intervals.collect::<Result<_, _>>()? })
        })
        .collect()
}

impl Restriction {
    pub(super) fn windows(&self, seen: Interval, budget: &Budget) -> Result<Vec<Interval>, Problem> {
        let path = "/restriction_schedule";
        check_hours(path, &self.working_hours)?;
        let hours = OpenHours {
            overrides: overrides(path, &self.date_overrides)?,
            ..OpenHours::weekly(self.timezone, self.working_hours.clone())
        };
        Ok(hours.windows(seen, budget)?)
    }
}

impl WireHost {
    pub(super) fn zone(&self) -> Zone {
        self.timezone.unwrap_or(Zone::UTC)
    }

    /// How many rules are looked at for each day.
    pub(super) fn rules(&self) -> usize {
        [self.working_hours.len(), self.date_overrides.len(), self.unavailable_dates.len(), self.travel.len()]
            .iter()
            .sum()
    }

    fn open_hours(&self, path: &str) -> Result<OpenHours, Problem> {
        check_hours(path, &self.working_hours)?;
        at_most(&format!("{path}/unavailable_dates"), &self.unavailable_dates, limits::HOURS_RULES_MAX)?;
        at_most(&format!("{path}/travel"), &self.travel, limits::HOURS_RULES_MAX)?;
        for (i, travel) in self.travel.iter().enumerate() {
            if travel.to.is_some_and(|to| to.0 < travel.from.0) {
                return Err(refused(&format!("{path}/travel/{i}/to"), "must not be before from"));
            }
        }
        Ok(OpenHours {
            zone: self.zone(),
            weekly: self.working_hours.clone(),
            overrides: overrides(path, &self.date_overrides)?,
            closed: self.unavailable_dates.iter().map(|day| day.0).collect(),
            travel: self
                .travel
                .iter()
                .map(|t| Travel { from: t.from.0, to: t.to.map(|to| to.0), zone: t.timezone })
                .collect(),
        })
    }

    fn rule_windows(
        &self,
        path: &str,
        rule: &FreeRule,
        seen: Interval,
        budget: &Budget,
    ) -> Result<Vec<Interval>, Problem> {
        let path = format!("{path}/free_rrule");
        super::read::within(&format!("{path}/duration_min"), rule.duration_min, 1, limits::FREE_MINUTES_MAX)?;
        let zone = self.zone();
        let dtstart = match rule.dtstart {
            LocalOrInstant::Local(local) => local.0,
            LocalOrInstant::Instant(at) => crate::scheduling::hours::local_of(zone, at),
        };
        let recurrence = Recurrence {
            dtstart,
            zone: Some(zone),
            rule: Some(rule.rrule.clone()),
            exdates: Vec::new(),
            rdates: Vec::new(),
        };
        let early = seen.widened(rule.duration_min, 0);
        let checked =
            recurrence.checked().map_err(|error| refused(&format!("{path}/rrule"), error.to_string()))?;
        let starts = checked.occurrences(early, usize::MAX, budget)?;
        Ok(merged(starts.into_iter().map(|s| Interval::of_minutes(s, rule.duration_min)).collect()))
    }

    /// Open windows that reach back to their opening, and those without the days that differ.
    fn windows(
        &self,
        path: &str,
        seen: Interval,
        budget: &Budget,
    ) -> Result<(Vec<Interval>, Vec<Interval>), Problem> {
        let given = [self.free_ranges.is_some(), self.free_rrule.is_some(), !self.working_hours.is_empty()];
        if given.iter().filter(|g| **g).count() > 1 {
            return Err(refused(path, "give one of working_hours, free_ranges and free_rrule"));
        }
        if let Some(ranges) = &self.free_ranges {
            at_most(&format!("{path}/free_ranges"), ranges, limits::COMPUTE_BUSY_MAX)?;
            let windows = merged(ranges.iter().filter_map(|range| range.data()).collect());
            return Ok((windows.clone(), windows));
        }
        if let Some(rule) = &self.free_rrule {
            let windows = self.rule_windows(path, rule, seen, budget)?;
            return Ok((windows.clone(), windows));
        }
        let hours = self.open_hours(path)?;
        Ok((hours.windows(seen, budget)?, hours.regular().windows(seen, budget)?))
    }

    /// Everything of this host, cut by the restriction schedule.
    pub(super) fn host(
        &self,
        path: &str,
        seen: Interval,
        seats: u32,
        restriction: Option<&[Interval]>,
        budget: &Budget,
    ) -> Result<Host, Problem> {
        let (unrestricted, regular) = self.windows(path, seen, budget)?;
        let windows =
            restriction.map_or_else(|| unrestricted.clone(), |open| intersection(&unrestricted, open));
        Ok(Host {
            zone: self.zone(),
            windows,
            unrestricted,
            regular,
            bounds: Vec::new(),
            taken: self.busy.iter().filter_map(|busy| busy.taken(seats)).collect(),
            fixed: self.role == Some(Role::Fixed),
            group: self.group.clone(),
        })
    }
}

/// What must be seen of rules for a range: from the Monday before the week of its start, so that a window that is open around the
/// clock has the same grid wherever the question begins.
pub(super) fn seen(zone: Zone, range: Interval) -> Interval {
    let day = civil_day(zone, range.start());
    let back = u64::from(day.weekday().num_days_from_monday()).saturating_add(7);
    let from = day.checked_sub_days(Days::new(back)).map_or(range.start(), |monday| day_start(zone, monday));
    let to = range.end().plus_minutes(2_880);
    Interval::new(from.min(range.start()), to).unwrap_or(range)
}

/// Ids must differ: answers name hosts by them.
pub(super) fn check_ids(hosts: &[WireHost]) -> Result<(), Problem> {
    at_most("/hosts", hosts, limits::COMPUTE_HOSTS_MAX)?;
    let mut seen = HashSet::new();
    for (i, host) in hosts.iter().enumerate() {
        if !seen.insert(host.id.as_str()) {
            return Err(refused(&format!("/hosts/{i}/id"), "another host has this id"));
        }
    }
    let busy: usize = hosts.iter().map(|host| host.busy.len()).sum();
    if busy > limits::COMPUTE_BUSY_MAX {
        return Err(refused(
            "/hosts",
            format!("at most {} busy times of all hosts", limits::COMPUTE_BUSY_MAX),
        ));
    }
    Ok(())
}
