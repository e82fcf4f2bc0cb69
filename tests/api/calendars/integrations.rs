//! A member's calendar is connected in one step, by the names that people have.

use berth_tests::with_manifest;
use serde_json::{Value, json};

use crate::{Answer, Api, component, key, refused};

const PATH: &str = "/api/booking/calendar/integrations";
const TOKEN: &str = "reference_test_not_a_real_key";

async fn asked(api: &Api, body: Value) -> Answer {
    api.send("POST", PATH, Some(&api.key), &[], body).await
}

async fn member(api: &Api, user_id: &str) -> Value {
    let new = json!({ "name": "Ana", "time_zone": "UTC", "user_id": user_id });
    api.ok("POST", "/api/booking/team", new).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_makes_the_connection_too() {
    let api = Api::new().await;
    api.world.install(component("reference")).await;
    let listing = api.world.offer(None, None).await.listing;
    let ana = member(&api, "user-7").await;
    assert_eq!(ana["user_id"], "user-7");
    let made = asked(
        &api,
        json!({ "listing_id": listing, "user_id": "user-7", "provider": "reference",
        "calendar_id": "consultation", "access_token": TOKEN, "sync_direction": "import" }),
    )
    .await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.body);
    assert_eq!((&made.body["member_id"], &made.body["sync_direction"]), (&ana["id"], &json!("import")));
    assert_eq!((&made.body["reads"], &made.body["writes"]), (&json!(true), &json!(false)));
    assert!(!made.text.contains(TOKEN));
    let connections = api.ok("GET", "/api/booking-providers", Value::Null).await;
    let [connection] = connections["items"].as_array().unwrap().as_slice() else { panic!("{connections}") };
    assert_eq!(
        (&connection["id"], &connection["listing_id"]),
        (&made.body["connection_id"], &json!(listing))
    );

    // By the provider's name again, now that there is one; and by the connection, as before.
    let bea = member(&api, "user-8").await;
    let again = json!({ "user_id": "user-8", "provider": "reference", "calendar_id": "consultation", "sync_direction": "bidirectional" });
    let again = api.ok("POST", PATH, again).await;
    assert_eq!((&again["member_id"], &again["connection_id"]), (&bea["id"], &connection["id"]));
    let cleo = member(&api, "user-9").await;
    let old = json!({ "member": cleo["id"], "connection": connection["id"], "calendar": "consultation", "writes": false });
    assert_eq!(api.ok("POST", PATH, old).await["sync_direction"], "import");
    let shown = api.ok("GET", &format!("{PATH}?limit=100"), Value::Null).await;
    assert_eq!(shown["items"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_connected_leaves_nothing() {
    let api = Api::new().await;
    api.world.install(component("reference")).await;
    let ana = member(&api, "user-7").await;
    let good = json!({ "user_id": "user-7", "provider": "reference", "calendar_id": "consultation", "access_token": TOKEN });
    for (change, field) in [
        (json!({ "user_id": "nobody" }), "/user_id"),
        (json!({ "user_id": null }), "/member_id"),
        (json!({ "member_id": ana["id"] }), "/user_id"),
        (json!({ "provider": null }), "/provider"),
        (json!({ "connection_id": "0193b3f0-0000-7000-8000-000000000000" }), "/access_token"),
        (json!({ "sync_direction": "export", "reads": true }), "/sync_direction"),
        (json!({ "access_token": null, "settings": {} }), "/settings"),
        (json!({ "listing_id": "0193b3f0-0000-7000-8000-000000000000" }), "/listing_id"),
        // Refused after its connection was made: that goes, too.
        (json!({ "calendar_id": "x".repeat(1_025) }), "/calendar"),
    ] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = asked(&api, body).await;
        refused(&answer, 422, "BERTH-E0422");
        assert_eq!(answer.body["errors"][0]["field"], field, "{change}: {}", answer.body);
    }
    refused(
        &asked(&api, json!({ "user_id": "user-7", "provider": "reference", "calendar_id": "x" })).await,
        422,
        "BERTH-E0553",
    );
    let unknown =
        asked(&api, json!({ "user_id": "user-7", "provider": "reference", "sync_direction": "sideways" }))
            .await;
    refused(&unknown, 400, "BERTH-E0400");
    assert_eq!(api.ok("GET", "/api/booking-providers", Value::Null).await["items"], json!([]));
    // Nobody else's connection.
    let other = api.other_tenant().await;
    let theirs = key(&api.world, other, berth_engine::TENANT_SCOPES).await;
    let new = json!({ "provider": "reference", "credentials": { "api-key": TOKEN } });
    let theirs = api.send("POST", "/api/booking-providers", Some(&theirs), &[], new).await.body;
    let answer = asked(
        &api,
        json!({ "user_id": "user-7", "connection_id": theirs["id"], "calendar_id": "consultation" }),
    )
    .await;
    refused(&answer, 422, "BERTH-E0422");
    assert_eq!(answer.body["errors"][0]["field"], "/connection_id");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_person_must_consent_the_way_is_told() {
    let api = Api::new().await;
    let described =
        "description = \"Busy times of Google calendars, and bookings as events of one of them (API v3).\"";
    let google = component("google-calendar");
    let google = if String::from_utf8_lossy(&google).contains("aliases = [\"google\"]") {
        google
    } else {
        with_manifest(google, described, "aliases = [\"google\"]")
    };
    api.world.install(google).await;
    member(&api, "user-7").await;
    let new = json!({ "user_id": "user-7", "provider": "google", "calendar_id": "primary", "access_token": "ya29.token", "sync_direction": "bidirectional" });
    for body in [new.clone(), {
        let mut body = new;
        body["access_token"] = Value::Null;
        body
    }] {
        let answer = asked(&api, body).await;
        refused(&answer, 422, "BERTH-E0554");
        let hint = answer.body["hint"].as_str().unwrap();
        assert!(
            hint.contains("/api/booking-providers/oauth/start") && hint.contains("google-calendar"),
            "{hint}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_id_is_one_members() {
    let api = Api::new().await;
    let ana = member(&api, "user-7").await;
    let new = json!({ "name": "Bea", "time_zone": "UTC", "user_id": "user-7" });
    refused(&api.send("POST", "/api/booking/team", Some(&api.key), &[], new).await, 409, "BERTH-E0409");
    let empty = json!({ "name": "Bea", "time_zone": "UTC", "user_id": "" });
    refused(&api.send("POST", "/api/booking/team", Some(&api.key), &[], empty).await, 422, "BERTH-E0422");
    let bea = member(&api, "user-8").await;
    let of = |member: &Value| format!("/api/booking/team/{}", member["id"].as_str().unwrap());
    let taken = api.send("PATCH", &of(&bea), Some(&api.key), &[], json!({ "user_id": "user-7" })).await;
    refused(&taken, 409, "BERTH-E0409");
    api.ok("PATCH", &of(&ana), json!({ "user_id": null })).await;
    assert_eq!(api.ok("PATCH", &of(&bea), json!({ "user_id": "user-7" })).await["user_id"], "user-7");
    // Another tenant may call somebody the same.
    let other = api.other_tenant().await;
    let theirs = key(&api.world, other, berth_engine::TENANT_SCOPES).await;
    let new = json!({ "name": "Ana", "time_zone": "UTC", "user_id": "user-7" });
    assert_eq!(api.send("POST", "/api/booking/team", Some(&theirs), &[], new).await.status.as_u16(), 201);
}
