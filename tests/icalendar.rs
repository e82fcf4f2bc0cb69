//! Invitations and feeds, read back by three implementations that are not ours: `icalendar` (Python), `ical.js` and `node-ical`.
//! Every zone, on both sides of each of its clock changes and in the hours that come twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    process::{Command, Stdio},
};

use berth_model::{
    calendars::ics::{IcsEvent, IcsMethod, IcsPerson, IcsStatus, feed, invitation},
    scheduling::hours::local_of,
    time::{Instant, Interval},
    zone::Zone,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::Deserialize;
use serde_json::json;

/// An event's start, end and the name of its organiser, where the reader tells it as it was meant.
type Read = (f64, f64, Option<String>);

#[derive(Deserialize)]
struct Calendar {
    events: BTreeMap<String, Read>,
    /// What the reader's own data say of the zone at the instants of the events: seconds, or nothing if it does not know the zone.
    offsets: serde_json::Value,
}

struct Case {
    zone: Zone,
    text: String,
    events: Vec<IcsEvent>,
}

fn offset(zone: Zone, at: Instant) -> i64 {
    local_of(zone, at).and_utc().timestamp() - at.micros().div_euclid(1_000_000)
}

fn event(zone: Zone, start: Instant, minutes: u32, number: usize) -> IcsEvent {
    let person = |name: &str, mailbox: &str| IcsPerson { name: name.into(), address: Ok(mailbox.into()) };
    IcsEvent {
        uid: format!("{number}@berth"),
        sequence: 0,
        stamp: start,
        when: Interval::of_minutes(start, minutes),
        zone,
        status: IcsStatus::Confirmed,
        summary: "Cut; wash, dry \\ style".into(),
        description: None,
        location: None,
        meeting_url: None,
        organiser: person("Ana^n \"Anna\": first, second", "änä@example.com"),
        attendees: vec![person("Ada", "ada@example.com")],
        guests: vec![person("Bob", "bob@example.com")],
    }
}

/// Every change of the clocks in a year, looked for by the half-hour: Lord Howe's is not at a whole one.
fn changes(zone: Zone, year: i32) -> Vec<Instant> {
    let from: Instant = format!("{year}-01-01T00:00:00Z").parse().unwrap();
    let halves = (0..366 * 48).map(|half| from.plus_minutes(half * 30));
    halves.filter(|at| offset(zone, at.plus_minutes(-30)) != offset(zone, *at)).collect()
}

impl Case {
    /// When a reader is asked what its clock shows: where the events are and, once for each zone, in every half of a month. A zone of another
    /// release may show the same at the events alone, and read them otherwise.
    fn instants(&self) -> Vec<Instant> {
        let events = self.events.iter().flat_map(|e| [e.when.start(), e.when.end()]);
        let from: Instant = "2026-01-01T12:00:00Z".parse().unwrap();
        let halves = if self.events.len() > 1 { HALF_MONTHS } else { 0 };
        events.chain((0..halves).map(|half| from.plus_minutes(half * 15 * 1_440))).collect()
    }
}

/// Those of the years that are tried, and some.
const HALF_MONTHS: i64 = 5 * 25;

fn cases(rng: &mut StdRng) -> Vec<Case> {
    let mut cases = Vec::new();
    let year = rng.random_range(2026..2030);
    println!("clock changes of {year}");
    for zone in Zone::all() {
        let mut starts: BTreeSet<Instant> =
            (0..2).map(|_| Instant::from_seconds(rng.random_range(1_767_225_600..1_861_920_000))).collect();
        for change in changes(zone, year) {
            // Both passes of an hour that comes twice, its edges, and the same around a gap.
            starts.extend([-60, -45, -30, 0, 15, 30, 60].map(|minutes| change.plus_minutes(minutes)));
        }
        let events: Vec<_> = starts
            .into_iter()
            .enumerate()
            .map(|(number, start)| {
                let minutes = [15, 30, 60, 90][rng.random_range(0..4)];
                event(zone, start, minutes, number)
            })
            .collect();
        for one in &events {
            let text = invitation(one, IcsMethod::Request);
            cases.push(Case { zone, text, events: vec![one.clone()] });
        }
        cases.push(Case { zone, text: feed("Pier, 1", &events), events });
    }
    cases
}

/// What readers of one program say of the cases, by their names.
fn read(command: &mut Command, cases: &[Case]) -> BTreeMap<String, Vec<Calendar>> {
    let asked: Vec<_> = cases
        .iter()
        .map(|case| {
            let instants: Vec<_> =
                case.instants().iter().map(|at| at.micros().div_euclid(1_000_000)).collect();
            json!({ "zone": case.zone.to_string(), "text": case.text, "instants": instants })
        })
        .collect();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let body = serde_json::to_vec(&asked).unwrap();
    let written = std::thread::spawn(move || stdin.write_all(&body));
    let output = child.wait_with_output().unwrap();
    written.join().unwrap().unwrap();
    assert!(output.status.success(), "the reader failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn check(name: &str, cases: &[Case], calendars: &[Calendar]) {
    assert_eq!(calendars.len(), cases.len());
    // Where a reader has zones of its own, of another release than ours, it cannot be right.
    let is_other = |(case, calendar): (&Case, &Calendar)| {
        let ours: Vec<_> = case.instants().into_iter().map(|at| offset(case.zone, at)).collect();
        let theirs: Option<Vec<f64>> = serde_json::from_value(calendar.offsets.clone()).ok();
        let theirs: Option<Vec<i64>> =
            theirs.map(|all| all.into_iter().map(|seconds| seconds as i64).collect());
        !calendar.offsets.is_string() && theirs.as_ref() != Some(&ours)
    };
    let pairs = || cases.iter().zip(calendars);
    let other: BTreeSet<String> =
        pairs().filter(|pair| is_other(*pair)).map(|(case, _)| case.zone.to_string()).collect();
    let (mut right, mut wrong) = (0, Vec::new());
    for (case, calendar) in pairs().filter(|(case, _)| !other.contains(&case.zone.to_string())) {
        for event in &case.events {
            let seconds = |at: Instant| at.micros() as f64 / 1e6;
            let meant = (seconds(event.when.start()), seconds(event.when.end()));
            match calendar.events.get(&event.uid) {
                Some((start, end, organiser))
                    if (*start, *end) == meant
                        && organiser.as_ref().is_none_or(|name| *name == event.organiser.name) =>
                {
                    right += 1;
                }
                found => wrong.push(format!("{} {:?}: {found:?}", case.zone, event.when)),
            }
        }
    }
    println!(
        "{name}: {right} events are read as they were meant, {} wrong; zones of another release: {other:?}",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{name}: {} wrong, such as {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    assert!(other.len() < 40, "{name} knows other zones than we do: {other:?}");
    assert!(right > 5_000, "{name}: only {right} events were compared");
}

#[test]
fn what_is_written_is_read_by_three_others_as_it_was_meant() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let cases = cases(&mut StdRng::seed_from_u64(seed));
    if let Ok(python) = std::env::var("BERTH_TEST_PYTHON") {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/icalendar_reader.py");
        // Its zones are those of the package tzdata, whatever the machine has.
        let found = read(Command::new(python).arg(script).env("PYTHONTZPATH", ""), &cases);
        for (name, calendars) in &found {
            check(name, &cases, calendars);
        }
    } else {
        println!("SKIPPED: invitations read by icalendar: BERTH_TEST_PYTHON names no Python");
    }
    if let Ok(folder) = std::env::var("BERTH_TEST_JAVASCRIPT") {
        let script = include_str!("javascript/icalendar.mjs");
        let mut node = Command::new("node");
        node.args(["--input-type=module", "--eval", script]).current_dir(folder);
        for (name, calendars) in &read(&mut node, &cases) {
            check(name, &cases, calendars);
        }
    } else {
        println!("SKIPPED: invitations read by ical.js and node-ical: BERTH_TEST_JAVASCRIPT names no folder");
    }
}
