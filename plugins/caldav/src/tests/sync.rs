//! Changes, from the first listing on.

use berth_sdk::{
    Bookings, testing, time,
    types::{BookingStatus, ProviderError},
};

use serde_json::json;

use super::{
    event, event_response, gone, modified, multistatus, provider, provider_with, refusal, response, script,
    sent,
};

const CALENDAR: &str = "/eve/work/";

fn token(token: &str) -> String {
    multistatus(&response(CALENDAR, &format!("<sync-token>{token}</sync-token>")))
}

/// An answer to `sync-collection`.
fn changed(inside: &str, token: &str) -> String {
    multistatus(&format!("{inside}<sync-token>{token}</sync-token>"))
}

fn listed(name: &str) -> String {
    response(&format!("{CALENDAR}{name}.ics"), "<getetag>\"1\"</getetag>")
}

fn full(name: &str) -> String {
    let data = event(name, "20300105T090000Z", "");
    event_response(&format!("{CALENDAR}{name}.ics"), "\"1\"", &data)
}

#[test]
fn first_everything_that_is_not_over_and_then_what_changed() {
    let (caldav, played) = provider(
        script()
            .on("PROPFIND", CALENDAR, 207, &token("t1"))
            .on("REPORT", CALENDAR, 207, &multistatus(&(listed("b") + &listed("a"))))
            .on("REPORT", CALENDAR, 207, &multistatus(&full("a")))
            .on("REPORT", CALENDAR, 207, &multistatus(&(listed("b") + &listed("a"))))
            .on("REPORT", CALENDAR, 207, &multistatus(&full("b")))
            .on("REPORT", CALENDAR, 207, &changed(&gone("/eve/work/a.ics"), "t2"))
            .on("REPORT", CALENDAR, 207, &changed("", "t3")),
    );
    let first = caldav.list_changes(None, 1).unwrap();
    assert_eq!((first.items[0].id.as_str(), first.more), ("/eve/work/a.ics", true));
    assert!(sent(&played, 1).contains(r#"<C:time-range start="20300102T090000Z"/>"#));
    assert!(sent(&played, 2).contains("<href>/eve/work/a.ics</href></C:calendar-multiget>"));
    let second = caldav.list_changes(Some(first.cursor), 1).unwrap();
    assert_eq!((second.items[0].id.as_str(), second.more), ("/eve/work/b.ics", false));
    let third = caldav.list_changes(Some(second.cursor), 50).unwrap();
    assert!(sent(&played, 5).contains("<sync-token>t1</sync-token>"), "that of before the listing");
    assert_eq!(third.items[0].status, BookingStatus::Cancelled);
    assert_eq!(third.items[0].id, "/eve/work/a.ics");
    let fourth = caldav.list_changes(Some(third.cursor), 50).unwrap();
    assert!(fourth.items.is_empty() && !fourth.more);
    assert!(sent(&played, 6).contains("<sync-token>t2</sync-token>"));
    played.finish();
}

#[test]
fn an_odd_object_does_not_stop_the_others() {
    let task = "BEGIN:VCALENDAR\nBEGIN:VJOURNAL\nUID:t\nEND:VJOURNAL\nEND:VCALENDAR\n";
    let odd = event("odd", "soon", "");
    let objects = [
        modified(&full("late"), 2),
        event_response("/eve/work/odd.ics", "\"1\"", &odd),
        event_response("/eve/work/task.ics", "\"1\"", task),
        modified(&full("early"), 1),
        gone("/eve/work/quick.ics"),
    ];
    let names = ["late", "odd", "task", "early", "quick"].map(listed).concat();
    let since = r#"{"listing":{"since":"t1"}}"#;
    let (caldav, played) = provider(script().on("REPORT", CALENDAR, 207, &changed(&names, "t2")).on(
        "REPORT",
        CALENDAR,
        207,
        &multistatus(&objects.concat()),
    ));
    let page = caldav.list_changes(Some(since.to_owned()), 50).unwrap();
    let told: Vec<_> = page.items.iter().map(|b| (b.id.as_str(), b.status)).collect();
    assert_eq!(
        told,
        [
            ("/eve/work/quick.ics", BookingStatus::Cancelled),
            ("/eve/work/early.ics", BookingStatus::Confirmed),
            ("/eve/work/late.ics", BookingStatus::Confirmed)
        ],
        "oldest change first"
    );
    let lines = testing::lines();
    assert!(
        lines.iter().any(|(_, line)| line == "left out of the sync: event /eve/work/odd.ics"),
        "{lines:?}"
    );
    assert!(!lines.iter().any(|(_, line)| line.contains("task.ics")));
    played.finish();
}

#[test]
fn a_server_that_cuts_its_answer_is_asked_again() {
    let cut = format!(
        "{}<response><href>{CALENDAR}</href><status>HTTP/1.1 507 Insufficient Storage</status></response>",
        gone("/eve/work/a.ics")
    );
    let (caldav, played) = provider(script().on("REPORT", CALENDAR, 207, &changed(&cut, "t2")));
    let page = caldav.list_changes(Some(r#"{"listing":{"since":"t1"}}"#.to_owned()), 50).unwrap();
    assert_eq!((page.items.len(), page.more), (1, true));
    assert_eq!(page.cursor, r#"{"listing":{"since":"t2"}}"#);
    played.finish();
}

#[test]
fn tokens_grow_old_and_some_servers_have_none() {
    let since = || Some(r#"{"listing":{"since":"t1"}}"#.to_owned());
    for status in [403, 409, 412] {
        let (caldav, _) = provider(script().on("REPORT", CALENDAR, status, &refusal("valid-sync-token")));
        assert_eq!(caldav.list_changes(since(), 5), Err(ProviderError::CursorExpired));
    }
    let (caldav, played) = provider(script());
    assert_eq!(caldav.list_changes(Some("junk".to_owned()), 5), Err(ProviderError::CursorExpired));
    played.finish();
    let (caldav, _) = provider(script().on("PROPFIND", CALENDAR, 207, &multistatus(&response(CALENDAR, ""))));
    assert_eq!(caldav.list_changes(None, 5), Err(ProviderError::Unsupported(None)));
    let (caldav, _) = provider(script().on("REPORT", CALENDAR, 207, &multistatus("")));
    assert_eq!(caldav.list_changes(since(), 5), Err(ProviderError::Unavailable(None)));
}

#[test]
fn days_are_those_of_the_calendar_and_what_takes_no_time_is_told_alike() {
    let data = |name: &str, lines: &str| {
        let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:{name}\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n");
        event_response(&format!("{CALENDAR}{name}.ics"), "\"1\"", &text)
    };
    let objects = [
        data("day", "DTSTART;VALUE=DATE:20300105"),
        data("odd", "DTSTART:20300105T090000Z\nDURATION:PT"),
        data("tentative", "DTSTART:20300105T100000Z\nSTATUS:TENTATIVE"),
    ];
    let names = ["day", "odd", "tentative"].map(listed).concat();
    let zone = "<C:calendar-timezone>BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Asia/Tokyo\nEND:VTIMEZONE\nEND:VCALENDAR</C:calendar-timezone>";
    for (zone, settings, start, tentative) in [
        (zone, json!({}), "2030-01-04T15:00:00Z", BookingStatus::Pending),
        (
            "",
            json!({ "time_zone": "America/New_York", "tentative_is_busy": false }),
            "2030-01-05T05:00:00Z",
            BookingStatus::Cancelled,
        ),
        ("", json!({}), "2030-01-05T00:00:00Z", BookingStatus::Pending),
    ] {
        let mut all = json!({ "calendar": CALENDAR });
        for (name, value) in settings.as_object().unwrap() {
            all[name] = value.clone();
        }
        let (caldav, played) = provider_with(
            &all,
            script()
                .on("REPORT", CALENDAR, 207, &changed(&names, "t2"))
                .on("REPORT", CALENDAR, 207, &multistatus(&objects.concat()))
                .on("PROPFIND", CALENDAR, 207, &multistatus(&response(CALENDAR, zone))),
        );
        let page = caldav.list_changes(Some(r#"{"listing":{"since":"t1"}}"#.to_owned()), 50).unwrap();
        let of = |name: &str| page.items.iter().find(|b| b.id.contains(name)).unwrap();
        let (day, odd) = (of("day").when, of("odd").when);
        assert_eq!((time::format(day.start).as_str(), day.end - day.start), (start, time::DAY), "{settings}");
        assert_eq!(odd.end - odd.start, time::HOUR);
        assert_eq!((of("tentative").status, of("day").status), (tentative, BookingStatus::Confirmed));
        played.finish();
    }
}
