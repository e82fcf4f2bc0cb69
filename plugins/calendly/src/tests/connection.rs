//! Account, catalogue, availability, links, limits.

use berth_model::{
    connections::secret::{Credentials, Secret},
    inbound::webhook,
    plugins::manifest::{CredentialKind, Manifest},
    time::Instant,
};
use berth_sdk::{
    Availability, Catalog, Connection, Links,
    time::{DAY, MINUTE},
    types::{BusyQuery, Interval, LinkRequest, PageRequest, ProviderError, SlotQuery},
};
use serde_json::{Value, json};

use super::{
    ROOT, at, error, event_type, list, me, provider, resource, script, script_of_eve, with_settings,
};

#[test]
fn the_manifest_signs_every_subscription() {
    let manifest = Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    let secret = &manifest.credentials["webhook-secret"];
    assert_eq!(secret.kind, CredentialKind::Generated);
    let places: Vec<_> = secret
        .attach
        .iter()
        .map(|a| (a.method.as_deref(), a.path.as_deref(), a.body_field.as_deref()))
        .collect();
    assert_eq!(places, [(Some("POST"), Some("/webhook_subscriptions"), Some("/signing_key"))]);
    let oauth = manifest.credentials["oauth"].oauth2.as_ref().unwrap();
    assert!(oauth.pkce && oauth.scopes.iter().any(|s| s == "webhooks:write"));
    assert!(
        !oauth.scopes.iter().any(|s| s.starts_with("organizations:")),
        "members and invitations are not read"
    );
    assert!(berth_settings::check(&manifest, &json!({"scope": "everybody"})).is_err());
}

#[test]
fn who_may_not_see_the_organisations_events_is_told_when_the_account_is_connected() {
    let asked = "/scheduled_events?organization=https%3A%2F%2Fapi.calendly.com%2Forganizations%2FO1\
        &min_start_time=2026-01-02T09%3A00%3A00Z&max_start_time=2026-01-02T09%3A00%3A00Z&sort=start_time%3Aasc&count=100";
    let script = script_of_eve()
        .on("GET", asked, 403, &error("Permission Denied", "You do not have permission"))
        .on("GET", "/users/me", 200, &resource(&me()))
        .on("GET", asked, 200, &list(&[], None));
    let (calendly, played) = with_settings(&json!({"scope": "organization"}), script);
    let refused = calendly.validate();
    assert!(
        matches!(&refused, Err(ProviderError::Forbidden(why)) if why.contains("administrator") && why.contains("scope")),
        "{refused:?}"
    );
    assert_eq!(calendly.validate().unwrap().name, "Eve");
    played.finish();
}

/// The vector was made with another implementation.
#[test]
fn signatures_are_of_time_and_body() {
    let manifest = Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    let spec = manifest.webhook.as_ref().unwrap();
    let body = br#"{"event":"invitee.created","created_at":"2026-01-05T10:00:00.000000Z","created_by":"https://api.calendly.com/users/U1","payload":{"uri":"https://api.calendly.com/scheduled_events/E1/invitees/I1"}}"#;
    let good = "05c9aafb23cfabf0da5124c88221689b5360d2953549595adb3694a2a2b04d12";
    let verify = |key: &str, header: &str, now: &str| {
        let credentials = Credentials::from([("webhook-secret".to_owned(), Secret::new(key.to_owned()))]);
        let headers = [("Calendly-Webhook-Signature".to_owned(), header.to_owned())];
        webhook::verify(spec, &credentials, &headers, body, now.parse::<Instant>().unwrap())
    };
    let signed = format!("t=1767607200,v1={good}");
    assert_eq!(verify("calendly-key", &signed, "2026-01-05T10:00:00Z"), Ok(()));
    assert_eq!(verify("calendly-key", &signed, "2026-01-05T10:03:00Z"), Ok(()));
    let two = format!("t=1767607200,v1={},v1={good},v2=x", "0".repeat(64));
    assert_eq!(verify("calendly-key", &two, "2026-01-05T10:00:00Z"), Ok(()), "any of several");
    for (key, header, now) in [
        ("calendly-key", signed.as_str(), "2026-01-05T10:03:01Z"),
        ("calendly-key", signed.as_str(), "2026-01-05T09:56:59Z"),
        ("another-key", signed.as_str(), "2026-01-05T10:00:00Z"),
        ("calendly-key", &signed.replace("t=1767607200", "t=1767607201"), "2026-01-05T10:00:00Z"),
        ("calendly-key", &format!("v1={good}"), "2026-01-05T10:00:00Z"),
        ("calendly-key", "t=1767607200", "2026-01-05T10:00:00Z"),
    ] {
        assert!(verify(key, header, now).is_err(), "{key} {header} {now}");
    }
}

