//! Account, catalogue, availability, limits.

use berth_model::plugins::manifest::Manifest;
use berth_sdk::{
    Availability, Catalog, Connection, Links,
    time::DAY,
    types::{BusyQuery, Interval, LinkRequest, PageRequest, ProviderError, SlotQuery},
};
use serde_json::json;

use super::{at, provider, script, success};

#[test]
fn the_manifest_attaches_the_secret_to_both_webhook_requests_and_checks_signatures() {
    let manifest = Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    let secret = &manifest.credentials["webhook-secret"];
    let methods: Vec<_> = secret.attach.iter().map(|a| (a.method.as_deref(), a.path.as_deref())).collect();
    assert_eq!(methods, [(Some("POST"), Some("/v2/webhooks")), (Some("PATCH"), Some("/v2/webhooks/*"))]);
    assert!(secret.attach.iter().all(|a| a.body_field.as_deref() == Some("/secret")));
    let webhook = manifest.webhook.as_ref().unwrap();
    assert_eq!((webhook.header.as_str(), webhook.tolerance_seconds), ("x-cal-signature-256", 7_200));
    let own =
        berth_settings::check(&manifest, &json!({ "base_url": "https://cal.selfhosted.example" })).unwrap();
    assert!(manifest.hosts_asked(&own).contains("cal.selfhosted.example"));
    assert!(
        berth_settings::check(&manifest, &json!({ "base_url": "https://cal.selfhosted.example/api" }))
            .is_err()
    );
}

#[test]
fn a_good_and_a_bad_credential() {
    let me =
        json!({"id": 7, "username": "eve", "name": "Eve", "email": "eve@example.com", "timeZone": "UTC"});
    let (calcom, played) =
        provider(script().on("GET", "/v2/me", 200, &success(&me)).on("GET", "/v2/me", 401, "{}"));
    assert_eq!(calcom.validate().unwrap().name, "Eve");
    assert_eq!(calcom.validate(), Err(ProviderError::Unauthorised));
    played.finish();
}

#[test]
fn rate_limits_are_spans_or_unix_times() {
    let now_seconds = at("2026-01-02T09:00:00Z") / 1_000_000;
    let unix = (now_seconds + 42).to_string();
    let (calcom, played) = provider(
        script()
            .on_with("GET", "/v2/me", 429, &[("X-RateLimit-Reset-Default", "17")], "{}")
            .on_with(
                "GET",
                "/v2/me",
                429,
                &[("x-ratelimit-reset-a", "5"), ("x-ratelimit-reset-b", &unix)],
                "{}",
            )
            .on_with("GET", "/v2/me", 429, &[("retry-after", "3"), ("X-RateLimit-Reset-Default", "17")], "{}")
            .on("GET", "/v2/me", 429, "{}"),
    );
    for expected in [Some(17_000), Some(42_000), Some(3_000), None] {
        assert_eq!(calcom.validate(), Err(ProviderError::RateLimited(expected)));
    }
    played.finish();
}

#[test]
fn calendars_that_are_not_there_or_cannot_be_read_are_not_free() {
    let own = json!({"integration": {"title": "Google Calendar"}, "credentialId": 5,
        "calendars": [{"externalId": "a@example.com", "isSelected": true}]});
    let broken =
        json!({"integration": {"title": "Outlook"}, "credentialId": 9, "error": {"message": "expired"}});
    let start = at("2026-01-05T00:00:00Z");
    let query = |calendars: &[&str]| BusyQuery {
        within: Interval { start, end: start + DAY },
        calendars: calendars.iter().map(|id| (*id).to_owned()).collect(),
        time_zone: "Europe/Warsaw".to_owned(),
    };
    let connected = |all: &[&serde_json::Value]| success(&json!({ "connectedCalendars": all }));
    let (calcom, played) = provider(
        script()
            .on("GET", "/v2/calendars", 200, &connected(&[&own]))
            .on("GET", "/v2/calendars", 200, &connected(&[&own, &broken]))
            .on("GET", "/v2/calendars", 200, &connected(&[&own, &broken]))
            .on("GET", "/v2/calendars/busy-times", 200, &success(&json!([]))),
    );
    let missing = calcom.busy(query(&["a@example.com", "b@example.com"]));
    assert!(
        matches!(&missing, Err(ProviderError::Invalid(p)) if p[0].field == "calendars" && p[0].message.contains("b@example.com")),
        "{missing:?}"
    );
    let unknown = calcom.busy(query(&[]));
    assert!(
        matches!(&unknown, Err(ProviderError::Forbidden(text)) if text.contains("Outlook")),
        "{unknown:?}"
    );
    assert_eq!(calcom.busy(query(&["a@example.com"])), Ok(Vec::new()), "what was asked for can be read");
    played.finish();
}

#[test]
fn the_limit_is_no_time_to_wait_for_a_service_that_fails() {
    let reset = [("X-RateLimit-Limit-Default", "120"), ("X-RateLimit-Reset-Default", "58")];
    let (calcom, _played) = provider(script().on_with("GET", "/v2/me", 503, &reset, "").on_with(
        "GET",
        "/v2/me",
        503,
        &[("retry-after", "2")],
        "",
    ));
    assert_eq!(calcom.validate(), Err(ProviderError::Unavailable(None)));
    assert_eq!(calcom.validate(), Err(ProviderError::Unavailable(Some(2_000))));
}

