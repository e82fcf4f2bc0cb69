//! Team members: roles, parts in round robins.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::Api;

const PATH: &str = "/api/booking/team";

async fn member(api: &Api, name: &str, role: &str) -> String {
    let new = json!({ "name": name, "time_zone": "Europe/Lisbon", "role": role });
    let made = api.ok("POST", PATH, new).await;
    assert_eq!(made["role"], role);
    format!("{PATH}/{}", made["id"].as_str().unwrap())
}

#[tokio::test]
async fn members_have_a_role_and_a_part_in_round_robins() {
    let api = Api::new().await;
    let plain = api.ok("POST", PATH, json!({ "name": "Ana", "time_zone": "Europe/Lisbon" })).await;
    assert_eq!(plain["role"], "member");
    assert_eq!(
        plain["turns"],
        json!({ "round_robin": true, "weight": 100, "priority": 2, "calibration": 0 })
    );
    let path = format!("{PATH}/{}", plain["id"].as_str().unwrap());
    let turns = json!({ "turns": { "round_robin": false, "weight": 50, "priority": 4, "calibration": 3 } });
    api.ok("PATCH", &path, turns).await;
    // The other parts stay; null sets the default.
    let changed = api.ok("PATCH", &path, json!({ "turns": { "weight": 0, "priority": null } })).await;
    assert_eq!(
        changed["turns"],
        json!({ "round_robin": false, "weight": 0, "priority": 2, "calibration": 3 })
    );
    let changed = api.ok("PATCH", &path, json!({ "role": "viewer" })).await;
    assert_eq!((&changed["role"], &changed["turns"]["weight"]), (&json!("viewer"), &json!(0)));
}

#[tokio::test]
async fn the_last_owner_stays() {
    let api = Api::new().await;
    let ana = member(&api, "Ana", "owner").await;
    let ben = member(&api, "Ben", "admin").await;
    for (method, body) in [
        ("PATCH", json!({ "role": "admin" })),
        ("PATCH", json!({ "active": false })),
        ("DELETE", Value::Null),
    ] {
        let answer = api.send(method, &ana, Some(&api.key), &[], body.clone()).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (StatusCode::CONFLICT, &json!("BERTH-E0430")),
            "{method} {body}"
        );
        assert!(answer.body["hint"].as_str().unwrap().contains("owner"));
    }
    // What does not touch the role is free, and so are all others.
    api.ok("PATCH", &ana, json!({ "name": "Ana C." })).await;
    api.ok("PATCH", &ben, json!({ "active": false })).await;

    // An owner who is not active is none.
    api.ok("PATCH", &ben, json!({ "role": "owner" })).await;
    let answer = api.send("PATCH", &ana, Some(&api.key), &[], json!({ "role": "member" })).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    api.ok("PATCH", &ben, json!({ "active": true })).await;
    api.ok("PATCH", &ana, json!({ "role": "member" })).await;
    api.ok("DELETE", &ana, Value::Null).await;
    let answer = api.send("DELETE", &ben, Some(&api.key), &[], Value::Null).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn each_bad_field_of_a_member_is_named_and_nothing_is_stored() {
    let api = Api::new().await;
    for (name, value, status, field) in [
        ("name", Value::Null, 422, "/name"),
        ("time_zone", json!("Mars/Olympus"), 422, "/time_zone"),
        ("role", json!("boss"), 400, "/role"),
        ("turns", json!({ "wieght": 1 }), 400, "/turns/wieght"),
        (
            "weekly_hours",
            json!([{ "weekdays": ["Mon"], "start": "9", "end": "17:00" }]),
            400,
            "/weekly_hours/0/start",
        ),
        (
            "weekly_hours",
            json!([{ "weekdays": ["Someday"], "start": "09:00", "end": "17:00" }]),
            400,
            "/weekly_hours/0/weekdays/0",
        ),
        ("name", json!(" "), 422, "/name"),
        ("email", json!("ana"), 422, "/email"),
        ("turns", json!({ "weight": 1_001 }), 422, "/turns/weight"),
        ("turns", json!({ "priority": 5 }), 422, "/turns/priority"),
        ("turns", json!({ "calibration": 1_000_001 }), 422, "/turns/calibration"),
        (
            "weekly_hours",
            json!([{ "weekdays": [], "start": "09:00", "end": "17:00" }]),
            422,
            "/weekly_hours/0/weekdays",
        ),
        (
            "weekly_hours",
            json!([{ "weekdays": ["Mon"], "start": "09:00", "end": "09:00" }]),
            422,
            "/weekly_hours/0/end",
        ),
    ] {
        let mut body = json!({ "name": "Ana", "time_zone": "Europe/Lisbon" });
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
        let answer = api.send("POST", PATH, Some(&api.key), &[], body).await;
        assert_eq!(answer.status.as_u16(), status, "{name} {value}: {}", answer.body);
        assert_eq!(answer.body["errors"][0]["field"], field, "{name} {value}: {}", answer.body);
        assert_eq!(answer.body["errors"].as_array().unwrap().len(), 1, "{name} {value}");
    }
    assert_eq!(api.ok("GET", PATH, Value::Null).await["items"], json!([]));
}
