//! Changes by delta query and by notification.

use berth_model::{
    connections::secret::{Credentials, Secret},
    inbound::webhook,
    plugins::manifest::Manifest,
    time::Instant,
};
use berth_sdk::{
    Bookings, Webhooks,
    testing::{self, Level},
    time::{MINUTE, format},
    types::{BookingStatus, ProviderError, SubscribeRequest, Subscription, WebhookEvent, WebhookRequest},
};
use serde_json::{Value, json};

use super::{at, error, event, list, provider, script};

const CALLBACK: &str = "https://berth.example/api/webhooks/outlook/c1";
const WINDOW: &str =
    "/v1.0/me/calendarView/delta?startDateTime=2025-12-31T09%3A00%3A00Z&endDateTime=2028-01-02T09%3A00%3A00Z";
const NEXT: &str = "/me/calendarView/delta?$skiptoken=n";
const DELTA: &str = "/me/calendarView/delta?$deltatoken=d";

fn page(items: &[Value], link: (&str, &str)) -> String {
    let (kind, path) = link;
    json!({"value": items, kind: format!("https://graph.microsoft.com/v1.0{path}")}).to_string()
}

#[test]
fn changes_are_followed_from_link_to_link() {
    let removed = |id: &str| json!({"id": id, "@removed": {"reason": "deleted"}});
    let (outlook, played) = provider(
        script()
            .on("GET", WINDOW, 200, &page(&[event(&json!({"id": "a"}))], ("@odata.nextLink", NEXT)))
            .on("GET", &format!("/v1.0{NEXT}"), 200, &page(&[], ("@odata.deltaLink", DELTA)))
            .on(
                "GET",
                &format!("/v1.0{DELTA}"),
                200,
                &page(&[removed("a"), removed("b")], ("@odata.deltaLink", DELTA)),
            )
            .on("GET", "/v1.0/me/events/a", 404, &error("ErrorItemNotFound"))
            .on("GET", "/v1.0/me/events/b", 200, &event(&json!({"id": "b"})).to_string()),
    );
    let first = outlook.list_changes(None, 50).unwrap();
    assert_eq!(
        (first.items[0].id.as_str(), first.items[0].event_type.as_deref(), first.more),
        ("a", Some("default"), true)
    );
    let second = outlook.list_changes(Some(first.cursor), 50).unwrap();
    assert_eq!((second.items.len(), second.more), (0, false));
    let third = outlook.list_changes(Some(second.cursor), 50).unwrap();
    let told: Vec<_> = third.items.iter().map(|b| (b.id.as_str(), b.status)).collect();
    // The second of the removed lies outside of the window, and is as it was. What has no time of change comes last.
    assert_eq!(told, [("b", BookingStatus::Confirmed), ("a", BookingStatus::Cancelled)]);
    let prefer = r#"outlook.timezone="UTC", IdType="ImmutableId", odata.maxpagesize=15"#;
    assert!(played.requests()[0].headers.contains(&("prefer".to_owned(), prefer.to_owned())));
    played.finish();
}

#[test]
fn a_state_that_is_too_old_and_answers_that_lead_nowhere() {
    let (outlook, played) = provider(
        script()
            .on("GET", WINDOW, 200, &page(&[], ("@odata.deltaLink", DELTA)))
            .on("GET", &format!("/v1.0{DELTA}"), 410, &error("SyncStateNotFound"))
            .on("GET", WINDOW, 200, &list(&[]))
            .on("GET", WINDOW, 200, &page(&[], ("@odata.deltaLink", "/../beta")))
            .on("GET", WINDOW, 404, &error("ErrorItemNotFound")),
    );
    let cursor = outlook.list_changes(None, 1).unwrap().cursor;
    assert_eq!(outlook.list_changes(Some(cursor), 1), Err(ProviderError::CursorExpired));
    assert_eq!(
        outlook.list_changes(None, 1),
        Err(ProviderError::Unavailable(None)),
        "neither next nor delta"
    );
    assert_eq!(outlook.list_changes(None, 1), Err(ProviderError::Unavailable(None)), "a link out of the API");
    assert_eq!(outlook.list_changes(None, 1), Err(ProviderError::NotFound));
    assert_eq!(outlook.list_changes(Some("{}".to_owned()), 1), Err(ProviderError::CursorExpired));
    played.finish();
}

/// An occurrence as a delta query tells it: without what all of its series have in common.
fn occurrence(id: &str, series: &str, day: u32) -> Value {
    let at =
        |clock: &str| json!({"dateTime": format!("2026-01-{day:02}T{clock}:00.0000000"), "timeZone": "UTC"});
    json!({"id": id, "type": "occurrence", "seriesMasterId": series, "start": at("10:00"), "end": at("11:00")})
}

