//! The whole provider against scripted answers.

use std::rc::Rc;

use berth_model::plugins::manifest::Manifest;
use berth_sdk::{
    Availability, Catalog, Connection,
    http::SendError,
    testing::{self, Scripted},
    time::{self, DAY, MINUTE},
    types::{BusyQuery, Interval, PageRequest, ProviderError},
};
use serde_json::{Value, json};

use crate::IcsFeed;

const NOW: &str = "2026-03-02T09:00:00Z";

fn at(text: &str) -> i64 {
    time::parse(text).unwrap()
}

fn script() -> Scripted {
    Scripted::at(at(NOW))
}

fn set(settings: &Value) {
    let manifest = Manifest::parse(include_str!("../plugin.toml")).unwrap();
    let mut all = json!({ "base_url": "https://cal.example.com" });
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    testing::set_settings(&berth_settings::check(&manifest, &all).unwrap().to_string());
    testing::set_credential("address", |message| message.iter().cycle().take(32).copied().collect());
}

fn opened(script: Scripted) -> (IcsFeed, Rc<Scripted>) {
    let script = testing::play(script);
    set(&json!({}));
    (IcsFeed::open().unwrap(), script)
}

fn calendar(lines: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nX-WR-CALNAME:Eve's week\n{lines}END:VCALENDAR\n")
}

fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT\n{lines}\nEND:VEVENT\n")
}

fn query(from: &str, to: &str) -> BusyQuery {
    let within = Interval { start: at(from), end: at(to) };
    BusyQuery { within, calendars: Vec::new(), time_zone: "Europe/Warsaw".to_owned() }
}

fn march() -> BusyQuery {
    query("2026-03-02T00:00:00Z", "2026-04-30T00:00:00Z")
}

/// What is told of a calendar with these lines: start, and length in minutes.
fn told_with(lines: &str, settings: &Value) -> Vec<String> {
    let script = testing::play(script().on("GET", "/", 200, &calendar(lines)));
    set(settings);
    let busy = IcsFeed::open().unwrap().busy(march()).unwrap();
    script.finish();
    busy.iter()
        .map(|b| format!("{} {}", time::format(b.when.start), (b.when.end - b.when.start) / MINUTE))
        .collect()
}

fn told(lines: &str) -> Vec<String> {
    told_with(lines, &json!({}))
}

#[test]
fn a_calendar_has_a_name_and_an_id_that_tells_nothing() {
    let answer = calendar("");
    let (feed, script) = opened(script().on("GET", "/", 200, &answer).on("GET", "/", 200, &answer));
    let account = feed.validate().unwrap();
    assert_eq!((account.name.as_str(), account.id.len()), ("Eve's week", 32));
    let types = feed.list_event_types(PageRequest { token: None, limit: 10 }).unwrap();
    let [only] = types.items.as_slice() else { panic!("{types:?}") };
    assert_eq!((only.id.as_str(), only.title.as_str(), only.active), ("calendar", "Eve's week", false));
    script.finish();
}

#[test]
fn what_takes_time_and_what_does_not() {
    let hour = "UID:a\nDTSTART:20260310T090000Z\nDTEND:20260310T100000Z";
    assert_eq!(told(&event(hour)), ["2026-03-10T09:00:00Z 60"]);
    for free in ["STATUS:CANCELLED", "TRANSP:TRANSPARENT", "X-MICROSOFT-CDO-BUSYSTATUS:FREE"] {
        assert!(told(&event(&format!("{hour}\n{free}"))).is_empty(), "{free}");
    }
    for maybe in ["STATUS:TENTATIVE", "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE"] {
        let lines = event(&format!("{hour}\n{maybe}"));
        assert_eq!(told(&lines).len(), 1, "{maybe}");
        assert!(told_with(&lines, &json!({ "tentative_is_busy": false })).is_empty(), "{maybe}");
    }
    // Days are days where somebody asks; Warsaw's clocks change on 29 March.
    let day = event("UID:a\nDTSTART;VALUE=DATE:20260329");
    assert_eq!(told(&day), ["2026-03-28T23:00:00Z 1380"]);
    // Or where the calendar says that it is.
    let tokyo =
        format!("X-WR-TIMEZONE:Asia/Tokyo\n{}", event("UID:a\nDTSTART:20260310T090000\nDURATION:PT1H"));
    assert_eq!(told(&tokyo), ["2026-03-10T00:00:00Z 60"]);
    let windows = event("UID:a\nDTSTART;TZID=Eastern Standard Time:20260310T090000\nDURATION:PT1H");
    assert_eq!(told(&windows), ["2026-03-10T13:00:00Z 60"]);
}

