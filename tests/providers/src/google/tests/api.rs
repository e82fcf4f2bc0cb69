//! Calendars, busy times, events, channels.

use serde_json::{Value, json};

use super::{Bench, Config, EVENTS, at, event};
use crate::faults::Fault;

#[tokio::test]
async fn calendars_that_can_be_written_to_come_page_by_page() {
    let bench = Bench::new().await;
    let list = "/calendar/v3/users/me/calendarList?minAccessRole=writer&maxResults=2";
    let first = bench.ok("GET", list, Value::Null).await;
    assert_eq!(first["items"][0]["primary"], true);
    let next = format!("{list}&pageToken={}", first["nextPageToken"].as_str().unwrap());
    let second = bench.ok("GET", &next, Value::Null).await;
    assert_eq!(
        second["items"].as_array().unwrap().len(),
        1,
        "the one that can only be read is not among them"
    );
    assert!(second["nextSyncToken"].is_string() && second["nextPageToken"].is_null());
    bench.refused("GET", &format!("{list}&pageToken=x"), Value::Null, (400, "invalid")).await;
}

#[tokio::test]
async fn an_id_is_taken_once_and_for_ever() {
    let bench = Bench::new().await;
    let body = event("berth0", "2026-01-05T09:00:00Z");
    let made = bench.ok("POST", EVENTS, body.clone()).await;
    assert_eq!((&made["status"], &made["sequence"]), (&json!("confirmed"), &json!(0)));
    assert_eq!(
        made["start"],
        json!({ "dateTime": "2026-01-05T10:00:00+01:00", "timeZone": "Europe/Warsaw" })
    );
    bench.refused("POST", EVENTS, body.clone(), (409, "duplicate")).await;
    let path = format!("{EVENTS}/berth0");
    let (status, nothing) = bench.api("DELETE", &format!("{path}?sendUpdates=all"), Value::Null).await;
    assert_eq!((status, nothing), (204, Value::Null));
    bench.refused("DELETE", &path, Value::Null, (410, "deleted")).await;
    bench.refused("POST", EVENTS, body, (409, "duplicate")).await;
    assert_eq!(bench.ok("GET", &path, Value::Null).await["status"], "cancelled");
    bench.refused("GET", &format!("{EVENTS}/unknown"), Value::Null, (404, "notFound")).await;
}

