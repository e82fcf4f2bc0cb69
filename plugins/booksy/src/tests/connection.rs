//! Account, services, availability, clients, limits.

use berth_sdk::{
    Availability, Catalog, Clients, Connection,
    time::DAY,
    types::{BusyQuery, Interval, PageRequest, ProviderError, SlotQuery},
};
use serde_json::json;

use super::{at, error, manifest, page, path, provider, provider_with, script};

const BUSINESS: &str = r#"{"id":"biz_1","name":"Salon Ada","timezone":"Europe/Warsaw","status":"active"}"#;

#[test]
fn the_manifest_needs_an_address_and_a_business_and_gives_the_secret_to_new_webhooks() {
    let manifest = manifest();
    assert!(berth_settings::check(&manifest, &json!({})).is_err());
    let good = json!({"base_url": "https://booksy.example", "business_id": "biz_1"});
    let settings = berth_settings::check(&manifest, &good).unwrap();
    assert!(manifest.hosts_asked(&settings).contains("booksy.example"));
    assert_eq!(settings["api_profile"], "contract-v1");
    for bad in [
        json!({"base_url": "https://booksy.example/api", "business_id": "biz_1"}),
        json!({"base_url": "https://booksy.example", "business_id": ""}),
        json!({"base_url": "https://booksy.example", "business_id": "biz_1", "api_profile": "partner-v03"}),
    ] {
        assert!(berth_settings::check(&manifest, &bad).is_err(), "{bad}");
    }
    let secret = &manifest.credentials["webhook-secret"].attach[0];
    assert_eq!((secret.body_field.as_deref(), secret.method.as_deref()), (Some("/secret"), Some("POST")));
    assert_eq!(secret.path.as_deref(), Some("/v1/businesses/*/webhooks"));
    let token = manifest.credentials["client"].oauth2.as_ref().unwrap();
    assert!(!token.has_consent(), "nobody consents: the business's own key and secret are enough");
    assert_eq!((manifest.cache.catalog_seconds, manifest.cache.availability_seconds), (300, 60));
}

#[test]
fn a_good_and_a_bad_credential() {
    let (booksy, played) = provider(script().on("GET", "/v1/businesses/biz_1", 200, BUSINESS).on(
        "GET",
        "/v1/businesses/biz_1",
        401,
        &error("unauthorized", "The token has expired."),
    ));
    let account = booksy.validate().unwrap();
    assert_eq!((account.name.as_str(), account.time_zone.as_deref()), ("Salon Ada", Some("Europe/Warsaw")));
    assert_eq!(booksy.validate(), Err(ProviderError::Unauthorised));
    assert!(played.requests()[0].headers.contains(&("accept".to_owned(), "application/json".to_owned())));
    played.finish();
}

#[test]
fn a_chosen_member_of_staff_must_work_there() {
    let ola = json!({"id": "stf_1", "name": "Ola", "active": true});
    let jan = json!({"id": "stf_2", "name": "Jan", "active": false});
    for (chosen, found) in [("stf_1", true), ("stf_2", false), ("stf_9", false)] {
        let script = script()
            .on("GET", "/v1/businesses/biz_1", 200, BUSINESS)
            .on("GET", &path("staff"), 200, &page(std::slice::from_ref(&ola), Some("2")))
            .on("GET", &path("staff?cursor=2"), 200, &page(std::slice::from_ref(&jan), None));
        let (booksy, played) = provider_with(script, &json!({"staff_id": chosen}));
        match booksy.validate() {
            Ok(_) => assert!(found, "{chosen}"),
            Err(ProviderError::Invalid(problems)) => {
                assert!(!found && problems[0].field == "settings.staff_id", "{problems:?}");
            }
            Err(other) => panic!("{other:?}"),
        }
        played.finish();
    }
}

#[test]
fn rate_limits_say_how_long() {
    let limited = error("rate_limited", "Too many requests.");
    let (booksy, played) = provider(
        script()
            .on_with("GET", "/v1/businesses/biz_1", 429, &[("X-RateLimit-Reset", "17")], &limited)
            .on_with(
                "GET",
                "/v1/businesses/biz_1",
                429,
                &[("Retry-After", "3"), ("X-RateLimit-Reset", "17")],
                &limited,
            )
            .on("GET", "/v1/businesses/biz_1", 429, &limited),
    );
    for expected in [Some(17_000), Some(3_000), None] {
        assert_eq!(booksy.validate(), Err(ProviderError::RateLimited(expected)));
    }
    played.finish();
}