#[test]
fn series_go_by_their_clock_and_by_what_is_said_of_single_times() {
    let weekly =
        "UID:s\nDTSTART;TZID=Europe/Warsaw:20260106T090000\nDTEND;TZID=Europe/Warsaw:20260106T093000";
    let of = |more: &str, others: &str| told(&format!("{}{others}", event(&format!("{weekly}\n{more}"))));
    assert_eq!(
        of("RRULE:FREQ=WEEKLY;UNTIL=20260407T065959Z", ""),
        // Nine o'clock, before and after the change; the last would begin a second too late.
        [
            "2026-03-03T08:00:00Z 30",
            "2026-03-10T08:00:00Z 30",
            "2026-03-17T08:00:00Z 30",
            "2026-03-24T08:00:00Z 30",
            "2026-03-31T07:00:00Z 30"
        ]
    );
    assert_eq!(of("RRULE:FREQ=WEEKLY;UNTIL=20260407T070000Z", "").len(), 6);
    assert_eq!(of("RRULE:FREQ=WEEKLY;COUNT=10", "").last().unwrap(), "2026-03-10T08:00:00Z 30");
    let left_out = "RRULE:FREQ=WEEKLY;COUNT=11\nEXDATE;TZID=Europe/Warsaw:20260303T090000,20260310T090000";
    assert_eq!(of(left_out, ""), ["2026-03-17T08:00:00Z 30"]);
    assert_eq!(of("RRULE:FREQ=WEEKLY;COUNT=9\nEXDATE;VALUE=DATE:20260303", ""), [""; 0]);
    assert_eq!(of("RRULE:FREQ=WEEKLY;COUNT=9\nEXDATE:20260303T080000Z", ""), [""; 0]);
    let added = "RDATE;TZID=Europe/Warsaw:20260305T110000\nRDATE:20260306T110000Z";
    assert_eq!(of(added, ""), ["2026-03-05T10:00:00Z 30", "2026-03-06T11:00:00Z 30"]);
    let moved = event(
        "UID:s\nRECURRENCE-ID;TZID=Europe/Warsaw:20260303T090000\nDTSTART:20260304T120000Z\nDURATION:PT1H",
    );
    let gone = event("UID:s\nRECURRENCE-ID:20260310T080000Z\nSTATUS:CANCELLED\nDTSTART:20260310T080000Z");
    assert_eq!(
        of("RRULE:FREQ=WEEKLY;COUNT=11", &format!("{moved}{gone}")),
        ["2026-03-04T12:00:00Z 60", "2026-03-17T08:00:00Z 30"]
    );
    // A day of each month that is not in all, on a clock that is only defined here.
    let mars = "BEGIN:VTIMEZONE\nTZID:Mars\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0037\nTZOFFSETTO:+0037\nEND:STANDARD\nEND:VTIMEZONE\n";
    let monthly = event(
        "UID:m\nDTSTART;TZID=Mars:20260131T100000\nDURATION:PT1H\nRRULE:FREQ=MONTHLY;UNTIL=20260331T092300Z",
    );
    assert_eq!(told(&format!("{mars}{monthly}")), ["2026-03-31T09:23:00Z 60"]);
}

#[test]
fn what_cannot_be_read_closes_its_own_time_at_most_and_is_named() {
    let good = event("UID:g\nDTSTART:20260310T090000Z\nDURATION:PT1H");
    for (bad, more) in [
        ("UID:a\nDTSTART:soon", None),
        ("UID:a", None),
        ("UID:a\nDTSTART;TZID=Mars:20260309T090000\nDURATION:PT1H", None),
        ("UID:a\nDTSTART:20260309T090000Z\nDTEND:20260308T090000Z", Some("2026-03-09T09:00:00Z 60")),
        ("UID:a\nDTSTART:20260309T090000Z\nDURATION:PT5M\nRRULE:FREQ=NEVER", Some("2026-03-09T09:00:00Z 5")),
        (
            "UID:a\nDTSTART:20260309T090000Z\nDURATION:PT5M\nRRULE:FREQ=MINUTELY",
            Some("2026-03-09T09:00:00Z 5"),
        ),
    ] {
        let expected: Vec<&str> = more.into_iter().chain(["2026-03-10T09:00:00Z 60"]).collect();
        assert_eq!(told(&format!("{}{good}", event(bad))), expected, "{bad}");
        assert!(testing::lines().iter().any(|(_, line)| line.contains("at line 4")), "{bad}");
    }
}

