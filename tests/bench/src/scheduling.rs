//! Slots: what they cost, and how the cost grows.

use berth_model::{
    budget::Budget,
    catalog::member::WeeklyHours,
    limits,
    scheduling::{
        busy::BusyTime,
        meeting::Meeting,
        question::{Host, Question},
        recurrence::Recurrence,
        rules::{GridAnchor, TeamMode},
        windows::OpenHours,
    },
    time::{Instant, Interval},
    zone::Zone,
};
use chrono::{NaiveDate, NaiveTime, Weekday};

use crate::{
    naive,
    table::{Table, best_of, ratio, time},
};

const START: &str = "2026-03-02T00:00:00Z";

fn range(days: i64) -> Interval {
    let start: Instant = START.parse().expect("an instant");
    Interval::new(start, start.plus_seconds(days * 86_400)).expect("in order")
}

fn zone() -> Zone {
    "Europe/Lisbon".parse().expect("a zone")
}

fn hours() -> OpenHours {
    let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("a time");
    let days = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
    OpenHours::weekly(zone(), vec![WeeklyHours { weekdays: days.to_vec(), start: at(9), end: Some(at(17)) }])
}

/// Busy times of ten minutes at most, spread evenly over the first two thirds of the range, in order; `shift` moves them.
fn busy(range: Interval, count: usize, shift: i64) -> Vec<BusyTime> {
    let length = range.end().micros_since(range.start()) / 3 * 2;
    let step = length / i64::try_from(count.max(1)).expect("small");
    (0..i64::try_from(count).expect("small"))
        .map(|i| {
            let start = range.start().plus_micros(i * step).plus_minutes(shift);
            BusyTime::of(Interval::of_minutes(
                start,
                10.min(u32::try_from(step / 60_000_000).unwrap_or(1)).max(1),
            ))
        })
        .collect()
}

/// More steps than any of these takes.
fn plenty() -> Budget {
    Budget::of(limits::ANSWER_STEPS_MAX)
}

fn host(range: Interval, count: usize, shift: i64) -> Host {
    let windows = hours().windows(range, &plenty()).expect("in budget");
    Host {
        zone: zone(),
        unrestricted: windows.clone(),
        regular: windows.clone(),
        bounds: Vec::new(),
        windows,
        taken: busy(range, count, shift),
        fixed: false,
        group: None,
    }
}

fn question(range: Interval, team_mode: TeamMode, hosts: Vec<Host>) -> Question {
    Question {
        now: Some(range.start()),
        range,
        meeting: Meeting { length_minutes: 30, buffer_before_minutes: 5, buffer_after_minutes: 5, seats: 1 },
        step_minutes: 30,
        offset_minutes: 0,
        anchor: GridAnchor::AvailabilityWindowStart,
        round_up_minutes: None,
        grid_zone: None,
        team_mode,
        notice_minutes: 0,
        limits: Vec::new(),
        booking_window: None,
        hosts,
    }
}

/// Measure.
pub fn run(table: &mut Table) {
    table.section("slots: one member, 30 days, half-hour meetings in office hours (windows and slots)");
    let month = range(30);
    for (count, target) in [(0, ""), (100, ""), (1_000, "<= 150 µs"), (10_000, "<= 1 ms")] {
        let question = question(month, TeamMode::Single, vec![host(month, count, 0)]);
        let ours = best_of(15, 20, || {
            (
                hours().windows(month, &plenty()).expect("in budget").len(),
                question.offers(&plenty()).expect("in budget").len(),
            )
        });
        let scan = best_of(3, 2, || {
            (
                hours().windows(month, &plenty()).expect("in budget").len(),
                naive::starts(&question, false).len(),
            )
        });
        let starts: Vec<Instant> =
            question.offers(&plenty()).expect("in budget").into_iter().map(|offer| offer.start).collect();
        assert_eq!(starts, naive::starts(&question, false));
        table.row(
            &format!("(a) {count} busy times, {} slots", starts.len()),
            &time(ours),
            &format!("1/{:.1} of a scan ({})", ratio(scan, ours), time(scan)),
            target,
        );
    }

    table.section("slots: teams");
    let people = (0..50).map(|i| host(month, 60, i * 7)).collect();
    let robin = question(month, TeamMode::RoundRobin, people);
    let ours = best_of(10, 5, || robin.offers(&plenty()).expect("in budget").len());
    let scan = best_of(3, 1, || naive::starts(&robin, false).len());
    let compared = format!("1/{:.1} of a scan ({})", ratio(scan, ours), time(scan));
    table.row("(b) round robin of 50, 30 days, 60 busy times each", &time(ours), &compared, "<= 3 ms");
    let two_months = range(60);
    let people = (0..5).map(|i| host(two_months, 200, i * 7)).collect();
    let collective = question(two_months, TeamMode::Collective, people);
    let ours = best_of(10, 20, || collective.offers(&plenty()).expect("in budget").len());
    let scan = best_of(3, 2, || naive::starts(&collective, true).len());
    let compared = format!("1/{:.1} of a scan ({})", ratio(scan, ours), time(scan));
    table.row("(c) collective of 5, 60 days, 200 busy times each", &time(ours), &compared, "");

    table.section("recurrence");
    let recurrence = |rule: &str| Recurrence {
        dtstart: NaiveDate::from_ymd_opt(2026, 1, 5).and_then(|d| d.and_hms_opt(9, 0, 0)).expect("a time"),
        zone: Some(zone()),
        rule: Some(rule.to_owned()),
        exdates: Vec::new(),
        rdates: Vec::new(),
    };
    let year = Interval::new(
        "2026-01-01T00:00:00Z".parse().expect("an instant"),
        "2027-01-01T00:00:00Z".parse().expect("an instant"),
    );
    let year = year.expect("in order");
    let weekly = hours();
    let windows = best_of(5, 5, || weekly.windows(year, &plenty()).expect("in budget").len());
    for rule in ["FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "FREQ=DAILY", "FREQ=MONTHLY;BYDAY=2TU,-1FR"] {
        let recurrence = recurrence(rule);
        let count =
            recurrence.checked().expect("good").occurrences(year, 1_000, &plenty()).expect("in budget").len();
        let ours = best_of(5, 5, || {
            recurrence.checked().expect("good").occurrences(year, 1_000, &plenty()).expect("in budget").len()
        });
        table.row(
            &format!("(d) a year of {rule}: {count}"),
            &time(ours),
            &format!("{:.1} times a year of weekly hours ({})", ratio(ours, windows), time(windows)),
            "",
        );
    }
}
