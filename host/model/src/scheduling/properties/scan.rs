//! What is offered, found by looking at every start and every host by itself: slow, and as the rules are written.

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike, Weekday};

use super::{
    super::{
        busy::{BusyKind, BusyTime},
        hours::{civil_day, day_start, local_of},
        question::{Host, Question},
        rule::{Override, Stretch},
        rules::{BookingWindow, DayCount, GridAnchor, Quantity, TeamMode},
        schedule::Schedule,
        slots::Offer,
    },
    UNITS, at,
};
use crate::{
    intervals::merged,
    time::{Instant, Interval},
    zone::Zone,
};

/// Can this host take this start? Every rule of SCHEDULING section 2 as it is written there.
fn free(question: &Question, host: &Host, start: Instant) -> bool {
    let meeting = &question.meeting;
    let when = meeting.at(start);
    if !host.windows.iter().any(|w| w.contains(when)) {
        return false;
    }
    if question.now.is_some_and(|now| start < now.plus_minutes(i64::from(question.notice_minutes))) {
        return false;
    }
    if !is_within_window(question, host, start) {
        return false;
    }
    let mut seats = 0;
    for taken in host.taken.iter().filter(|t| !t.when.is_empty()) {
        let takes = match taken.by {
            BusyKind::Session { seats } => seats,
            BusyKind::SeatHold => 1,
            BusyKind::Busy | BusyKind::Hold => 0,
        };
        if takes > 0 && taken.when == when {
            seats += takes;
            continue;
        }
        let theirs = taken.when.widened(taken.buffer_before_minutes, taken.buffer_after_minutes);
        let ours = when.widened(meeting.buffer_before_minutes, meeting.buffer_after_minutes);
        // What is widened on both sides overlaps when the buffers add up to more than the gap.
        if theirs.start() < ours.end() && ours.start() < theirs.end() {
            return false;
        }
    }
    if seats >= meeting.seats {
        return false;
    }
    question.limits.iter().all(|limit| {
        let day = civil_day(host.zone, start);
        let counted = host
            .taken
            .iter()
            .filter(|t| t.counts && !t.when.is_empty() && civil_day(host.zone, t.when.start()) == day);
        match limit.most {
            Quantity::MaxBookings(most) => counted.count() < most as usize,
            Quantity::MaxMinutes(most) => {
                let minutes: i64 =
                    counted.map(|t| t.when.end().micros_since(t.when.start()) / 60_000_000).sum();
                minutes + i64::from(meeting.length_minutes) <= i64::from(most)
            }
        }
    })
}

/// Is the start's day one that can be booked? Free days are looked at apart.
fn is_within_window(question: &Question, host: &Host, start: Instant) -> bool {
    match (question.booking_window, question.now) {
        (Some(BookingWindow::Rolling { days, count, timezone }), Some(now)) => {
            let zone = timezone.unwrap_or(host.zone);
            let (today, day) = (civil_day(zone, now), civil_day(zone, start));
            let ahead = today.iter_days().skip(1).take_while(|next| *next <= day);
            // Days that do not count come with the one before them, the last one's not any more.
            let counted = ahead.filter(|next| count == DayCount::Calendar || is_business(*next)).count();
            let is_last = counted == days as usize && count == DayCount::Business && !is_business(day);
            day <= today || (counted <= days as usize && !is_last)
        }
        (Some(BookingWindow::Range { from, to, timezone }), _) => {
            (from..=to).contains(&civil_day(timezone.unwrap_or(host.zone), start))
        }
        _ => true,
    }
}

fn is_business(day: NaiveDate) -> bool {
    !matches!(chrono::Datelike::weekday(&day), Weekday::Sat | Weekday::Sun)
}

/// What this host has left for others at a start that they offer.
fn seats_left(question: &Question, host: &Host, start: Instant) -> u32 {
    let when = question.meeting.at(start);
    let taken = host.taken.iter().filter(|t| t.when == when && !t.when.is_empty()).map(|t| match t.by {
        BusyKind::Session { seats } => seats,
        BusyKind::SeatHold => 1,
        BusyKind::Busy | BusyKind::Hold => 0,
    });
    question.meeting.seats - taken.sum::<u32>()
}