#[test]
fn occurrences_are_what_their_series_is() {
    let series = |id: &str, show_as: &str| {
        event(
            &json!({"id": id, "type": "seriesMaster", "showAs": show_as, "subject": id, "transactionId": null}),
        )
    };
    let items = [
        occurrence("free-1", "free", 5),
        series("free", "free"),
        occurrence("far-1", "far", 6),
        occurrence("far-2", "far", 13),
        occurrence("gone-1", "gone", 7),
    ];
    let (outlook, played) = provider(
        script()
            .on("GET", WINDOW, 200, &page(&items, ("@odata.deltaLink", DELTA)))
            .on("GET", "/v1.0/me/events/far", 200, &series("far", "workingElsewhere").to_string())
            .on("GET", "/v1.0/me/events/gone", 404, &error("ErrorItemNotFound")),
    );
    let told = outlook.list_changes(None, 50).unwrap().items;
    let mut shown: Vec<_> = told.iter().map(|b| (b.id.as_str(), b.status, b.title.as_deref())).collect();
    shown.sort_unstable_by_key(|(id, ..)| *id);
    // The series itself lies at its first occurrence, which is told by itself.
    let (free, taken) = (BookingStatus::Cancelled, BookingStatus::Confirmed);
    let expected = [
        ("far-1", free, Some("far")),
        ("far-2", free, Some("far")),
        ("free-1", free, Some("free")),
        ("gone-1", taken, None),
    ];
    assert_eq!(shown, expected);
    assert_eq!(told.iter().find(|b| b.id == "far-2").unwrap().when.start, at("2026-01-13T10:00:00Z"));
    played.finish();
}

#[test]
fn what_a_person_entered_in_outlook_on_the_web_is_no_booking_of_ours() {
    // It gives transaction ids of its own.
    let theirs =
        event(&json!({"id": "a", "transactionId": "localevent:c95ac848-7295-ad3e-ee1e-f3832b10bf3e"}));
    let ours = event(&json!({"id": "b", "transactionId": "berth-b-1-create"}));
    let (outlook, _played) =
        provider(script().on("GET", WINDOW, 200, &page(&[theirs, ours], ("@odata.deltaLink", DELTA))));
    let told = outlook.list_changes(None, 50).unwrap().items;
    let types: Vec<_> = told.iter().map(|b| (b.id.as_str(), b.event_type.as_deref())).collect();
    assert_eq!(types, [("a", None), ("b", Some("default"))]);
}

#[test]
fn an_odd_event_does_not_stop_the_others() {
    let items = [json!({"id": "odd"}), event(&json!({"id": "a"}))];
    let (outlook, _played) =
        provider(script().on("GET", WINDOW, 200, &page(&items, ("@odata.deltaLink", DELTA))));
    let changes = outlook.list_changes(None, 100).unwrap();
    assert_eq!(changes.items.iter().map(|b| b.id.as_str()).collect::<Vec<_>>(), ["a"]);
    assert!(testing::lines().iter().any(|(level, line)| *level == Level::Error && line.contains("odd")));
}

fn subscribed(id: &str, callback: &str) -> Value {
    json!({"id": id, "resource": "me/events", "notificationUrl": callback, "expirationDateTime": "2026-01-05T07:00:00Z"})
}

#[test]
fn a_subscription_is_made_once() {
    let request = || SubscribeRequest { idempotency_key: "k".to_owned(), callback_url: CALLBACK.to_owned() };
    let foreign = subscribed("s-0", "https://elsewhere.example/");
    let (outlook, played) = provider(
        script()
            .on("GET", "/v1.0/subscriptions", 200, &list(std::slice::from_ref(&foreign)))
            .on("POST", "/v1.0/subscriptions", 201, &subscribed("s-1", CALLBACK).to_string())
            .on("GET", "/v1.0/subscriptions", 200, &list(&[foreign, subscribed("s-1", CALLBACK)]))
            .on("PATCH", "/v1.0/subscriptions/s-1", 200, &subscribed("s-1", CALLBACK).to_string()),
    );
    for _ in 0..2 {
        let subscription = outlook.subscribe(request()).unwrap();
        assert_eq!(
            (subscription.id.as_str(), subscription.expires_at),
            ("s-1", Some(at("2026-01-05T07:00:00Z")))
        );
    }
    let until = format(at("2026-01-02T09:00:00Z") + 4_200 * MINUTE);
    assert_eq!(
        played.body(1),
        json!({"changeType": "created,updated,deleted", "notificationUrl": CALLBACK, "lifecycleNotificationUrl": CALLBACK,
            "resource": "me/events", "expirationDateTime": until}),
        "the client state is the host's to add"
    );
    assert_eq!(played.body(3), json!({ "expirationDateTime": until }));
    played.finish();
}

