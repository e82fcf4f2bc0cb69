//! Changes by cursor and by webhook.

use berth_sdk::{
    Bookings, Connection, Webhooks,
    testing::{self, Level, Scripted},
    time::MINUTE,
    types::{BookingStatus, ProviderError, SubscribeRequest, Subscription, WebhookEvent, WebhookRequest},
};
use serde_json::{Value, json};

use super::{ROOT, at, error, event, invitee, list, provider, resource, script_of_eve, with_settings};

const CALLBACK: &str = "https://berth.example/api/webhooks/calendly/c1";

/// An event at this hour of 5 January that changed then.
fn event_at(id: &str, hour: u32, updated_at: &str) -> Value {
    let time = |minute: u32| format!("2026-01-05T{hour:02}:{minute:02}:00.000000Z");
    event(id, &json!({"start_time": time(0), "end_time": time(30), "updated_at": updated_at}))
}

fn one(id: &str, updated_at: &str) -> Value {
    invitee(id, "I1", &json!({"updated_at": updated_at}))
}

fn invitees(script: Scripted, event: &str, items: &[Value]) -> Scripted {
    script.on("GET", &format!("/scheduled_events/{event}/invitees?count=100"), 200, &list(items, None))
}

fn ids(page: &berth_sdk::types::ChangePage) -> Vec<&str> {
    page.items.iter().map(|b| b.id.as_str()).collect()
}

const OLD: &str = "2026-01-01T08:00:00.000000Z";
const NEW: &str = "2026-01-02T09:30:00.000000Z";

#[test]
fn the_first_sync_lists_what_is_not_over_and_then_what_changed_since() {
    let first = "/scheduled_events?user=https%3A%2F%2Fapi.calendly.com%2Fusers%2FU1&status=active\
        &min_start_time=2025-12-31T08%3A59%3A59.999999Z&sort=start_time%3Aasc&count=100";
    let over =
        event("E0", &json!({"start_time": "2026-01-01T09:00:00Z", "end_time": "2026-01-01T10:00:00Z"}));
    let script = script_of_eve().on(
        "GET",
        first,
        200,
        &list(&[over, event_at("E1", 9, OLD), event_at("E2", 10, OLD)], None),
    );
    let script = invitees(invitees(script, "E1", &[one("E1", OLD)]), "E2", &[one("E2", OLD)]);
    let second = "/scheduled_events?user=https%3A%2F%2Fapi.calendly.com%2Fusers%2FU1\
        &min_start_time=2025-12-31T08%3A54%3A59.999999Z&sort=start_time%3Aasc&count=100";
    let script = script.on(
        "GET",
        second,
        200,
        &list(&[event_at("E1", 9, OLD), event_at("E2", 10, NEW), event_at("E3", 11, NEW)], None),
    );
    let script = invitees(invitees(script, "E2", &[one("E2", NEW)]), "E3", &[one("E3", NEW)]);
    let (calendly, played) = provider(script);
    let all = calendly.list_changes(None, 100).unwrap();
    assert_eq!((ids(&all), all.more), (vec!["E1/I1", "E2/I1"], false));
    testing::set_now(at("2026-01-03T09:00:00Z"));
    let news = calendly.list_changes(Some(all.cursor), 100).unwrap();
    assert_eq!((ids(&news), news.more), (vec!["E2/I1", "E3/I1"], false));
    assert_eq!(calendly.list_changes(Some("{}x".to_owned()), 1), Err(ProviderError::CursorExpired));
    played.finish();
}

