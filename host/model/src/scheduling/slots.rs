//! Slots: which starts are offered, and by whom.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    booking_window::last_free_day,
    busy::{BusyKind, BusyTime},
    grid::Step,
    hours::{civil_day, day_start},
    judge::{Judge, Why},
    question::{Host, Question},
    reason::Reason,
    rules::{BookingWindow, DayCount, GridAnchor, TeamMode},
};
use crate::{
    budget::{Budget, Exhausted},
    intervals::{intersection, merged, subtraction},
    limits,
    time::{Instant, Interval},
    zone::Zone,
};

/// A start that is offered. `hosts` are positions in [`Question::hosts`]: everyone who could take part, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// When it starts.
    pub start: Instant,
    /// Who.
    pub hosts: Vec<usize>,
    /// Seats that are left with the host who has most of them.
    pub seats_left: u32,
}

impl Question {
    fn step(&self, host: &Host) -> Step {
        Step {
            length_minutes: self.meeting.length_minutes,
            step_minutes: self.step_minutes,
            offset_minutes: self.offset_minutes,
            round_up: self.round_up_minutes.map(|minutes| (minutes, self.grid_zone.unwrap_or(host.zone))),
        }
    }

    /// Must this host take part in every meeting? Only a round robin has such hosts.
    fn is_fixed(&self, host: &Host) -> bool {
        self.team_mode == TeamMode::RoundRobin && host.fixed
    }

    /// Append the starts that lie in these windows, whatever is taken when `full` is empty.
    fn lay(
        &self,
        host: &Host,
        windows: &[Interval],
        full: &[Interval],
        budget: &Budget,
        out: &mut Vec<Instant>,
    ) -> Result<(), Exhausted> {
        budget.spend_each(windows.len().saturating_add(full.len()))?;
        let step = self.step(host);
        let free;
        let windows = match self.anchor {
            GridAnchor::FreeWindowStart => {
                free = subtraction(windows, full);
                &free
            }
            GridAnchor::AvailabilityWindowStart | GridAnchor::RangeStart => windows,
        };
        for window in windows {
            let anchor =
                if self.anchor == GridAnchor::RangeStart { self.range.start() } else { window.start() };
            step.starts(anchor, *window, self.range, budget, out)?;
        }
        Ok(())
    }

