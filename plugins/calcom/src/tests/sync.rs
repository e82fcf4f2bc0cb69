//! Changes by cursor and by webhook.

use berth_model::{
    connections::secret::{Credentials, Secret},
    inbound::webhook,
    plugins::manifest::Manifest,
    time::Instant,
};
use berth_sdk::{
    Bookings, Webhooks,
    testing::{self, Level},
    types::{ProviderError, SubscribeRequest, Subscription, WebhookEvent, WebhookRequest},
};
use serde_json::{Value, json};

use super::{at, booking, error, provider, script, success};

const CALLBACK: &str = "https://berth.example/api/webhooks/calcom/c1";

fn page(items: &[Value], has_next: bool) -> String {
    json!({"status": "success", "data": items, "pagination": {"hasNextPage": has_next}}).to_string()
}

fn changed(uid: &str, at: &str) -> Value {
    booking(&json!({"uid": uid, "updatedAt": at}))
}

#[test]
fn the_first_sync_lists_what_is_not_over_and_then_what_changed_since() {
    let (calcom, played) = provider(
        script()
            .on(
                "GET",
                "/v2/bookings?status=upcoming%2Crecurring%2Cunconfirmed&sortUpdatedAt=asc&take=2&skip=0",
                200,
                &page(
                    &[changed("a", "2026-01-01T08:00:00.000Z"), changed("b", "2026-01-01T08:00:00.005Z")],
                    true,
                ),
            )
            .on(
                "GET",
                "/v2/bookings?status=upcoming%2Crecurring%2Cunconfirmed&afterUpdatedAt=2026-01-01T08%3A00%3A00.004Z\
                &sortUpdatedAt=asc&take=2&skip=0",
                200,
                &page(&[changed("b", "2026-01-01T08:00:00.005Z")], false),
            )
            .on(
                "GET",
                "/v2/bookings?afterUpdatedAt=2026-01-02T08%3A59%3A55Z&sortUpdatedAt=asc&take=100&skip=0",
                200,
                &page(&[], false),
            ),
    );
    let first = calcom.list_changes(None, 2).unwrap();
    assert_eq!((first.items.len(), first.more), (2, true));
    let second = calcom.list_changes(Some(first.cursor), 2).unwrap();
    assert_eq!((second.items.len(), second.more), (1, false));
    let third = calcom.list_changes(Some(second.cursor.clone()), 1_000).unwrap();
    assert_eq!((third.items.len(), third.more, third.cursor), (0, false, second.cursor));
    assert_eq!(calcom.list_changes(Some("{}".to_owned()), 1), Err(ProviderError::CursorExpired));
    played.finish();
}

#[test]
fn an_odd_booking_does_not_stop_the_others() {
    let odd = json!({"uid": "odd", "updatedAt": "2026-01-01T08:00:00.000Z"});
    let fine = changed("a", "2026-01-01T08:00:00.000Z");
    let (calcom, _played) = provider(script().on("GET", "/v2/bookings", 200, &page(&[odd, fine], false)));
    let changes = calcom.list_changes(None, 100).unwrap();
    assert_eq!(changes.items.iter().map(|b| b.id.as_str()).collect::<Vec<_>>(), ["a"]);
    assert!(testing::lines().iter().any(|(level, line)| *level == Level::Error && line.contains("odd")));
}

#[test]
fn a_webhook_is_made_once() {
    let request = || SubscribeRequest { idempotency_key: "k".to_owned(), callback_url: CALLBACK.to_owned() };
    let foreign = json!({"id": 3, "subscriberUrl": "https://elsewhere.example/"});
    let ours = json!({"id": "5e5b-uuid", "subscriberUrl": CALLBACK, "active": false});
    let (calcom, played) = provider(
        script()
            .on("GET", "/v2/webhooks?take=250&skip=0", 200, &success(&json!([foreign])))
            .on("POST", "/v2/webhooks", 201, &success(&ours))
            .on("GET", "/v2/webhooks", 200, &success(&json!([foreign, ours])))
            .on("PATCH", "/v2/webhooks/5e5b-uuid", 200, &success(&ours)),
    );
    for _ in 0..2 {
        assert_eq!(calcom.subscribe(request()).unwrap().id, "5e5b-uuid");
    }
    for sent in [played.body(1), played.body(3)] {
        assert_eq!((&sent["active"], &sent["subscriberUrl"]), (&json!(true), &json!(CALLBACK)));
        assert!(sent["triggers"].as_array().unwrap().contains(&json!("BOOKING_RESCHEDULED")));
        assert!(sent.get("secret").is_none(), "the secret is the host's to add");
    }
    played.finish();
}

