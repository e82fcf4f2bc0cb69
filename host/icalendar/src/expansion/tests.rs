use super::*;
use crate::{
    clocks::{Clock, tests::Tz},
    series::series,
};
use proptest::prelude::{prop, prop_assert_eq, proptest};

/// Rules of days and weeks.
struct Simple;

impl Rules for Simple {
    fn times(
        &self,
        rule: &str,
        start: NaiveDateTime,
        from: NaiveDateTime,
        end: NaiveDateTime,
    ) -> Option<Vec<NaiveDateTime>> {
        let part = |name: &str| rule.split(';').find_map(|part| part.strip_prefix(name));
        let step = match part("FREQ=")? {
            "DAILY" => 1,
            "WEEKLY" => 7,
            _ => return None,
        };
        let count = part("COUNT=").map_or(10_000, |n| n.parse().unwrap());
        let until = part("UNTIL=").map(|text| Stamp::read(text).unwrap().shown());
        let all = (0..count).map(|n: i64| start + TimeDelta::days(n * step));
        let all = all.take_while(|at| *at < end && until.is_none_or(|until| *at <= until));
        Some(all.filter(|at| *at >= from).collect())
    }
}

fn at(text: &str) -> NaiveDateTime {
    Stamp::read(text).unwrap().shown()
}