#[test]
fn no_more_is_asked_of_a_person_than_the_requests_need() {
    let manifest = Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    let scopes = &manifest.credentials["oauth"].oauth2.as_ref().unwrap().scopes;
    let needed = [
        "EVENT_TYPE_READ",
        // Private links.
        "EVENT_TYPE_WRITE",
        "BOOKING_READ",
        "BOOKING_WRITE",
        // Calendars.
        "APPS_READ",
        "PROFILE_READ",
        "WEBHOOK_READ",
        "WEBHOOK_WRITE",
    ];
    assert_eq!(*scopes, needed);
}

#[test]
fn the_catalogue_is_paged_here() {
    let items = json!([{"id": 3, "title": "C", "lengthInMinutes": 30}, {"id": 1, "title": "A", "lengthInMinutes": 30},
        {"id": 2, "title": "B", "lengthInMinutes": 30}]);
    let (calcom, played) = provider(
        script()
            .on("GET", "/v2/event-types", 200, &success(&items))
            .on("GET", "/v2/event-types", 200, &success(&items))
            .on(
                "GET",
                "/v2/event-types?username=eve&eventSlug=c&orgSlug=acme",
                200,
                &success(&json!([items[0]])),
            )
            .on("GET", "/v2/event-types", 200, &success(&json!([]))),
    );
    let first = calcom.list_event_types(PageRequest { token: None, limit: 2 }).unwrap();
    assert_eq!(first.items.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    let second = calcom.list_event_types(PageRequest { token: first.next, limit: 2 }).unwrap();
    assert_eq!((second.items[0].id.as_str(), second.next), ("3", None));
    assert_eq!(calcom.resolve_link("https://acme.cal.com/eve/c".to_owned()).unwrap().title, "C");
    assert_eq!(calcom.resolve_link("https://cal.com/eve/x".to_owned()), Err(ProviderError::NotFound));
    assert!(played.requests()[0].headers.contains(&("cal-api-version".to_owned(), "2024-06-14".to_owned())));
    played.finish();
}

#[test]
fn slots_name_everything_that_was_asked() {
    let start = at("2026-01-05T00:00:00Z");
    let query = SlotQuery {
        event_type: "101".to_owned(),
        within: Interval { start, end: start + DAY },
        length_minutes: Some(45),
        time_zone: "Europe/Warsaw".to_owned(),
        rescheduling: Some("bk_1:seat_1".to_owned()),
    };
    let slots = json!({"2026-01-05": [
        {"start": "2026-01-05T10:00:00.000+01:00", "end": "2026-01-05T10:45:00.000+01:00"}]});
    let target = "/v2/slots?eventTypeId=101&start=2026-01-05T00%3A00%3A00Z&end=2026-01-06T00%3A00%3A00Z\
        &timeZone=Europe%2FWarsaw&format=range&duration=45&bookingUidToReschedule=bk_1";
    let (calcom, played) = provider(script().on("GET", target, 200, &success(&slots)));
    let slots = calcom.free_slots(query).unwrap();
    assert_eq!((slots.len(), slots[0].when.start), (1, at("2026-01-05T09:00:00Z")));
    assert!(played.requests()[0].headers.contains(&("cal-api-version".to_owned(), "2024-09-04".to_owned())));
    played.finish();
}

#[test]
fn busy_times_of_the_chosen_calendars() {
    let calendars = json!({"connectedCalendars": [{"credentialId": 5, "calendars": [
        {"externalId": "a@example.com", "isSelected": true}, {"externalId": "b@example.com", "isSelected": false}]}]});
    let start = at("2026-01-05T00:00:00Z");
    let target = "/v2/calendars/busy-times?timeZone=UTC&dateFrom=2026-01-05&dateTo=2026-01-07\
        &calendarsToLoad[0][credentialId]=5&calendarsToLoad[0][externalId]=a%40example.com";
    let busy =
        json!([{"start": "2026-01-05T09:00:00.000Z", "end": "2026-01-05T10:00:00.000Z", "source": "x"}]);
    let (calcom, played) = provider(script().on("GET", "/v2/calendars", 200, &success(&calendars)).on(
        "GET",
        target,
        200,
        &success(&busy),
    ));
    let query = BusyQuery {
        within: Interval { start, end: start + DAY },
        calendars: Vec::new(),
        time_zone: "Europe/Warsaw".to_owned(),
    };
    assert_eq!(calcom.busy(query).unwrap().len(), 1);
    played.finish();
}

#[test]
fn a_private_link() {
    let link = json!({"linkId": "abc", "bookingUrl": "https://cal.com/d/abc/30min", "maxUsageCount": 1});
    let (calcom, played) =
        provider(script().on("POST", "/v2/event-types/101/private-links", 201, &success(&link)));
    let request =
        LinkRequest { idempotency_key: "k".to_owned(), event_type: "101".to_owned(), max_bookings: 1 };
    assert_eq!(calcom.create_booking_link(request).unwrap().url, "https://cal.com/d/abc/30min");
    assert_eq!(played.body(0), json!({ "maxUsageCount": 1 }));
}