    /// Windows in which everyone of these is open.
    fn common<'a>(mut hosts: impl Iterator<Item = &'a Host>) -> Option<Vec<Interval>> {
        let first = hosts.next()?.windows.clone();
        Some(hosts.fold(first, |common, host| intersection(&common, &host.windows)))
    }

    /// Every start of the grid, ascending; `laid` restarts it after busy times if that is the anchor.
    fn candidates(
        &self,
        judges: &[Judge<'_>],
        laid: bool,
        budget: &Budget,
    ) -> Result<Vec<Instant>, Exhausted> {
        let mut starts = Vec::new();
        let together = |judges: &mut dyn Iterator<Item = &Judge<'_>>| -> Vec<Interval> {
            if laid { merged(judges.flat_map(|j| j.calendar.full()).collect()) } else { Vec::new() }
        };
        let everyone = self.team_mode == TeamMode::Collective || self.hosts.iter().all(|h| self.is_fixed(h));
        if everyone {
            if let (Some(first), Some(windows)) = (self.hosts.first(), Self::common(self.hosts.iter())) {
                self.lay(first, &windows, &together(&mut judges.iter()), budget, &mut starts)?;
            }
        } else {
            let fixed = Self::common(self.hosts.iter().filter(|h| self.is_fixed(h)));
            let busy_fixed = together(&mut judges.iter().filter(|j| self.is_fixed(j.host)));
            for (host, judge) in self.hosts.iter().zip(judges).filter(|(h, _)| !self.is_fixed(h)) {
                let own;
                let windows = match &fixed {
                    Some(fixed) => {
                        own = intersection(&host.windows, fixed);
                        &own
                    }
                    None => &host.windows,
                };
                let mut full = together(&mut std::iter::once(judge));
                if !busy_fixed.is_empty() {
                    full = merged(full.into_iter().chain(busy_fixed.iter().copied()).collect());
                }
                self.lay(host, windows, &full, budget, &mut starts)?;
            }
        }
        if self.meeting.seats > 1 {
            // A running session keeps its start, wherever the grid is now.
            let length = i64::from(self.meeting.length_minutes).saturating_mul(60_000_000);
            // Whole: one that the end of time cuts is none.
            let inside = |start: &Instant| {
                let when = self.meeting.at(*start);
                self.range.contains(when) && when.end().micros_since(when.start()) == length
            };
            starts.extend(judges.iter().flat_map(|j| j.calendar.joinable()).filter(inside));
        }
        starts.sort_unstable();
        starts.dedup();
        Ok(starts)
    }

    /// Who takes part at this start: everyone who is free, if they are enough.
    fn team_at(
        &self,
        start: Instant,
        judges: &mut [Judge<'_>],
        budget: &Budget,
    ) -> Result<Result<Vec<usize>, Reason>, Exhausted> {
        let mut free = Vec::new();
        for (i, judge) in judges.iter_mut().enumerate() {
            if judge.takes(start, budget)? {
                free.push(i);
            } else if self.team_mode == TeamMode::Collective {
                return Ok(Err(Reason::Team));
            } else if self.is_fixed(judge.host) {
                return Ok(Err(Reason::Fixed));
            }
        }
        Ok(self.enough(&free).map(|()| free))
    }

    /// Are these enough for a meeting? Those without a group are a group of their own.
    fn enough<'a>(&'a self, free: &[usize]) -> Result<(), Reason> {
        if free.is_empty() {
            return Err(Reason::Team);
        }
        if self.team_mode != TeamMode::RoundRobin {
            return Ok(());
        }
        let group = |host: &'a Host| (!host.fixed).then_some(host.group.as_deref());
        let there: BTreeSet<Option<&str>> =
            free.iter().filter_map(|i| self.hosts.get(*i)).filter_map(group).collect();
        let all = self.hosts.iter().filter_map(group).all(|group| there.contains(&group));
        if all { Ok(()) } else { Err(Reason::Group) }
    }

    /// The starts that are offered, ascending, with everyone who could take part.
    ///
    /// # Errors
    /// It takes windows + taken + (starts × hosts) steps of the budget; taken time is sorted once.
    pub fn offers(&self, budget: &Budget) -> Result<Vec<Offer>, Exhausted> {
        if let Some(BookingWindow::RollingWindow { days, count, .. }) = self.booking_window
            && let Some(now) = self.now
        {
            return self.in_free_days(days, count, now, budget);
        }
        self.plain_offers(budget)
    }

    /// Everyone with everything prepared.
    fn judges(&self, budget: &Budget) -> Result<Vec<Judge<'_>>, Exhausted> {
        let judge = |host: &'_ Host| {
            // What is taken is sorted once, and once more for each limit.
            let sorted = self.limits.len().saturating_add(1).saturating_mul(host.taken.len());
            budget.spend_each(sorted.saturating_add(1))
        };
        self.hosts.iter().map(|host| judge(host).map(|()| Judge::new(self, host))).collect()
    }

    fn plain_offers(&self, budget: &Budget) -> Result<Vec<Offer>, Exhausted> {
        let mut judges = self.judges(budget)?;
        let mut offers = Vec::new();
        for start in self.candidates(&judges, true, budget)? {
            let Ok(hosts) = self.team_at(start, &mut judges, budget)? else { continue };
            let left = |host: &usize| {
                let taken = judges.get(*host).and_then(|judge| judge.calendar.seats_taken(start));
                self.meeting.seats.saturating_sub(taken.unwrap_or(0))
            };
            let seats_left = hosts.iter().map(left).max().unwrap_or(0);
            offers.push(Offer { start, hosts, seats_left });
        }
        Ok(offers)
    }

    /// The first so many days that have something free: seen from today, wherever the range begins.
    fn in_free_days(
        &self,
        days: u32,
        count: DayCount,
        now: Instant,
        budget: &Budget,
    ) -> Result<Vec<Offer>, Exhausted> {
        let zone = self
            .booking_window
            .map_or(Zone::UTC, |w| w.zone(self.hosts.first().map_or(Zone::UTC, |host| host.zone)));
        let today = day_start(zone, civil_day(zone, now));
        // Free days are few where much is taken, but nobody looks for them for ever.
        let far = today.plus_seconds(limits::FREE_DAYS_AHEAD_DAYS_MAX.saturating_mul(86_400));
        let Ok(seen) = Interval::new(today.min(self.range.start()), self.range.end().min(far)) else {
            return Ok(Vec::new());
        };
        let wide = Self { range: seen, ..self.clone() };
        let all = wide.plain_offers(budget)?;
        // Nothing before now is offered, so nothing before today.
        let end = last_free_day(days, count, zone, all.iter().map(|offer| offer.start)).min(far);
        if self.anchor == GridAnchor::RangeStart {
            let mut offers = self.plain_offers(budget)?;
            offers.retain(|offer| offer.start < end);
            return Ok(offers);
        }
        let mut offers = all;
        offers.retain(|o| o.start < end && self.range.contains(self.meeting.at(o.start)));
        Ok(offers)
    }

    /// Why is this very time not offered, whatever the grid says? None: it is.
    ///
    /// # Errors
    /// As [`Self::offers`], for one start.
    pub fn refusal(&self, start: Instant, budget: &Budget) -> Result<Why, Exhausted> {
        let mut judges = self.judges(budget)?;
        let Err(reason) = self.team_at(start, &mut judges, budget)? else { return Ok(None) };
        let only = match judges.as_mut_slice() {
            [only] => only.reason(start, budget)?,
            _ => None,
        };
        Ok(Some(only.unwrap_or((reason, None))))
    }

    /// Has this host a running session at this start?
    #[must_use]
    pub fn has_session(&self, host: usize, start: Instant) -> bool {
        let when = self.meeting.at(start);
        let session = |t: &BusyTime| matches!(t.by, BusyKind::Session { .. }) && t.when == when;
        self.hosts.get(host).is_some_and(|host| host.taken.iter().any(session))
    }

    /// Every start of the grid inside regularly open hours that is not offered, by host, with the reason.
    ///
    /// # Errors
    /// It takes starts × (hosts + what is taken) steps of the budget.
    pub fn rejections(&self, offers: &[Offer], budget: &Budget) -> Result<Vec<Rejection>, Exhausted> {
        let mut judges = self.judges(budget)?;
        let offered: BTreeMap<Instant, &Offer> = offers.iter().map(|offer| (offer.start, offer)).collect();
        let mut rejections = Vec::new();
        for (i, host) in self.hosts.iter().enumerate() {
            let mut starts = Vec::new();
            for windows in [&host.windows, &host.unrestricted, &host.regular] {
                self.lay(host, windows, &[], budget, &mut starts)?;
            }
            starts.sort_unstable();
            starts.dedup();
            for start in starts {
                let taking_part = offered.get(&start).is_some_and(|offer| offer.hosts.contains(&i));
                if taking_part {
                    continue;
                }
                let Some(judge) = judges.get_mut(i) else { continue };
                let (reason, by) = if let Some(own) = judge.reason(start, budget)? {
                    own
                } else {
                    judges.iter_mut().for_each(Judge::rewind);
                    let team = self.team_at(start, &mut judges, budget)?.err();
                    judges.iter_mut().for_each(Judge::rewind);
                    let window = self.booking_window.map_or(Reason::Grid, |_| Reason::Window);
                    // Free, and the team is complete: beyond the free days, or between two starts of a moved grid.
                    (team.unwrap_or(window), None)
                };
                rejections.push(Rejection { start, host: i, reason, by });
            }
        }
        rejections.sort_by_key(|r| (r.start, r.host));
        Ok(rejections)
    }
}