/// Every offer that the rules allow, each start and each host by itself.
fn scanned(question: &Question) -> Vec<Offer> {
    let starts = (0..UNITS).map(at);
    let inside = starts
        .filter(|start| question.range.contains(question.meeting.at(*start)) && on_grid(question, *start));
    inside
        .filter_map(|start| {
            let hosts = team(question, start)?;
            let left = hosts.iter().map(|i| seats_left(question, &question.hosts[*i], start)).max();
            Some(Offer { start, seats_left: left.unwrap(), hosts })
        })
        .collect()
}

/// The same, with the days that have something free counted from today.
pub(super) fn expected(question: &Question) -> Vec<Offer> {
    let (Some(BookingWindow::RollingWindow { days, count, timezone }), Some(now)) =
        (question.booking_window, question.now)
    else {
        return scanned(question);
    };
    let zone = timezone.unwrap_or(question.hosts[0].zone);
    let midnight = day_start(zone, civil_day(zone, now));
    let mut wide = question.clone();
    wide.range = Interval::new(midnight.min(question.range.start()), question.range.end()).unwrap();
    let all = scanned(&wide);
    let mut free: Vec<NaiveDate> =
        all.iter().filter(|o| o.start >= midnight).map(|o| civil_day(zone, o.start)).collect();
    free.retain(|day| count == DayCount::Calendar || is_business(*day));
    free.dedup();
    let last = free.get((days as usize).wrapping_sub(1)).copied();
    let within = |offer: &Offer| match last {
        Some(last) => civil_day(zone, offer.start) <= last,
        None => days > 0,
    };
    // A grid that begins with the range begins with the one that was asked for.
    let offers = if question.anchor == GridAnchor::RangeStart { scanned(question) } else { all };
    let inside = |offer: &Offer| question.range.contains(question.meeting.at(offer.start));
    offers.into_iter().filter(|offer| within(offer) && inside(offer)).collect()
}

/// The first start of a grid that begins here, for this host.
fn first_start(question: &Question, host: &Host, anchor: Instant) -> Instant {
    let is_round = |at: &Instant| {
        question.round_up_minutes.is_none_or(|minutes| {
            let local = local_of(question.grid_zone.unwrap_or(host.zone), *at);
            local.minute().is_multiple_of(minutes) && local.second() == 0
        })
    };
    let mut minutes = (0..120).map(|minute| anchor.plus_minutes(minute));
    minutes.find(is_round).unwrap().plus_minutes(i64::from(question.offset_minutes))
}

/// What a new session cannot lie in, buffers of both sides included; what can still be joined is none.
fn full(question: &Question, host: &Host) -> Vec<Interval> {
    let meeting = &question.meeting;
    let taken = host.taken.iter().filter(|t| !t.when.is_empty());
    let is_full = |t: &&BusyTime| {
        let same = host.taken.iter().filter(|other| other.when == t.when);
        let seats = |other: &BusyTime| match other.by {
            BusyKind::Session { seats } => seats,
            BusyKind::SeatHold => 1,
            BusyKind::Busy | BusyKind::Hold => 0,
        };
        matches!(t.by, BusyKind::Busy | BusyKind::Hold) || same.map(seats).sum::<u32>() >= meeting.seats
    };
    let padded = |t: &BusyTime| {
        let before = t.buffer_before_minutes + meeting.buffer_after_minutes;
        t.when.widened(before, t.buffer_after_minutes + meeting.buffer_before_minutes)
    };
    merged(taken.filter(is_full).map(padded).collect())
}

/// Who takes part, if they are enough.
fn team(question: &Question, start: Instant) -> Option<Vec<usize>> {
    let hosts = &question.hosts;
    let free: Vec<usize> = (0..hosts.len()).filter(|i| free(question, &hosts[*i], start)).collect();
    let enough = match question.team_mode {
        TeamMode::Collective => free.len() == hosts.len(),
        TeamMode::Single => !free.is_empty(),
        TeamMode::RoundRobin => {
            let fixed = hosts.iter().enumerate().filter(|(_, h)| h.fixed).all(|(i, _)| free.contains(&i));
            let group = |h: &Host| {
                hosts
                    .iter()
                    .enumerate()
                    .any(|(i, other)| !other.fixed && other.group == h.group && free.contains(&i))
            };
            let groups =
                question.team_mode == TeamMode::Single || hosts.iter().filter(|h| !h.fixed).all(group);
            fixed && groups && !free.is_empty()
        }
    };
    enough.then_some(free)
}

