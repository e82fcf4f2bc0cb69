//! Changes by cursor and by webhook.

use berth_model::{
    connections::secret::{Credentials, Secret},
    inbound::webhook,
    time::Instant,
};
use berth_sdk::{
    Bookings, Webhooks,
    testing::{self, Level},
    types::{ProviderError, SubscribeRequest, Subscription, WebhookRequest},
};
use serde_json::{Value, json};

use super::{booking, error, manifest, page, path, provider, script};

const CALLBACK: &str = "https://berth.example/api/webhooks/booksy/c1";

fn changed(id: &str, at: &str) -> Value {
    booking(&json!({"id": id, "updated_at": at}))
}

#[test]
fn the_first_sync_lists_what_is_not_over_and_then_what_changed_since() {
    let first = "bookings?from=2026-01-01T09%3A00%3A00Z";
    let (booksy, played) = provider(
        script()
            .on(
                "GET",
                &path(&format!("{first}&limit=2")),
                200,
                &page(
                    &[changed("a", "2026-01-01T08:00:00Z"), changed("b", "2026-01-01T08:00:05Z")],
                    Some("p2"),
                ),
            )
            .on(
                "GET",
                &path(&format!("{first}&cursor=p2&limit=2")),
                200,
                &page(&[changed("c", "2026-01-01T08:00:07Z")], None),
            )
            .on(
                "GET",
                &path("bookings?updated_since=2026-01-01T08%3A00%3A02Z&limit=200"),
                200,
                &page(&[changed("c", "2026-01-01T08:00:07Z")], None),
            ),
    );
    let one = booksy.list_changes(None, 2).unwrap();
    assert_eq!((one.items.len(), one.more), (2, true));
    let two = booksy.list_changes(Some(one.cursor), 2).unwrap();
    assert_eq!((two.items.len(), two.more), (1, false));
    let three = booksy.list_changes(Some(two.cursor.clone()), 1_000).unwrap();
    assert_eq!((three.items.len(), three.more, three.cursor), (1, false, two.cursor));
    played.finish();
}

#[test]
fn a_cursor_that_the_service_does_not_know_has_expired() {
    let refused = error("invalid_request", "The cursor is not valid.");
    let items = [changed("a", "2026-01-01T08:00:00Z")];
    let (booksy, played) = provider(
        script()
            .on("GET", &path("bookings"), 200, &page(&items, Some("p2")))
            .on("GET", &path("bookings"), 400, &refused)
            .on("GET", &path("bookings"), 400, &refused),
    );
    let one = booksy.list_changes(None, 2).unwrap();
    assert_eq!(booksy.list_changes(Some(one.cursor), 2), Err(ProviderError::CursorExpired));
    assert!(matches!(booksy.list_changes(None, 2), Err(ProviderError::Invalid(_))));
    assert_eq!(booksy.list_changes(Some("junk".to_owned()), 2), Err(ProviderError::CursorExpired));
    played.finish();
}

#[test]
fn an_odd_booking_does_not_stop_the_others_nor_an_empty_page_the_run() {
    let odd = json!({"id": "odd", "updated_at": "2026-01-01T08:00:00Z"});
    let fine = changed("a", "2026-01-01T08:00:00Z");
    let (booksy, _played) =
        provider(script().on("GET", &path("bookings"), 200, &page(&[odd, fine], None)).on(
            "GET",
            &path("bookings"),
            200,
            &page(&[], Some("for ever")),
        ));
    let changes = booksy.list_changes(None, 100).unwrap();
    assert_eq!(changes.items.iter().map(|b| b.id.as_str()).collect::<Vec<_>>(), ["a"]);
    assert!(testing::lines().iter().any(|(level, line)| *level == Level::Error && line.contains("odd")));
    assert!(!booksy.list_changes(None, 100).unwrap().more);
}

fn webhook(id: &str, url: &str, active: bool) -> Value {
    let events = [
        "booking.created",
        "booking.updated",
        "booking.rescheduled",
        "booking.cancelled",
        "service.updated",
        "availability.changed",
    ];
    json!({"id": id, "url": url, "active": active, "events": events})
}

