//! Properties of the whole, against a scan of every minute.

use chrono::{NaiveDate, Timelike, Weekday};
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::hours::{civil_day, instant_of, local_of};
use super::{
    busy::{Taken, TakenBy},
    meeting::Meeting,
    question::{Host, Question},
    rules::{GridAnchor, Limit, Period, Quantity, TeamMode},
    windows::OpenHours,
};
use crate::{
    budget::Budget,
    catalog::member::WeeklyHours,
    intervals::merged,
    time::{Instant, Interval},
    zone::Zone,
};

/// Five-minute steps of two days: small enough to scan, large enough for two civil days.
const UNIT: i64 = 5;
const UNITS: i64 = 576;
/// Their beginning, 2000-01-01, in seconds.
const BASE: i64 = 946_684_800;

fn plenty() -> Budget {
    Budget::of(1_000_000)
}

fn at(unit: i64) -> Instant {
    Instant::from_seconds(BASE + unit * UNIT * 60)
}
fn span(start: i64, length: i64) -> Interval {
    Interval::new(at(start), at(start + length)).unwrap()
}

fn taken() -> impl Strategy<Value = Taken> {
    let by = prop_oneof![
        3 => Just(TakenBy::Busy),
        2 => (1_u32..4).prop_map(|seats| TakenBy::Session { seats }),
        1 => Just(TakenBy::Hold),
        1 => Just(TakenBy::SeatHold),
    ];
    (0..UNITS, 0_i64..20, 0_u32..4, 0_u32..4, by, any::<bool>()).prop_map(
        |(start, length, before, after, by, counts)| Taken {
            when: span(start, length),
            buffer_before_minutes: before * 5,
            buffer_after_minutes: after * 5,
            by,
            counts,
        },
    )
}

fn host() -> impl Strategy<Value = Host> {
    let windows = prop::collection::vec((0..UNITS, 1_i64..120), 0..4);
    let group = prop_oneof![Just(None), Just(Some("x".to_owned())), Just(Some("y".to_owned()))];
    (windows, prop::collection::vec(taken(), 0..6), prop::bool::weighted(0.2), group).prop_map(
        |(windows, taken, fixed, group)| {
            let windows = merged(windows.into_iter().map(|(start, length)| span(start, length)).collect());
            Host {
                zone: Zone::UTC,
                unrestricted: windows.clone(),
                regular: windows.clone(),
                windows,
                taken,
                fixed,
                group,
            }
        },
    )
}

