//! Changes by token, and push channels.

use berth_sdk::{
    Bookings, Webhooks,
    testing::{self, Level},
    types::{
        BookingStatus, Interval, ProviderError, SubscribeRequest, Subscription, WebhookEvent, WebhookRequest,
    },
};
use serde_json::{Value, json};

use crate::{GoogleCalendar, settings::Settings};

use super::{at, event, provider, refusal, script};

const EVENTS: &str = "/calendar/v3/calendars/primary/events";
const WATCH: &str = "/calendar/v3/calendars/primary/events/watch";
const STOP: &str = "/calendar/v3/channels/stop";
const CALLBACK: &str = "https://berth.example/api/webhooks/google-calendar/c1";

fn page(items: &[Value], next: Option<&str>, sync: Option<&str>) -> String {
    json!({ "kind": "calendar#events", "items": items, "nextPageToken": next, "nextSyncToken": sync })
        .to_string()
}

#[test]
fn first_what_is_not_over_and_then_what_changed() {
    let first = format!("{EVENTS}?singleEvents=true&maxResults=2&timeMin=2026-01-02T09%3A00%3A00Z");
    let changes = format!("{EVENTS}?singleEvents=true&maxResults=2&syncToken=");
    let stub = json!({ "id": "gone", "status": "cancelled" });
    let (google, played) = provider(
        script()
            .on(
                "GET",
                &first,
                200,
                &page(&[event(&json!({})), event(&json!({ "id": "b" }))], Some("p2"), None),
            )
            .on("GET", &format!("{first}&pageToken=p2"), 200, &page(&[], None, Some("s1")))
            .on("GET", &format!("{changes}s1"), 200, &page(&[stub], Some("p3"), None))
            .on("GET", &format!("{changes}s1&pageToken=p3"), 200, &page(&[], None, Some("s2")))
            .on("GET", &format!("{changes}s2"), 410, &refusal(410, "fullSyncRequired")),
    );
    let one = google.list_changes(None, 2).unwrap();
    assert_eq!((one.items.len(), one.more), (2, true));
    // What the caller wants later does not change the question.
    let two = google.list_changes(Some(one.cursor), 100).unwrap();
    assert_eq!((two.items.len(), two.more), (0, false));
    let three = google.list_changes(Some(two.cursor), 100).unwrap();
    assert_eq!((three.items[0].id.as_str(), three.more), ("gone", true));
    let four = google.list_changes(Some(three.cursor), 100).unwrap();
    assert!(!four.more);
    assert_eq!(google.list_changes(Some(four.cursor), 100), Err(ProviderError::CursorExpired));
    assert_eq!(google.list_changes(Some("junk".to_owned()), 100), Err(ProviderError::CursorExpired));
    played.finish();
}

#[test]
fn what_others_entered_counts_only_where_it_takes_time() {
    let foreign = |id: &str, changes: Value| {
        let mut event = event(&json!({ "id": id, "extendedProperties": null }));
        event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        event
    };
    let invited = |answer: &str| {
        json!({ "attendees": [{ "email": "bob@example.com", "organizer": true, "responseStatus": "accepted" },
            { "email": "eve@example.com", "self": true, "responseStatus": answer }] })
    };
    let free = json!({ "transparency": "transparent" });
    let items = [
        foreign("note", free.clone()),
        foreign("declined", invited("declined")),
        foreign("perhaps", invited("needsAction")),
        foreign("dentist", json!({ "transparency": "opaque" })),
        event(&json!({ "id": "ours", "transparency": "transparent" })),
    ];
    let (google, _played) = provider(script().on("GET", EVENTS, 200, &page(&items, None, Some("s1"))));
    let told = google.list_changes(None, 50).unwrap().items;
    let of = |id: &str| told.iter().find(|b| b.id == id).unwrap().status;
    assert_eq!((of("note"), of("declined")), (BookingStatus::Cancelled, BookingStatus::Cancelled));
    assert_eq!((of("perhaps"), of("dentist")), (BookingStatus::Confirmed, BookingStatus::Confirmed));
    assert_eq!(of("ours"), BookingStatus::Confirmed, "its time is Berth's to say");
}

#[test]
fn a_token_that_is_gone_is_too_old_whatever_else_is_said() {
    let changes = format!("{EVENTS}?singleEvents=true&maxResults=2&syncToken=s1");
    for body in [refusal(410, "fullSyncRequired"), refusal(410, "gone"), String::new()] {
        let (google, _played) = provider(script().on("GET", &changes, 410, &body));
        let cursor = r#"{"sync":"s1","size":2}"#.to_owned();
        assert_eq!(google.list_changes(Some(cursor), 2), Err(ProviderError::CursorExpired), "{body}");
    }
}

#[test]
fn days_are_days_where_the_calendar_is() {
    let day = event(&json!({ "start": { "date": "2026-03-08" }, "end": { "date": "2026-03-09" } }));
    let told = |zone: Value| {
        let mut page: Value =
            serde_json::from_str(&page(std::slice::from_ref(&day), None, Some("s1"))).unwrap();
        page["timeZone"] = zone;
        let (google, _played) = provider(script().on("GET", EVENTS, 200, &page.to_string()));
        google.list_changes(None, 50).unwrap().items[0].when
    };
    // The clocks of Los Angeles change on that day: it has 23 hours.
    let expected = Interval { start: at("2026-03-08T08:00:00Z"), end: at("2026-03-09T07:00:00Z") };
    assert_eq!(told(json!("America/Los_Angeles")), expected);
    let utc = Interval { start: at("2026-03-08T00:00:00Z"), end: at("2026-03-09T00:00:00Z") };
    assert_eq!((told(json!(null)), told(json!("Atlantis"))), (utc, utc));
}