/// A start that a host does not offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// The start.
    pub start: Instant,
    /// Position of the host.
    pub host: usize,
    /// Why.
    pub reason: Reason,
    /// What is in the way, if it is a stretch of time.
    pub by: Option<Interval>,
}

#[cfg(test)]
mod tests {
    use super::{super::meeting::Meeting, *};

    fn question(host: Host, range: Interval) -> Question {
        Question {
            now: None,
            range,
            meeting: Meeting {
                length_minutes: 30,
                buffer_before_minutes: 0,
                buffer_after_minutes: 0,
                seats: 3,
            },
            step_minutes: 30,
            offset_minutes: 0,
            anchor: GridAnchor::RangeStart,
            round_up_minutes: None,
            grid_zone: None,
            team_mode: TeamMode::Single,
            notice_minutes: 0,
            limits: Vec::new(),
            booking_window: None,
            hosts: vec![host],
        }
    }

    fn host(open: Interval, taken: Vec<BusyTime>) -> Host {
        let windows = vec![open];
        Host {
            zone: Zone::UTC,
            unrestricted: windows.clone(),
            regular: windows.clone(),
            bounds: Vec::new(),
            windows,
            taken,
            fixed: false,
            group: None,
        }
    }

    fn minutes(from: i64, until: i64) -> Interval {
        let start: Instant = "2027-03-01T09:00:00Z".parse().unwrap();
        Interval::new(start.plus_minutes(from), start.plus_minutes(until)).unwrap()
    }