#[test]
fn a_webhook_is_made_once() {
    let request = || SubscribeRequest { idempotency_key: "k".to_owned(), callback_url: CALLBACK.to_owned() };
    let foreign = webhook("wh_1", "https://elsewhere.example/", true);
    let ours = webhook("wh_2", CALLBACK, true);
    let listed = page(&[foreign.clone(), ours.clone()], None);
    let (booksy, played) = provider(
        script()
            .on("GET", &path("webhooks"), 200, &page(&[foreign], None))
            .on("POST", &path("webhooks"), 201, &ours.to_string())
            .on("GET", &path("webhooks"), 200, &listed)
            .on("GET", &path("webhooks"), 200, &listed),
    );
    for _ in 0..2 {
        assert_eq!(booksy.subscribe(request()).unwrap().id, "wh_2");
    }
    let sent = played.body(1);
    assert_eq!(sent["url"], CALLBACK);
    assert!(sent["events"].as_array().unwrap().contains(&json!("booking.rescheduled")));
    assert!(sent.get("secret").is_none(), "the secret is the host's to add");
    played.finish();
}

#[test]
fn a_webhook_that_does_not_fit_is_replaced() {
    let old = webhook("wh_2", CALLBACK, false);
    let new = webhook("wh_3", CALLBACK, true);
    let both = page(&[old.clone(), new.clone()], None);
    let replaced = |script: testing::Scripted| {
        script
            .on("POST", &path("webhooks"), 201, &new.to_string())
            .on("GET", &path("webhooks"), 200, &both)
            .on("DELETE", &path("webhooks/wh_2"), 204, "")
    };
    let begun = script().on("GET", &path("webhooks"), 200, &page(std::slice::from_ref(&old), None));
    let (booksy, played) = provider(replaced(replaced(begun)));
    let request = SubscribeRequest { idempotency_key: "k".to_owned(), callback_url: CALLBACK.to_owned() };
    assert_eq!(booksy.subscribe(request).unwrap().id, "wh_3");
    let old = Subscription { id: "wh_2".to_owned(), expires_at: None, data: None };
    assert_eq!(booksy.renew(old, CALLBACK.to_owned()).unwrap().id, "wh_3");
    played.finish();
}

#[test]
fn a_webhook_that_is_gone_is_ended() {
    let gone = Subscription { id: "wh_1".to_owned(), expires_at: None, data: None };
    let (booksy, played) =
        provider(script().on("DELETE", &path("webhooks/wh_1"), 404, &error("not_found", "no")).on(
            "DELETE",
            &path("webhooks/wh_1"),
            503,
            &error("unavailable", "down"),
        ));
    assert_eq!(booksy.unsubscribe(gone.clone()), Ok(()));
    assert_eq!(booksy.unsubscribe(gone), Err(ProviderError::Unavailable(None)));
    played.finish();
}

#[test]
fn a_message_is_read_without_a_request() {
    let body = json!({"id": "evt_01", "type": "booking.created", "data": {"booking": booking(&json!({}))}});
    let request = WebhookRequest {
        method: "POST".to_owned(),
        headers: Vec::new(),
        query: String::new(),
        body: body.to_string().into_bytes(),
        received_at: 0,
        subscription: None,
    };
    let (booksy, _played) = provider(script());
    assert_eq!(booksy.handle(request).unwrap().events.len(), 1);
}

#[test]
fn berth_checks_the_signature_as_the_manifest_says() {
    let spec = manifest().webhook.unwrap();
    let secret = Secret::new("booksy-secret".to_owned());
    let credentials = Credentials::from([("webhook-secret".to_owned(), secret)]);
    let body = br#"{"id":"evt_01","type":"booking.created","created_at":"2026-01-05T10:00:00Z","business_id":"biz_1","data":{"booking":{"id":"bk_1"}}}"#;
    let good = "c52424d89a465f409885e13adb3b48ae16c5222385de21a98300504af6c217db";
    let sent = 1_767_607_200;
    let check = |signature: &str, now: i64| {
        let headers = [("X-Booksy-Signature".to_owned(), signature.to_owned())];
        webhook::verify(&spec, &credentials, &headers, body, Instant::from_micros(now * 1_000_000))
    };
    let other = good.replace('c', "0");
    assert_eq!(check(&format!("t={sent},v1={good}"), sent + 299), Ok(()));
    assert_eq!(check(&format!("t={sent},v1={other},v1={good}"), sent), Ok(()), "while a secret is changed");
    for (signature, now) in [
        (format!("t={sent},v1={good}"), sent + 301),
        (format!("t={sent},v1={good}"), sent - 301),
        (format!("t={},v1={good}", sent + 1), sent),
        (format!("t={sent},v1={other}"), sent),
        (format!("t={sent}"), sent),
        (format!("v1={good}"), sent),
        (good.to_owned(), sent),
    ] {
        assert!(check(&signature, now).is_err(), "{signature} at {now}");
    }
}