#[test]
fn pages_go_on_behind_the_last_start_whatever_happens_meanwhile() {
    let all = || [event_at("E1", 9, OLD), event_at("E2", 9, OLD), event_at("E3", 10, OLD)];
    let script = script_of_eve().on("GET", "/scheduled_events", 200, &list(&all(), None));
    let script = invitees(script, "E1", &[one("E1", OLD)]);
    // In between, one that was seen goes away and one is booked at the same time.
    let [_, second, third] = all();
    let script =
        script.on("GET", "/scheduled_events", 200, &list(&[second, event_at("E9", 9, NEW), third], None));
    let script = invitees(script, "E2", &[one("E2", OLD)]);
    let script = script.on("GET", "/scheduled_events", 200, &list(&all(), None));
    let script = invitees(script, "E3", &[one("E3", OLD)]);
    let (calendly, played) = provider(script);
    let first = calendly.list_changes(None, 1).unwrap();
    let second = calendly.list_changes(Some(first.cursor.clone()), 1).unwrap();
    let third = calendly.list_changes(Some(second.cursor.clone()), 1).unwrap();
    assert_eq!([ids(&first), ids(&second), ids(&third)], [["E1/I1"], ["E2/I1"], ["E3/I1"]]);
    assert_eq!([first.more, second.more, third.more], [true, true, false]);
    let urls: Vec<_> =
        played.requests().into_iter().map(|r| r.url).filter(|u| u.contains("min_start_time")).collect();
    assert!(urls[2].contains("min_start_time=2026-01-05T08%3A59%3A59.999999Z"), "{}", urls[2]);
    played.finish();
}

#[test]
fn groups_are_looked_into_every_time() {
    let group = |updated_at: &str| {
        let mut group = event_at("E1", 9, updated_at);
        group["invitees_counter"] = json!({"total": 2, "active": 2, "limit": 8});
        group
    };
    let script = script_of_eve().on("GET", "/scheduled_events", 200, &list(&[group(OLD)], None));
    let script = invitees(script, "E1", &[one("E1", OLD)]);
    let script = script.on("GET", "/scheduled_events", 200, &list(&[group(OLD)], None));
    let late = invitee("E1", "I2", &json!({"updated_at": NEW}));
    let (calendly, played) = provider(invitees(script, "E1", &[one("E1", OLD), late]));
    let all = calendly.list_changes(None, 100).unwrap();
    testing::set_now(at("2026-01-03T09:00:00Z"));
    assert_eq!(ids(&calendly.list_changes(Some(all.cursor), 100).unwrap()), ["E1/I2"]);
    played.finish();
}

#[test]
fn who_did_not_come_is_news_though_the_event_says_nothing() {
    let over = event(
        "E1",
        &json!({"start_time": "2026-01-02T08:00:00Z", "end_time": "2026-01-02T08:30:00Z", "updated_at": OLD}),
    );
    let absent = invitee(
        "E1",
        "I1",
        &json!({"updated_at": OLD, "no_show": {"uri": format!("{ROOT}/invitee_no_shows/N1"), "created_at": NEW}}),
    );
    let script = script_of_eve().on("GET", "/scheduled_events", 200, &list(&[], None)).on(
        "GET",
        "/scheduled_events",
        200,
        &list(&[over, event_at("E2", 9, OLD)], None),
    );
    let (calendly, played) = provider(invitees(script, "E1", &[absent]));
    let all = calendly.list_changes(None, 100).unwrap();
    testing::set_now(at("2026-01-02T10:00:00Z"));
    let news = calendly.list_changes(Some(all.cursor), 100).unwrap();
    assert_eq!(ids(&news), ["E1/I1"]);
    assert_eq!((news.items[0].status, news.items[0].updated_at), (BookingStatus::NoShow, Some(at(NEW))));
    played.finish();
}

