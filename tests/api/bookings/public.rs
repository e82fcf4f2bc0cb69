//! Holds and bookings without a key.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    Answer, Api,
    events::feed::kinds,
    http::public::{STUDIO, studio},
    privacy::consents::published,
    refused,
};

fn visit(event_type: &Value, start: &str) -> Value {
    json!({ "event_type_id": event_type, "start": start,
        "attendee": { "name": "Ada Nowak", "email": "ada@example.com", "time_zone": "Europe/Warsaw" } })
}

impl Api {
    async fn book(&self, from: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        self.visit(from, "POST", &format!("{STUDIO}/bookings"), headers, body).await
    }
}

#[tokio::test]
async fn anybody_holds_and_books_and_comes_back_by_their_token() {
    let (api, offered) = studio(json!({})).await;
    let start = "2026-11-24T09:00:00Z";
    let holds = format!("{STUDIO}/holds");
    let hold = json!({ "event_type_id": offered, "start": start });
    let held = api.visit("192.0.2.1", "POST", &holds, &[], hold.clone()).await;
    assert_eq!(held.status, StatusCode::CREATED, "{}", held.body);
    assert!(held.body.get("members").is_none());
    let (id, token) = (held.body["id"].as_str().unwrap(), held.body["token"].clone());
    let taken = api.visit("192.0.2.2", "POST", &holds, &[], hold).await;
    refused(&taken, 409, "BERTH-E0410");
    assert!(!taken.text.contains("/api/booking/availability"), "that needs a key: {}", taken.text);
    let wrong = json!({ "token": "somebody-elses-token" });
    for what in ["extend", "release"] {
        let answer =
            api.visit("192.0.2.2", "POST", &format!("{holds}/{id}/{what}"), &[], wrong.clone()).await;
        refused(&answer, 409, "BERTH-E0417");
    }
    let extended =
        api.visit("192.0.2.1", "POST", &format!("{holds}/{id}/extend"), &[], json!({ "token": token })).await;
    assert_eq!(extended.status, StatusCode::OK, "{}", extended.body);

    let mut body = visit(&offered, start);
    body["hold"] = json!({ "id": id, "token": token });
    let booked = api.book("192.0.2.1", &[], body).await;
    assert_eq!((booked.status, booked.body["status"].as_str()), (StatusCode::CREATED, Some("confirmed")));
    assert_eq!(booked.headers["cache-control"], "no-store");
    for inner in ["id", "external_id", "assignment", "customer_id"] {
        assert!(booked.body.get(inner).is_none(), "{inner}: {}", booked.body);
    }
    let manage = format!("/api/booking/manage/{}", booked.body["manage_token"].as_str().unwrap());
    assert!(booked.body["manage_url"].as_str().unwrap().ends_with(&manage));
    let shown = api.look(&manage).await;
    assert_eq!((shown.status, &shown.body["start"]), (StatusCode::OK, &json!(start)));
    let own = api.ok("GET", "/api/booking", Value::Null).await["items"][0].clone();
    let timeline = format!("/api/booking/{}/timeline", own["id"].as_str().unwrap());
    assert_eq!(api.ok("GET", &timeline, Value::Null).await["items"][0]["actor"], "customer");

    // What is given back is free again, at once, to everybody.
    let hold = json!({ "event_type_id": offered, "start": "2026-11-24T11:00:00Z" });
    let held = api.visit("192.0.2.1", "POST", &holds, &[], hold.clone()).await;
    let release = format!("{holds}/{}/release", held.body["id"].as_str().unwrap());
    let freed = api.visit("192.0.2.1", "POST", &release, &[], json!({ "token": held.body["token"] })).await;
    assert_eq!(freed.status, StatusCode::NO_CONTENT);
    assert_eq!(api.visit("192.0.2.2", "POST", &holds, &[], hold).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_repeat_makes_no_second_booking() {
    let (api, offered) = studio(json!({})).await;
    let key = [("idempotency-key", "form-1")];
    let body = visit(&offered, "2026-11-24T09:00:00Z");
    let first = api.book("192.0.2.1", &key, body.clone()).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    // From wherever it comes: the answer was lost, and the phone is in another network.
    let again = api.book("198.51.100.7", &key, body.clone()).await;
    assert_eq!((again.status, &again.text), (StatusCode::CREATED, &first.text));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.headers["cache-control"], "no-store");
    let other = api.book("192.0.2.1", &key, visit(&offered, "2026-11-24T10:00:00Z")).await;
    refused(&other, 422, "BERTH-E0412");
    assert_eq!(api.ok("GET", "/api/booking", Value::Null).await["items"].as_array().unwrap().len(), 1);
    // A refusal is not kept: the same key books once the form is right.
    let key = [("idempotency-key", "form-2")];
    let wrong = api.book("192.0.2.1", &key, body).await;
    refused(&wrong, 409, "BERTH-E0410");
    let right = api.book("192.0.2.1", &key, visit(&offered, "2026-11-24T12:00:00Z")).await;
    assert_eq!(right.status, StatusCode::CREATED, "{}", right.body);
    // An API key's own are others.
    let keyed = crate::booking(&offered, "2026-11-24T13:00:00Z");
    let keyed =
        api.send("POST", "/api/booking", Some(&api.key), &[("idempotency-key", "form-1")], keyed).await;
    assert_eq!(keyed.status, StatusCode::CREATED, "{}", keyed.body);
}

#[tokio::test]
async fn forms_are_checked_and_programs_give_themselves_away() {
    let (api, offered) = studio(json!({})).await;
    let mut bot = visit(&offered, "2026-11-24T09:00:00Z");
    bot["website"] = json!("https://spam.example");
    refused(&api.book("192.0.2.1", &[], bot).await, 422, "BERTH-E0568");
    let mut nobody = visit(&offered, "2026-11-24T09:00:00Z");
    nobody["attendee"] = json!({ "name": "Ada", "time_zone": "UTC" });
    let answer = api.book("192.0.2.1", &[], nobody.clone()).await;
    refused(&answer, 422, "BERTH-E0422");
    assert_eq!(answer.body["errors"][0]["field"], "/attendee/email");
    for odd in ["provider", "override", "recurrence", "tenant"] {
        let mut body = visit(&offered, "2026-11-24T09:00:00Z");
        body[odd] = json!("builtin");
        refused(&api.book("192.0.2.1", &[], body).await, 400, "BERTH-E0400");
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = api.book("192.0.2.1", &form, visit(&offered, "2026-11-24T09:00:00Z")).await;
    refused(&answer, 415, "BERTH-E0419");
    nobody["attendee"]["phone"] = json!("+48600100200");
    assert_eq!(api.book("192.0.2.1", &[], nobody).await.status, StatusCode::CREATED);
    assert_eq!(api.ok("GET", "/api/booking", Value::Null).await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn holds_and_bookings_are_so_many() {
    let (api, offered) = studio(json!({ "public_bookings_per_hour": 12 })).await;
    let start = |n: u32| format!("2026-11-{}T{:02}:00:00Z", 24 + n / 24, n % 24);
    let hold = async |from: &str, n: u32| {
        let body = json!({ "event_type_id": offered, "start": start(n) });
        api.visit(from, "POST", &format!("{STUDIO}/holds"), &[], body).await
    };
    for n in 0..3 {
        assert_eq!(hold("192.0.2.1", n).await.status, StatusCode::CREATED);
    }
    let fourth = hold("192.0.2.1", 3).await;
    refused(&fourth, 429, "BERTH-E0429");
    assert!(fourth.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() <= 300);
    assert_eq!(hold("192.0.2.2", 3).await.status, StatusCode::CREATED);
    api.world.clock.advance_ms(300_000);
    assert_eq!(hold("192.0.2.1", 4).await.status, StatusCode::CREATED, "those before are over");

    let book = async |from: &str, n: u32| api.book(from, &[], visit(&offered, &start(n))).await;
    for n in 10..20 {
        assert_eq!(book("192.0.2.9", n).await.status, StatusCode::CREATED, "{n}");
        // What is not booked does not count.
        if n < 19 {
            refused(&book("192.0.2.9", n).await, 409, "BERTH-E0410");
        }
    }
    let eleventh = book("192.0.2.9", 20).await;
    refused(&eleventh, 429, "BERTH-E0429");
    // Of all addresses together the tenant takes twelve an hour.
    assert_eq!(book("192.0.2.10", 20).await.status, StatusCode::CREATED);
    let last = book("192.0.2.11", 21).await.status;
    let next = book("192.0.2.12", 22).await;
    assert_eq!(last, StatusCode::CREATED);
    refused(&next, 429, "BERTH-E0429");
    assert!(next.body["hint"].as_str().unwrap().contains("business"), "{}", next.body);
    // The business itself books as it likes.
    api.ok("POST", "/api/booking", crate::booking(&offered, &start(22))).await;
    api.world.clock.advance_ms(3_600_000);
    assert_eq!(book("192.0.2.12", 23).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn two_books_at_once_by_a_link_for_one() {
    let (api, offered) = studio(json!({})).await;
    let link = json!({ "event_type_id": offered, "name": "Ada" });
    let link = api.ok("POST", "/api/booking/private-links", link).await["token"].clone();
    let by = |start: &str| {
        let mut body = visit(&offered, start);
        body["link"] = link.clone();
        body
    };
    let (one, other) = tokio::join!(
        api.book("192.0.2.1", &[], by("2026-11-24T09:00:00Z")),
        api.book("192.0.2.2", &[], by("2026-11-24T10:00:00Z"))
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 410], "{} {}", one.body, other.body);
    assert_eq!(api.ok("GET", "/api/booking", Value::Null).await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_somebody_agrees_to_is_booked_with_it_or_not_at_all() {
    let (api, offered) = studio(json!({})).await;
    let text = published(&api, "marketing", "en", "We may write to you.").await;
    let other = published(&api, "service_preferences", "en", "We may remember.").await;
    let with = |consents: Value| {
        let mut body = visit(&offered, "2026-11-24T09:00:00Z");
        body["consents"] = consents;
        body
    };
    let one = |purpose: &str, id: &Value| json!({ "purpose": purpose, "text_id": id });
    let nobody = json!("0193b3f0-0000-7000-8000-000000000000");
    for (consents, status, code, field) in [
        (
            json!([one("marketing", &text["id"]), one("world_peace", &text["id"])]),
            422,
            "BERTH-E0545",
            "/consents/1/purpose",
        ),
        (json!([one("marketing", &nobody)]), 422, "BERTH-E0547", "/consents/0/text_id"),
        (json!([one("marketing", &other["id"])]), 422, "BERTH-E0546", "/consents/0/text_id"),
        (
            json!([{ "purpose": "marketing", "textId": text["id"], "language": "pl" }]),
            422,
            "BERTH-E0546",
            "/consents/0/text_id",
        ),
        (
            json!([one("marketing", &text["id"]), one("marketing", &text["id"])]),
            422,
            "BERTH-E0422",
            "/consents/1",
        ),
        (json!(vec![one("marketing", &text["id"]); 6]), 422, "BERTH-E0422", "/consents"),
        (json!([{ "purpose": "marketing" }]), 400, "BERTH-E0400", "/consents/0/text_id"),
    ] {
        let answer = api.book("192.0.2.1", &[], with(consents)).await;
        refused(&answer, status, code);
        assert_eq!(answer.body["errors"][0]["field"], field, "{}", answer.body);
    }
    assert_eq!(api.ok("GET", "/api/booking", Value::Null).await["items"], json!([]));
    assert_eq!(
        api.ok("GET", "/api/customers", Value::Null).await["items"],
        json!([]),
        "nobody is known by that"
    );

    let agent = "x".repeat(2_000);
    let headers = [("user-agent", agent.as_str())];
    let both = json!([one("marketing", &text["id"]), one("service_preferences", &other["id"])]);
    let booked = api.book("192.0.2.77", &headers, with(both.clone())).await;
    assert_eq!(booked.status, StatusCode::CREATED, "{}", booked.body);
    let customer = api.ok("GET", "/api/booking", Value::Null).await["items"][0]["customer_id"].clone();
    let path = format!("/api/customers/{}/consents", customer.as_str().unwrap());
    let history = api.ok("GET", &path, Value::Null).await["history"]["items"].clone();
    let [said, _] = history.as_array().unwrap().as_slice() else { panic!("{history}") };
    assert_eq!(
        (&said["purpose"], &said["given"], &said["text_id"], &said["source"], &said["ip_network"]),
        (&json!("marketing"), &json!(true), &text["id"], &json!("booking form"), &json!("192.0.2.0/24"))
    );
    // What is not booked is not agreed to either.
    let taken = api.book("192.0.2.1", &[], with(both)).await;
    refused(&taken, 409, "BERTH-E0410");
    let again = api.ok("GET", &path, Value::Null).await["history"]["items"].clone();
    assert_eq!(again, history);
    api.world.engine.events.place_events().await.unwrap();
    let told = api.ok("GET", "/api/events?limit=200", Value::Null).await;
    assert_eq!(kinds(&told).iter().filter(|kind| **kind == "consent.given").count(), 2);
}
