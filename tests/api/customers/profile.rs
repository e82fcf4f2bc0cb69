//! What is written of customers by hand, and how they are found.

use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use super::identity::booked;
use crate::{Api, key, refused, walk::at};

const PATH: &str = "/api/customers";

async fn names(api: &Api, query: &str) -> Vec<String> {
    let page = api.ok("GET", &format!("{PATH}?{query}"), Value::Null).await;
    page["items"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn customers_are_made_changed_and_found() {
    let api = Api::new().await;
    let ada = json!({ "name": "Ada Żółć", "email": "ada@example.com", "phone": "+48600100200", "language": "pl",
        "notes": "By bike.", "tags": [" regular ", "vip", "vip"] });
    let made = api.send("POST", PATH, Some(&api.key), &[], ada.clone()).await;
    assert_eq!((made.status.as_u16(), &made.headers["etag"]), (201, &"\"1\"".parse().unwrap()));
    let of = at(PATH, &made.body);
    assert_eq!(made.headers["location"], of.as_str());
    assert_eq!(made.body["tags"], json!(["regular", "vip"]));
    let again = api.send("POST", PATH, Some(&api.key), &[], ada).await;
    refused(&again, 409, "BERTH-E0409");
    assert_eq!(again.body["customer_id"], made.body["id"]);
    api.ok("POST", PATH, json!({ "name": "Bea Ng" })).await;

    for (query, expected) in [
        ("q=ada", vec!["Ada Żółć"]),
        ("q=zolc", vec!["Ada Żółć"]),
        ("q=%2B48%20600%20100%20200", vec!["Ada Żółć"]),
        ("q=ADA@example.com", vec!["Ada Żółć"]),
        ("q=example", vec!["Ada Żółć"]),
        ("q=%25", vec![]),
        ("tag=vip", vec!["Ada Żółć"]),
        ("tag=v", vec![]),
        ("blocked=true", vec![]),
        ("sort=name", vec!["Ada Żółć", "Bea Ng"]),
        ("sort=last_seen", vec!["Bea Ng", "Ada Żółć"]),
        ("limit=200", vec!["Ada Żółć", "Bea Ng"]),
    ] {
        assert_eq!(names(&api, query).await, expected, "{query}");
    }
    for query in ["q=".to_owned(), format!("q={}", "x".repeat(500))] {
        let answer = api.send("GET", &format!("{PATH}?{query}"), Some(&api.key), &[], Value::Null).await;
        refused(&answer, 400, "BERTH-E0401");
        assert_eq!(answer.body["errors"][0]["field"], "q", "{}", answer.body);
    }
    for query in ["limit=201", "q=", "sort=age", "blocked=maybe", "name=ada", "cursor=x"] {
        refused(
            &api.send("GET", &format!("{PATH}?{query}"), Some(&api.key), &[], Value::Null).await,
            400,
            "BERTH-E0401",
        );
    }

    // With what was read, or not at all.
    let patch = json!({ "email": "ada@other.example", "notes": null, "tags": ["x"] });
    let stale = api.send("PATCH", &of, Some(&api.key), &[("if-match", "\"7\"")], patch.clone()).await;
    refused(&stale, 412, "BERTH-E0415");
    let changed = api.send("PATCH", &of, Some(&api.key), &[("if-match", "\"1\"")], patch).await;
    assert_eq!((changed.status.as_u16(), &changed.headers["etag"]), (200, &"\"2\"".parse().unwrap()));
    assert_eq!((&changed.body["notes"], &changed.body["phone"]), (&Value::Null, &json!("+48600100200")));
    assert_eq!(names(&api, "q=ada@example.com").await, Vec::<String>::new(), "not theirs any more");
    assert_eq!(names(&api, "q=ada@other.example").await, ["Ada Żółć"]);
    api.world.engine.events.place_events().await.unwrap();
    let events = api.ok("GET", "/api/events?kinds=customer.updated", Value::Null).await;
    assert_eq!(
        events["items"][0]["data"],
        json!({ "changed": ["email", "notes", "tags"], "blocked": false })
    );
    assert_eq!(events["items"][0]["subject_id"], made.body["id"]);
}

#[tokio::test]
async fn what_is_not_acceptable_is_named() {
    let api = Api::new().await;
    let made = api.ok("POST", PATH, json!({ "name": "Ada" })).await;
    let of = at(PATH, &made);
    let many: Vec<String> = (0..10_000).map(|n| format!("tag {n}")).collect();
    for (bad, field) in [
        (json!({ "name": "" }), "/name"),
        (json!({ "name": "Ada\u{202e}" }), "/name"),
        (json!({ "email": "a***@***" }), "/email"),
        (json!({ "phone": "***00" }), "/phone"),
        (json!({ "language": "klingonese-x" }), "/language"),
        (json!({ "notes": "x".repeat(4_001) }), "/notes"),
        (json!({ "tags": many }), "/tags"),
        (json!({ "tags": ["x".repeat(51)] }), "/tags/0"),
        (json!({ "tags": ["\u{202e}gat"] }), "/tags/0"),
        (json!({ "blocked": { "reason": "" } }), "/blocked/reason"),
    ] {
        let answer = api.send("PATCH", &of, Some(&api.key), &[], bad.clone()).await;
        refused(&answer, 422, "BERTH-E0422");
        assert_eq!(answer.body["errors"][0]["field"], field, "{bad}");
    }
    assert_eq!(api.ok("GET", &of, Value::Null).await["revision"], 1, "nothing was changed");
    let unknown = api.send("PATCH", &of, Some(&api.key), &[], json!({ "revision": 2 })).await;
    refused(&unknown, 400, "BERTH-E0400");
}

#[tokio::test]
async fn who_is_blocked_may_not_book() {
    let api = Api::new().await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let ada = json!({ "name": "Ada Nowak", "email": "ada@example.com" });
    let first = booked(&api, &event_type, "2026-11-24T09:00:00Z", ada).await;
    let of = format!("{PATH}/{}", first["customer_id"].as_str().unwrap());
    let blocked = api.ok("PATCH", &of, json!({ "blocked": { "reason": "Never came." } })).await;
    assert_eq!(blocked["blocked"]["reason"], "Never came.");

    let mut again = crate::booking(&event_type, "2026-11-24T10:00:00Z");
    let answer = api.send("POST", "/api/booking", Some(&api.key), &[], again.clone()).await;
    refused(&answer, 409, "BERTH-E0558");
    assert!(!answer.text.contains("Never came"), "why is for the business alone");
    // Not by a series either, and not by a move of their own; they may cancel.
    let mut series = again.clone();
    series["recurrence"] = json!({ "every_weeks": 1, "count": 2, "mode": "best_effort" });
    refused(&api.send("POST", "/api/booking", Some(&api.key), &[], series).await, 409, "BERTH-E0558");
    let link = api.ok("GET", &format!("{}/link", at("/api/booking", &first)), Value::Null).await;
    let manage = format!("/api/booking/manage/{}", link["token"].as_str().unwrap());
    let moved = json!({ "start": "2026-11-24T11:00:00Z" });
    refused(
        &api.send("POST", &format!("{manage}/reschedule"), None, &[], moved.clone()).await,
        409,
        "BERTH-E0558",
    );

    // The business's own word counts more, if the key may say it.
    again["allow_blocked"] = json!(true);
    let scopes: Vec<&str> = TENANT_SCOPES.iter().copied().filter(|s| *s != "bookings:override").collect();
    let plain = key(&api.world, api.world.caller.tenant, &scopes).await;
    refused(&api.send("POST", "/api/booking", Some(&plain), &[], again.clone()).await, 403, "BERTH-E0403");
    let made = api.ok("POST", "/api/booking", again).await;
    assert_eq!(made["customer_id"], first["customer_id"]);
    api.ok("POST", &format!("{}/reschedule", at("/api/booking", &first)), moved).await;
    assert_eq!(
        api.send("POST", &format!("{manage}/cancel"), None, &[], json!({})).await.status.as_u16(),
        200
    );

    let whole = api.ok("GET", &of, Value::Null).await;
    assert_eq!(
        whole["counts"],
        json!({ "bookings": 2, "cancelled": 1, "no_shows": 0, "last_at": null, "next_at": "2026-11-24T10:00:00Z" })
    );
    api.ok("PATCH", &of, json!({ "blocked": null })).await;
    let free = crate::booking(&event_type, "2026-11-24T12:00:00Z");
    let made = api.ok("POST", "/api/booking", free).await;
    let history = api.ok("GET", &format!("{of}/bookings?limit=2"), Value::Null).await;
    assert_eq!((&history["items"][0]["id"], &history["items"][0]["origin"]), (&made["id"], &json!("berth")));
    let next = format!("{of}/bookings?cursor={}", history["next"].as_str().unwrap());
    assert_eq!(api.ok("GET", &next, Value::Null).await["items"].as_array().unwrap().len(), 1);
    api.world.engine.events.place_events().await.unwrap();
    let events = api.ok("GET", "/api/events?kinds=booking.created", Value::Null).await;
    assert_eq!(events["items"][0]["data"]["customer_id"], first["customer_id"], "whom it is for");
}

#[tokio::test]
async fn a_booking_is_not_given_to_who_is_blocked() {
    let api = Api::new().await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let ada = json!({ "name": "Ada Nowak", "email": "ada@example.com" });
    let hers = booked(&api, &event_type, "2026-11-24T09:00:00Z", ada.clone()).await;
    let eves = booked(
        &api,
        &event_type,
        "2026-11-24T10:00:00Z",
        json!({ "name": "Eve Lis", "email": "eve@example.com" }),
    )
    .await;
    let of = format!("{PATH}/{}", hers["customer_id"].as_str().unwrap());
    api.ok("PATCH", &of, json!({ "blocked": { "reason": "Never came." } })).await;

    let path = at("/api/booking", &eves);
    let given = api.send("PATCH", &path, Some(&api.key), &[], json!({ "attendee": ada })).await;
    refused(&given, 409, "BERTH-E0558");
    let left = api.ok("GET", &path, Value::Null).await;
    assert_eq!((&left["attendee"], &left["customer_id"]), (&eves["attendee"], &eves["customer_id"]));
    assert_eq!(left["sequence"], eves["sequence"], "nothing was changed");
    // What is hers already may be written otherwise.
    let written = json!({ "attendee": { "name": "Ada  Nowak", "phone": "+48600100200" } });
    let written = api.ok("PATCH", &at("/api/booking", &hers), written).await;
    assert_eq!(written["customer_id"], hers["customer_id"]);
}
