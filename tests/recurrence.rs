//! Recurrence rules against a second implementation, dateutil: random rules must give the same occurrences, on clocks that change, too.
//! dateutil follows local times; what they are on a clock is said of both by the rule of RFC 5545 that `host/model/src/scheduling/recurrence.rs`
//! states, here by Python's own zones.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use berth_model::{
    budget::Budget,
    limits,
    scheduling::{
        hours::{day_start, instant_of},
        recurrence::Recurrence,
    },
    time::{Instant, Interval},
    zone::Zone,
};
use chrono::{Duration, NaiveDate, NaiveDateTime};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::json;

const CASES: usize = 500;
/// Occurrences of one case that are compared.
const COMPARED: usize = 400;

/// Clocks that change by an hour, half an hour, two hours, at midnight, one way round and the other; and one that does not. Of those
/// whose law is old, so that releases of the zone data agree.
const ZONES: [&str; 9] = [
    "UTC",
    "America/New_York",
    "America/St_Johns",
    "Europe/Berlin",
    "Europe/Dublin",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Antarctica/Troll",
    "America/Santiago",
];

struct Case {
    zone: &'static str,
    dtstart: NaiveDateTime,
    rule: String,
    from: Instant,
    to: Instant,
}

/// A Python that has dateutil: the test command makes one, else the system's may have it.
fn python() -> Option<String> {
    let named = std::env::var("BERTH_TEST_PYTHON").ok();
    named.into_iter().chain(["python3".to_owned()]).find(|python| {
        let found = Command::new(python).args(["-c", "import dateutil.rrule"]).stderr(Stdio::null()).status();
        found.is_ok_and(|status| status.success())
    })
}

fn some<T: ToString>(rng: &mut StdRng, most: usize, mut one: impl FnMut(&mut StdRng) -> T) -> String {
    let count = rng.random_range(1..=most);
    (0..count).map(|_| one(rng).to_string()).collect::<Vec<_>>().join(",")
}

fn signed(rng: &mut StdRng, most: i32) -> i32 {
    let number = rng.random_range(1..=most);
    if rng.random_bool(0.3) { -number } else { number }
}

const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

fn rule(rng: &mut StdRng, dtstart: NaiveDateTime) -> String {
    let frequency = *["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"].choose(rng).unwrap();
    let mut parts = vec![format!("FREQ={frequency}")];
    let coarse = matches!(frequency, "YEARLY" | "MONTHLY");
    let mut by = 0;
    let mut maybe = |rng: &mut StdRng, chance: f64, part: &mut dyn FnMut(&mut StdRng) -> String| {
        if rng.random_bool(chance) {
            by += 1;
            parts.push(part(rng));
        }
    };
    let months = rng.random_bool(0.3);
    if months {
        maybe(rng, 1.0, &mut |rng| format!("BYMONTH={}", some(rng, 3, |rng| rng.random_range(1..=12))));
    }
    if frequency != "WEEKLY" {
        maybe(rng, 0.25, &mut |rng| format!("BYMONTHDAY={}", some(rng, 3, |rng| signed(rng, 31))));
    }
    if matches!(frequency, "YEARLY" | "HOURLY" | "MINUTELY") {
        maybe(rng, 0.1, &mut |rng| format!("BYYEARDAY={}", some(rng, 3, |rng| signed(rng, 366))));
    }
    let week = frequency == "YEARLY" && rng.random_bool(0.15);
    if week {
        // Of a first week that is named from the end dateutil leaves out the days before 1 January; and of a last one that is named by its
        // number those after 31 December, since it counts that year's weeks by the next one: 1 January 2022 is of week 52 of 2021.
        maybe(rng, 1.0, &mut |rng| format!("BYWEEKNO={}", some(rng, 3, |rng| signed(rng, 51).max(-51))));
    }
    maybe(rng, 0.4, &mut |rng| {
        // Weekdays with and without a number in one rule add up, as RFC 5545 has it; dateutil leaves out what is not both.
        let ordinal = coarse && !week && rng.random_bool(0.4);
        // In months dateutil fails on what no month has.
        let most = if frequency == "YEARLY" && !months { *[5, 53].choose(rng).unwrap() } else { 5 };
        let days = some(rng, 3, |rng| {
            let day = DAYS.choose(rng).unwrap();
            if ordinal { format!("{}{day}", signed(rng, most)) } else { (*day).to_owned() }
        });
        format!("BYDAY={days}")
    });
    maybe(rng, 0.2, &mut |rng| format!("BYHOUR={}", some(rng, 3, |rng| rng.random_range(0..24))));
    maybe(rng, 0.2, &mut |rng| format!("BYMINUTE={}", some(rng, 3, |rng| rng.random_range(0..60))));
    if by > 0 && !matches!(frequency, "HOURLY" | "MINUTELY") && rng.random_bool(0.15) {
        parts.push(format!("BYSETPOS={}", some(rng, 2, |rng| signed(rng, 5))));
    }
    if rng.random_bool(0.4) {
        parts.push(format!("INTERVAL={}", rng.random_range(1..=7)));
    }
    if rng.random_bool(0.3) {
        parts.push(format!("WKST={}", DAYS.choose(rng).unwrap()));
    }
    match rng.random_range(0..4) {
        0 => parts.push(format!("COUNT={}", rng.random_range(1..=60))),
        1 => {
            let until = dtstart + Duration::minutes(rng.random_range(0..2_000_000));
            let utc = if rng.random_bool(0.5) { "Z" } else { "" };
            parts.push(format!("UNTIL={}{utc}", until.format("%Y%m%dT%H%M%S")));
        }
        _ => {}
    }
    parts.join(";")
}

