//! Account, catalogue, availability, contacts, limits.

use berth_model::plugins::manifest::Manifest;
use berth_sdk::{
    Availability, Catalog, Clients, Connection,
    time::DAY,
    types::{BusyQuery, Interval, PageRequest, ProviderError, SlotQuery},
};
use serde_json::json;

use super::{
    appointment, at, calendar, calendars, contact, error, event, events, header, one_calendar, provider,
    provider_with, script, slots,
};

const LIST: &str = "/calendars/?locationId=loc_1";

#[test]
fn the_manifest_asks_for_the_sub_account_and_little_else() {
    let manifest = Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    assert!(berth_settings::check(&manifest, &json!({})).is_err());
    let settings = berth_settings::check(&manifest, &json!({ "location_id": "loc_1" })).unwrap();
    assert_eq!(settings["calendar_ids"], json!([]));
    assert!(manifest.hosts_asked(&settings).contains("services.leadconnectorhq.com"));
    for wrong in
        [json!({ "location_id": "../x" }), json!({ "location_id": "a", "calendar_ids": vec!["c"; 2] })]
    {
        assert!(berth_settings::check(&manifest, &wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_good_and_a_bad_credential() {
    let location =
        json!({ "location": { "id": "loc_1", "name": "Eve's practice", "timezone": "Europe/Warsaw" } });
    let (provider, played) = provider(
        script()
            .on("GET", LIST, 200, &calendars(&["cal_1"]))
            .on("GET", "/locations/loc_1", 200, &location.to_string())
            .on("GET", LIST, 401, &error(401, "Invalid token: access token is invalid"))
            .on("GET", LIST, 401, &error(401, "The token is not authorized for this scope."))
            .on("GET", LIST, 403, &error(403, "The token does not have access to this location."))
            .on("GET", LIST, 200, &calendars(&["cal_1"]))
            .on("GET", "/locations/loc_1", 401, &error(401, "The token is not authorized for this scope.")),
    );
    let account = provider.validate().unwrap();
    assert_eq!(
        (account.name.as_str(), account.time_zone.as_deref()),
        ("Eve's practice", Some("Europe/Warsaw"))
    );
    assert_eq!(provider.validate(), Err(ProviderError::Unauthorised));
    for scope in ["scope", "location"] {
        assert!(matches!(provider.validate(), Err(ProviderError::Forbidden(why)) if why.contains(scope)));
    }
    assert_eq!(
        provider.validate().unwrap().name,
        "Location loc_1",
        "without the permission to read its name"
    );
    assert_eq!(header(&played, 0, "version").as_deref(), Some("2021-04-15"));
    assert_eq!(header(&played, 1, "version").as_deref(), Some("2021-07-28"));
    played.finish();
}

#[test]
fn too_many_calendars_must_be_named() {
    let ids: Vec<String> = (0..16).map(|n| format!("cal_{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (every, _played) = provider(script().on("GET", LIST, 200, &calendars(&ids)));
    assert!(
        matches!(every.validate(), Err(ProviderError::Invalid(p)) if p[0].field == "settings.calendar_ids")
    );
    let some = json!({ "calendar_ids": ["cal_7", "cal_3", "cal_gone"] });
    let (some, _played) = provider_with(script().on("GET", LIST, 200, &calendars(&ids)), &some);
    let listed = some.list_event_types(PageRequest { token: None, limit: 50 }).unwrap();
    assert_eq!(listed.items.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["cal_3", "cal_7"]);
}

#[test]
fn rate_limits() {
    let interval = [("X-RateLimit-Interval-Milliseconds", "7000")];
    let day = [("X-RateLimit-Daily-Remaining", "0"), ("X-RateLimit-Interval-Milliseconds", "7000")];
    let (provider, played) = provider(
        script()
            .on_with("GET", LIST, 429, &interval, "{}")
            .on_with("GET", LIST, 429, &day, "{}")
            .on_with("GET", LIST, 429, &[("retry-after", "3"), interval[0]], "{}")
            .on("GET", LIST, 429, "{}")
            .on_with("GET", LIST, 503, &interval, "{}"),
    );
    for expected in [7_000, 3_600_000, 3_000, 10_000] {
        assert_eq!(provider.validate(), Err(ProviderError::RateLimited(Some(expected))));
    }
    assert_eq!(provider.validate(), Err(ProviderError::Unavailable(None)));
    played.finish();
}

#[test]
fn the_catalogue_is_paged_here() {
    let list = calendars(&["cal_3", "cal_1", "cal_2"]);
    let slugs = json!({ "calendars": [calendar(&json!({ "widgetSlug": "eve-talk" }))] }).to_string();
    let (provider, played) = provider(
        script()
            .on("GET", LIST, 200, &list)
            .on("GET", LIST, 200, &list)
            .on("GET", LIST, 200, &list)
            .on("GET", LIST, 200, &slugs)
            .on("GET", LIST, 200, &slugs),
    );
    let first = provider.list_event_types(PageRequest { token: None, limit: 2 }).unwrap();
    assert_eq!(first.items.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["cal_1", "cal_2"]);
    let second = provider.list_event_types(PageRequest { token: first.next, limit: 2 }).unwrap();
    assert_eq!((second.items[0].id.as_str(), second.next), ("cal_3", None));
    let link = |path: &str| format!("https://api.leadconnectorhq.com/widget/{path}");
    assert_eq!(provider.resolve_link(link("booking/cal_2")).unwrap().id, "cal_2");
    assert_eq!(provider.resolve_link(link("bookings/eve-talk")).unwrap().id, "cal_1");
    assert_eq!(provider.resolve_link(link("bookings/other")), Err(ProviderError::NotFound));
    played.finish();
}

#[test]
fn slots_are_those_of_the_calendar_with_its_length() {
    let start = at("2026-01-05T00:00:00Z");
    let query = |length_minutes| SlotQuery {
        event_type: "cal_1".to_owned(),
        within: Interval { start, end: start + DAY },
        length_minutes,
        time_zone: "America/New_York".to_owned(),
        rescheduling: None,
    };
    let target = "/calendars/cal_1/free-slots?startDate=1767571200000&endDate=1767657600000";
    let (provider, played) = provider(
        script()
            .on("GET", "/calendars/cal_1", 200, &one_calendar())
            .on("GET", target, 200, &slots(&["10:30", "10:00"]))
            .on("GET", "/calendars/cal_1", 200, &one_calendar()),
    );
    let slots = provider.free_slots(query(None)).unwrap();
    assert_eq!(
        slots.iter().map(|s| s.when.start).collect::<Vec<_>>(),
        [at("2026-01-05T09:00:00Z"), at("2026-01-05T09:30:00Z")]
    );
    assert_eq!(slots[0].token.as_deref(), Some("2026-01-05T10:00:00+01:00"), "its words, to be handed back");
    assert!(matches!(provider.free_slots(query(Some(45))), Err(ProviderError::Invalid(_))));
    assert_eq!(header(&played, 1, "version").as_deref(), Some("2021-04-15"));
    played.finish();
}

#[test]
fn busy_times_are_appointments_and_blocked_slots() {
    let start = at("2026-01-05T00:00:00Z");
    let query = |calendars: &[&str]| BusyQuery {
        within: Interval { start, end: start + DAY },
        calendars: calendars.iter().map(|id| (*id).to_owned()).collect(),
        time_zone: "Europe/Warsaw".to_owned(),
    };
    let asked = |what: &str, id: &str| {
        format!(
            "/calendars/{what}?locationId=loc_1&calendarId={id}&startTime=1767484800000&endTime=1767657600000"
        )
    };
    let cancelled = appointment(&json!({ "id": "ap_2", "appointmentStatus": "cancelled" }));
    let blocked = json!({ "id": "bl_1", "startTime": "2026-01-05T08:00:00+01:00", "endTime": "2026-01-05T09:00:00+01:00" });
    // Three weeks off.
    let holiday = json!({ "id": "bl_2", "startTime": "2025-12-20T00:00:00+01:00", "endTime": "2026-01-10T00:00:00+01:00" });
    let (provider, played) = provider(
        script()
            .on("GET", &asked("events", "cal_9"), 200, &events(&[appointment(&json!({})), cancelled]))
            .on("GET", "/calendars/blocked-slots", 200, &events(&[holiday, blocked]))
            .on("GET", LIST, 200, &calendars(&["cal_1"]))
            .on("GET", &asked("events", "cal_1"), 200, &events(&[]))
            .on("GET", "/calendars/blocked-slots", 200, &events(&[])),
    );
    let busy = provider.busy(query(&["cal_9"])).unwrap();
    assert_eq!(
        busy.iter().map(|b| b.source.as_deref().unwrap()).collect::<Vec<_>>(),
        ["bl_2", "bl_1", "ap_1"]
    );
    let asked = played.requests()[1].url.clone();
    let from: i64 =
        asked.split("startTime=").nth(1).and_then(|rest| rest.split('&').next()).unwrap().parse().unwrap();
    assert!(from * 1_000 <= at("2025-12-20T00:00:00+01:00"), "HighLevel may look at starts alone: {asked}");
    assert!(provider.busy(query(&[])).unwrap().is_empty());
    assert!(
        matches!(provider.busy(query(&["c"; 10])), Err(ProviderError::Invalid(p)) if p[0].field == "calendars")
    );
    played.finish();
}

#[test]
fn contacts_page_by_page_and_erased() {
    let item = |id: &str| json!({ "id": id, "firstName": "Ada", "searchAfter": [1, id] });
    let page = |ids: &[&str]| {
        json!({ "contacts": ids.iter().map(|id| item(id)).collect::<Vec<_>>(), "total": 3 }).to_string()
    };
    let (provider, played) = provider(
        script()
            .on("POST", "/contacts/search", 200, &page(&["con_1", "con_2"]))
            .on("POST", "/contacts/search", 200, &page(&["con_3"]))
            .on("POST", "/contacts/search", 200, &page(&["con_1", "con_2"]))
            .on("DELETE", "/contacts/con_1", 200, r#"{"succeded":true}"#)
            .on("DELETE", "/contacts/con_1", 404, &error(404, "Contact not found")),
    );
    let first = provider.list_clients(PageRequest { token: None, limit: 2 }).unwrap();
    let token = first.next.clone();
    assert_eq!((first.items.len(), token.as_deref()), (2, Some(r#"[1,"con_2"]"#)));
    let second = provider.list_clients(PageRequest { token: first.next, limit: 2 }).unwrap();
    assert_eq!((second.items[0].id.as_str(), second.next), ("con_3", None));
    let again = provider.list_clients(PageRequest { token, limit: 2 }).unwrap();
    assert_eq!(again.next, None, "a page that ends where it began would go on for ever");
    assert_eq!(
        (played.body(0).get("searchAfter"), &played.body(1)["searchAfter"]),
        (None, &json!([1, "con_2"]))
    );
    assert_eq!(header(&played, 0, "version").as_deref(), Some("2021-07-28"));
    let junk = PageRequest { token: Some("junk".to_owned()), limit: 2 };
    assert_eq!(provider.list_clients(junk), Err(ProviderError::CursorExpired));
    for _ in 0..2 {
        assert_eq!(provider.erase_client("con_1".to_owned()), Ok(()));
    }
    played.finish();
}

#[test]
fn an_appointment_with_and_without_its_person() {
    use berth_sdk::Bookings;
    let path = "/calendars/events/appointments/ap_1";
    let (provider, played) = provider(
        script()
            .on("GET", path, 200, &event(&json!({})))
            .on("GET", "/contacts/con_1", 200, &contact())
            .on("GET", path, 200, &event(&json!({})))
            .on("GET", "/contacts/con_1", 404, &error(404, "Contact not found"))
            .on("GET", path, 404, &error(404, "Appointment not found")),
    );
    assert_eq!(
        provider.get("ap_1".to_owned()).unwrap().attendees[0].email.as_deref(),
        Some("ada@example.com")
    );
    assert!(provider.get("ap_1".to_owned()).unwrap().attendees.is_empty(), "erased");
    assert_eq!(provider.get("ap_1".to_owned()), Err(ProviderError::NotFound));
    played.finish();
}
