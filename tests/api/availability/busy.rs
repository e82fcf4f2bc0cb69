//! What takes members' time.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{Api, booking, key, refused};

const DAY: &str = "from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&time_zone=America/New_York";

async fn busy(api: &Api, of: &str) -> Value {
    api.ok("GET", &format!("/api/booking/busy?{of}&{DAY}"), Value::Null).await
}

#[tokio::test]
async fn a_member_is_open_within_their_hours_and_busy_with_all_that_takes_their_time() {
    let api = Api::new().await;
    let listing = json!({ "slug": "quay", "title": "Quay", "time_zone": "UTC" });
    let listing = api.ok("POST", "/api/listings", listing).await["id"].clone();
    let hours = json!([{ "weekdays": ["Tue"], "start": "09:00", "end": "17:00" }]);
    let member = json!({ "name": "Ana", "time_zone": "UTC", "weekly_hours": hours });
    let ana = api.ok("POST", "/api/booking/team", member).await["id"].clone();
    let event_type = json!({ "listing": listing, "slug": "cut", "title": "Cut", "length_minutes": 30, "members": [ana],
        "buffer_after_minutes": 15 });
    let cut = api.ok("POST", "/api/booking/event-types", event_type).await["id"].clone();
    let (of_ana, of_cut) =
        (format!("member_id={}", ana.as_str().unwrap()), format!("event_type_id={}", cut.as_str().unwrap()));
    let free = busy(&api, &of_ana).await;
    let open = json!([{ "member_id": ana, "start": "2026-11-24T04:00:00-05:00", "end": "2026-11-24T12:00:00-05:00" }]);
    assert_eq!((&free["busy"], &free["date_ranges"], &free["degraded"]), (&json!([]), &open, &json!([])));

    api.ok("POST", "/api/booking", booking(&cut, "2026-11-24T10:00:00Z")).await;
    let hold = json!({ "event_type": cut, "start": "2026-11-24T12:00:00Z" });
    api.ok("POST", "/api/booking/holds", hold).await;
    let away = json!({ "member": ana, "start": "2026-11-24T15:00:00Z", "end": "2026-11-26T00:00:00Z" });
    api.ok("POST", "/api/booking/out-of-office", away).await;
    // What the event type cuts is no matter of hers.
    let cuts =
        json!({ "event_type": cut, "weekdays": ["Tue"], "hours": { "start": "09:00", "end": "11:00" } });
    api.ok("POST", "/api/booking/patterns", cuts).await;
    let taken = json!([
        { "member_id": ana, "start": "2026-11-24T05:00:00-05:00", "end": "2026-11-24T05:30:00-05:00", "hold": false },
        { "member_id": ana, "start": "2026-11-24T07:00:00-05:00", "end": "2026-11-24T07:30:00-05:00", "hold": true },
        { "member_id": ana, "start": "2026-11-24T10:00:00-05:00", "end": "2026-11-24T19:00:00-05:00", "hold": false },
    ]);
    let of_her = busy(&api, &of_ana).await;
    assert_eq!((&of_her["busy"], &of_her["date_ranges"]), (&taken, &open));
    let of_it = busy(&api, &of_cut).await;
    assert_eq!(of_it["busy"], taken);
    assert_eq!(of_it["date_ranges"][0]["end"], "2026-11-24T06:00:00-05:00");
}

#[tokio::test]
async fn only_one_is_asked_for_and_it_is_the_tenants_own() {
    let api = Api::new().await;
    let offered = api.world.offer(None, None).await;
    let both = format!("member_id={}&event_type_id={}", offered.members[0], offered.id);
    for (of, status, code) in [
        (both.clone(), 400, "BERTH-E0401"),
        (String::new(), 400, "BERTH-E0401"),
        ("member_id=0193b3f0-0000-7000-8000-000000000000".to_owned(), 404, "BERTH-E0404"),
        ("event_type_id=0193b3f0-0000-7000-8000-000000000000".to_owned(), 404, "BERTH-E0404"),
    ] {
        let path = format!("/api/booking/busy?{of}&{DAY}").replace("?&", "?");
        refused(&api.send("GET", &path, Some(&api.key), &[], Value::Null).await, status, code);
    }
    let tenant = api.other_tenant().await;
    let foreign = key(&api.world, tenant, &["availability:read"]).await;
    for of in both.split('&') {
        let path = format!("/api/booking/busy?{of}&{DAY}");
        refused(&api.send("GET", &path, Some(&foreign), &[], Value::Null).await, 404, "BERTH-E0404");
    }
    let of = format!("member_id={}", offered.members[0]);
    for (range, status) in [
        ("from=2026-11-24T00:00:00Z&to=2027-03-24T00:00:00Z", StatusCode::BAD_REQUEST),
        ("from=2026-11-25T00:00:00Z&to=2026-11-24T00:00:00Z", StatusCode::BAD_REQUEST),
        ("from=1970-01-01T00:00:00Z&to=1970-01-02T00:00:00Z", StatusCode::OK),
        ("from=2199-12-30T00:00:00Z&to=2199-12-31T23:59:59Z", StatusCode::OK),
    ] {
        let path = format!("/api/booking/busy?{of}&{range}&time_zone=Pacific/Kiritimati");
        let answer = api.send("GET", &path, Some(&api.key), &[], Value::Null).await;
        assert_eq!(answer.status, status, "{range}: {}", answer.body);
    }
}