#[test]
fn a_good_and_a_bad_credential() {
    let (calendly, played) = provider(script_of_eve().on("GET", "/users/me", 401, "{}"));
    let account = calendly.validate().unwrap();
    assert_eq!((account.id.as_str(), account.name.as_str()), ("U1", "Eve"));
    assert_eq!(calendly.validate(), Err(ProviderError::Unauthorised));
    played.finish();
}

#[test]
fn rate_limits_are_seconds_until_the_next_minute() {
    let (calendly, played) = provider(
        script()
            .on_with("GET", "/users/me", 429, &[("X-RateLimit-Reset", "42")], "{}")
            .on_with("GET", "/users/me", 429, &[("retry-after", "3"), ("X-RateLimit-Reset", "42")], "{}")
            .on("GET", "/users/me", 429, "{}")
            .on_with("GET", "/users/me", 503, &[("X-RateLimit-Reset", "42")], "{}"),
    );
    for expected in [Some(42_000), Some(3_000), None] {
        assert_eq!(calendly.validate(), Err(ProviderError::RateLimited(expected)));
    }
    assert_eq!(calendly.validate(), Err(ProviderError::Unavailable(None)), "says nothing of the limit");
    played.finish();
}

#[test]
fn the_catalogue_comes_in_calendlys_pages() {
    let (calendly, played) = provider(
        script_of_eve()
            .on(
                "GET",
                "/event_types?user=https%3A%2F%2Fapi.calendly.com%2Fusers%2FU1&sort=name%3Aasc&count=100",
                200,
                &list(&[event_type()], Some("p2")),
            )
            .on(
                "GET",
                "/event_types?user=https%3A%2F%2Fapi.calendly.com%2Fusers%2FU1&sort=name%3Aasc&count=1&page_token=p2",
                200,
                &list(&[event_type()], None),
            ),
    );
    let first = calendly.list_event_types(PageRequest { token: None, limit: 1_000 }).unwrap();
    assert_eq!((first.items[0].id.as_str(), first.next.as_deref()), ("ET1", Some("p2")));
    let last = calendly.list_event_types(PageRequest { token: first.next, limit: 0 }).unwrap();
    assert_eq!((last.items.len(), last.next), (1, None));
    played.finish();
}

#[test]
fn an_organisation_is_asked_as_one() {
    let script = script_of_eve().on(
        "GET",
        "/event_types?organization=https%3A%2F%2Fapi.calendly.com%2Forganizations%2FO1&sort=name%3Aasc&count=20",
        200,
        &list(&[], None),
    );
    let (calendly, played) = with_settings(&json!({"scope": "organization"}), script);
    calendly.list_event_types(PageRequest { token: None, limit: 20 }).unwrap();
    played.finish();
}

const LINK: &str = "https://calendly.com/Eve/consultation?month=2026-01";

fn other_type(id: &str) -> Value {
    let mut other = event_type();
    other["uri"] = json!(format!("{ROOT}/event_types/{id}"));
    other["scheduling_url"] = json!(format!("https://calendly.com/eve/{id}"));
    other
}

#[test]
fn a_link_is_looked_for_once_and_then_remembered() {
    let (calendly, played) = provider(
        script_of_eve()
            .on("GET", "/event_types", 200, &list(&[other_type("a"), other_type("b")], Some("p2")))
            .on("GET", "/event_types", 200, &list(&[other_type("c"), event_type()], Some("p3")))
            .on("GET", "/event_types/ET1", 200, &resource(&event_type())),
    );
    assert_eq!(calendly.resolve_link(LINK.to_owned()).unwrap().id, "ET1");
    assert_eq!(calendly.resolve_link(LINK.to_owned()).unwrap().id, "ET1");
    played.finish();
}

#[test]
fn a_link_that_leads_elsewhere_now_is_looked_for_again() {
    let (calendly, played) = provider(
        script_of_eve()
            .on("GET", "/event_types", 200, &list(&[event_type()], None))
            .on("GET", "/event_types/ET1", 200, &resource(&other_type("ET1")))
            .on("GET", "/event_types", 200, &list(&[other_type("ET1")], None))
            .on("GET", "/event_types", 403, &error("Permission Denied", "not an owner")),
    );
    assert_eq!(calendly.resolve_link(LINK.to_owned()).unwrap().id, "ET1");
    assert_eq!(calendly.resolve_link(LINK.to_owned()), Err(ProviderError::NotFound));
    let asked: Vec<_> = played.requests().iter().map(|r| r.url.contains("organization=")).collect();
    assert_eq!(asked, [false, false, false, false, true]);
    assert!(matches!(
        calendly.resolve_link("https://calendly.com/d/abcd/consultation".to_owned()),
        Err(ProviderError::Invalid(_))
    ));
    played.finish();
}