/// The first local time: most lie within a few days before a change of clocks, and at an hour at which clocks change.
fn dtstart(rng: &mut StdRng, zone: Zone) -> NaiveDateTime {
    let first = NaiveDate::from_ymd_opt(2019, 1, 1).unwrap();
    let day = first + Duration::days(rng.random_range(0..2_700));
    let hours =
        |day: NaiveDate| day_start(zone, day + Duration::days(1)).micros() - day_start(zone, day).micros();
    let changes = day.iter_days().take(366).find(|day| hours(*day) != 86_400_000_000);
    match changes {
        Some(changes) if rng.random_bool(0.7) => {
            let hour = rng.random_range(0..4) * 60 + *[0, 15, 30, 45].choose(rng).unwrap();
            let before = changes - Duration::days(rng.random_range(0..3));
            before.and_time(chrono::NaiveTime::MIN) + Duration::minutes(hour)
        }
        _ => day.and_time(chrono::NaiveTime::MIN) + Duration::minutes(rng.random_range(0..1_440)),
    }
}

fn case(rng: &mut StdRng) -> Case {
    let zone = *ZONES.choose(rng).unwrap();
    let clock: Zone = zone.parse().unwrap();
    let dtstart = dtstart(rng, clock);
    let rule = rule(rng, dtstart);
    // A fine rule is asked about for a while, a coarse one for years; some begin long before.
    let (ahead, days) = match rule.as_str() {
        text if text.contains("MINUTELY") => (60, 40),
        text if text.contains("HOURLY") => (1_000, 400),
        _ => (1_500, 3_000),
    };
    let ahead = if rule.contains("COUNT") { 0 } else { ahead };
    let from = dtstart + Duration::days(rng.random_range(-10..=ahead));
    let to = from + Duration::days(rng.random_range(1..=days));
    Case { zone, dtstart, rule, from: instant_of(Zone::UTC, from), to: instant_of(Zone::UTC, to) }
}

fn ours(case: &Case) -> Result<Vec<String>, String> {
    let recurrence = Recurrence {
        dtstart: case.dtstart,
        zone: Some(case.zone.parse().unwrap()),
        rule: Some(case.rule.clone()),
        exdates: Vec::new(),
        rdates: Vec::new(),
    };
    let within = Interval::new(case.from, case.to).unwrap();
    let checked = recurrence.checked().map_err(|error| error.to_string())?;
    let budget = Budget::of(limits::RULE_SEARCH_STEPS_MAX);
    let found = checked.occurrences(within, COMPARED, &budget).map_err(|error| error.to_string())?;
    Ok(found.iter().map(ToString::to_string).collect())
}

#[test]
fn random_rules_come_when_dateutil_says() {
    let Some(python) = python() else {
        println!(
            "SKIPPED: recurrence against a second implementation: no Python with python-dateutil was found"
        );
        return;
    };
    let fresh: u64 = rand::random();
    println!("seeds 5545 and {fresh}");
    let of_seed = |seed: u64| {
        let mut rng = StdRng::seed_from_u64(seed);
        (0..CASES).map(|_| case(&mut rng)).collect::<Vec<Case>>()
    };
    let cases: Vec<Case> = [5_545, fresh].into_iter().flat_map(of_seed).collect();
    let asked: Vec<_> = cases
        .iter()
        .map(|c| {
            let dtstart = c.dtstart.format("%Y-%m-%dT%H:%M:%S").to_string();
            json!({ "zone": c.zone, "rule": c.rule, "dtstart": dtstart, "from": c.from, "to": c.to })
        })
        .collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/recurrence.py");
    let mut child =
        Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(serde_json::to_string(&asked).unwrap().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let theirs: Vec<Option<Vec<String>>> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(theirs.len(), cases.len());
    let (mut compared, mut given_up) = (0, 0);
    for (case, theirs) in cases.iter().zip(&theirs) {
        let Some(theirs) = theirs else {
            given_up += 1;
            continue;
        };
        match ours(case) {
            Ok(ours) => {
                let theirs: Vec<_> = theirs.iter().take(COMPARED).cloned().collect();
                assert_eq!(
                    ours, theirs,
                    "{} from {} in {} asked from {} to {}",
                    case.rule, case.dtstart, case.zone, case.from, case.to
                );
                compared += ours.len();
            }
            Err(error) => {
                assert!(error.contains("more steps"), "{}: {error}", case.rule);
                given_up += 1;
            }
        }
    }
    assert!(compared > 10_000, "only {compared} occurrences were compared");
    assert!(given_up * 10 < cases.len(), "{given_up} of {} rules were given up", cases.len());
    println!(
        "{compared} occurrences of {} rules are the same, {given_up} rules were given up",
        cases.len() - given_up
    );
}
