//! Making bookings ours that were made at the provider.

use axum::http::StatusCode;
use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use crate::{
    booking,
    fixtures::conflict_about,
    key,
    mirror::{lists, out_of_time::Scene},
    refused,
};

const PATH: &str = "/api/booking";

/// The row of a booking there, by its id there.
pub(crate) async fn row(scene: &Scene, external_id: &str) -> Value {
    let path = format!("{PATH}?origin=external&external_id={external_id}");
    scene.api.ok("GET", &path, Value::Null).await["items"][0].clone()
}

pub(crate) fn of(row: &Value) -> String {
    format!("{PATH}/external/{}/adopt", row["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_adopted_is_ours_from_then_on() {
    let (scene, _) = lists::scene().await;
    let api = &scene.api;
    let theirs = row(&scene, "early").await;
    let answer = api.send("POST", &of(&theirs), Some(&api.key), &[], json!({})).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let ours = &answer.body;
    assert_eq!(
        (&ours["origin"], &ours["status"], &ours["external_id"], &ours["provider_task"], &ours["start"]),
        (&json!("berth"), &json!("confirmed"), &json!("early"), &Value::Null, &theirs["start"])
    );
    assert_eq!(
        (&ours["customer_id"], &ours["member_id"], &ours["event_type_id"], &ours["attendee"]["email"]),
        (&theirs["customer_id"], &theirs["member_id"], &scene.event_type, &json!("ada@example.org"))
    );
    let booking_path = format!("{PATH}/{}", ours["id"].as_str().unwrap());
    // The same again is the same booking, and nothing was made there; it does what was left open, should the process have ended in between.
    conflict_about(api, scene.connection, "early").await;
    assert_eq!(scene.conflicts().await.len(), 1);
    let again = api.send("POST", &of(&theirs), Some(&api.key), &[], json!({})).await;
    assert_eq!((again.status, &again.body["id"]), (StatusCode::OK, &ours["id"]), "{}", again.text);
    assert_eq!(scene.conflicts().await, Vec::<Value>::new());
    assert_eq!(scene.starts_there().await.len(), 3, "as many as before, without the cancelled one");
    // It is in the list once, as ours; its time is taken once; the row there says what it became.
    let all = api.ok("GET", &format!("{PATH}?origin=all&from=2026-11-24T00:00:00Z"), Value::Null).await;
    let origins: Vec<&str> =
        all["items"].as_array().unwrap().iter().map(|row| row["origin"].as_str().unwrap()).collect();
    assert_eq!(origins, ["berth", "berth", "external"], "{all}");
    let whole = format!("{PATH}/external/{}", theirs["id"].as_str().unwrap());
    assert_eq!(api.ok("GET", &whole, Value::Null).await["booking_id"], ours["id"]);
    let timeline = api.ok("GET", &format!("{booking_path}/timeline"), Value::Null).await;
    let actions: Vec<&str> =
        timeline["items"].as_array().unwrap().iter().map(|step| step["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["booking.adopted"]);
    // Readings find nothing to disagree about, and follow what changes there.
    for _ in 0..2 {
        scene.sync().await;
        assert_eq!(scene.conflicts().await, Vec::<Value>::new());
        assert_eq!(scene.booking(ours).await, *ours);
    }
    // It is moved and cancelled on both sides like any other.
    let later = "2026-11-24T13:00:00Z";
    let moved = api.ok("POST", &format!("{booking_path}/reschedule"), json!({ "start": later })).await;
    assert_eq!((&moved["start"], &moved["status"]), (&json!(later), &json!("confirmed")), "{moved}");
    scene.sync().await;
    assert_eq!(scene.conflicts().await, Vec::<Value>::new());
    let cancelled = api.ok("POST", &format!("{booking_path}/cancel"), json!({})).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(scene.starts_there().await.len(), 2, "it is cancelled there");
    scene.sync().await;
    assert_eq!(scene.conflicts().await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn its_time_is_taken_by_nobody_else_meanwhile() {
    let (scene, _) = lists::scene().await;
    let api = &scene.api;
    let theirs = row(&scene, "late").await;
    let taken = async || {
        let body = booking(&scene.event_type, theirs["start"].as_str().unwrap());
        refused(&api.send("POST", PATH, Some(&api.key), &[], body).await, 409, "BERTH-E0410");
    };
    taken().await;
    // Many at once make one.
    let (path, none) = (of(&theirs), json!({}));
    let (a, b, c) = tokio::join!(
        api.send("POST", &path, Some(&api.key), &[], none.clone()),
        api.send("POST", &path, Some(&api.key), &[], none.clone()),
        api.send("POST", &path, Some(&api.key), &[], none),
    );
    let made = [&a, &b, &c].iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(made, 1, "{} {} {}", a.text, b.text, c.text);
    assert!(
        [&a, &b, &c].iter().all(|answer| answer.body["id"] == a.body["id"]),
        "{} {} {}",
        a.text,
        b.text,
        c.text
    );
    taken().await;
    // Free once it is cancelled.
    api.ok("POST", &format!("{PATH}/{}/cancel", a.body["id"].as_str().unwrap()), json!({})).await;
    api.world.clock.advance_ms(3_600_000);
    api.ok("POST", PATH, booking(&scene.event_type, theirs["start"].as_str().unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_adopted_is_refused_and_stays_as_it_is() {
    let (scene, ours) = lists::scene().await;
    let api = &scene.api;
    // Over, and of what nothing here stands for.
    let mut other = scene.theirs("other", "2026-11-24T09:30:00Z", ["Di", "di@example.org"]);
    other["event_type"] = json!("class");
    // Where one of ours is, with the same member.
    let mut twice = scene.theirs("twice", "2026-11-24T10:00:00Z", ["Ed", "ed@example.org"]);
    twice["updated_at"] = Value::Null;
    scene.made_there(&[other, twice]).await;
    scene.sync().await;
    let adopt = async |row: &Value, body: Value| api.send("POST", &of(row), Some(&api.key), &[], body).await;
    let over = row(&scene, "over").await;
    let answer = adopt(&over, json!({})).await;
    refused(&answer, 409, "BERTH-E0411");
    assert!(answer.body["detail"].as_str().unwrap().contains("cancelled"), "{}", answer.body);
    let other = row(&scene, "other").await;
    let answer = adopt(&other, json!({})).await;
    refused(&answer, 422, "BERTH-E0556");
    assert_eq!(answer.body["candidates"][0]["id"], scene.event_type, "{}", answer.body);
    let nobody = "0193b3f0-0000-7000-8000-000000000000";
    for (body, field) in [
        (json!({ "event_type_id": nobody }), "/event_type_id"),
        (json!({ "event_type_id": scene.event_type, "member_id": nobody }), "/member_id"),
    ] {
        let answer = adopt(&other, body).await;
        refused(&answer, 422, "BERTH-E0422");
        assert_eq!(answer.body["errors"][0]["field"], field, "{}", answer.body);
    }
    let twice = row(&scene, "twice").await;
    refused(&adopt(&twice, json!({})).await, 409, "BERTH-E0410");
    assert_eq!(row(&scene, "twice").await["member_id"], twice["member_id"], "it is as it was");
    // With what is named, it is.
    let named = adopt(&other, json!({ "event_type_id": scene.event_type })).await;
    assert_eq!(named.status, StatusCode::CREATED, "{}", named.text);
    // Moved or gone there since it was read.
    let late = row(&scene, "late").await;
    scene.kept(|kept| kept.retain(|stored| stored["booking"]["id"] != "late")).await;
    let gone = adopt(&late, json!({})).await;
    refused(&gone, 409, "BERTH-E0411");
    let early = row(&scene, "early").await;
    scene
        .made_there(&[scene.theirs("early", "2026-11-24T14:00:00Z", ["Ada Nowak", "ada@example.org"])])
        .await;
    let moved = adopt(&early, json!({})).await;
    assert_eq!(
        (moved.status, &moved.body["start"]),
        (StatusCode::CREATED, &json!("2026-11-24T14:00:00Z")),
        "{}",
        moved.text
    );
    // The counterpart of one that was booked here is no other's, and another tenant's is like none.
    let counterpart = scene
        .api
        .world
        .store
        .mirrored(api.world.caller.tenant, scene.connection, ours["external_id"].as_str().unwrap())
        .await
        .unwrap()
        .unwrap();
    let answer = adopt(&json!({ "id": counterpart.id }), json!({})).await;
    refused(&answer, 409, "BERTH-E0411");
    assert_eq!(answer.body["booking_id"], ours["id"]);
    let stranger = api.other_tenant().await;
    let stranger = key(&api.world, stranger, TENANT_SCOPES).await;
    refused(&api.send("POST", &of(&twice), Some(&stranger), &[], json!({})).await, 404, "BERTH-E0404");
    let reader = key(&api.world, api.world.caller.tenant, &["bookings:read"]).await;
    refused(&api.send("POST", &of(&twice), Some(&reader), &[], json!({})).await, 403, "BERTH-E0403");
}
