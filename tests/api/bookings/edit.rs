//! Changing what is written on a booking, its guests, and whom it is given to.

use axum::http::StatusCode;
use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use crate::{Answer, Api, booking, bookings::event_type, key, refused};

const PATH: &str = "/api/booking";

async fn of(api: &Api, policy: Value, start: &str) -> String {
    let offered = event_type(api, policy).await;
    let made = api.ok("POST", PATH, booking(&offered, start)).await;
    format!("{PATH}/{}", made["id"].as_str().unwrap())
}

async fn patched(api: &Api, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
    api.send("PATCH", path, Some(&api.key), headers, body).await
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_removes() {
    let api = Api::new().await;
    let question = json!({ "key": "reason", "label": "What for?", "type": "long_text", "required": true });
    let other = json!({ "key": "seen", "label": "Seen before?", "type": "long_text" });
    let offered = event_type(&api, json!({ "questions": [question, other] })).await;
    let mut new = booking(&offered, "2026-11-24T09:00:00Z");
    new["answers"] = json!({ "reason": "A cold", "seen": "no" });
    new["notes"] = json!("By the door");
    let made = api.ok("POST", PATH, new).await;
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let changes = json!({
        "notes": null, "guests": ["bea@example.com"], "answers": { "seen": null },
        "metadata": { "order": "17", "campaign": "autumn" }, "attendee": { "phone": "+48600100200" },
    });
    let first = patched(&api, &path, &[("if-match", "\"0\"")], changes).await;
    assert_eq!(
        (first.status, &first.headers["etag"]),
        (StatusCode::OK, &"\"1\"".parse().unwrap()),
        "{}",
        first.body
    );
    let b = &first.body;
    assert_eq!((&b["notes"], &b["guests"]), (&Value::Null, &json!(["bea@example.com"])));
    assert_eq!(b["answers"], json!({ "reason": "A cold" }));
    assert_eq!(
        (&b["attendee"]["name"], &b["attendee"]["phone"]),
        (&json!("Ada Nowak"), &json!("+48600100200"))
    );
    assert_eq!((&b["start"], &b["customer_id"]), (&made["start"], &made["customer_id"]));
    let more = patched(&api, &path, &[], json!({ "metadata": { "order": null, "x": "y" } })).await;
    assert_eq!(more.body["metadata"], json!({ "campaign": "autumn", "x": "y" }));
    // What changes nothing is no change; what was read before is not overwritten.
    let same = patched(&api, &path, &[("if-match", "\"2\"")], json!({ "metadata": { "x": "y" } })).await;
    assert_eq!(same.body["sequence"], 2);
    let stale = patched(&api, &path, &[("if-match", "\"1\"")], json!({ "notes": "Late" })).await;
    refused(&stale, 412, "BERTH-E0415");

    let steps = api.ok("GET", &format!("{path}/timeline"), Value::Null).await;
    let steps = steps["items"].as_array().unwrap();
    let edited: Vec<&Value> = steps.iter().filter(|s| s["action"] == "booking.edited").collect();
    assert_eq!(edited.len(), 2);
    assert_eq!(edited[0]["data"]["changed"], json!(["attendee", "guests", "answers", "notes", "metadata"]));
    assert!(!edited[0]["data"].to_string().contains("600100200"), "no personal data in it");

    // Somebody else by name and mailbox is another customer, and is found by that.
    let bea = json!({ "attendee": { "name": "Bea Kos", "email": "bea.kos@example.com", "phone": null } });
    let bea = patched(&api, &path, &[], bea).await;
    assert_ne!(bea.body["customer_id"], made["customer_id"], "{}", bea.body);
    for (q, found) in [("kos", 1), ("bea.kos@", 1), ("nowak", 0), ("ada@example.com", 0)] {
        let page = api.ok("GET", &format!("{PATH}?q={q}"), Value::Null).await;
        assert_eq!(page["items"].as_array().unwrap().len(), found, "{q}");
    }
    let customer = bea.body["customer_id"].as_str().unwrap();
    let theirs = api.ok("GET", &format!("{PATH}?customer_id={customer}"), Value::Null).await;
    assert_eq!(theirs["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_name() {
    let api = Api::new().await;
    let question = json!({ "key": "reason", "label": "What for?", "type": "long_text" });
    let path = of(&api, json!({ "questions": [question] }), "2026-11-24T09:00:00Z").await;
    let many: serde_json::Map<String, Value> = (0..51).map(|n| (format!("k{n}"), json!("v"))).collect();
    let guests: Vec<String> = (0..21).map(|n| format!("g{n}@example.com")).collect();
    for (body, status, code, field) in [
        (json!({ "start": "2026-11-24T10:00:00Z" }), 400, "BERTH-E0400", "/start"),
        (json!({ "attendee": null }), 422, "BERTH-E0422", "/attendee"),
        (json!({ "attendee": { "name": null } }), 400, "BERTH-E0400", "/attendee/name"),
        (json!({ "attendee": { "shoe": 42 } }), 400, "BERTH-E0400", "/attendee/shoe"),
        (json!({ "attendee": { "email": "ada" } }), 422, "BERTH-E0422", "/attendee/email"),
        (json!({ "guests": ["ADA@example.com"] }), 422, "BERTH-E0422", "/guests/0"),
        (json!({ "guests": ["b@example.com", "b@example.com"] }), 422, "BERTH-E0422", "/guests/1"),
        (json!({ "guests": guests }), 422, "BERTH-E0422", "/guests"),
        (json!({ "answers": { "shoe": "42" } }), 422, "BERTH-E0422", "/answers/shoe"),
        (json!({ "metadata": many }), 422, "BERTH-E0422", "/metadata"),
        (json!({ "metadata": { "k": "v".repeat(501) } }), 422, "BERTH-E0422", "/metadata/k"),
        (json!({ "metadata": { "k": 5 } }), 422, "BERTH-E0422", "/metadata/k"),
        (json!({ "notes": "x".repeat(4001) }), 422, "BERTH-E0422", "/notes"),
    ] {
        let answer = patched(&api, &path, &[], body.clone()).await;
        refused(&answer, status, code);
        if !field.is_empty() {
            assert_eq!(answer.body["errors"][0]["field"], field, "{body}: {}", answer.body);
        }
    }
    assert_eq!(api.ok("GET", &path, Value::Null).await["sequence"], 0, "nothing was changed");

    let other = api.other_tenant().await;
    let other = key(&api.world, other, TENANT_SCOPES).await;
    for (method, at, body) in [
        ("PATCH", path.clone(), json!({ "notes": "x" })),
        ("POST", format!("{path}/guests"), json!({ "guests": [] })),
        ("DELETE", format!("{path}/guests?email=a@example.com"), Value::Null),
        ("POST", format!("{path}/reassign"), json!({})),
    ] {
        refused(&api.send(method, &at, Some(&other), &[], body).await, 404, "BERTH-E0404");
    }

    api.ok("POST", &format!("{path}/cancel"), json!({})).await;
    refused(&patched(&api, &path, &[], json!({ "notes": "x" })).await, 409, "BERTH-E0562");
    let past = of_another(&api, "2026-11-24T10:00:00Z").await;
    api.world.clock.advance_ms(30 * 24 * 3_600_000);
    refused(&patched(&api, &past, &[], json!({ "metadata": { "a": "b" } })).await, 409, "BERTH-E0562");
    let late = api.send("POST", &format!("{past}/reassign"), Some(&api.key), &[], json!({})).await;
    refused(&late, 409, "BERTH-E0562");
}

/// A booking of an event type of its own listing.
async fn of_another(api: &Api, start: &str) -> String {
    let id = json!(api.world.offer_as("annex", None, None).await.id);
    let made = api.ok("POST", PATH, booking(&id, start)).await;
    format!("{PATH}/{}", made["id"].as_str().unwrap())
}

#[tokio::test]
async fn guests_come_and_go() {
    let api = Api::new().await;
    let path = of(&api, json!({}), "2026-11-24T09:00:00Z").await;
    let guests = format!("{path}/guests");
    let added = api.ok("POST", &guests, json!({ "guests": ["bea@example.com", "cleo@example.com"] })).await;
    assert_eq!(added["guests"], json!(["bea@example.com", "cleo@example.com"]));
    let twice =
        api.send("POST", &guests, Some(&api.key), &[], json!({ "guests": ["Bea@example.com"] })).await;
    refused(&twice, 422, "BERTH-E0422");
    assert_eq!(twice.body["errors"][0]["field"], "/guests/2");
    let removed = api.ok("DELETE", &format!("{guests}?email=BEA%40example.com"), Value::Null).await;
    assert_eq!((&removed["guests"], &removed["sequence"]), (&json!(["cleo@example.com"]), &json!(2)));
    let nobody = api.ok("DELETE", &format!("{guests}?email=bea%40example.com"), Value::Null).await;
    assert_eq!(nobody["sequence"], 2);
    // The invitation shows who comes now, and is newer than the one before.
    let link = api.ok("GET", &format!("{path}/link"), Value::Null).await;
    let at = format!("/api/booking/manage/{}/invitation.ics", link["token"].as_str().unwrap());
    let ics = api.send("GET", &at, None, &[], Value::Null).await.text.replace("\r\n ", "");
    assert!(
        ics.contains("SEQUENCE:2") && ics.contains("cleo@example.com") && !ics.contains("bea@example.com"),
        "{ics}"
    );
}

#[tokio::test]
async fn a_booking_is_given_to_another_member() {
    let api = Api::new().await;
    let offered = event_type(&api, json!({})).await;
    let of_type = format!("/api/booking/event-types/{}", offered.as_str().unwrap());
    let eve = api.ok("GET", &of_type, Value::Null).await["member_ids"][0].clone();
    let hours = json!([{ "weekdays": ["Tue"], "start": "09:00", "end": "12:00" }]);
    let new = json!({ "name": "Bob", "time_zone": "UTC", "weekly_hours": hours });
    let bob = api.ok("POST", "/api/booking/team", new).await["id"].clone();
    api.ok("PATCH", &of_type, json!({ "members": [eve, bob] })).await;
    let made = async |start: &str, member: &Value| {
        let mut new = booking(&offered, start);
        new["member"] = member.clone();
        let made = api.ok("POST", PATH, new).await;
        format!("{PATH}/{}", made["id"].as_str().unwrap())
    };
    let reassign = async |path: &str, body: Value| {
        api.send("POST", &format!("{path}/reassign"), Some(&api.key), &[], body).await
    };
    let morning = made("2026-11-24T09:00:00Z", &eve).await;
    let link = api.ok("GET", &format!("{morning}/link"), Value::Null).await;
    let given = reassign(&morning, json!({ "member_id": bob })).await;
    assert_eq!((given.status, &given.body["member_id"]), (StatusCode::OK, &bob), "{}", given.body);
    assert_eq!(given.body["sequence"], 1);
    let open = format!("/api/booking/manage/{}", link["token"].as_str().unwrap());
    assert_eq!(
        api.send("GET", &open, None, &[], Value::Null).await.status,
        StatusCode::OK,
        "the link is valid"
    );
    api.world.engine.events.place_events().await.unwrap();
    let events = api.ok("GET", "/api/events", Value::Null).await;
    let last =
        events["items"].as_array().unwrap().iter().rfind(|e| e["kind"] == "booking.reassigned").unwrap();
    assert_eq!((&last["data"]["member_id"], &last["data"]["previous_member_id"]), (&bob, &eve), "{last}");
    // Eve's time is free, and Bob's is taken.
    let taken = made("2026-11-24T09:00:00Z", &eve).await;
    let refusal = reassign(&taken, json!({ "member_id": bob })).await;
    refused(&refusal, 409, "BERTH-E0410");
    assert_eq!(refusal.body["reason"], "taken", "{}", refusal.body);
    // In the afternoon Bob does not work.
    let afternoon = made("2026-11-24T15:00:00Z", &eve).await;
    let refusal = reassign(&afternoon, json!({ "member_id": bob })).await;
    refused(&refusal, 409, "BERTH-E0410");
    assert_eq!(refusal.body["reason"], "no_start", "{}", refusal.body);
    let refusal = reassign(&afternoon, json!({})).await;
    refused(&refusal, 409, "BERTH-E0410");
    assert_eq!(
        refusal.body["members"],
        json!([{ "member_id": bob, "reason": "no_start" }]),
        "{}",
        refusal.body
    );
    // Whoever is it already, and who is nobody here.
    let same = reassign(&afternoon, json!({ "member_id": eve })).await;
    assert_eq!((same.status, &same.body["sequence"]), (StatusCode::OK, &json!(0)));
    let nobody = reassign(&afternoon, json!({ "member_id": "0193b3f0-0000-7000-8000-000000000000" })).await;
    refused(&nobody, 422, "BERTH-E0422");
    // Without a name: whoever else is free.
    api.ok("POST", &format!("{taken}/cancel"), json!({})).await;
    let given = reassign(&morning, json!({})).await;
    assert_eq!((given.status, &given.body["member_id"]), (StatusCode::OK, &eve), "{}", given.body);
    let stale = api
        .send("POST", &format!("{morning}/reassign"), Some(&api.key), &[("if-match", "\"1\"")], json!({}))
        .await;
    refused(&stale, 412, "BERTH-E0415");
}