#[test]
fn a_webhook_that_is_gone_is_made_anew_or_ended() {
    let subscription = Subscription { id: "old".to_owned(), expires_at: None, data: None };
    let (calcom, played) = provider(
        script()
            .on("PATCH", "/v2/webhooks/old", 404, &error("not found"))
            .on("GET", "/v2/webhooks", 200, &success(&json!([])))
            .on("POST", "/v2/webhooks", 201, &success(&json!({"id": 17})))
            .on("DELETE", "/v2/webhooks/old", 404, &error("not found"))
            .on("DELETE", "/v2/webhooks/old", 503, &error("down")),
    );
    assert_eq!(calcom.renew(subscription.clone(), CALLBACK.to_owned()).unwrap().id, "17");
    assert_eq!(calcom.unsubscribe(subscription.clone()), Ok(()));
    assert_eq!(calcom.unsubscribe(subscription), Err(ProviderError::Unavailable(None)));
    played.finish();
}

fn message(body: &Value) -> WebhookRequest {
    WebhookRequest {
        method: "POST".to_owned(),
        headers: Vec::new(),
        query: String::new(),
        body: body.to_string().into_bytes(),
        received_at: 0,
        subscription: None,
    }
}

#[test]
fn the_cancelled_half_of_a_move_is_no_cancellation() {
    let moved: Value = serde_json::from_str(include_str!("../../fixtures/webhook-rescheduled.json")).unwrap();
    let mut cancelled = moved.clone();
    cancelled["triggerEvent"] = json!("BOOKING_CANCELLED");
    cancelled["payload"]["uid"] = json!("bk_uid_1");
    cancelled["payload"]["status"] = json!("CANCELLED");
    cancelled["payload"]["rescheduleUid"] = Value::Null;
    let (calcom, played) = provider(script());
    // Whichever comes first: what became of the booking is for Berth to ask.
    for _ in 0..2 {
        let events = calcom.handle(message(&cancelled)).unwrap().events;
        assert_eq!(events, [WebhookEvent::ChangedGoAndSync(Some("bk_uid_1".to_owned()))]);
        let events = calcom.handle(message(&moved)).unwrap().events;
        assert!(matches!(&events[..], [WebhookEvent::Rescheduled(r)] if r.old_id == "bk_uid_1"));
    }
    assert!(calcom.handle(message(&json!({"triggerEvent": "PING"}))).unwrap().events.is_empty());
    played.finish();
}

#[test]
fn berth_checks_the_signature_as_the_manifest_says() {
    let manifest = Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    let spec = manifest.webhook.unwrap();
    let secret = Secret::new("cal-secret".to_owned());
    let credentials = Credentials::from([("webhook-secret".to_owned(), secret)]);
    let body =
        br#"{"triggerEvent":"BOOKING_CREATED","createdAt":"2026-01-05T10:00:00.000Z","payload":{"uid":"bk_1"}}"#;
    let good = "f8eb9987a6df7080e61f311f0a1f8db430512462a53ddcd8a934fdb05b3f0ec9";
    let check = |signature: &str, at_time: &str| {
        let headers = [("X-Cal-Signature-256".to_owned(), signature.to_owned())];
        webhook::verify(&spec, &credentials, &headers, body, Instant::from_micros(at(at_time)))
    };
    assert_eq!(check(good, "2026-01-05T11:59:59Z"), Ok(()));
    assert!(check(good, "2026-01-05T12:00:01Z").is_err(), "too old");
    assert!(check("no-secret-provided", "2026-01-05T10:00:00Z").is_err());
    assert!(check(&good.replace('f', "0"), "2026-01-05T10:00:00Z").is_err());
}