#[test]
fn a_subscription_that_is_gone_is_made_anew_or_ended() {
    let old = Subscription { id: "old".to_owned(), expires_at: None, data: None };
    let (outlook, played) = provider(
        script()
            .on("PATCH", "/v1.0/subscriptions/old", 404, &error("ResourceNotFound"))
            .on("POST", "/v1.0/subscriptions", 201, &subscribed("s-2", CALLBACK).to_string())
            .on("DELETE", "/v1.0/subscriptions/old", 404, &error("ResourceNotFound"))
            .on("DELETE", "/v1.0/subscriptions/old", 503, ""),
    );
    assert_eq!(outlook.renew(old.clone(), CALLBACK.to_owned()).unwrap().id, "s-2");
    assert_eq!(outlook.unsubscribe(old.clone()), Ok(()));
    assert_eq!(outlook.unsubscribe(old), Err(ProviderError::Unavailable(None)));
    played.finish();
}

fn change(kind: &str, id: &str) -> Value {
    json!({"subscriptionId": "s-1", "clientState": "made-up-state", "changeType": kind, "resource": "Users/u/Events/e",
        "resourceData": {"@odata.type": "#Microsoft.Graph.Event", "id": id}})
}

fn message(items: &[Value]) -> WebhookRequest {
    WebhookRequest {
        method: "POST".to_owned(),
        headers: Vec::new(),
        query: String::new(),
        body: list(items).into_bytes(),
        received_at: 0,
        subscription: None,
    }
}

#[test]
fn what_a_notification_leads_to() {
    // Nothing is asked: what was deleted, or only left its calendar, is for the sync to find out.
    let (outlook, played) = provider(script());
    let missed = json!({"subscriptionId": "s-1", "clientState": "made-up-state", "lifecycleEvent": "missed"});
    let synced = || vec![WebhookEvent::ChangedGoAndSync(None)];
    let items = [change("updated", "a"), change("deleted", "b"), change("deleted", "c"), missed.clone()];
    let events = outlook.handle(message(&items)).unwrap().events;
    assert_eq!(events, [vec![WebhookEvent::ChangedGoAndSync(Some("a".to_owned()))], synced()].concat());
    assert_eq!(outlook.handle(message(&[change("deleted", "b")])).unwrap().events, synced());
    assert_eq!(outlook.handle(message(&[missed])).unwrap().events, synced());
    let ending = json!({"subscriptionId": "s-1", "lifecycleEvent": "reauthorizationRequired"});
    let events = outlook.handle(message(&[ending])).unwrap().events;
    assert!(matches!(&events[..], [WebhookEvent::SubscriptionEnded]));
    played.finish();
}

#[test]
fn a_large_message_is_left_to_the_sync() {
    let (outlook, played) = provider(script());
    let mut items: Vec<Value> = (0..20).map(|n| change("deleted", &format!("d{n}"))).collect();
    items.extend((0..300).map(|n| change("updated", &format!("u{n}"))));
    let events = outlook.handle(message(&items)).unwrap().events;
    assert_eq!(events.len(), 200 + 1);
    assert_eq!(events.last(), Some(&WebhookEvent::ChangedGoAndSync(None)));
    played.finish();
}

#[test]
fn berth_checks_every_item_and_answers_the_handshake_as_the_manifest_says() {
    let manifest = Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    let spec = manifest.webhook.unwrap();
    let credentials =
        Credentials::from([("client-state".to_owned(), Secret::new("made-up-state".to_owned()))]);
    let check = |items: &[Value]| {
        webhook::verify(&spec, &credentials, &[], list(items).as_bytes(), Instant::from_micros(0))
    };
    assert_eq!(check(&[change("updated", "a"), change("updated", "b")]), Ok(()));
    let mut forged = change("updated", "b");
    forged["clientState"] = json!("guessed");
    assert!(check(&[change("updated", "a"), forged]).is_err());
    assert!(check(&[]).is_err());
    let reply = webhook::handshake(&spec, &credentials, "validationToken=Validation%3A%20a%2Bb", b"")
        .unwrap()
        .unwrap();
    assert_eq!(
        (reply.status, reply.content_type.as_str(), reply.body),
        (200, "text/plain", b"Validation: a+b".to_vec())
    );
}