/// Times within October and November 2027, on New York's clock where nothing else is said, and how many events are odd.
fn told(events: &[&str]) -> (Vec<String>, usize) {
    let one = |lines: &&str| format!("BEGIN:VEVENT\nUID:a\n{lines}\nEND:VEVENT\n");
    let events = events.iter().map(one).collect::<Vec<_>>().concat();
    let calendar = Component::read(format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR").as_bytes()).unwrap();
    let clocks = Clocks::new(&calendar, &Tz, Clock::Known("America/New_York".to_owned()));
    let within = When { start: at("20271001T000000Z"), end: at("20271201T000000Z") };
    let (mut all, mut odd) = (Vec::new(), 0);
    for one in series(calendar.all("VEVENT")) {
        let found = expanded(&one, &clocks, &Simple, within);
        odd += found.odd.len();
        let taken = found.taken.iter().filter(|taken| !taken.event.says("STATUS", "CANCELLED"));
        all.extend(taken.map(|taken| {
            let When { start, end } = taken.when;
            format!("{} {}", start.format("%m%dT%H%M"), (end - start).num_minutes())
        }));
    }
    all.sort();
    (all, odd)
}

fn good(events: &[&str]) -> Vec<String> {
    let (all, odd) = told(events);
    assert_eq!(odd, 0, "{events:?}");
    all
}

#[test]
fn series_keep_their_clock_over_a_change() {
    let noon = "DTSTART;TZID=America/New_York:20271030T120000\nDURATION:PT1H";
    let week = |rule: &str| good(&[&format!("{noon}\nRRULE:FREQ=WEEKLY;{rule}")]);
    let expected = ["1030T1600 60", "1106T1600 60", "1113T1700 60"];
    assert_eq!(week("COUNT=3"), expected);
    assert_eq!(week("UNTIL=20271113T170000Z"), expected);
    assert_eq!(week("UNTIL=20271113T165959Z"), expected[..2]);
    assert_eq!(week("UNTIL=20271113T120000"), expected);
    // A day that is 25 hours long, within days.
    assert_eq!(
        good(&["DTSTART;VALUE=DATE:20271106\nRRULE:FREQ=DAILY;COUNT=3"]),
        ["1106T0400 1440", "1107T0400 1500", "1108T0500 1440"]
    );
    // The lengths of an end are exact, those of days are days.
    let end = "DTSTART;TZID=America/New_York:20271030T230000\nDTEND;TZID=America/New_York:20271031T230000";
    assert_eq!(good(&[&format!("{end}\nRRULE:FREQ=WEEKLY;COUNT=2")]), ["1031T0300 1440", "1107T0300 1440"]);
    let days = "DTSTART;TZID=America/New_York:20271030T230000\nDURATION:P1D";
    assert_eq!(good(&[&format!("{days}\nRRULE:FREQ=WEEKLY;COUNT=2")]), ["1031T0300 1440", "1107T0300 1500"]);
}

#[test]
fn exceptions_additions_and_times_of_their_own() {
    let daily = "DTSTART;TZID=America/New_York:20271101T120000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4";
    for exdate in [
        "EXDATE;TZID=America/New_York:20271102T120000,20271103T120000",
        "EXDATE:20271102T160000Z\nEXDATE:20271103T160000Z",
        "EXDATE;VALUE=DATE:20271102,20271103",
        "EXDATE;TZID=Eastern Standard Time:20271102T120000,20271103T120000",
    ] {
        assert_eq!(good(&[&format!("{daily}\n{exdate}")]), ["1101T1600 60", "1104T1600 60"], "{exdate}");
    }
    let added = format!(
        "{daily}\nRDATE:20271110T170000Z\nRDATE;VALUE=PERIOD;TZID=America/New_York:20271111T120000/PT1H"
    );
    assert_eq!(good(&[&added])[4..], ["1110T1700 60", "1111T1700 60"]);
    let moved = "RECURRENCE-ID:20271102T160000Z\nDTSTART:20271120T090000Z\nDURATION:PT30M";
    let gone =
        "RECURRENCE-ID;TZID=America/New_York:20271103T120000\nDTSTART:20271103T160000Z\nSTATUS:CANCELLED";
    assert_eq!(good(&[moved, daily, gone]), ["1101T1600 60", "1104T1600 60", "1120T0900 30"]);
    // One that began before, and lasts into the stretch; its first time is none of the rule.
    assert_eq!(good(&["DTSTART:20270930T120000Z\nDURATION:P2D"]), ["0930T1200 2880"]);
    assert_eq!(good(&["DTSTART:20270101T120000Z\nDURATION:PT1H"]), [""; 0]);
}

#[test]
fn what_is_odd_takes_what_is_known_of_it() {
    let start = "DTSTART:20271101T120000Z\nDURATION:PT1H";
    for lines in [
        "RRULE:FREQ=NEVER",
        "RRULE:x",
        "RRULE:FREQ=DAILY;UNTIL=soon",
        "EXRULE:FREQ=DAILY\nRRULE:FREQ=DAILY",
        "RRULE:FREQ=DAILY\nEXDATE:soon",
        "RRULE:FREQ=DAILY\nEXDATE;TZID=Mars:20271102T120000",
        "RDATE:soon",
    ] {
        assert_eq!(told(&[&format!("{start}\n{lines}")]), (vec!["1101T1200 60".to_owned()], 1), "{lines}");
    }
    assert_eq!(told(&["DTSTART:20271101T120000Z\nDURATION:PT"]), (vec!["1101T1200 60".to_owned()], 1));
    assert_eq!(told(&["DTSTART;TZID=Mars:20271101T120000"]), (Vec::new(), 1));
    let many: Vec<String> =
        (0..6_000).map(|n| format!("202711{:02}T{:02}{:02}00Z", n % 28 + 1, n / 60 % 24, n % 60)).collect();
    assert_eq!(told(&[&format!("{start}\nRDATE:{}", many.join(","))]), (vec!["1101T1200 60".to_owned()], 1));
}

proptest! {
    /// A series is what its times are one by one, on every clock, over changes.
    #[test]
    fn a_series_is_its_single_times(
        zone in 0..chrono_tz::TZ_VARIANTS.len(),
        first in 0..40_u64, hour in 0..24_u32, minutes in 15..2_000_i64, nominal in 0..3_i64,
        count in 1..40_i64, out in prop::collection::btree_set(0..40_u64, 0..4),
    ) {
        let zone = chrono_tz::TZ_VARIANTS[zone].name();
        let start = at("20270925T000000").checked_add_days(chrono::Days::new(first)).unwrap() + TimeDelta::hours(i64::from(hour));
        let local = |at: NaiveDateTime| at.format("%Y%m%dT%H%M%S").to_string();
        let length = if nominal > 0 { format!("DURATION:P{nominal}DT{minutes}M") } else { format!("DURATION:PT{minutes}M") };
        let day = |n: u64| start.checked_add_days(chrono::Days::new(n)).unwrap();
        let single = |n: u64| format!("DTSTART;TZID={zone}:{}\n{length}", local(day(n)));
        let exdates = out.iter().map(|n| format!("EXDATE;TZID={zone}:{}\n", local(day(*n)))).collect::<Vec<_>>().concat();
        let whole = good(&[&format!("{}\n{exdates}RRULE:FREQ=DAILY;COUNT={count}", single(0))]);
        let mut each: Vec<String> = (0..count.unsigned_abs()).filter(|n| !out.contains(n)).flat_map(|n| good(&[&single(n)])).collect();
        each.sort();
        prop_assert_eq!(whole, each);
    }
}