/// Is this a start of the grid: a whole number of steps after the anchor of a window that holds it, or of a session that can be joined?
fn on_grid(question: &Question, start: Instant) -> bool {
    let hosts = &question.hosts;
    let common = |hosts: &mut dyn Iterator<Item = &Host>| {
        let mut all: Option<Vec<Interval>> = None;
        for host in hosts {
            all =
                Some(all.map_or(host.windows.clone(), |a| crate::intervals::intersection(&a, &host.windows)));
        }
        all
    };
    let steps = |host: &Host, windows: Vec<Interval>, taken: Vec<Interval>| {
        let windows = match question.anchor {
            GridAnchor::FreeWindowStart => crate::intervals::subtraction(&windows, &merged(taken)),
            GridAnchor::AvailabilityWindowStart | GridAnchor::RangeStart => windows,
        };
        windows.iter().any(|w| {
            let is_range = question.anchor == GridAnchor::RangeStart;
            let anchor = if is_range { question.range.start() } else { w.start() };
            let past = start.micros_since(first_start(question, host, anchor));
            w.contains(question.meeting.at(start))
                && past >= 0
                && past % (i64::from(question.step_minutes) * 60_000_000) == 0
        })
    };
    let all_full = |hosts: &mut dyn Iterator<Item = &Host>| -> Vec<Interval> {
        hosts.flat_map(|h| full(question, h)).collect()
    };
    let is_fixed = |h: &Host| question.team_mode == TeamMode::RoundRobin && h.fixed;
    let everyone = question.team_mode == TeamMode::Collective || hosts.iter().all(is_fixed);
    let laid = if everyone {
        steps(&hosts[0], common(&mut hosts.iter()).unwrap(), all_full(&mut hosts.iter()))
    } else {
        let fixed = common(&mut hosts.iter().filter(|h| is_fixed(h)));
        hosts.iter().filter(|h| !is_fixed(h)).any(|h| {
            let own =
                fixed.as_ref().map_or(h.windows.clone(), |f| crate::intervals::intersection(f, &h.windows));
            let with_fixed = hosts.iter().filter(|other| is_fixed(other)).chain(std::iter::once(h));
            steps(h, own, all_full(&mut { with_fixed }))
        })
    };
    let joins = |h: &Host| {
        let when = question.meeting.at(start);
        let session = h.taken.iter().filter(|t| t.when == when).filter_map(|t| match t.by {
            BusyKind::Session { seats } => Some(seats),
            BusyKind::SeatHold => Some(1),
            BusyKind::Busy | BusyKind::Hold => None,
        });
        let seats: Vec<u32> = session.collect();
        question.meeting.seats > 1 && !seats.is_empty() && seats.iter().sum::<u32>() < question.meeting.seats
    };
    laid || hosts.iter().any(joins)
}

/// Does a schedule open this instant, on this clock unless it names one? By what that clock shows.
pub(super) fn opens(schedule: &Schedule, own: Zone, at: Instant) -> bool {
    let shown = local_of(schedule.time_zone.unwrap_or(own), at);
    let within = |start: NaiveTime, end: Option<NaiveTime>| {
        start <= shown.time() && end.is_none_or(|end| shown.time() < end)
    };
    let mut days = schedule.overrides.iter().filter(|day| day.date == shown.date()).peekable();
    if days.peek().is_some() {
        return days.flat_map(|day| &day.intervals).any(|stretch| within(stretch.start, stretch.end));
    }
    let mut hours = schedule.weekly_hours.iter().filter(|hours| hours.weekdays.contains(&shown.weekday()));
    hours.any(|hours| within(hours.start, hours.end))
}

/// Is somebody open who keeps a schedule and has days of their own, on their own clock?
pub(super) fn keeps(schedule: &Schedule, days: &[Override], own: Zone, at: Instant) -> bool {
    let mine = local_of(own, at);
    let within =
        |stretch: &Stretch| stretch.start <= mine.time() && stretch.end.is_none_or(|end| mine.time() < end);
    let of_own = days.iter().filter(|day| day.date == mine.date()).flat_map(|day| &day.intervals).any(within);
    let date = local_of(schedule.time_zone.unwrap_or(own), at).date();
    of_own || (days.iter().all(|day| day.date != date) && opens(schedule, own, at))
}
