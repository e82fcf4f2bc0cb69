//! The whole provider against scripted answers: what is sent, and what becomes of each answer.

use std::rc::Rc;

use berth_model::plugins::manifest::Manifest;
use berth_sdk::{
    Availability, Bookings, Catalog, Connection, Webhooks,
    testing::{self, Scripted, create_request},
    time::{self, DAY, MINUTE},
    types::{
        BookingStatus, CancelRequest, CreateRequest, Interval, PageRequest, ProviderError, SlotQuery,
        Subscription,
    },
};
use serde_json::{Value, json};

use crate::Acme;

/// A provider with default settings, before this script.
fn provider(script: Scripted) -> (Acme, Rc<Scripted>) {
    let script = testing::play(script);
    let manifest = Manifest::parse(include_str!("../plugin.toml")).unwrap();
    testing::set_settings(&berth_settings::check(&manifest, &json!({})).unwrap().to_string());
    (Acme::open().unwrap(), script)
}

fn script() -> Scripted {
    Scripted::at(at("2026-01-02T09:00:00Z"))
}

fn at(text: &str) -> i64 {
    time::parse(text).unwrap()
}

fn appointment(status: &str) -> Value {
    json!({"id": "a1", "reference": "r1", "status": status, "service_id": "s1",
        "start": "2026-01-05T09:00:00Z", "end": "2026-01-05T09:30:00Z",
        "customer": {"name": "Ada Nowak", "email": "ada@example.com", "time_zone": "Europe/Warsaw"}})
}

fn create() -> CreateRequest {
    let start = at("2026-01-05T09:00:00Z");
    create_request("k1", "r1", "s1", Interval { start, end: start + 30 * MINUTE })
}

#[test]
fn the_account() {
    let account = json!({"id": "7", "name": "Eve's practice"}).to_string();
    let (acme, played) =
        provider(script().on("GET", "/v1/account", 200, &account).on("GET", "/v1/account", 401, "{}"));
    assert_eq!(acme.validate().unwrap().name, "Eve's practice");
    assert_eq!(acme.validate(), Err(ProviderError::Unauthorised));
    played.finish();
}

#[test]
fn services_and_openings() {
    let services =
        json!({"items": [{"id": "s1", "title": "Cut", "minutes": 30, "active": true}], "next_page": "2"});
    let openings = json!({"openings": [
        {"start": "2026-01-05T10:00:00Z", "end": "2026-01-05T10:30:00Z"},
        {"start": "2026-01-05T09:00:00Z", "end": "2026-01-05T09:30:00Z"}]});
    let target = "/v1/services/s1/openings?from=2026-01-05T00%3A00%3A00Z&to=2026-01-06T00%3A00%3A00Z";
    let (acme, played) =
        provider(script().on("GET", "/v1/services?limit=10&page=1", 200, &services.to_string()).on(
            "GET",
            target,
            200,
            &openings.to_string(),
        ));
    let page = acme.list_event_types(PageRequest { token: Some("1".to_owned()), limit: 10 }).unwrap();
    assert_eq!((page.items[0].title.as_str(), page.next.as_deref()), ("Cut", Some("2")));
    let start = at("2026-01-05T00:00:00Z");
    let query = SlotQuery {
        event_type: "s1".to_owned(),
        within: Interval { start, end: start + DAY },
        length_minutes: None,
        time_zone: "UTC".to_owned(),
        rescheduling: None,
    };
    let starts: Vec<_> = acme.free_slots(query).unwrap().iter().map(|s| s.when.start).collect();
    assert_eq!(starts, [at("2026-01-05T09:00:00Z"), at("2026-01-05T10:00:00Z")]);
    played.finish();
}

#[test]
fn a_new_appointment_carries_key_and_reference() {
    let (acme, played) =
        provider(script().on("POST", "/v1/appointments", 201, &appointment("booked").to_string()));
    assert_eq!(acme.create(create()).unwrap().id, "a1");
    let sent = &played.requests()[0];
    assert!(sent.headers.contains(&("idempotency-key".to_owned(), "k1".to_owned())));
    assert_eq!(played.body(0)["reference"], "r1");
}

#[test]
fn a_taken_time_and_an_unknown_outcome_are_not_the_same() {
    let (acme, _) = provider(
        script()
            .on("POST", "/v1/appointments", 409, r#"{"code":"taken"}"#)
            .on("POST", "/v1/appointments", 503, "")
            .on_with("POST", "/v1/appointments", 429, &[("retry-after", "2")], ""),
    );
    for expected in [
        ProviderError::slot_taken(),
        ProviderError::Unavailable(None),
        ProviderError::RateLimited(Some(2_000)),
    ] {
        assert_eq!(acme.create(create()), Err(expected));
    }
}

#[test]
fn cancelling_twice_succeeds() {
    let cancelled = appointment("cancelled").to_string();
    let (acme, played) =
        provider(script().on("POST", "/v1/appointments/a1/cancel", 409, r#"{"code":"cancelled"}"#).on(
            "GET",
            "/v1/appointments/a1",
            200,
            &cancelled,
        ));
    let request = CancelRequest { idempotency_key: "c1".to_owned(), id: "a1".to_owned(), reason: None };
    assert_eq!(acme.cancel(request).unwrap().status, BookingStatus::Cancelled);
    played.finish();
}

#[test]
fn a_webhook_that_is_gone_is_ended() {
    let (acme, played) = provider(script().on("DELETE", "/v1/webhooks/w1", 404, "{}"));
    let gone = Subscription { id: "w1".to_owned(), expires_at: None, data: None };
    assert_eq!(acme.unsubscribe(gone), Ok(()));
    played.finish();
}