fn question() -> impl Strategy<Value = Question> {
    let meeting =
        (1_u32..12, 0_u32..4, 0_u32..4, 1_u32..4).prop_map(|(length, before, after, seats)| Meeting {
            length_minutes: length * 5,
            buffer_before_minutes: before * 5,
            buffer_after_minutes: after * 5,
            seats,
        });
    let mode = prop_oneof![Just(TeamMode::Single), Just(TeamMode::Collective), Just(TeamMode::RoundRobin)];
    let limits = prop::collection::vec((1_u32..4, any::<bool>()), 0..2).prop_map(|limits| {
        let limit = |(most, minutes)| Limit {
            per: Period::Day,
            most: if minutes { Quantity::MaxMinutes(most * 60) } else { Quantity::MaxBookings(most) },
            timezone: None,
            week_start: Weekday::Mon,
        };
        limits.into_iter().map(limit).collect()
    });
    let now = prop_oneof![Just(None), (0..UNITS).prop_map(|unit| Some(at(unit)))];
    (meeting, mode, limits, now, 1_u32..8, 0_u32..24, prop::collection::vec(host(), 1..4)).prop_map(
        |(meeting, team_mode, limits, now, step, notice, hosts)| Question {
            now,
            range: span(0, UNITS),
            meeting,
            step_minutes: step * 5,
            offset_minutes: 0,
            anchor: GridAnchor::AvailabilityWindowStart,
            round_up_minutes: None,
            grid_zone: None,
            team_mode,
            notice_minutes: notice * 5,
            limits,
            booking_window: None,
            hosts,
        },
    )
}

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
    let mut seats = 0;
    for taken in host.taken.iter().filter(|t| !t.when.is_empty()) {
        let takes = match taken.by {
            TakenBy::Session { seats } => seats,
            TakenBy::SeatHold => 1,
            TakenBy::Busy | TakenBy::Hold => 0,
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
        let day = civil_day(Zone::UTC, start);
        let counted = host
            .taken
            .iter()
            .filter(|t| t.counts && !t.when.is_empty() && civil_day(Zone::UTC, t.when.start()) == day);
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

/// Is this a start of the grid: a whole number of steps after the opening of a window that holds it, or of a session that can be joined?
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
    let steps = |windows: &[Interval]| {
        windows.iter().any(|w| {
            w.contains(question.meeting.at(start))
                && start.micros_since(w.start()) % (i64::from(question.step_minutes) * 60_000_000) == 0
        })
    };
    let is_fixed = |h: &Host| question.team_mode == TeamMode::RoundRobin && h.fixed;
    let everyone = question.team_mode == TeamMode::Collective || hosts.iter().all(is_fixed);
    let laid = if everyone {
        steps(&common(&mut hosts.iter()).unwrap())
    } else {
        let fixed = common(&mut hosts.iter().filter(|h| is_fixed(h)));
        hosts.iter().filter(|h| !is_fixed(h)).any(|h| {
            steps(
                &fixed.as_ref().map_or(h.windows.clone(), |f| crate::intervals::intersection(f, &h.windows)),
            )
        })
    };
    let joins = |h: &Host| {
        let when = question.meeting.at(start);
        let session = h.taken.iter().filter(|t| t.when == when).filter_map(|t| match t.by {
            TakenBy::Session { seats } => Some(seats),
            TakenBy::SeatHold => Some(1),
            TakenBy::Busy | TakenBy::Hold => None,
        });
        let seats: Vec<u32> = session.collect();
        question.meeting.seats > 1 && !seats.is_empty() && seats.iter().sum::<u32>() < question.meeting.seats
    };
    laid || hosts.iter().any(joins)
}

proptest! {
    #[test]
    fn offers_are_what_a_scan_of_every_minute_finds(question in question()) {
        let found: Vec<(Instant, Vec<usize>)> = question.offers(&plenty()).unwrap().into_iter().map(|o| (o.start, o.hosts)).collect();
        let expected: Vec<(Instant, Vec<usize>)> = (0..UNITS)
            .map(at)
            .filter(|start| question.range.contains(question.meeting.at(*start)) && on_grid(&question, *start))
            .filter_map(|start| team(&question, start).map(|hosts| (start, hosts)))
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn every_offer_passes_the_check_and_every_rejection_has_its_reason(question in question()) {
        let offers = question.offers(&plenty()).unwrap();
        for offer in &offers {
            prop_assert_eq!(question.refusal(offer.start, &plenty()).unwrap(), None);
            prop_assert!(offer.seats_left >= 1);
        }
        for rejection in question.rejections(&offers, &plenty()).unwrap() {
            let offered = offers.iter().find(|o| o.start == rejection.start);
            prop_assert!(offered.is_none_or(|o| !o.hosts.contains(&rejection.host)));
        }
    }

    #[test]
    fn a_busy_time_never_adds_a_slot(question in question(), start in 0..UNITS, length in 1_i64..40) {
        let before: Vec<Instant> = question.offers(&plenty()).unwrap().into_iter().map(|o| o.start).collect();
        let mut busier = question;
        busier.hosts[0].taken.push(Taken::busy(span(start, length)));
        for offer in busier.offers(&plenty()).unwrap() {
            prop_assert!(before.contains(&offer.start));
        }
    }

    #[test]
    fn moving_everything_moves_the_slots(question in question(), days in -400_i64..400) {
        let far = days * 86_400;
        let later = |i: Interval| Interval::new(i.start().plus_seconds(far), i.end().plus_seconds(far)).unwrap();
        let mut moved = question.clone();
        moved.range = later(moved.range);
        moved.now = moved.now.map(|now| now.plus_seconds(far));
        for host in &mut moved.hosts {
            for windows in [&mut host.windows, &mut host.unrestricted, &mut host.regular] {
                for w in windows.iter_mut() {
 *w = later(*w);
}
            }
            host.taken.iter_mut().for_each(|t| t.when = later(t.when));
        }
        let expected: Vec<Instant> = question.offers(&plenty()).unwrap().into_iter().map(|o| o.start.plus_seconds(far)).collect();
        prop_assert_eq!(moved.offers(&plenty()).unwrap().into_iter().map(|o| o.start).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn hours_keep_their_wall_clock_in_every_zone(
        zone in prop::sample::select(ZONES), day in 0_u64..7_000, start in 0_u32..1_380, length in 30_u32..600,
    ) {
        let zone: Zone = zone.parse().unwrap();
        let date = NaiveDate::from_ymd_opt(2011, 1, 1).unwrap() + chrono::Days::new(day);
        let time = |minute: u32| chrono::NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap();
        let end = start + length;
        let rule = WeeklyHours {
            weekdays: vec![chrono::Datelike::weekday(&date)],
            start: time(start),
            end: (end < 1_440).then(|| time(end)),
        };
        let noon = instant_of(zone, date.and_time(time(720)));
        let week = Interval::new(noon.plus_seconds(-3 * 86_400), noon.plus_seconds(3 * 86_400)).unwrap();
        let windows = OpenHours::weekly(zone, vec![rule.clone()]).windows(week, &plenty()).unwrap();
        prop_assert!(windows.len() <= 1);
        let skipped = local_of(zone, noon).date() != date;
        prop_assert!(windows.is_empty() == skipped || length <= 120, "only a skipped day or a gap closes it");
        for window in windows {
            let shown = local_of(zone, window.start());
            let gap = instant_of(zone, date.and_time(rule.start)).micros_since(window.start());
            prop_assert_eq!(gap, 0);
            // The clock shows the rule's time, or a later one when that time does not exist.
            prop_assert!(shown.date() == date && shown.num_seconds_from_midnight() >= start * 60);
            let lasted = window.end().micros_since(window.start()) / 60_000_000;
            let wanted = i64::from(if end < 1_440 { length } else { 1_440 - start });
            prop_assert!((lasted - wanted).abs() <= 120, "{lasted} minutes instead of {wanted}");
        }
    }
}

/// Odd offsets, half-hour steps, skipped days, winter time that is "summer" (Casablanca's Ramadan), both hemispheres.
const ZONES: &[&str] = &[
    "Europe/Lisbon",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Asia/Gaza",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Antarctica/Troll",
    "UTC",
];
