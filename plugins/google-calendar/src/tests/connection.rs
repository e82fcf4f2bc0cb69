//! Manifest, account, catalogue, busy times.

use berth_model::{
    connections::secret::{Credentials, Secret},
    inbound::webhook,
    plugins::manifest::Manifest,
    time::Instant,
};
use berth_sdk::{
    Availability, Catalog, Connection,
    time::DAY,
    types::{BusyQuery, Interval, PageRequest, ProviderError, SlotQuery},
};
use serde_json::json;

use super::{at, provider, provider_with, refusal, script};

const LIST: &str = "/calendar/v3/users/me/calendarList?minAccessRole=writer&maxResults=";

#[test]
fn the_manifest_gives_each_channel_its_token_and_checks_it() {
    let manifest = Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    let token = &manifest.credentials["channel-token"].attach[0];
    assert_eq!(token.body_field.as_deref(), Some("/token"));
    assert_eq!(token.path.as_deref(), Some("/calendar/v3/calendars/*/events/watch"));
    let oauth2 = manifest.credentials["oauth"].oauth2.as_ref().unwrap();
    assert!(oauth2.pkce && oauth2.authorize_params["access_type"] == "offline");
    let spec = manifest.webhook.unwrap();
    let secret = Secret::new("made-up-channel-token".to_owned());
    let credentials = Credentials::from([("channel-token".to_owned(), secret)]);
    let check = |token: &str| {
        let headers = [("X-Goog-Channel-Token".to_owned(), token.to_owned())];
        webhook::verify(&spec, &credentials, &headers, b"", Instant::from_micros(0))
    };
    assert_eq!(check("made-up-channel-token"), Ok(()));
    assert!(check("another-channel-token").is_err() && check("").is_err());
}

#[test]
fn a_good_and_a_bad_credential_and_a_wrong_setting() {
    let page = json!({ "items": [{ "id": "eve@example.com", "summary": "Eve", "primary": true,
        "timeZone": "Europe/Warsaw", "accessRole": "owner" }] })
    .to_string();
    let target = format!("{LIST}250");
    let (google, played) =
        provider(script().on("GET", &target, 200, &page).on("GET", &target, 401, &refusal(401, "authError")));
    assert_eq!(google.validate().unwrap().id, "eve@example.com");
    assert_eq!(google.validate(), Err(ProviderError::Unauthorised));
    played.finish();
    let settings = json!({ "calendar": "other@example.com" });
    let (google, _played) = provider_with(script().on("GET", &target, 200, &page), &settings);
    assert!(matches!(google.validate(), Err(ProviderError::Invalid(_))));
}

#[test]
fn the_catalogue_goes_through_googles_pages() {
    let page = |id: &str, next: Option<&str>| {
        json!({ "items": [{ "id": id, "summary": id }], "nextPageToken": next }).to_string()
    };
    let (google, played) = provider(script().on("GET", &format!("{LIST}1"), 200, &page("a", Some("t2"))).on(
        "GET",
        &format!("{LIST}1&pageToken=t2"),
        200,
        &page("b", None),
    ));
    let first = google.list_event_types(PageRequest { token: None, limit: 1 }).unwrap();
    let second = google.list_event_types(PageRequest { token: first.next, limit: 1 }).unwrap();
    assert_eq!((first.items[0].id.as_str(), second.items[0].id.as_str()), ("a", "b"));
    assert_eq!(second.next, None);
    played.finish();
}

#[test]
fn busy_times_of_all_calendars_fifty_at_a_time() {
    let further: Vec<String> = (0..49).map(|n| format!("c{n}")).collect();
    let busy = |ids: &[String], start: &str| {
        let calendars: serde_json::Map<_, _> = ids
            .iter()
            .map(|id| (id.clone(), json!({ "busy": [{ "start": start, "end": "2026-01-05T18:00:00Z" }] })))
            .collect();
        json!({ "calendars": calendars }).to_string()
    };
    let mut own = vec!["primary".to_owned()];
    own.extend(further.clone());
    let (google, played) = provider_with(
        script().on("POST", "/calendar/v3/freeBusy", 200, &busy(&own, "2026-01-05T09:00:00Z")),
        &json!({ "busy_calendars": further }),
    );
    let start = at("2026-01-05T00:00:00Z");
    let query = |calendars| BusyQuery {
        within: Interval { start, end: start + DAY },
        calendars,
        time_zone: "Europe/Warsaw".to_owned(),
    };
    assert_eq!(google.busy(query(Vec::new())).unwrap().len(), 50);
    assert_eq!(played.body(0)["items"].as_array().unwrap().len(), 50);
    played.finish();

    let many: Vec<String> = (0..51).map(|n| format!("c{n}")).collect();
    let (google, played) = provider(
        script().on("POST", "/calendar/v3/freeBusy", 200, &busy(&many[..50], "2026-01-05T10:00:00Z")).on(
            "POST",
            "/calendar/v3/freeBusy",
            200,
            &busy(&many[50..], "2026-01-05T09:00:00Z"),
        ),
    );
    let found = google.busy(query(many)).unwrap();
    assert_eq!(found[0].source.as_deref(), Some("c50"), "in order of time");
    played.finish();
}

#[test]
fn free_slots_are_left_to_berth() {
    let spans = crate::GoogleCalendar::spans();
    assert_eq!((spans.free_slots_days, spans.busy_days), (0, 60));
    let (google, _played) = provider(script());
    let start = at("2026-01-05T00:00:00Z");
    let query = SlotQuery {
        event_type: "primary".to_owned(),
        within: Interval { start, end: start + DAY },
        length_minutes: None,
        time_zone: "UTC".to_owned(),
        rescheduling: None,
    };
    assert_eq!(google.free_slots(query), Err(ProviderError::Unsupported(None)));
}
