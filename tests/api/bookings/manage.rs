//! The life of a booking over HTTP: holds, series, confirmation, links for customers.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{Api, booking, key};

/// The id of an event type with this policy, and the path of its bookings' availability.
async fn event_type(api: &Api, policy: Value) -> Value {
    let id = json!(api.world.offer(None, None).await.id);
    let path = format!("/api/booking/event-types/{}", id.as_str().unwrap());
    api.ok("PATCH", &path, json!({ "policy": policy })).await;
    id
}

#[tokio::test]
async fn a_hold_is_made_extended_booked_and_released() {
    let api = Api::new().await;
    let event_type = event_type(&api, json!({})).await;
    let start = "2026-11-24T09:00:00Z";
    let body = json!({ "event_type": event_type, "start": start, "seconds": 120 });
    let made = api.send("POST", "/api/booking/holds", Some(&api.key), &[], body.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let path = format!("/api/booking/holds/{}", made.body["id"].as_str().unwrap());
    assert_eq!(made.headers["location"], path.as_str());
    let token = made.body["token"].clone();
    let shown = api.ok("GET", &path, Value::Null).await;
    assert_eq!((shown["start"].as_str(), shown.get("token")), (Some(start), None), "shown once only");
    let again = api.send("POST", "/api/booking/holds", Some(&api.key), &[], body).await;
    assert_eq!((again.status, again.body["code"].as_str()), (StatusCode::CONFLICT, Some("BERTH-E0410")));
    assert_eq!(again.body["alternatives"].as_array().unwrap().len(), 5);

    let extend = format!("{path}/extend");
    let extended = api.ok("POST", &extend, json!({ "token": token, "seconds": 600 })).await;
    assert!(extended["expires_at"].as_str() > shown["expires_at"].as_str());
    let wrong = json!({ "token": "not_the_right_token" });
    let wrong = api.send("POST", &extend, Some(&api.key), &[], wrong).await;
    assert_eq!((wrong.status, wrong.body["code"].as_str()), (StatusCode::CONFLICT, Some("BERTH-E0417")));
    let long = json!({ "token": token, "seconds": 1801 });
    let long = api.send("POST", &extend, Some(&api.key), &[], long).await;
    assert_eq!(long.body["errors"][0]["field"], "/seconds");

    let mut body = booking(&event_type, start);
    body["hold"] = json!({ "id": made.body["id"], "token": token });
    let booked = api.ok("POST", "/api/booking", body).await;
    assert_eq!((booked["start"].as_str(), booked["status"].as_str()), (Some(start), Some("confirmed")));
    let gone = api.send("GET", &path, Some(&api.key), &[], Value::Null).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "the booking took it over");

    let body = json!({ "event_type": event_type, "start": "2026-11-24T11:00:00Z" });
    let made = api.ok("POST", "/api/booking/holds", body).await;
    let path = format!("/api/booking/holds/{}", made["id"].as_str().unwrap());
    let released = api.send("DELETE", &path, Some(&api.key), &[], Value::Null).await;
    assert_eq!(released.status, StatusCode::NO_CONTENT);
    api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T11:00:00Z")).await;
}