#[test]
fn a_call_stays_within_its_requests() {
    let events: Vec<_> = (0..40)
        .map(|n| {
            let start = at("2026-01-05T00:00:00Z") + i64::from(n) * 30 * MINUTE;
            event(
                &format!("E{n}"),
                &json!({"start_time": berth_sdk::time::format(start),
            "end_time": berth_sdk::time::format(start + 30 * MINUTE)}),
            )
        })
        .collect();
    let mut script = script_of_eve().on("GET", "/scheduled_events", 200, &list(&events, None));
    for n in 0..15 {
        script = invitees(script, &format!("E{n}"), &[one(&format!("E{n}"), OLD)]);
    }
    let (calendly, played) = provider(script);
    let page = calendly.list_changes(None, 100).unwrap();
    assert_eq!((page.items.len(), page.more), (15, true));
    played.finish();

    let mut script = script_of_eve();
    for n in 0..4 {
        script = script.on(
            "GET",
            "/scheduled_events",
            200,
            &list(&[event_at(&format!("E{n}"), 9, OLD)], Some("again")),
        );
        script = invitees(script, &format!("E{n}"), &[one(&format!("E{n}"), OLD)]);
    }
    let (calendly, played) = provider(script);
    let page = calendly.list_changes(None, 100).unwrap();
    assert_eq!((page.items.len(), page.more), (4, true), "goes on in the next call");
    played.finish();
}

#[test]
fn pages_that_repeat_for_ever_end() {
    let mut script = script_of_eve();
    for n in 0..8 {
        script = script.on("GET", "/scheduled_events", 200, &list(&[event_at("E1", 9, OLD)], Some("again")));
        if n == 0 {
            script = invitees(script, "E1", &[one("E1", OLD)]);
        }
    }
    let (calendly, played) = provider(script);
    let first = calendly.list_changes(None, 100).unwrap();
    assert_eq!((first.items.len(), first.more), (1, true));
    assert!(
        matches!(calendly.list_changes(Some(first.cursor), 100), Err(ProviderError::Vendor(e)) if e.code == "page-repeated")
    );
    played.finish();
}

#[test]
fn an_odd_invitee_does_not_stop_the_others() {
    let events = [json!({"uri": "x"}), event_at("E1", 9, OLD)];
    let script = script_of_eve().on("GET", "/scheduled_events", 200, &list(&events, None));
    let moving = invitee("E1", "I3", &json!({"status": "canceled", "rescheduled": true}));
    let (calendly, played) =
        provider(invitees(script, "E1", &[json!({"uri": "odd"}), moving, one("E1", OLD)]));
    assert_eq!(ids(&calendly.list_changes(None, 100).unwrap()), ["E1/I1"]);
    let errors = testing::lines().iter().filter(|(level, _)| *level == Level::Error).count();
    assert_eq!(errors, 3);
    played.finish();
}

fn webhook(id: &str, url: &str, state: &str) -> Value {
    json!({"uri": format!("{ROOT}/webhook_subscriptions/{id}"), "callback_url": url, "state": state, "events":
        ["invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted"]})
}

fn subscribe() -> SubscribeRequest {
    SubscribeRequest { idempotency_key: "k".to_owned(), callback_url: CALLBACK.to_owned() }
}

const OURS: &str = "/webhook_subscriptions?organization=https%3A%2F%2Fapi.calendly.com%2Forganizations%2FO1\
    &user=https%3A%2F%2Fapi.calendly.com%2Fusers%2FU1&scope=user&count=100";

#[test]
fn a_subscription_is_made_once() {
    let foreign = webhook("W0", "https://elsewhere.example/", "active");
    let (calendly, played) = provider(
        script_of_eve()
            .on("GET", OURS, 200, &list(std::slice::from_ref(&foreign), None))
            .on("POST", "/webhook_subscriptions", 201, &resource(&webhook("W1", CALLBACK, "active")))
            .on("GET", OURS, 200, &list(&[foreign, webhook("W1", CALLBACK, "active")], None)),
    );
    let first = calendly.subscribe(subscribe()).unwrap();
    assert_eq!((first.id.as_str(), first.expires_at), ("W1", None));
    assert_eq!(calendly.subscribe(subscribe()).unwrap().id, "W1");
    assert_eq!(
        played.body(2),
        json!({"url": CALLBACK, "scope": "user", "organization": format!("{ROOT}/organizations/O1"), "user": format!("{ROOT}/users/U1"),
            "events": ["invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted"]})
    );
    played.finish();
}

