//! The sync.

use berth_sdk::{
    Bookings,
    testing::{self, Level},
    types::ProviderError,
};
use serde_json::{Value, json};

use super::{appointment, at, calendars, contact, events, provider, script};

fn changed(id: &str, at: &str, status: &str) -> Value {
    appointment(&json!({ "id": id, "dateUpdated": at, "appointmentStatus": status }))
}

#[test]
fn every_page_reads_the_window_and_gives_what_changed() {
    // A week back, three years ahead.
    let target = |id: &str| {
        format!(
            "/calendars/events?locationId=loc_1&calendarId={id}&startTime=1766739600000&endTime=1862211600000"
        )
    };
    let now = |a: &str, b: &str| {
        [
            ("cal_1", events(&[changed("a", a, "confirmed")])),
            (
                "cal_2",
                events(&[changed("b", b, "confirmed"), changed("c", "2026-01-01T07:00:00Z", "cancelled")]),
            ),
        ]
    };
    let rounds = [
        now("2026-01-01T08:00:00Z", "2026-01-01T07:30:00Z"),
        now("2026-01-01T08:00:00Z", "2026-01-01T07:30:00Z"),
        now("2026-01-01T08:00:00Z", "2026-01-01T09:00:00Z"),
    ];
    let script = rounds.iter().fold(script(), |script, round| {
        let script = script.on("GET", "/calendars/?locationId=loc_1", 200, &calendars(&["cal_1", "cal_2"]));
        let script = round.iter().fold(script, |script, (id, list)| script.on("GET", &target(id), 200, list));
        script.on("GET", "/contacts/con_1", 200, &contact())
    });
    let (provider, played) = provider(script);
    let ids =
        |page: &berth_sdk::types::ChangePage| page.items.iter().map(|b| b.id.clone()).collect::<Vec<_>>();
    let first = provider.list_changes(None, 1).unwrap();
    assert_eq!(
        (ids(&first), first.more),
        (vec!["b".to_owned()], true),
        "oldest change first, and not the cancelled one"
    );
    let second = provider.list_changes(Some(first.cursor), 1).unwrap();
    assert_eq!((ids(&second), second.more), (vec!["a".to_owned()], false));
    let third = provider.list_changes(Some(second.cursor), 1_000).unwrap();
    assert_eq!(
        (ids(&third), third.more),
        (vec!["a".to_owned(), "b".to_owned()], false),
        "a overlaps, b changed"
    );
    assert_eq!(provider.list_changes(Some("junk".to_owned()), 1), Err(ProviderError::CursorExpired));
    played.finish();
}

#[test]
fn the_people_of_what_changed_are_told() {
    let at = "2026-01-01T08:00:00Z";
    let list = [
        changed("a", at, "confirmed"),
        changed("b", at, "confirmed"),
        appointment(&json!({ "id": "c", "contactId": "con_2", "dateUpdated": at })),
    ];
    let (provider, played) = provider(
        script()
            .on("GET", "/calendars/?locationId=loc_1", 200, &calendars(&["cal_1"]))
            .on("GET", "/calendars/events", 200, &events(&list))
            .on("GET", "/contacts/con_1", 200, &contact())
            .on("GET", "/contacts/con_2", 404, "{}"),
    );
    let page = provider.list_changes(None, 100).unwrap();
    let names: Vec<_> = page.items.iter().map(|b| b.attendees.first().map(|a| a.name.as_str())).collect();
    assert_eq!(names, [Some("Ada Nowak"), Some("Ada Nowak"), None]);
    played.finish();
}

#[test]
fn a_page_has_no_more_items_than_a_call_may_ask_contacts_for() {
    let ids: Vec<String> = (0..15).map(|n| format!("cal_{n:02}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let many: Vec<_> = (0..9)
        .map(|n| {
            appointment(&json!({ "id": format!("ap_{n}"), "contactId": format!("con_{n}"),
                "dateUpdated": "2026-01-01T08:00:00Z" }))
        })
        .collect();
    let script = script().on("GET", "/calendars/?locationId=loc_1", 200, &calendars(&ids));
    let script = (0..15).fold(script, |script, n| {
        script.on("GET", "/calendars/events", 200, &events(if n == 0 { &many } else { &[] }))
    });
    let script =
        (0..4).fold(script, |script, n| script.on("GET", &format!("/contacts/con_{n}"), 200, &contact()));
    let (provider, played) = provider(script);
    let page = provider.list_changes(None, 100).unwrap();
    assert_eq!((page.items.len(), page.more, played.requests().len()), (4, true, 20));
    played.finish();
}

#[test]
fn after_a_long_silence_the_window_begins_where_it_ended() {
    let asked_from = |played: &testing::Scripted, request: usize| -> i64 {
        let url = played.requests()[request].url.clone();
        let text = url.split("startTime=").nth(1).and_then(|rest| rest.split('&').next()).unwrap();
        text.parse::<i64>().unwrap() * 1_000
    };
    let script = (0..2).fold(script(), |script, _| {
        script.on("GET", "/calendars/?locationId=loc_1", 200, &calendars(&["cal_1"])).on(
            "GET",
            "/calendars/events",
            200,
            &events(&[]),
        )
    });
    let (provider, played) = provider(script);
    let before = provider.list_changes(None, 100).unwrap();
    // An appointment of the week in between may have been cancelled, and is over by now.
    testing::set_now(at("2026-02-02T09:00:00Z"));
    provider.list_changes(Some(before.cursor), 100).unwrap();
    assert_eq!(asked_from(&played, 3), asked_from(&played, 1));
}

#[test]
fn an_odd_appointment_does_not_stop_the_others() {
    let odd = json!({ "id": "odd", "startTime": {} });
    let fine = changed("a", "2026-01-01T08:00:00Z", "confirmed");
    let (provider, _played) = provider(
        script()
            .on("GET", "/calendars/", 200, &calendars(&["cal_1"]))
            .on("GET", "/calendars/events", 200, &events(&[odd, fine]))
            .on("GET", "/contacts/con_1", 200, &contact()),
    );
    let page = provider.list_changes(None, 100).unwrap();
    assert_eq!(page.items.iter().map(|b| b.id.as_str()).collect::<Vec<_>>(), ["a"]);
    assert!(testing::lines().iter().any(|(level, line)| *level == Level::Error && line.contains("odd")));
}