#[tokio::test]
async fn a_series_is_made_moved_and_cancelled() {
    let api = Api::new().await;
    let event_type = event_type(&api, json!({})).await;
    api.ok("POST", "/api/booking", booking(&event_type, "2026-12-01T09:00:00Z")).await;
    let series = |recurrence: Value| {
        let mut body = booking(&event_type, "2026-11-24T09:00:00Z");
        body["recurrence"] = recurrence;
        body
    };
    let post = async |body| api.send("POST", "/api/booking", Some(&api.key), &[], body).await;
    let refused = post(series(json!({ "rrule": "FREQ=WEEKLY;COUNT=3" }))).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(refused.body["refused"], json!(["2026-12-01T09:00:00Z"]));
    let made = post(series(json!({ "every_weeks": 1, "count": 3, "mode": "best_effort" }))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.body["done"].as_array().unwrap().len(), 2);
    assert_eq!(made.body["refused"][0]["start"], "2026-12-01T09:00:00Z");
    assert_eq!(
        (made.body["refused"][0]["code"].as_str(), made.body["refused"][0]["reason"].as_str()),
        (Some("BERTH-E0410"), Some("taken"))
    );
    for (recurrence, field) in [
        (json!({ "rrule": "FREQ=WEEKLY" }), "/recurrence/rrule"),
        (json!({ "every_weeks": 1 }), "/recurrence"),
        (json!({ "every_weeks": 1, "count": 61 }), "/recurrence/count"),
        (json!({ "starts": [], "count": 2 }), "/recurrence"),
    ] {
        let wrong = post(series(recurrence)).await;
        assert_eq!(
            (wrong.status, wrong.body["errors"][0]["field"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some(field)),
            "{}",
            wrong.body
        );
    }

    let id = made.body["done"][0]["id"].as_str().unwrap();
    let path = format!("/api/booking?series={}", made.body["series"].as_str().unwrap());
    assert_eq!(api.ok("GET", &path, Value::Null).await["items"].as_array().unwrap().len(), 2);
    let to = json!({ "start": "2026-11-24T10:00:00Z", "scope": "series" });
    let moved = api.ok("POST", &format!("/api/booking/{id}/reschedule"), to).await;
    let starts: Vec<_> = moved["done"].as_array().unwrap().iter().map(|b| b["start"].clone()).collect();
    assert_eq!(starts, ["2026-11-24T10:00:00Z", "2026-12-08T10:00:00Z"]);
    let gone = api.ok("POST", &format!("/api/booking/{id}/cancel"), json!({ "scope": "series" })).await;
    assert_eq!(gone["done"].as_array().unwrap().len(), 2);
    assert!(gone["done"].as_array().unwrap().iter().all(|b| b["status"] == "cancelled"));
}

#[tokio::test]
async fn the_tenant_confirms_or_declines() {
    let api = Api::new().await;
    let event_type = event_type(&api, json!({ "confirmation": "manual" })).await;
    let made = api
        .send("POST", "/api/booking", Some(&api.key), &[], booking(&event_type, "2026-11-24T09:00:00Z"))
        .await;
    assert_eq!((made.status, made.body["status"].as_str()), (StatusCode::CREATED, Some("pending")));
    let path = |id: &Value, verb: &str| format!("/api/booking/{}/{verb}", id.as_str().unwrap());
    let id = &made.body["id"];
    let stale =
        api.send("POST", &path(id, "confirm"), Some(&api.key), &[("if-match", "\"7\"")], Value::Null).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(api.ok("POST", &path(id, "confirm"), Value::Null).await["status"], "confirmed");
    let wrong = api.send("POST", &path(id, "decline"), Some(&api.key), &[], Value::Null).await;
    assert_eq!((wrong.status, wrong.body["code"].as_str()), (StatusCode::CONFLICT, Some("BERTH-E0411")));
    let early = api.send("POST", &path(id, "no-show"), Some(&api.key), &[], Value::Null).await;
    assert_eq!(early.status, StatusCode::CONFLICT);

    let other = api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T10:00:00Z")).await;
    let declined = api.ok("POST", &path(&other["id"], "decline"), json!({ "reason": "We are closed" })).await;
    assert_eq!(
        (declined["status"].as_str(), declined["reason"].as_str()),
        (Some("cancelled"), Some("We are closed"))
    );
    let steps = api.ok("GET", &path(&other["id"], "timeline"), Value::Null).await;
    let steps = steps["items"].as_array().unwrap();
    assert_eq!(steps[1]["action"], "booking.declined");
    assert!(steps[0]["data"]["assignment"]["reason"].is_string(), "why this member: {}", steps[0]["data"]);
}

#[tokio::test]
async fn customers_manage_their_own_booking_by_its_link() {
    let api = Api::new().await;
    let event_type = event_type(&api, json!({ "cancel_cutoff_minutes": 60 })).await;
    let made = api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T09:00:00Z")).await;
    let id = made["id"].as_str().unwrap();
    let weak = key(&api.world, api.world.caller.tenant, &["bookings:read"]).await;
    let path = format!("/api/booking/{id}/link");
    assert_eq!(api.send("GET", &path, Some(&weak), &[], Value::Null).await.status, StatusCode::FORBIDDEN);
    let link = api.ok("GET", &path, Value::Null).await;
    let token = link["token"].as_str().unwrap();
    assert!(link["url"].as_str().unwrap().ends_with(&format!("/api/booking/manage/{token}")));

    let manage = format!("/api/booking/manage/{token}");
    let open = async |method: &str, path: &str, body: Value| api.send(method, path, None, &[], body).await;
    let shown = open("GET", &manage, Value::Null).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    assert_eq!(shown.headers["cache-control"], "no-store");
    assert_eq!(shown.body["cancel_until"], "2026-11-24T08:00:00Z");
    assert_eq!(
        (shown.body["title"].as_str(), shown.body["members"][0].as_str()),
        (Some("Consultation"), Some("Eve"))
    );
    for inner in ["id", "external_id", "assignment", "answers"] {
        assert!(shown.body.get(inner).is_none(), "{inner} is not for customers");
    }
    let moved =
        open("POST", &format!("{manage}/reschedule"), json!({ "start": "2026-11-24T12:00:00Z" })).await;
    assert_eq!((moved.status, moved.body["start"].as_str()), (StatusCode::OK, Some("2026-11-24T12:00:00Z")));
    let gone = open("POST", &format!("{manage}/cancel"), json!({ "reason": "Ill" })).await;
    assert_eq!((gone.status, gone.body["status"].as_str()), (StatusCode::OK, Some("cancelled")));
    let steps = api.ok("GET", &format!("/api/booking/{id}/timeline"), Value::Null).await;
    assert_eq!(steps["items"][2]["actor"], "customer");

    // Cut, changed and made-up tokens are not ours.
    let mut changed = token.to_owned();
    changed.replace_range(0..1, if token.starts_with('A') { "B" } else { "A" });
    for wrong in [&token[1..], &token[..60], changed.as_str(), "x", "%00"] {
        let answer = open("GET", &format!("/api/booking/manage/{wrong}"), Value::Null).await;
        assert!(
            [StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST].contains(&answer.status),
            "{wrong}: {}",
            answer.status
        );
    }
    // The next one is too late to cancel for the customer, not for the business.
    let made = api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T09:00:00Z")).await;
    let id = made["id"].as_str().unwrap();
    let link = api.ok("GET", &format!("/api/booking/{id}/link"), Value::Null).await;
    let manage = format!("/api/booking/manage/{}", link["token"].as_str().unwrap());
    let start: berth_model::time::Instant = "2026-11-24T08:30:00Z".parse().unwrap();
    let now = berth_model::time::Clock::now(&*api.world.clock);
    api.world.clock.advance_ms(start.micros_since(now) / 1_000);
    let late = open("POST", &format!("{manage}/cancel"), json!({})).await;
    assert_eq!((late.status, late.body["code"].as_str()), (StatusCode::CONFLICT, Some("BERTH-E0418")));
    let cancel = format!("/api/booking/{id}/cancel");
    let bound = key(&api.world, api.world.caller.tenant, &["bookings:write"]).await;
    let bound = api.send("POST", &cancel, Some(&bound), &[], json!({})).await;
    assert_eq!(bound.body["code"], "BERTH-E0418", "a key without the scope is bound like a customer");
    assert_eq!(api.ok("POST", &cancel, json!({})).await["status"], "cancelled");

    // A person who clicks about is let through, a program that hammers is not.
    let mut refused = 0;
    for _ in 0..40 {
        refused +=
            usize::from(open("GET", &manage, Value::Null).await.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!((1..=12).contains(&refused), "{refused}");
}

/// Hundreds of clients want the seats of one meeting, hold them, or want all of a series.
#[tokio::test]
async fn a_storm_gets_as_many_seats_as_there_are() {
    let api = Api::new().await;
    let event_type = event_type(&api, json!({ "seats": 7 })).await;
    let start = "2026-11-24T09:00:00Z";
    let send = async |n: usize| match n % 3 {
        0 => api.send("POST", "/api/booking", Some(&api.key), &[], booking(&event_type, start)).await,
        1 => {
            let body = json!({ "event_type": event_type, "start": start });
            api.send("POST", "/api/booking/holds", Some(&api.key), &[], body).await
        }
        _ => {
            let mut body = booking(&event_type, start);
            body["recurrence"] = json!({ "rrule": "FREQ=DAILY;COUNT=2" });
            api.send("POST", "/api/booking", Some(&api.key), &[], body).await
        }
    };
    let answers = futures_util::future::join_all((0..210).map(send)).await;
    let made = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(made, 7);
    let refused = answers.iter().filter(|answer| answer.status == StatusCode::CONFLICT).count();
    assert_eq!(
        refused,
        203,
        "nobody anything else: {:?}",
        answers.iter().map(|a| a.status).collect::<Vec<_>>()
    );
}