#[test]
fn an_organisations_subscription_names_no_user() {
    let script = script_of_eve()
        .on(
            "GET",
            "/webhook_subscriptions?organization=https%3A%2F%2Fapi.calendly.com%2Forganizations%2FO1&scope=organization&count=100",
            200,
            &list(&[], None),
        )
        .on("POST", "/webhook_subscriptions", 201, &resource(&webhook("W1", CALLBACK, "active")));
    let (calendly, played) = with_settings(&json!({"scope": "organization"}), script);
    calendly.subscribe(subscribe()).unwrap();
    assert!(played.body(2).get("user").is_none());
    played.finish();
}

#[test]
fn a_disabled_subscription_is_replaced() {
    let (calendly, played) = provider(
        script_of_eve()
            .on("GET", OURS, 200, &list(&[webhook("W1", CALLBACK, "disabled")], None))
            .on("DELETE", "/webhook_subscriptions/W1", 204, "")
            .on("POST", "/webhook_subscriptions", 201, &resource(&webhook("W2", CALLBACK, "active")))
            .on("DELETE", "/webhook_subscriptions/W1", 404, "{}")
            .on("GET", OURS, 200, &list(&[webhook("W2", CALLBACK, "active")], None)),
    );
    let old = || Subscription { id: "W1".to_owned(), expires_at: None, data: None };
    let new = calendly.renew(old(), CALLBACK.to_owned()).unwrap();
    assert_eq!(new.id, "W2");
    assert_eq!(calendly.renew(new, CALLBACK.to_owned()).unwrap().id, "W2");
    played.finish();
}

#[test]
fn a_subscription_that_exists_already_is_found() {
    let exists = error("Already Exists", "The resource already exists");
    let (calendly, played) = provider(
        script_of_eve()
            .on("GET", OURS, 200, &list(&[], None))
            .on("POST", "/webhook_subscriptions", 409, &exists)
            .on("GET", OURS, 200, &list(&[webhook("W1", CALLBACK, "active")], None)),
    );
    assert_eq!(calendly.subscribe(subscribe()).unwrap().id, "W1");
    played.finish();
}

#[test]
fn a_subscription_that_is_gone_is_ended() {
    let (calendly, played) = provider(
        script_of_eve()
            .on("DELETE", "/webhook_subscriptions/W1", 204, "")
            .on("DELETE", "/webhook_subscriptions/W1", 404, "{}")
            .on("DELETE", "/webhook_subscriptions/W1", 403, "{}"),
    );
    calendly.validate().unwrap();
    let subscription = || Subscription { id: "W1".to_owned(), expires_at: None, data: None };
    assert_eq!(calendly.unsubscribe(subscription()), Ok(()));
    assert_eq!(calendly.unsubscribe(subscription()), Ok(()));
    assert!(matches!(calendly.unsubscribe(subscription()), Err(ProviderError::Forbidden(_))));
    played.finish();
}

#[test]
fn a_message_asks_nothing_of_calendly() {
    let (calendly, played) = provider(super::script());
    let mut payload = invitee("E1", "I1", &json!({}));
    payload["scheduled_event"] = event("E1", &json!({}));
    let body = json!({"event": "invitee.created", "created_at": NEW, "payload": payload}).to_string();
    let request = || WebhookRequest {
        method: "POST".to_owned(),
        headers: Vec::new(),
        query: String::new(),
        body: body.clone().into_bytes(),
        received_at: 0,
        subscription: None,
    };
    let first = calendly.handle(request()).unwrap();
    assert!(matches!(first.events.as_slice(), [WebhookEvent::Created(b)] if b.id == "E1/I1"));
    assert_eq!(calendly.handle(request()).unwrap(), first);
    played.finish();
}