fn subscribe() -> SubscribeRequest {
    SubscribeRequest { idempotency_key: "c1-subscribe".to_owned(), callback_url: CALLBACK.to_owned() }
}

fn channel(id: &str) -> String {
    let expiration = (at("2026-01-09T09:00:00Z") / 1_000).to_string();
    json!({ "kind": "api#channel", "id": id, "resourceId": "o3hg", "expiration": expiration }).to_string()
}

#[test]
fn a_channel_is_made_once_and_stopped() {
    let (google, played) = provider(
        script()
            .on("POST", WATCH, 200, &channel("c1-subscribe"))
            .on("POST", STOP, 204, "")
            .on("POST", STOP, 404, &refusal(404, "notFound"))
            .on("POST", STOP, 503, "")
            .on("POST", WATCH, 200, &channel("c1-subscribe")),
    );
    let made = google.subscribe(subscribe()).unwrap();
    assert_eq!(made.expires_at, Some(at("2026-01-09T09:00:00Z")));
    assert_eq!(google.subscribe(subscribe()).unwrap(), made, "it is remembered");
    let sent = json!({ "id": "c1-subscribe", "type": "web_hook", "address": CALLBACK, "params": { "ttl": "604800" } });
    assert_eq!(played.body(0), sent, "the token is the host's to add");
    assert_eq!(google.unsubscribe(made.clone()), Ok(()));
    assert_eq!(played.body(1), json!({ "id": "c1-subscribe", "resourceId": "o3hg" }));
    assert_eq!(google.unsubscribe(made.clone()), Ok(()), "what is gone is stopped");
    assert_eq!(google.unsubscribe(made), Err(ProviderError::Unavailable(None)));
    assert_eq!(google.subscribe(subscribe()).unwrap().id, "c1-subscribe", "it is forgotten");
    played.finish();
}

#[test]
fn a_channel_that_is_over_or_somewhere_else_is_made_anew() {
    let (google, played) = provider(
        script()
            .on("POST", WATCH, 200, &channel("c1-subscribe"))
            .on("POST", WATCH, 400, &refusal(400, "channelIdNotUnique"))
            .on("POST", WATCH, 200, &channel("c1-subscribe_1768000000"))
            .on("POST", WATCH, 200, &channel("c2"))
            .on("POST", WATCH, 200, &channel("c3")),
    );
    google.subscribe(subscribe()).unwrap();
    testing::set_now(at("2026-01-09T23:06:40Z"));
    assert_eq!(google.subscribe(subscribe()).unwrap().id, "c1-subscribe_1768000000");
    assert_eq!(played.body(2)["id"], "c1-subscribe_1768000000");
    testing::set_now(at("2026-01-08T09:00:00Z"));
    let elsewhere = SubscribeRequest { callback_url: "https://new.example/".to_owned(), ..subscribe() };
    assert_eq!(google.subscribe(elsewhere.clone()).unwrap().id, "c2");
    assert_eq!(google.subscribe(elsewhere.clone()).unwrap().id, "c2");
    let of_room = GoogleCalendar {
        settings: Settings { calendar: "room@example.com".to_owned(), ..google.settings.clone() },
        api: google.api,
    };
    assert_eq!(of_room.subscribe(elsewhere).unwrap().id, "c3", "another calendar has a channel of its own");
    played.finish();
}

#[test]
fn a_channel_is_renewed_by_another_before_the_old_one_is_stopped() {
    let old = Subscription {
        id: "c1-subscribe_1767000000".to_owned(),
        expires_at: None,
        data: Some(r#"{"resource_id":"o3hg"}"#.to_owned()),
    };
    let (google, played) = provider(
        script()
            .on("POST", WATCH, 200, &channel("c1-subscribe_1767344400"))
            .on("POST", STOP, 503, "")
            .on("POST", WATCH, 503, ""),
    );
    let new = google.renew(old.clone(), CALLBACK.to_owned()).unwrap();
    assert_eq!(played.body(0)["id"], "c1-subscribe_1767344400");
    assert_eq!(played.body(1), json!({ "id": "c1-subscribe_1767000000", "resourceId": "o3hg" }));
    assert!(
        testing::lines().iter().any(|(level, line)| *level == Level::Warn && line.contains("old channel"))
    );
    assert_eq!(google.subscribe(subscribe()).unwrap().id, new.id, "the new one is remembered");
    assert_eq!(google.renew(old, CALLBACK.to_owned()), Err(ProviderError::Unavailable(None)));
    played.finish();
}

#[test]
fn a_message_says_that_something_changed_or_that_the_channel_works() {
    let message = |state: &str| WebhookRequest {
        method: "POST".to_owned(),
        headers: vec![
            ("x-goog-resource-state".to_owned(), state.to_owned()),
            ("x-goog-resource-id".to_owned(), "o3hg".to_owned()),
        ],
        query: String::new(),
        body: Vec::new(),
        received_at: 0,
        subscription: Some(r#"{"resource_id":"o3hg"}"#.to_owned()),
    };
    let (google, played) = provider(script());
    assert!(google.handle(message("sync")).unwrap().events.is_empty());
    for _ in 0..2 {
        let events = google.handle(message("exists")).unwrap().events;
        assert!(matches!(events[..], [WebhookEvent::ChangedGoAndSync(None)]));
    }
    let mut foreign = message("exists");
    foreign.headers.clear();
    assert!(matches!(google.handle(foreign), Err(ProviderError::Invalid(_))));
    played.finish();
}