    fn taken(when: Interval, by: BusyKind) -> BusyTime {
        BusyTime { by, ..BusyTime::of(when) }
    }

    #[test]
    fn seats_that_are_left_are_those_of_the_host_who_has_most() {
        let session = |seats| vec![taken(minutes(0, 30), BusyKind::Session { seats })];
        let mut question = question(host(minutes(0, 60), session(2)), minutes(0, 60));
        question.hosts.push(host(minutes(0, 60), session(1)));
        let offers = question.offers(&Budget::of(1_000)).unwrap();
        let left: Vec<(Vec<usize>, u32)> = offers.into_iter().map(|o| (o.hosts, o.seats_left)).collect();
        assert_eq!(left, [(vec![0, 1], 2), (vec![0, 1], 3)]);
        assert!(question.has_session(1, minutes(0, 30).start()));
        assert!(
            !question.has_session(1, minutes(30, 60).start())
                && !question.has_session(2, minutes(0, 30).start())
        );
    }

    #[test]
    fn a_session_that_the_end_of_time_cuts_cannot_be_joined() {
        let end = Interval::new(Instant::MAX.plus_minutes(-5), Instant::MAX).unwrap();
        let day = Interval::new(Instant::MAX.plus_minutes(-60), Instant::MAX).unwrap();
        let question = question(host(day, vec![taken(end, BusyKind::Session { seats: 1 })]), end);
        assert_eq!(question.offers(&Budget::of(1_000)).unwrap(), []);
    }

    #[test]
    fn free_days_are_not_looked_for_for_ever_wherever_the_grid_begins() {
        let now: Instant = "2027-03-01T09:00:00Z".parse().unwrap();
        let far = now.plus_seconds((limits::FREE_DAYS_AHEAD_DAYS_MAX + 20) * 86_400);
        // Nothing is free before.
        let open = Interval::new(far, far.plus_minutes(90)).unwrap();
        let mut question = question(host(open, Vec::new()), open);
        question.now = Some(now);
        question.booking_window =
            Some(BookingWindow::RollingWindow { days: 3, count: DayCount::Calendar, timezone: None });
        for anchor in [GridAnchor::RangeStart, GridAnchor::AvailabilityWindowStart] {
            question.anchor = anchor;
            assert_eq!(question.offers(&Budget::of(1_000_000)).unwrap(), [], "{anchor:?}");
        }
    }

    #[test]
    fn what_is_busy_explains_more_than_what_is_near() {
        let near = BusyTime { buffer_after_minutes: 15, ..BusyTime::of(minutes(-20, 0)) };
        let busy = BusyTime::of(minutes(10, 20));
        let later = BusyTime::of(minutes(15, 25));
        let question = question(host(minutes(-60, 60), vec![near, busy, later]), minutes(0, 60));
        let why = question.refusal(minutes(0, 30).start(), &Budget::of(1_000)).unwrap();
        assert_eq!(why, Some((Reason::Busy, Some(minutes(10, 20)))));
    }
}
