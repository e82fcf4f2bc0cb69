//! Both ends of time: whatever is asked there is answered or refused within its budget, and what is answered is whole.
//!
//! Each run has the fixed seed and a fresh one, which is printed.

use std::hash::{BuildHasher, Hasher, RandomState};

use chrono::{NaiveDateTime, Weekday};
use proptest::{
    prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof},
    test_runner::{RngAlgorithm, TestCaseError, TestRng, TestRunner},
};

use super::{
    busy::{BusyKind, BusyTime},
    limit::period_of,
    meeting::Meeting,
    question::{Host, Question},
    rules::{BookingWindow, DayCount, GridAnchor, Limit, Period, Quantity, TeamMode},
    windows::{DateOverride, LocalStretch, OpenHours, Travel},
};
use super::{hours::local_of, recurrence::Recurrence};
use crate::{
    budget::{Budget, Exhausted},
    catalog::member::WeeklyHours,
    limits,
    time::{Instant, Interval},
    zone::Zone,
};

/// More than any of these questions takes.
const PLENTY: u64 = 3_000_000;

/// Try so many cases of each seed.
fn hold<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>)
where
    S::Value: std::fmt::Debug,
{
    for seed in [5_545, RandomState::new().build_hasher().finish()] {
        println!("seed {seed}");
        let mut bytes = [0_u8; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        runner.run(&strategy, &test).unwrap();
    }
}

fn same<T: PartialEq + std::fmt::Debug>(left: &T, right: &T) -> Result<(), TestCaseError> {
    if left == right { Ok(()) } else { Err(TestCaseError::fail(format!("{left:?} is not {right:?}"))) }
}

fn is(good: bool, what: &dyn std::fmt::Debug) -> Result<(), TestCaseError> {
    if good { Ok(()) } else { Err(TestCaseError::fail(format!("{what:?}"))) }
}

/// An instant at one of the ends, or a clock change between them.
fn instant() -> impl Strategy<Value = Instant> {
    let micros = prop_oneof![Just(0_i64), 0_i64..=3 * 86_400_000_000, Just(59_999_999)];
    (0_u8..3, micros, any::<bool>()).prop_map(|(end, micros, whole)| {
        let micros = if whole { micros / 60_000_000 * 60_000_000 } else { micros };
        match end {
            0 => Instant::MIN.plus_micros(micros),
            1 => Instant::MAX.plus_micros(-micros),
            _ => "2026-10-24T00:00:00Z".parse::<Instant>().unwrap().plus_micros(micros),
        }
    })
}

/// A stretch that begins there and is cut at the end of time.
fn stretch() -> impl Strategy<Value = Interval> {
    (instant(), 0_u32..8_000).prop_map(|(start, minutes)| Interval::of_minutes(start, minutes))
}

fn zone() -> impl Strategy<Value = Zone> {
    let names = vec![
        "UTC",
        "Pacific/Kiritimati",
        "America/Adak",
        "Pacific/Apia",
        "Australia/Lord_Howe",
        "Europe/Lisbon",
    ];
    prop::sample::select(names).prop_map(|name| name.parse().unwrap())
}

fn local() -> impl Strategy<Value = NaiveDateTime> {
    let far = prop::sample::select(vec![
        "0001-01-01T00:00:00",
        "1969-12-31T23:59:59",
        "2200-01-01T00:00:00",
        "9999-12-31T23:59:59",
        "-262143-01-01T00:00:00",
        "+262142-12-31T23:59:59",
    ]);
    prop_oneof![
        4 => (instant(), zone()).prop_map(|(at, zone)| local_of(zone, at)),
        1 => far.prop_map(|text| text.parse().unwrap()),
    ]
}

fn hours() -> impl Strategy<Value = OpenHours> {
    let days = || prop::collection::vec(local().prop_map(|at| at.date()), 0..4);
    let travel = prop::collection::vec((local(), local(), any::<bool>(), zone()), 0..3);
    (zone(), 0_u32..24, days(), days(), travel).prop_map(|(zone, from, closed, differs, travel)| {
        let every = [0, 1, 2, 3, 4, 5, 6].map(|day| Weekday::try_from(day).unwrap()).to_vec();
        let start = chrono::NaiveTime::from_hms_opt(from, 0, 0).unwrap();
        let stretch = LocalStretch { start, end: None };
        let travel = travel.into_iter().map(|(from, to, open, zone)| Travel {
            from: from.date(),
            to: (!open).then(|| to.date()),
            zone,
        });
        OpenHours {
            zone,
            weekly: vec![WeeklyHours { weekdays: every, start, end: None }],
            overrides: differs
                .into_iter()
                .map(|date| DateOverride { date, intervals: vec![stretch] })
                .collect(),
            closed,
            travel: travel.collect(),
        }
    })
}

fn taken() -> impl Strategy<Value = BusyTime> {
    let by =
        prop_oneof![Just(BusyKind::Busy), Just(BusyKind::Session { seats: 1 }), Just(BusyKind::SeatHold)];
    (stretch(), 0..=limits::BUFFER_MINUTES_MAX, 0..=limits::BUFFER_MINUTES_MAX, by, any::<bool>()).prop_map(
        |(when, buffer_before_minutes, buffer_after_minutes, by, counts)| BusyTime {
            when,
            buffer_before_minutes,
            buffer_after_minutes,
            by,
            counts,
        },
    )
}

fn window() -> impl Strategy<Value = Option<BookingWindow>> {
    let count = || prop_oneof![Just(DayCount::Calendar), Just(DayCount::Business)];
    let days = || 0..=limits::BOOKING_WINDOW_DAYS_MAX;
    let timezone = None;
    prop_oneof![
        Just(None),
        (days(), count()).prop_map(move |(days, count)| Some(BookingWindow::Rolling {
            days,
            count,
            timezone
        })),
        (days(), count()).prop_map(move |(days, count)| Some(BookingWindow::RollingWindow {
            days,
            count,
            timezone
        })),
        (local(), local()).prop_map(move |(from, to)| {
            Some(BookingWindow::Range { from: from.date(), to: to.date(), timezone })
        }),
    ]
}

fn limits_of() -> impl Strategy<Value = Vec<Limit>> {
    let per = prop_oneof![Just(Period::Day), Just(Period::Week), Just(Period::Month), Just(Period::Year)];
    let limit = (per, 1_u32..4, any::<bool>(), zone()).prop_map(|(per, n, bookings, zone)| Limit {
        per,
        most: if bookings { Quantity::MaxBookings(n) } else { Quantity::MaxMinutes(n * 600) },
        timezone: Some(zone),
        week_start: Weekday::Sun,
    });
    prop::collection::vec(limit, 0..3)
}

fn question() -> impl Strategy<Value = Question> {
    let anchor = prop_oneof![
        Just(GridAnchor::FreeWindowStart),
        Just(GridAnchor::AvailabilityWindowStart),
        Just(GridAnchor::RangeStart)
    ];
    let team = prop_oneof![Just(TeamMode::Single), Just(TeamMode::Collective), Just(TeamMode::RoundRobin)];
    let meeting = (1..=limits::MEETING_MINUTES_MAX, 0_u32..1_440, 0_u32..1_440, 1_u32..3);
    let grid = (30_u32..1_440, 0_u32..1_440, prop_oneof![Just(None), (1_u32..90).prop_map(Some)], anchor);
    let host = (hours(), prop::collection::vec(taken(), 0..4), any::<bool>());
    let when = (prop_oneof![Just(None), instant().prop_map(Some)], stretch(), 0..=limits::NOTICE_MINUTES_MAX);
    (when, meeting, grid, team, limits_of(), window(), prop::collection::vec(host, 1..3)).prop_map(
        |((now, range, notice_minutes), meeting, grid, team_mode, limits, booking_window, hosts)| {
            let (length_minutes, buffer_before_minutes, buffer_after_minutes, seats) = meeting;
            let (step_minutes, offset_minutes, round_up_minutes, anchor) = grid;
            let host = |(hours, taken, fixed): (OpenHours, Vec<BusyTime>, bool)| {
                let windows = hours.windows(range, &Budget::of(PLENTY)).unwrap();
                Host {
                    zone: hours.zone,
                    unrestricted: windows.clone(),
                    regular: hours.regular().windows(range, &Budget::of(PLENTY)).unwrap(),
                    windows,
                    bounds: Vec::new(),
                    taken,
                    fixed,
                    group: None,
                }
            };
            Question {
                now,
                range,
                meeting: Meeting { length_minutes, buffer_before_minutes, buffer_after_minutes, seats },
                step_minutes,
                offset_minutes,
                anchor,
                round_up_minutes,
                grid_zone: None,
                team_mode,
                notice_minutes,
                limits,
                booking_window,
                hosts: hosts.into_iter().map(host).collect(),
            }
        },
    )
}

#[test]
fn slots_at_both_ends_of_time_are_whole_and_cost_what_they_are() {
    hold(150, (question(), 0_u64..3_000), |(question, few)| {
        let budget = Budget::of(PLENTY);
        let offers = question.offers(&budget).map_err(|e| TestCaseError::fail(e.to_string()))?;
        is(offers.is_sorted_by(|a, b| a.start < b.start), &offers)?;
        let length = i64::from(question.meeting.length_minutes) * 60_000_000;
        for offer in &offers {
            let end = offer.start.micros() + length;
            // Not cut by the end of time.
            is(question.range.start() <= offer.start && end <= question.range.end().micros(), offer)?;
        }
        let rejections = question.rejections(&offers, &budget);
        is(rejections.is_ok(), &rejections)?;
        // With fewer steps the same, or nothing at all.
        match question.offers(&Budget::of(few)) {
            Ok(cheap) => same(&cheap, &offers),
            Err(exhausted) => same(&exhausted, &Exhausted::Steps),
        }
    });
}

#[test]
fn windows_at_both_ends_of_time_lie_in_what_is_asked_for() {
    hold(150, (hours(), stretch(), 0_u64..200), |(hours, range, few)| {
        let budget = Budget::of(PLENTY);
        let windows = hours.windows(range, &budget).map_err(|e| TestCaseError::fail(e.to_string()))?;
        is(windows.iter().all(|window| range.contains(*window) && !window.is_empty()), &windows)?;
        // Days, and what is looked at for each.
        let days = u64::try_from(range.end().micros_since(range.start()) / 86_400_000_000).unwrap() + 8;
        is(PLENTY - budget.left() <= days * 12, &(PLENTY - budget.left()))?;
        match hours.windows(range, &Budget::of(few)) {
            Ok(cheap) => same(&cheap, &windows),
            Err(exhausted) => same(&exhausted, &Exhausted::Steps),
        }
    });
}

#[test]
fn rules_at_both_ends_of_time_come_inside_or_not_at_all() {
    let part = prop::sample::select(vec![
        "INTERVAL=7",
        "INTERVAL=65535",
        "COUNT=3",
        "COUNT=4294967295",
        "UNTIL=19700102",
        "UNTIL=99991231T235959Z",
        "UNTIL=00010101",
        "BYDAY=MO,-1FR",
        "BYDAY=2TU",
        "BYMONTH=2",
        "BYMONTH=1,12",
        "BYMONTHDAY=-1,31",
        "BYMONTHDAY=30",
        "BYYEARDAY=366,-1",
        "BYWEEKNO=53",
        "BYWEEKNO=1,-1",
        "BYHOUR=0,23",
        "BYMINUTE=59",
        "BYSECOND=0,59",
        "BYSETPOS=-1,1",
        "WKST=SU",
    ]);
    let freq = prop::sample::select(vec!["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"]);
    let rule = (freq, prop::collection::vec(part, 0..4), local(), zone());
    hold(200, (rule, stretch(), 0_u64..3_000), |((freq, parts, dtstart, zone), within, few)| {
        let rule = std::iter::once(format!("FREQ={freq}")).chain(parts.into_iter().map(str::to_owned));
        let recurrence = Recurrence {
            dtstart,
            zone: Some(zone),
            rule: Some(rule.collect::<Vec<_>>().join(";")),
            exdates: vec![dtstart],
            rdates: vec![dtstart],
        };
        let Ok(stored) = recurrence.stored() else { return Ok(()) };
        if recurrence.checked().is_ok() {
            // Answered or refused; with its own bound on steps.
            let _ = stored.keepable();
        }
        let budget = Budget::of(PLENTY);
        let Ok(found) = stored.occurrences(within, usize::MAX, &budget) else {
            // Only who counts has to go all the way from a first time that may be long ago.
            return is(recurrence.rule.as_ref().is_some_and(|rule| rule.contains("COUNT")), &recurrence);
        };
        is(found.is_sorted_by(|a, b| a < b), &found)?;
        is(found.iter().all(|at| *at >= within.start() && *at < within.end()), &found)?;
        match stored.occurrences(within, usize::MAX, &Budget::of(few)) {
            Ok(cheap) => same(&cheap, &found),
            Err(exhausted) => same(&exhausted, &Exhausted::Steps),
        }
    });
}

#[test]
fn what_is_kept_is_cheap_to_follow_anywhere() {
    let part = prop::sample::select(vec![
        "INTERVAL=3",
        "COUNT=300",
        "BYDAY=MO,TU,WE,TH,FR",
        "BYDAY=-1FR",
        "BYMONTH=2,3",
        "BYMONTHDAY=29,30,31",
        "BYYEARDAY=366",
        "BYWEEKNO=53",
        "BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23",
        "BYMINUTE=0,15,30,45",
        "BYSETPOS=-1",
    ]);
    let freq = prop::sample::select(vec!["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"]);
    hold(
        200,
        (freq, prop::collection::vec(part, 0..4), instant(), instant()),
        |(freq, parts, first, month)| {
            let rule = std::iter::once(format!("FREQ={freq}")).chain(parts.into_iter().map(str::to_owned));
            let recurrence = Recurrence {
                dtstart: local_of(Zone::UTC, first),
                zone: None,
                rule: Some(rule.collect::<Vec<_>>().join(";")),
                exdates: Vec::new(),
                rdates: Vec::new(),
            };
            let Ok(kept) = recurrence.checked().and_then(|checked| checked.keepable().map(|()| checked))
            else {
                return Ok(());
            };
            let budget = Budget::of(PLENTY);
            let found = kept.occurrences(Interval::of_minutes(month, 44_640), usize::MAX, &budget);
            let month =
                34 * (3 + 24 * 5 + u64::try_from(limits::RULE_OCCURRENCES_PER_DAY_MAX).unwrap()) + 800;
            is(
                found.is_ok() && PLENTY - budget.left() <= limits::RULE_COUNT_STEPS_MAX + month,
                &(PLENTY - budget.left()),
            )
        },
    );
}

#[test]
fn periods_at_both_ends_of_time_hold_their_instant() {
    let per = prop_oneof![Just(Period::Day), Just(Period::Week), Just(Period::Month), Just(Period::Year)];
    hold(300, (per, zone(), instant()), |(per, zone, at)| {
        let period = period_of(per, zone, Weekday::Mon, at);
        is(period.start() <= at && (at < period.end() || period.end() == Instant::MAX), &period)
    });
}
