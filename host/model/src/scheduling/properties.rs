//! Properties of the whole, against a scan of every minute.

use chrono::{NaiveDate, Timelike, Weekday};
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::hours::{civil_day, instant_of, local_of};
use super::{
    busy::{BusyKind, BusyTime},
    meeting::Meeting,
    question::{Host, Question},
    rule::{Override, Stretch},
    rules::{BookingWindow, DayCount, GridAnchor, Limit, Period, Quantity, TeamMode},
    schedule::{Schedule, bounded, days as schedule_days},
    windows::OpenHours,
};
use crate::{
    budget::Budget,
    catalog::member::WeeklyHours,
    intervals::merged,
    time::{Instant, Interval},
    zone::Zone,
};

mod scan;

use scan::expected;

/// Five-minute steps of two days: small enough to scan, large enough for two civil days.
const UNIT: i64 = 5;
const UNITS: i64 = 576;
/// Their beginning, 2026-03-28, in seconds: in between, clocks in Europe change, and a weekend is over.
const BASE: i64 = 1_774_656_000;

fn plenty() -> Budget {
    Budget::of(1_000_000)
}

fn at(unit: i64) -> Instant {
    Instant::from_seconds(BASE + unit * UNIT * 60)
}
fn span(start: i64, length: i64) -> Interval {
    Interval::new(at(start), at(start + length)).unwrap()
}

