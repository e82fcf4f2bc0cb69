//! Event types and what their customers are asked.

use axum::http::StatusCode;
use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use crate::{Answer, Api, booking, key};

const PATH: &str = "/api/booking/event-types";

/// The parts of an event type: a listing and two members.
async fn parts(api: &Api) -> (Value, Value, Value) {
    let listing = json!({ "slug": "quay", "title": "Quay", "time_zone": "UTC" });
    let listing = api.ok("POST", "/api/listings", listing).await["id"].clone();
    let mut members = Vec::new();
    for name in ["Ana", "Ben"] {
        let hours =
            json!([{ "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri"], "start": "00:00", "end": "24:00" }]);
        let member = json!({ "name": name, "time_zone": "UTC", "weekly_hours": hours });
        members.push(api.ok("POST", "/api/booking/team", member).await["id"].clone());
    }
    let ben = members.pop().unwrap();
    (listing, members.pop().unwrap(), ben)
}

async fn sent(api: &Api, method: &str, path: &str, body: Value) -> Answer {
    api.send(method, path, Some(&api.key), &[], body).await
}

fn fields(answer: &Answer) -> Vec<&str> {
    answer.body["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_event_type_keeps_all_its_rules() {
    let api = Api::new().await;
    let (listing, ana, ben) = parts(&api).await;
    let policy = json!({
        "other_lengths_minutes": [60, 15],
        "grid": { "anchor": "range_start", "round_up_to_minutes": 15, "time_zone": "Europe/Lisbon", "offset_minutes": 5 },
        "booking_window": { "type": "rolling", "days": 10, "count": "business", "timezone": "Europe/Lisbon" },
        "limits": [{ "per": "day", "max_bookings": 4, "week_start": "Mon" }, { "per": "week", "max_minutes": 600, "timezone": "UTC", "week_start": "Sun" }],
        "seats": 3,
        "price": { "minor_units": 4_900, "currency": "EUR" },
        "visibility": "private",
        "questions": [{ "key": "why", "label": "Why?", "type": "text", "required": true, "max_length": 100 }],
        "confirmation": "manual",
        "team_mode": "round_robin",
        "strategy": "weighted_shortfall_then_priority_then_lru",
        "fairness": { "reset": "week", "basis": "meeting_start", "time_zone": "Europe/Lisbon" },
        "host_roles": [{ "member_id": ana, "fixed": true, "group": null }],
        "cancel_cutoff_minutes": 1_440,
        "reschedule_cutoff_minutes": 60,
        "restriction_schedule": null,
        "schedule_id": null,
        "locations": [{ "key": "quay", "type": "in_person", "address": "Quay 1" }],
    });
    let new = json!({
        "listing_id": listing, "slug": "tour", "title": "Tour", "description": "Of the quay.", "length_minutes": 30,
        "slot_interval_minutes": 10, "buffer_before_minutes": 5, "buffer_after_minutes": 6, "minimum_notice_minutes": 7,
        "booking_window_days": 8, "member_ids": [ben, ana], "policy": policy, "external_id": "42",
    });
    let made = api.ok("POST", PATH, new.clone()).await;
    for (name, value) in new.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let read = sent(&api, "GET", &path, Value::Null).await;
    assert_eq!((&read.body, read.headers["etag"].to_str().unwrap()), (&made, "\"1\""));

    // A patch of the policy leaves its other members alone; null sets the default.
    let patch = json!({ "policy": { "seats": 5, "price": null, "grid": { "offset_minutes": 10 } } });
    let changed = api.ok("PATCH", &path, patch).await;
    assert_eq!((&changed["policy"]["seats"], &changed["policy"]["price"]), (&json!(5), &Value::Null));
    assert_eq!(
        changed["policy"]["grid"],
        json!({ "anchor": "availability_window_start", "round_up_to_minutes": null, "time_zone": null, "offset_minutes": 10 })
    );
    assert_eq!(changed["policy"]["questions"], made["policy"]["questions"]);
    assert_eq!((&changed["title"], &changed["revision"]), (&json!("Tour"), &json!(2)));

    let stale = [("if-match", "\"1\"")];
    let body = json!({ "policy": { "seats": 6 } });
    let refused = api.send("PATCH", &path, Some(&api.key), &stale, body).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (StatusCode::PRECONDITION_FAILED, &json!("BERTH-E0415"))
    );
    assert_eq!(api.ok("GET", &path, Value::Null).await, changed);
}