fn slot_query(from: i64, to: i64) -> SlotQuery {
    SlotQuery {
        event_type: "ET1".to_owned(),
        within: Interval { start: from, end: to },
        length_minutes: None,
        time_zone: "Europe/Warsaw".to_owned(),
        rescheduling: None,
    }
}

#[test]
fn slots_begin_in_the_future_and_get_their_ends_from_the_event_type() {
    let free = |start: &str| json!({"status": "available", "start_time": start, "invitees_remaining": 1, "scheduling_url": "x"});
    let day = |query: &str| {
        format!(
            "/event_type_available_times?event_type=https%3A%2F%2Fapi.calendly.com%2Fevent_types%2FET1&{query}"
        )
    };
    let (calendly, played) = provider(
        script()
            .on("GET", "/event_types/ET1", 200, &resource(&event_type()))
            .on(
                "GET",
                &day("start_time=2026-01-02T09%3A01%3A00Z&end_time=2026-01-03T09%3A00%3A00Z"),
                200,
                &list(&[free("2026-01-02T10:00:00.000000Z")], None),
            )
            .on(
                "GET",
                &day("start_time=2026-01-05T00%3A00%3A00Z&end_time=2026-01-06T00%3A00%3A00Z"),
                200,
                &list(&[free("2026-01-05T10:00:00.000000Z"), free("2026-01-05T23:45:00.000000Z")], None),
            ),
    );
    let now = at("2026-01-02T09:00:00Z");
    let today = calendly.free_slots(slot_query(now - DAY, now + DAY)).unwrap();
    assert_eq!(today[0].when, Interval { start: now + 60 * MINUTE, end: now + 90 * MINUTE });
    let monday = at("2026-01-05T00:00:00Z");
    assert_eq!(
        calendly.free_slots(slot_query(monday, monday + DAY)).unwrap().len(),
        1,
        "the second ends outside"
    );
    assert!(calendly.free_slots(slot_query(now - DAY, now)).unwrap().is_empty(), "nothing is asked");
    let hour = SlotQuery { length_minutes: Some(60), ..slot_query(monday, monday + DAY) };
    assert!(matches!(calendly.free_slots(hour), Err(ProviderError::Invalid(_))));
    played.finish();
}

#[test]
fn busy_times_and_a_calendar_that_does_not_answer() {
    let busy = json!({"type": "external", "start_time": "2026-01-05T20:00:00.000000Z", "end_time": "2026-01-05T20:30:00.000000Z"});
    let (calendly, played) = provider(
        script_of_eve()
            .on(
                "GET",
                "/user_busy_times?user=https%3A%2F%2Fapi.calendly.com%2Fusers%2FU1&start_time=2026-01-05T00%3A00%3A00Z&end_time=2026-01-06T00%3A00%3A00Z",
                200,
                &list(&[busy], None),
            )
            .on("GET", "/user_busy_times", 424, &error("Failed Dependency", "calendar")),
    );
    let start = at("2026-01-05T00:00:00Z");
    let query = BusyQuery {
        within: Interval { start, end: start + DAY },
        calendars: Vec::new(),
        time_zone: "UTC".to_owned(),
    };
    assert_eq!(calendly.busy(query.clone()).unwrap().len(), 1);
    assert_eq!(calendly.busy(query), Err(ProviderError::Unavailable(None)));
    played.finish();
}

#[test]
fn links_are_for_one_use() {
    let made = json!({"booking_url": "https://calendly.com/d/abcd-brv8/consultation"});
    let (calendly, played) = provider(script().on("POST", "/scheduling_links", 201, &resource(&made)));
    let request = |max_bookings| LinkRequest {
        idempotency_key: "k1".to_owned(),
        event_type: format!("{ROOT}/event_types/ET1"),
        max_bookings,
    };
    let link = calendly.create_booking_link(request(1)).unwrap();
    assert!(link.url.ends_with("?utm_source=berth&utm_content=k1"));
    let body =
        json!({"max_event_count": 1, "owner": format!("{ROOT}/event_types/ET1"), "owner_type": "EventType"});
    assert_eq!(played.body(0), body);
    assert!(matches!(calendly.create_booking_link(request(2)), Err(ProviderError::Invalid(_))));
    played.finish();
}

#[test]
fn another_account_replaces_the_remembered_one() {
    let mut other = me();
    other["uri"] = json!(format!("{ROOT}/users/U2"));
    let (calendly, played) = provider(script_of_eve().on("GET", "/users/me", 200, &resource(&other)).on(
        "GET",
        "/event_types?user=https%3A%2F%2Fapi.calendly.com%2Fusers%2FU2&sort=name%3Aasc&count=20",
        200,
        &list(&[], None),
    ));
    calendly.validate().unwrap();
    calendly.validate().unwrap();
    calendly.list_event_types(PageRequest { token: None, limit: 20 }).unwrap();
    played.finish();
}