#[test]
fn an_unchanged_calendar_is_not_read_again() {
    let first = calendar(&event("UID:a\nDTSTART:20260310T090000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY"));
    let script = script()
        .on_with("GET", "/", 200, &[("etag", "\"1\"")], &first)
        .on("GET", "/", 304, "")
        .on("GET", "/", 304, "")
        .on_with("GET", "/", 200, &[("etag", "\"2\"")], &calendar(""))
        .on("GET", "/", 304, "");
    let (feed, script) = opened(script);
    let count = |query: BusyQuery| feed.busy(query).unwrap().len();
    let summer = || query("2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z");
    assert_eq!([count(march()), count(march()), count(summer())], [8, 8, 4]);
    assert_eq!([count(march()), count(march())], [0, 0]);
    let tags: Vec<_> = script
        .requests()
        .iter()
        .map(|r| r.headers.iter().find(|(n, _)| n == "if-none-match").map(|(_, v)| v.clone()))
        .collect();
    let tag = |n: u32| Some(format!("\"{n}\""));
    assert_eq!(tags, [None, tag(1), tag(1), tag(1), tag(2)]);
    script.finish();
}

#[test]
fn what_was_read_counts_for_where_it_was_asked_and_for_a_day() {
    let days = calendar(&event("UID:a\nDTSTART;VALUE=DATE:20260310"));
    let answers = (0..4).fold(script(), |s, _| s.on_with("GET", "/", 200, &[("etag", "\"1\"")], &days));
    let (feed, script) = opened(answers);
    let start = |zone: &str, query: BusyQuery| {
        let busy = feed.busy(BusyQuery { time_zone: zone.to_owned(), ..query }).unwrap();
        busy.first().map(|b| time::format(b.when.start))
    };
    assert_eq!(start("Europe/Warsaw", march()).as_deref(), Some("2026-03-09T23:00:00Z"));
    assert_eq!(start("Asia/Tokyo", march()).as_deref(), Some("2026-03-09T15:00:00Z"));
    // Farther ahead than was read.
    assert_eq!(start("Asia/Tokyo", query("2028-01-01T00:00:00Z", "2028-02-01T00:00:00Z")), None);
    testing::set_now(at(NOW) + DAY);
    assert_eq!(start("Asia/Tokyo", march()).as_deref(), Some("2026-03-09T15:00:00Z"));
    assert!(script.requests().iter().all(|r| r.headers.iter().all(|(name, _)| name != "if-none-match")));
    script.finish();
}

#[test]
fn a_calendar_that_is_too_full_to_be_kept_is_asked_for_anew() {
    let events: String = (0..2_000)
        .map(|n| event(&format!("UID:{n}\nDTSTART:{}\nDURATION:PT7M", stamp(at(NOW) + n * 13 * MINUTE))))
        .collect();
    let full = calendar(&events);
    let answers = (0..2).fold(script(), |s, _| s.on_with("GET", "/", 200, &[("etag", "\"1\"")], &full));
    let (feed, script) = opened(answers);
    assert_eq!(feed.busy(march()).unwrap().len(), 2_000);
    assert_eq!(feed.busy(march()).unwrap().len(), 2_000);
    assert!(script.requests().iter().all(|r| r.headers.iter().all(|(name, _)| name != "if-none-match")));
    script.finish();
}

fn stamp(at: i64) -> String {
    time::format(at).replace(['-', ':'], "")
}

#[test]
fn what_is_no_calendar_is_named() {
    let cut = calendar(&event("UID:a\nDTSTART:20260310T090000Z"));
    let cut = &cut[..cut.len() - 20];
    let script = script()
        .on_with("GET", "/", 302, &[("location", "https://elsewhere.example/")], "")
        .on("GET", "/", 200, "<html>Sign in</html>")
        .on("GET", "/", 304, "")
        .on("GET", "/", 200, cut)
        .on("GET", "/", 404, "")
        .on("GET", "/", 500, "")
        .on_failure("GET", "/", SendError::TooLarge);
    let (feed, script) = opened(script);
    let code = || match feed.busy(march()) {
        Err(ProviderError::Vendor(error)) => error.code,
        other => format!("{other:?}"),
    };
    assert_eq!([code(), code(), code()], ["moved", "no-calendar", "no-calendar"]);
    assert_eq!(code(), "Err(ProviderError::Unavailable(None))");
    assert_eq!(code(), "Err(ProviderError::NotFound)");
    assert_eq!(code(), "Err(ProviderError::Unavailable(None))");
    assert_eq!(code(), "answer-too-large");
    let other = BusyQuery { calendars: vec!["other".to_owned()], ..march() };
    assert!(matches!(feed.busy(other), Err(ProviderError::Invalid(_))));
    script.finish();
}