#[tokio::test]
async fn each_bad_field_of_an_event_type_is_named_and_nothing_is_stored() {
    let api = Api::new().await;
    let (listing, ana, ben) = parts(&api).await;
    let good = json!({ "listing_id": listing, "slug": "tour", "title": "Tour", "length_minutes": 30, "member_ids": [ana, ben] });
    let nobody = "0193b3f0-0000-7000-8000-000000000000";
    for (at, value, status, field) in [
        // Bodies that cannot be read.
        ("/slug", Value::Null, 400, "/slug"),
        ("/listing_id", json!("quay"), 400, "/listing_id"),
        ("/length_minutes", json!("30"), 400, "/length_minutes"),
        ("/length_minutes", json!(-1), 400, "/length_minutes"),
        ("/member_ids", json!(["ana"]), 400, "/member_ids/0"),
        ("/lenght", json!(1), 400, "/lenght"),
        ("/policy", json!({ "seat": 1 }), 400, "/policy/seat"),
        ("/policy", json!({ "grid": { "anchor": "noon" } }), 400, "/policy/grid/anchor"),
        ("/policy", json!({ "team_mode": "all" }), 400, "/policy/team_mode"),
        (
            "/policy",
            json!({ "price": { "minor_units": 1.5, "currency": "EUR" } }),
            400,
            "/policy/price/minor_units",
        ),
        ("/policy", json!({ "price": { "minor_units": 1 } }), 400, "/policy/price/currency"),
        ("/policy", json!({ "limits": [{ "per": "day" }] }), 400, "/policy/limits/0"),
        ("/policy", json!({ "limits": [{ "per": "hour", "max_bookings": 1 }] }), 400, "/policy/limits/0/per"),
        (
            "/policy",
            json!({ "questions": [{ "key": "a", "label": "A", "type": "colour" }] }),
            400,
            "/policy/questions/0/type",
        ),
        (
            "/policy",
            json!({ "questions": [{ "key": "a", "label": "A", "type": "select" }] }),
            400,
            "/policy/questions/0",
        ),
        ("/policy", json!({ "host_roles": [{ "fixed": true }] }), 400, "/policy/host_roles/0/member_id"),
        // Values that are not acceptable.
        ("/slug", json!("Grand Tour"), 422, "/slug"),
        ("/title", json!(""), 422, "/title"),
        ("/title", json!("a\u{7}"), 422, "/title"),
        ("/description", json!("x".repeat(4_001)), 422, "/description"),
        ("/length_minutes", json!(0), 422, "/length_minutes"),
        ("/slot_interval_minutes", json!(1_441), 422, "/slot_interval_minutes"),
        ("/buffer_before_minutes", json!(1_441), 422, "/buffer_before_minutes"),
        ("/buffer_after_minutes", json!(1_441), 422, "/buffer_after_minutes"),
        ("/minimum_notice_minutes", json!(129_601), 422, "/minimum_notice_minutes"),
        ("/booking_window_days", json!(731), 422, "/booking_window_days"),
        ("/member_ids", json!([]), 422, "/member_ids"),
        ("/member_ids", json!([ana, ana]), 422, "/member_ids/1"),
        ("/member_ids", json!([ana, nobody]), 422, "/member_ids/1"),
        ("/listing_id", json!(nobody), 422, "/listing_id"),
        ("/external_id", json!(""), 422, "/external_id"),
        ("/policy", json!({ "other_lengths_minutes": [30] }), 422, "/policy/other_lengths_minutes/0"),
        (
            "/policy",
            json!({ "booking_window": { "type": "rolling", "days": 999 } }),
            422,
            "/policy/booking_window/days",
        ),
        (
            "/policy",
            json!({ "limits": [{ "per": "day", "max_bookings": 3 }, { "per": "week", "max_bookings": 2 }] }),
            422,
            "/policy/limits",
        ),
        ("/policy", json!({ "seats": 0 }), 422, "/policy/seats"),
        (
            "/policy",
            json!({ "price": { "minor_units": 100, "currency": "ABC" } }),
            422,
            "/policy/price/currency",
        ),
        (
            "/policy",
            json!({ "questions": [{ "key": "a b", "label": "A", "type": "text" }] }),
            422,
            "/policy/questions/0/key",
        ),
        (
            "/policy",
            json!({ "team_mode": "collective", "strategy": "least_recently_assigned" }),
            422,
            "/policy/strategy",
        ),
        (
            "/policy",
            json!({ "team_mode": "round_robin", "host_roles": [{ "member": nobody }] }),
            422,
            "/policy/host_roles/0/member_id",
        ),
        ("/policy", json!({ "host_roles": [{ "member": ana, "fixed": true }] }), 422, "/policy/host_roles"),
        ("/policy", json!({ "cancel_cutoff_minutes": 600_000 }), 422, "/policy/cancel_cutoff_minutes"),
    ] {
        let mut body = good.clone();
        let name = at.trim_start_matches('/');
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
        let answer = sent(&api, "POST", PATH, body).await;
        assert_eq!(answer.status.as_u16(), status, "{at} {value}: {}", answer.body);
        assert_eq!(fields(&answer), [field], "{at} {value}: {}", answer.body);
        let message = answer.body["errors"][0]["message"].as_str().unwrap();
        assert!(
            !message.is_empty() && answer.body["hint"].as_str().is_some_and(|h| !h.is_empty()),
            "{at} {value}"
        );
    }
    assert_eq!(api.ok("GET", PATH, Value::Null).await["items"], json!([]));

    let made = api.ok("POST", PATH, good.clone()).await;
    let taken = sent(&api, "POST", PATH, good).await;
    assert_eq!((taken.status, &taken.body["code"]), (StatusCode::CONFLICT, &json!("BERTH-E0409")));
    assert_eq!(fields(&taken), ["/slug"]);

    // The same checks when it is changed.
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    for (patch, status, field) in [
        (json!({ "title": "" }), 422, "/title"),
        (json!({ "members": [nobody] }), 422, "/member_ids/0"),
        (json!({ "policy": { "seats": 0 } }), 422, "/policy/seats"),
        (json!({ "policy": { "seats": "two" } }), 400, "/policy/seats"),
        (json!({ "policy": { "seat": null } }), 400, "/policy/seat"),
        (
            json!({ "policy": { "limits": [{ "per": "day", "max_bookings": 0 }] } }),
            422,
            "/policy/limits/0/max_bookings",
        ),
    ] {
        let answer = sent(&api, "PATCH", &path, patch.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{patch}: {}", answer.body);
        assert_eq!(fields(&answer), [field], "{patch}");
    }
    assert_eq!(api.ok("GET", &path, Value::Null).await, made);
}

#[tokio::test]
async fn a_copy_has_the_rules_of_the_original_and_waits_to_be_made_active() {
    let api = Api::new().await;
    let (listing, ana, ben) = parts(&api).await;
    let original = json!({
        "listing_id": listing, "slug": "tour", "title": "Tour", "length_minutes": 45, "members": [ben, ana], "external_id": "7",
        "policy": { "seats": 4, "questions": [{ "key": "why", "label": "Why?", "type": "text" }] },
    });
    let original = api.ok("POST", PATH, original).await;
    let path = format!("{PATH}/{}/duplicate", original["id"].as_str().unwrap());
    let copy = api.ok("POST", &path, json!({ "slug": "night-tour", "title": "Night tour" })).await;
    for name in ["listing", "length_minutes", "members", "policy", "booking_window_days"] {
        assert_eq!(copy[name], original[name], "{name}");
    }
    assert_ne!(copy["id"], original["id"]);
    assert_eq!(
        (&copy["title"], &copy["active"], &copy["external_id"]),
        (&json!("Night tour"), &json!(false), &Value::Null)
    );

    let taken = sent(&api, "POST", &path, json!({ "slug": "tour" })).await;
    assert_eq!((taken.status.as_u16(), fields(&taken)), (409, vec!["/slug"]));
    let bad = sent(&api, "POST", &path, json!({ "slug": "T" })).await;
    assert_eq!((bad.status.as_u16(), fields(&bad)), (422, vec!["/slug"]));

    let other = api.other_tenant().await;
    let other = key(&api.world, other, TENANT_SCOPES).await;
    let foreign = api.send("POST", &path, Some(&other), &[], json!({ "slug": "mine" })).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_booking_answers_the_questions_of_its_event_type() {
    let api = Api::new().await;
    let (listing, ana, _) = parts(&api).await;
    let questions = json!([
        { "key": "phone", "label": "How do we reach you?", "type": "phone", "required": true },
        { "key": "party", "label": "How many are you?", "type": "number", "min": 1, "max": 8 },
        { "key": "diet", "label": "Diet", "type": "multi_select", "options": ["vegan", "halal"] },
    ]);
    let event_type = json!({
        "listing_id": listing, "slug": "tour", "title": "Tour", "length_minutes": 30, "members": [ana],
        "policy": { "questions": questions },
    });
    let event_type = api.ok("POST", PATH, event_type).await["id"].clone();

    let mut body = booking(&event_type, "2026-11-24T09:00:00Z");
    for (answers, bad) in [
        (json!({}), vec!["/answers/phone"]),
        (
            json!({ "phone": "12", "party": 9, "diet": ["meat"] }),
            vec!["/answers/phone", "/answers/party", "/answers/diet"],
        ),
        (json!({ "phone": "+48600100200", "shoe": 44 }), vec!["/answers/shoe"]),
    ] {
        body["answers"] = answers;
        let answer = sent(&api, "POST", "/api/booking", body.clone()).await;
        assert_eq!((answer.status.as_u16(), fields(&answer)), (422, bad), "{}", answer.body);
    }
    assert_eq!(api.ok("GET", "/api/booking", Value::Null).await["items"], json!([]), "nothing is booked");

    body["answers"] = json!({ "phone": "+48 600-100-200", "party": null, "diet": ["halal", "vegan"] });
    let made = api.ok("POST", "/api/booking", body).await;
    assert_eq!(made["answers"], json!({ "phone": "+48600100200", "diet": ["vegan", "halal"] }));
}

#[tokio::test]
async fn a_customer_chooses_one_of_the_lengths() {
    let api = Api::new().await;
    let (listing, ana, _) = parts(&api).await;
    let event_type = json!({
        "listing_id": listing, "slug": "tour", "title": "Tour", "length_minutes": 30, "members": [ana],
        "policy": { "other_lengths_minutes": [90] },
    });
    let event_type = api.ok("POST", PATH, event_type).await["id"].clone();
    let id = event_type.as_str().unwrap();
    let slots = |length: &str| {
        format!(
            "/api/booking/availability?event_type={id}&from=2026-11-24T00:00:00Z&to=2026-11-24T03:00:00Z&time_zone=UTC{length}"
        )
    };
    for (length, ends) in [("", "2026-11-24T00:30:00Z"), ("&length_minutes=90", "2026-11-24T01:30:00Z")] {
        let answer = api.ok("GET", &slots(length), Value::Null).await;
        assert_eq!(answer["days"][0]["slots"][0]["end"], ends, "{length}");
    }
    let refused = sent(&api, "GET", &slots("&length_minutes=45"), Value::Null).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body["detail"].as_str().unwrap().contains("30, 90"), "{}", refused.body);

    let mut body = booking(&event_type, "2026-11-24T00:00:00Z");
    body["length_minutes"] = json!(45);
    let refused = sent(&api, "POST", "/api/booking", body.clone()).await;
    assert_eq!(
        (refused.status.as_u16(), fields(&refused)),
        (422, vec!["/length_minutes"]),
        "{}",
        refused.body
    );
    body["length_minutes"] = json!(90);
    let made = api.ok("POST", "/api/booking", body).await;
    assert_eq!(made["end"], "2026-11-24T01:30:00Z");
    // It keeps its length when it is moved.
    let path = format!("/api/booking/{}/reschedule", made["id"].as_str().unwrap());
    let moved = api.ok("POST", &path, json!({ "start": "2026-11-24T03:00:00Z" })).await;
    assert_eq!(moved["end"], "2026-11-24T04:30:00Z");
}

#[tokio::test]
async fn the_examples_in_the_documentation_are_accepted() {
    let api = Api::new().await;
    let document = sent(&api, "GET", "/openapi.json", Value::Null).await.body;
    let example = |name: &str| document["components"]["schemas"][name]["example"].clone();
    let listing = api.ok("POST", "/api/listings", example("NewListing")).await;
    let member = api.ok("POST", "/api/booking/team", example("NewMember")).await;
    let mut event_type = example("NewEventType");
    event_type["listing_id"] = listing["id"].clone();
    event_type["member_ids"] = json!([member["id"]]);
    let event_type = api.ok("POST", PATH, event_type).await;
    let path = format!("{PATH}/{}", event_type["id"].as_str().unwrap());
    api.ok("POST", &format!("{path}/duplicate"), example("DuplicateEventType")).await;
    let policy = json!({ "policy": {
        "questions": [example("Question")], "price": example("Money"), "limits": [example("Limit")],
    }});
    api.ok("PATCH", &path, policy).await;
}

#[tokio::test]
async fn every_shape_that_the_documentation_refers_to_is_described() {
    let api = Api::new().await;
    let document = sent(&api, "GET", "/openapi.json", Value::Null).await.body;
    let text = document.to_string();
    let mut seen = 0;
    for rest in text.split("\"$ref\":\"#").skip(1) {
        let pointer = rest.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer} is not described");
        seen += 1;
    }
    assert!(seen > 50, "only {seen} references");
    // Two shapes of one name would be one in the document: each says of what it is.
    for name in ["View", "New", "Patch", "Body", "Item"] {
        assert!(document["components"]["schemas"][name].is_null(), "which {name}? Use #[schema(as = …)]");
    }
    let policy = &document["components"]["schemas"]["EventTypePolicy"]["properties"];
    for name in ["seats", "price", "questions", "limits", "team_mode", "cancel_cutoff_minutes"] {
        assert!(policy[name].is_object(), "{name} is not described");
    }
}