fn taken() -> impl Strategy<Value = BusyTime> {
    let by = prop_oneof![
        3 => Just(BusyKind::Busy),
        2 => (1_u32..4).prop_map(|seats| BusyKind::Session { seats }),
        1 => Just(BusyKind::Hold),
        1 => Just(BusyKind::SeatHold),
    ];
    (0..UNITS, 0_i64..20, 0_u32..4, 0_u32..4, by, any::<bool>()).prop_map(
        |(start, length, before, after, by, counts)| BusyTime {
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
    let zone = prop::sample::select(ZONES).prop_map(|name| name.parse::<Zone>().unwrap());
    let group = prop_oneof![Just(None), Just(Some("x".to_owned())), Just(Some("y".to_owned()))];
    (zone, windows, prop::collection::vec(taken(), 0..6), prop::bool::weighted(0.2), group).prop_map(
        |(zone, windows, taken, fixed, group)| {
            let windows = merged(windows.into_iter().map(|(start, length)| span(start, length)).collect());
            Host {
                zone,
                unrestricted: windows.clone(),
                regular: windows.clone(),
                bounds: Vec::new(),
                windows,
                taken,
                fixed,
                group,
            }
        },
    )
}

/// Where the grid begins, and how it is moved and rounded.
#[derive(Debug, Clone)]
struct Laid {
    anchor: GridAnchor,
    offset_minutes: u32,
    round_up: Option<(u32, Option<Zone>)>,
}

fn laid() -> impl Strategy<Value = Laid> {
    let anchor = prop::sample::select(vec![
        GridAnchor::AvailabilityWindowStart,
        GridAnchor::FreeWindowStart,
        GridAnchor::RangeStart,
    ]);
    let zone = prop::option::of(prop::sample::select(ZONES).prop_map(|name| name.parse::<Zone>().unwrap()));
    let round_up = prop::option::of((prop::sample::select(vec![15_u32, 20, 30, 60]), zone));
    (anchor, 0_u32..4, round_up).prop_map(|(anchor, offset, round_up)| Laid {
        anchor,
        offset_minutes: offset * 5,
        round_up,
    })
}

fn booking_window() -> impl Strategy<Value = Option<BookingWindow>> {
    let zone = prop::option::of(prop::sample::select(ZONES).prop_map(|name| name.parse::<Zone>().unwrap()));
    let count = prop_oneof![Just(DayCount::Calendar), Just(DayCount::Business)];
    // A window of free days has the most to it.
    (0..7, 0_u32..3, 0_u64..3, count, zone).prop_map(|(kind, days, first, count, timezone)| match kind {
        0 | 1 => None,
        2 => Some(BookingWindow::Rolling { days, count, timezone }),
        3..=5 => Some(BookingWindow::RollingWindow { days, count, timezone }),
        _ => {
            let from = civil_day(Zone::UTC, at(0)) + chrono::Days::new(first);
            Some(BookingWindow::Range { from, to: from + chrono::Days::new(u64::from(days)), timezone })
        }
    })
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
    let now = prop_oneof![1 => Just(None), 3 => (0..UNITS / 2).prop_map(|unit| Some(at(unit)))];
    let times = (now, 0..UNITS / 2, laid(), booking_window());
    (meeting, mode, limits, times, 1_u32..8, 0_u32..24, prop::collection::vec(host(), 1..4)).prop_map(
        |(meeting, team_mode, limits, (now, from, laid, booking_window), step, notice, mut hosts)| {
            // Most sessions are of this very meeting, and some are joined.
            for taken in hosts.iter_mut().flat_map(|host| host.taken.iter_mut()) {
                let is_session = matches!(taken.by, BusyKind::Session { .. } | BusyKind::SeatHold);
                if is_session && !taken.when.is_empty() && !taken.counts {
                    taken.when = meeting.at(taken.when.start());
                }
            }
            Question {
                now,
                range: span(from, UNITS - from),
                meeting,
                step_minutes: step * 5,
                offset_minutes: laid.offset_minutes,
                anchor: laid.anchor,
                round_up_minutes: laid.round_up.map(|(minutes, _)| minutes),
                grid_zone: laid.round_up.and_then(|(_, zone)| zone),
                team_mode,
                notice_minutes: notice * 5,
                limits,
                booking_window,
                hosts,
            }
        },
    )
}

/// Zones whose clocks do not change in these days.
fn steady() -> impl Strategy<Value = Zone> {
    let names = ["UTC", "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Chatham", "America/New_York"];
    prop::sample::select(names.to_vec()).prop_map(|name| name.parse().unwrap())
}

fn time(unit: u32) -> chrono::NaiveTime {
    chrono::NaiveTime::from_hms_opt(unit / 12, unit % 12 * 5, 0).unwrap()
}

fn stretches() -> impl Strategy<Value = Vec<Stretch>> {
    let one = (0_u32..287, 1_u32..200).prop_map(|(start, length)| Stretch {
        start: time(start),
        end: (start + length < 288).then(|| time(start + length)),
    });
    prop::collection::vec(one, 0..3)
}

fn day_after(after: u64, intervals: Vec<Stretch>) -> Override {
    Override { date: civil_day(Zone::UTC, at(0)) + chrono::Days::new(after), intervals }
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let day = (0_u8..7, stretches()).prop_map(|(day, hours)| {
        let weekdays = vec![Weekday::try_from(day).unwrap()];
        hours
            .into_iter()
            .map(move |h| WeeklyHours { weekdays: weekdays.clone(), start: h.start, end: h.end })
            .collect::<Vec<_>>()
    });
    let days = prop::collection::vec((0_u64..3, stretches()), 0..2);
    (prop::option::of(steady()), prop::collection::vec(day, 0..8), days).prop_map(
        |(time_zone, week, days)| Schedule {
            name: "x".into(),
            time_zone,
            weekly_hours: week.into_iter().flatten().collect(),
            overrides: days.into_iter().map(|(after, intervals)| day_after(after, intervals)).collect(),
        },
    )
}

/// The same where nothing hangs on a date or moves with what is taken.
fn plain() -> impl Strategy<Value = Question> {
    question().prop_map(|mut question| {
        question.anchor = GridAnchor::AvailabilityWindowStart;
        question.booking_window = None;
        question.hosts.iter_mut().for_each(|host| host.zone = Zone::UTC);
        question.grid_zone = Some(Zone::UTC);
        question
    })
}

proptest! {
    #[test]
    fn offers_are_what_a_scan_of_every_minute_finds(question in question()) {
        let found = question.offers(&plenty()).unwrap();
        prop_assert_eq!(found, expected(&question));
    }

    #[test]
    fn every_offer_passes_the_check_and_every_rejection_has_its_reason(question in question()) {
        let offers = question.offers(&plenty()).unwrap();
        for offer in &offers {
            prop_assert_eq!(question.refusal(offer.start, &plenty()).unwrap(), None);
            prop_assert!(offer.seats_left >= 1);
            for (i, host) in question.hosts.iter().enumerate() {
                let runs = host.taken.iter().any(|t| {
                    matches!(t.by, BusyKind::Session { .. }) && t.when == question.meeting.at(offer.start)
                });
                prop_assert_eq!(question.has_session(i, offer.start), runs);
            }
        }
        for rejection in question.rejections(&offers, &plenty()).unwrap() {
            let offered = offers.iter().find(|o| o.start == rejection.start);
            prop_assert!(offered.is_none_or(|o| !o.hosts.contains(&rejection.host)));
        }
    }

    #[test]
    fn a_busy_time_never_adds_a_slot(question in plain(), start in 0..UNITS, length in 1_i64..40) {
        let before: Vec<Instant> = question.offers(&plenty()).unwrap().into_iter().map(|o| o.start).collect();
        let mut busier = question;
        busier.hosts[0].taken.push(BusyTime::of(span(start, length)));
        for offer in busier.offers(&plenty()).unwrap() {
            prop_assert!(before.contains(&offer.start));
        }
    }

    #[test]
    fn moving_everything_moves_the_slots(question in plain(), days in -400_i64..400) {
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

    /// Opening hours, the event type's schedule and what a member keeps, against a scan of every five minutes; never wider than any of them.
    #[test]
    fn schedules_open_what_a_scan_of_every_minute_finds(
        kept in schedule(), of_event_type in schedule(), opening in schedule(),
        own_day in prop::option::of((0_u64..3, stretches())), zone in steady(), listing in steady(),
    ) {
        let days: Vec<_> = own_day.into_iter().map(|(after, intervals)| day_after(after, intervals)).collect();
        let own = OpenHours { overrides: schedule_days(&days), ..OpenHours::weekly(zone, Vec::new()) };
        let seen = span(0, UNITS);
        let member = kept.kept(&own, seen, &plenty()).unwrap().windows;
        let cut = of_event_type.hours(zone).windows(seen, &plenty()).unwrap();
        let open = opening.hours(listing).windows(seen, &plenty()).unwrap();
        let found = bounded(&member, [cut.as_slice(), open.as_slice()]);
        for unit in 0..UNITS {
            let inside = |windows: &[Interval]| windows.iter().any(|w| w.contains(span(unit, 1)));
            let by_scan = [
                scan::keeps(&kept, &days, zone, at(unit)),
                scan::opens(&of_event_type, zone, at(unit)),
                scan::opens(&opening, listing, at(unit)),
            ];
            prop_assert_eq!([inside(&member), inside(&cut), inside(&open)], by_scan, "{}", at(unit));
            prop_assert_eq!(inside(&found), by_scan.iter().all(|open| *open), "{}", at(unit));
        }
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