#[test]
fn services_page_by_page() {
    let service = json!({"id": "svc_1", "name": "Haircut", "duration_minutes": 45, "active": true});
    let (booksy, played) = provider(
        script()
            .on("GET", &path("services?limit=1"), 200, &page(std::slice::from_ref(&service), Some("c2")))
            .on("GET", &path("services?cursor=c2&limit=200"), 200, &page(&[], None)),
    );
    let first = booksy.list_event_types(PageRequest { token: None, limit: 1 }).unwrap();
    assert_eq!((first.items[0].title.as_str(), first.next.as_deref()), ("Haircut", Some("c2")));
    let second = booksy.list_event_types(PageRequest { token: first.next, limit: 1_000 }).unwrap();
    assert_eq!((second.items.len(), second.next), (0, None));
    let no_links = booksy.resolve_link("https://booksy.example/salon".to_owned());
    assert_eq!(no_links, Err(ProviderError::Unsupported(None)));
    played.finish();
}

fn day() -> Interval {
    let start = at("2026-01-05T00:00:00Z");
    Interval { start, end: start + DAY }
}

#[test]
fn slots_name_everything_that_was_asked() {
    let query = SlotQuery {
        event_type: "svc_1".to_owned(),
        within: day(),
        length_minutes: Some(90),
        time_zone: "Europe/Warsaw".to_owned(),
        rescheduling: Some("bk_1".to_owned()),
    };
    let answer = json!({"service_id": "svc_1", "timezone": "Europe/Warsaw", "slots": [
        {"start": "2026-01-05T09:00:00Z", "end": "2026-01-05T10:30:00Z", "staff_id": "stf_1", "capacity_left": 1}]});
    let target = path(
        "availability?service_id=svc_1&from=2026-01-05T00%3A00%3A00Z&to=2026-01-06T00%3A00%3A00Z\
        &staff_id=stf_1&duration_minutes=90",
    );
    let (booksy, played) =
        provider_with(script().on("GET", &target, 200, &answer.to_string()), &json!({"staff_id": "stf_1"}));
    let slots = booksy.free_slots(query).unwrap();
    assert_eq!((slots.len(), slots[0].when.start), (1, at("2026-01-05T09:00:00Z")));
    played.finish();
}

#[test]
fn a_calendar_is_a_member_of_staff() {
    let busy = |staff: &str| json!({"start": "2026-01-05T09:00:00Z", "end": "2026-01-05T09:45:00Z", "staff_id": staff, "source": "block"});
    let answer = page(&[busy("stf_1"), busy("stf_2"), busy("stf_3")], None);
    let within = "busy?from=2026-01-05T00%3A00%3A00Z&to=2026-01-06T00%3A00%3A00Z";
    for (calendars, staff, target, count) in [
        (&[][..], None, within.to_owned(), 3),
        (&[], Some("stf_1"), format!("{within}&staff_id=stf_1"), 1),
        (&["stf_2"], Some("stf_1"), format!("{within}&staff_id=stf_2"), 1),
        (&["stf_2", "stf_3"], None, within.to_owned(), 2),
    ] {
        let settings = staff.map_or(json!({}), |id| json!({"staff_id": id}));
        let (booksy, played) = provider_with(script().on("GET", &path(&target), 200, &answer), &settings);
        let calendars = calendars.iter().map(|c| (*c).to_owned()).collect();
        let query = BusyQuery { within: day(), calendars, time_zone: "UTC".to_owned() };
        assert_eq!(booksy.busy(query).unwrap().len(), count, "{target}");
        played.finish();
    }
}

#[test]
fn clients_are_listed_in_the_zone_of_the_business_and_erased() {
    let ada = json!({"id": "cli_1", "first_name": "Ada", "email": "ada@example.com", "phone": null});
    let (booksy, played) = provider(
        script()
            .on("GET", "/v1/businesses/biz_1", 200, BUSINESS)
            .on("GET", &path("clients?limit=50"), 200, &page(&[ada], Some("c2")))
            .on("DELETE", &path("clients/cli_1"), 204, "")
            .on("DELETE", &path("clients/cli_1"), 404, &error("not_found", "no"))
            .on("DELETE", &path("clients/cli_1"), 503, &error("unavailable", "down")),
    );
    let found = booksy.list_clients(PageRequest { token: None, limit: 50 }).unwrap();
    assert_eq!(
        (found.items[0].person.time_zone.as_str(), found.next.as_deref()),
        ("Europe/Warsaw", Some("c2"))
    );
    assert_eq!(booksy.erase_client("cli_1".to_owned()), Ok(()));
    assert_eq!(booksy.erase_client("cli_1".to_owned()), Ok(()), "one that is gone is erased");
    assert_eq!(booksy.erase_client("cli_1".to_owned()), Err(ProviderError::Unavailable(None)));
    played.finish();
}
