//! Lists, pages and tokens.

use serde_json::{Value, json};

use super::{Bench, EVENTS, at, event};

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

fn token<'a>(page: &'a Value, name: &str) -> &'a str {
    page[name].as_str().unwrap_or_else(|| panic!("no {name} in {page}"))
}

#[tokio::test]
async fn a_sync_begins_with_everything_and_goes_on_with_changes() {
    let bench = Bench::new().await;
    for (id, start) in [
        ("aaaa1", "2026-01-05T09:00:00Z"),
        ("aaaa2", "2026-01-06T09:00:00Z"),
        ("aaaa0", "2026-01-01T09:00:00Z"),
    ] {
        bench.ok("POST", EVENTS, event(id, start)).await;
    }
    let first = format!("{EVENTS}?singleEvents=true&maxResults=1&timeMin=2026-01-02T09%3A00%3A00Z");
    let one = bench.ok("GET", &first, Value::Null).await;
    assert_eq!(ids(&one), ["aaaa1"]);
    // What changes between two pages is in the next sync.
    bench.google.move_event("primary", "aaaa1", at("2026-01-07T09:00:00Z")).unwrap();
    let two = format!("{first}&pageToken={}", token(&one, "nextPageToken"));
    let two = bench.ok("GET", &two, Value::Null).await;
    assert_eq!((ids(&two), &two["nextPageToken"]), (vec!["aaaa2"], &Value::Null), "what is over is left out");
    bench.google.delete_event("primary", "aaaa2").unwrap();
    let changes =
        format!("{EVENTS}?singleEvents=true&maxResults=1&syncToken={}", token(&two, "nextSyncToken"));
    let three = bench.ok("GET", &changes, Value::Null).await;
    assert_eq!(ids(&three), ["aaaa1"]);
    let four = format!("{changes}&pageToken={}", token(&three, "nextPageToken"));
    let four = bench.ok("GET", &four, Value::Null).await;
    let stub = json!({ "kind": "calendar#event", "id": "aaaa2", "status": "cancelled" });
    assert_eq!(four["items"], json!([stub]));
    let last = format!("{EVENTS}?singleEvents=true&maxResults=1&syncToken={}", token(&four, "nextSyncToken"));
    assert!(ids(&bench.ok("GET", &last, Value::Null).await).is_empty());
}

#[tokio::test]
async fn tokens_end_and_bear_no_other_question() {
    let bench = Bench::new().await;
    for id in ["aaaa1", "aaaa2"] {
        bench.ok("POST", EVENTS, event(id, "2026-01-05T09:00:00Z")).await;
    }
    let page = bench.ok("GET", &format!("{EVENTS}?maxResults=1"), Value::Null).await;
    let other = format!("{EVENTS}?maxResults=2&pageToken={}", token(&page, "nextPageToken"));
    bench.refused("GET", &other, Value::Null, (400, "invalid")).await;
    let synced = bench.ok("GET", &format!("{EVENTS}?singleEvents=true"), Value::Null).await;
    let sync = format!("{EVENTS}?singleEvents=true&syncToken={}", token(&synced, "nextSyncToken"));
    for barred in [
        "timeMin=2026-01-02T09:00:00Z",
        "orderBy=updated",
        "privateExtendedProperty=a%3Db",
        "updatedMin=2026-01-02T09:00:00Z",
    ] {
        bench.refused("GET", &format!("{sync}&{barred}"), Value::Null, (400, "invalid")).await;
    }
    bench.refused("GET", &sync.replace("singleEvents=true&", ""), Value::Null, (400, "invalid")).await;
    bench.ok("GET", &sync, Value::Null).await;
    bench.google.expire_sync_tokens();
    bench.refused("GET", &sync, Value::Null, (410, "fullSyncRequired")).await;
}

#[tokio::test]
async fn series_are_told_by_their_instances() {
    let bench = Bench::new().await;
    let start = at("2026-01-05T09:00:00Z");
    let instances = bench.google.add_daily("primary", start, 30, 3, "Stand-up").unwrap();
    assert!(instances[1].ends_with("_20260106T090000Z"));
    let singles = format!("{EVENTS}?singleEvents=true");
    let all = bench.ok("GET", &singles, Value::Null).await;
    assert_eq!(ids(&all), instances.iter().map(String::as_str).collect::<Vec<_>>());
    let masters = bench.ok("GET", EVENTS, Value::Null).await;
    assert_eq!(masters["items"][0]["recurrence"], json!(["RRULE:FREQ=DAILY;COUNT=3"]));
    assert_eq!(ids(&masters).len(), 1);
    bench.google.delete_event("primary", &instances[1]).unwrap();
    let changes = format!("{singles}&syncToken={}", token(&all, "nextSyncToken"));
    let gone = &bench.ok("GET", &changes, Value::Null).await["items"][0];
    assert_eq!((&gone["id"], &gone["status"]), (&json!(instances[1]), &json!("cancelled")));
    assert_eq!(gone["originalStartTime"]["dateTime"], "2026-01-06T10:00:00+01:00");
    assert!(gone["recurringEventId"].is_string() && gone["start"].is_null());
}

#[tokio::test]
async fn events_are_found_by_their_private_property() {
    let bench = Bench::new().await;
    let mut marked = event("aaaa1", "2026-01-05T09:00:00Z");
    marked["extendedProperties"] = json!({ "private": { "berth_booking_id": "b_1" } });
    bench.ok("POST", EVENTS, marked).await;
    bench.ok("POST", EVENTS, event("aaaa2", "2026-01-05T09:00:00Z")).await;
    let find = format!("{EVENTS}?privateExtendedProperty=berth_booking_id%3Db_1");
    assert_eq!(ids(&bench.ok("GET", &find, Value::Null).await), ["aaaa1"]);
    bench.google.delete_event("primary", "aaaa1").unwrap();
    assert!(ids(&bench.ok("GET", &find, Value::Null).await).is_empty());
    let deleted = bench.ok("GET", &format!("{find}&showDeleted=true"), Value::Null).await;
    assert_eq!(deleted["items"][0]["status"], "cancelled");
}