#[tokio::test]
async fn events_that_cannot_be_are_refused() {
    let bench = Bench::new().await;
    let with = |changes: Value| {
        let mut body = event("berth1", "2026-01-05T09:00:00Z");
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    for (changes, reason) in [
        (json!({ "id": "Upper" }), "invalid"),
        (json!({ "id": "abc" }), "invalid"),
        (json!({ "id": "wxyz0" }), "invalid"),
        (json!({ "start": { "dateTime": "2026-01-05T10:00:00Z" } }), "timeRangeEmpty"),
        (json!({ "start": { "dateTime": "2026-01-05T09:00:00" } }), "invalid"),
        (json!({ "start": { "dateTime": "2026-01-05T09:00:00Z", "timeZone": "Nowhere" } }), "invalid"),
        (json!({ "attendees": [{ "email": "nobody" }] }), "invalid"),
    ] {
        bench.refused("POST", EVENTS, with(changes), (400, reason)).await;
    }
    let readable = "/calendar/v3/calendars/holidays%40group.v.calendar.google.com/events";
    bench.refused("POST", readable, with(json!({})), (403, "requiredAccessLevel")).await;
    bench.refused("POST", &format!("{EVENTS}?sendUpdates=some"), with(json!({})), (400, "invalid")).await;
    let local = json!({ "start": { "dateTime": "2026-01-05T09:00:00", "timeZone": "Europe/Warsaw" } });
    assert_eq!(bench.ok("POST", EVENTS, with(local)).await["start"]["dateTime"], "2026-01-05T09:00:00+01:00");
}

#[tokio::test]
async fn a_patch_is_merged_and_bound_to_the_tag() {
    let bench = Bench::new().await;
    let mut body = event("berth1", "2026-01-05T09:00:00Z");
    body["extendedProperties"] = json!({ "private": { "berth_booking_id": "b_1" } });
    body["start"]["timeZone"] = json!("Asia/Tokyo");
    let made = bench.ok("POST", EVENTS, body).await;
    let path = format!("{EVENTS}/berth1");
    let change = json!({ "start": { "dateTime": "2026-01-05T09:15:00Z" }, "summary": null });
    let moved = bench.ok("PATCH", &path, change.clone()).await;
    assert_eq!(moved["start"]["timeZone"], "Asia/Tokyo", "what is not named stays");
    assert_eq!((&moved["sequence"], moved.get("summary")), (&json!(1), None));
    assert_eq!(moved["extendedProperties"]["private"]["berth_booking_id"], "b_1");
    let token = format!("Bearer {}", super::TOKEN);
    let headers = [("authorization", token.as_str()), ("if-match", made["etag"].as_str().unwrap())];
    let (status, refused) = bench.call("PATCH", &path, &headers, change).await;
    assert_eq!((status, &refused["error"]["errors"][0]["reason"]), (412, &json!("conditionNotMet")));
}

#[tokio::test]
async fn busy_times_are_joined_and_leave_out_what_does_not_block() {
    let bench = Bench::new().await;
    let add = |start: &str| bench.google.add_event("primary", at(start), 30, "x").unwrap();
    add("2026-01-05T09:00:00Z");
    add("2026-01-05T09:30:00Z");
    bench.google.delete_event("primary", &add("2026-01-05T11:00:00Z")).unwrap();
    bench.google.make_transparent("primary", &add("2026-01-05T12:00:00Z")).unwrap();
    let ask = |from: &str, to: &str| json!({ "timeMin": from, "timeMax": to, "items": [{ "id": "primary" }, { "id": "nobody@example.com" }] });
    let path = "/calendar/v3/freeBusy";
    let answer = bench.ok("POST", path, ask("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z")).await;
    let joined = json!([{ "start": "2026-01-05T09:00:00Z", "end": "2026-01-05T10:00:00Z" }]);
    assert_eq!(answer["calendars"]["primary"]["busy"], joined);
    assert_eq!(answer["calendars"]["nobody@example.com"]["errors"][0]["reason"], "notFound");
    let empty = ask("2026-01-05T00:00:00Z", "2026-01-05T00:00:00Z");
    bench.refused("POST", path, empty, (400, "timeRangeEmpty")).await;
    let long = ask("2026-01-05T00:00:00Z", "2026-06-05T00:00:00Z");
    bench.refused("POST", path, long, (400, "timeRangeTooLong")).await;
}

#[tokio::test]
async fn a_channel_says_that_it_works_and_then_that_something_changed() {
    let bench = Bench::new().await;
    let watch = format!("{EVENTS}/watch");
    let ask = |id: &str| {
        json!({ "id": id, "type": "web_hook", "address": "https://berth.example/hook", "token": "made-up-token",
            "params": { "ttl": "9999999" } })
    };
    let channel = bench.ok("POST", &watch, ask("c1")).await;
    assert_eq!(channel["expiration"], (at("2026-01-09T09:00:00Z") / 1_000).to_string(), "a week at most");
    bench.refused("POST", &watch, ask("c1"), (400, "channelIdNotUnique")).await;
    let mut plain = ask("c2");
    plain["address"] = json!("http://berth.example/hook");
    bench.refused("POST", &watch, plain, (400, "push.webhookUrlNotHttps")).await;
    let id = bench.google.add_event("primary", at("2026-01-05T09:00:00Z"), 30, "x").unwrap();
    bench.google.add_event("team@group.calendar.google.com", at("2026-01-05T09:00:00Z"), 30, "x").unwrap();
    bench.google.delete_event("primary", &id).unwrap();
    let pushes = bench.google.take_deliveries();
    let header = |at: usize, name: &str| {
        let found = pushes[at].headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let states: Vec<String> = (0..pushes.len()).map(|n| header(n, "x-goog-resource-state")).collect();
    assert_eq!(states, ["sync", "exists", "exists"]);
    assert!(pushes.iter().all(|push| push.body.is_empty()));
    assert_eq!(
        (header(1, "x-goog-channel-token"), header(0, "x-goog-message-number")),
        ("made-up-token".into(), "1".into())
    );
    assert_eq!(header(0, "x-goog-channel-expiration"), "Fri, 09 Jan 2026 09:00:00 GMT");
    let number = |at: usize| header(at, "x-goog-message-number").parse::<u64>().unwrap();
    assert!(1 < number(1) && number(1) < number(2));

    let stop = "/calendar/v3/channels/stop";
    let wrong = json!({ "id": "c1", "resourceId": "other" });
    bench.refused("POST", stop, wrong, (404, "notFound")).await;
    bench.ok("POST", stop, json!({ "id": "c1", "resourceId": channel["resourceId"] })).await;
    bench
        .refused("POST", stop, json!({ "id": "c1", "resourceId": channel["resourceId"] }), (404, "notFound"))
        .await;
    bench.ok("POST", &watch, ask("c3")).await;
    bench.pass_seconds(7 * 86_400 + 1);
    bench.google.take_deliveries();
    bench.google.add_event("primary", at("2026-01-12T09:00:00Z"), 30, "x").unwrap();
    assert!(bench.google.take_deliveries().is_empty() && bench.google.channels().is_empty());
}

#[tokio::test]
async fn quota_and_faults_in_the_services_words() {
    let bench = Bench::with(Config { requests_per_minute: Some(2), ..Config::default() }).await;
    let list = "/calendar/v3/users/me/calendarList";
    for _ in 0..2 {
        bench.ok("GET", list, Value::Null).await;
    }
    bench.refused("GET", list, Value::Null, (403, "userRateLimitExceeded")).await;
    bench.pass_seconds(60);
    bench.google.script("POST", Fault::RateLimited { retry_after_seconds: Some(3) });
    bench.refused("POST", EVENTS, event("berth1", "2026-01-05T09:00:00Z"), (429, "rateLimitExceeded")).await;
    bench.google.script("POST", Fault::ServerError);
    bench.refused("POST", EVENTS, event("berth1", "2026-01-05T09:00:00Z"), (503, "backendError")).await;
    assert!(bench.google.events("primary").is_empty());
    bench.google.script("POST", Fault::DropAfter);
    let url = format!("{}{EVENTS}", bench.google.url());
    let body = event("berth1", "2026-01-05T09:00:00Z").to_string();
    let lost = bench.client.post(url).bearer_auth(super::TOKEN).body(body).send().await;
    assert!(lost.is_err() && bench.google.events("primary").len() == 1, "done, and nobody is told");
}
