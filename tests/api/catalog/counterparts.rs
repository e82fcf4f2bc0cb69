//! An event type has one counterpart for each connection that it may be booked over.

use serde_json::{Value, json};

use crate::{Answer, Api, booking, component, key, refused};

const NOBODY: &str = "0193b3f0-0000-7000-8000-000000000000";

struct Desk {
    api: Api,
    /// The listing's own connection, and another.
    own: Value,
    other: Value,
    event_type: String,
}

impl Desk {
    async fn new() -> Self {
        let api = Api::new().await;
        api.world.install(component("reference")).await;
        let own = api.world.connect("reference", json!({}), "reference_test_not_a_real_key").await;
        let other = api.world.connect("reference", json!({}), "reference_test_another_key").await;
        let event_type = api.world.offer(Some(own), Some("consultation")).await.id;
        let event_type = format!("/api/booking/event-types/{event_type}");
        Self { api, own: json!(own), other: json!(other), event_type }
    }

    async fn changed(&self, patch: Value) -> Value {
        self.api.ok("PATCH", &self.event_type, patch).await
    }

    async fn refused(&self, patch: Value, field: &str) -> Answer {
        let answer = self.api.send("PATCH", &self.event_type, Some(&self.api.key), &[], patch).await;
        refused(&answer, 422, "BERTH-E0422");
        assert_eq!(answer.body["errors"][0]["field"], field, "{}", answer.body);
        answer
    }

    async fn book(&self, hour: u32, over: &Value) -> Answer {
        let id = json!(self.event_type.rsplit('/').next().unwrap());
        let mut body = booking(&id, &format!("2026-11-24T{hour:02}:00:00Z"));
        body["connection_id"] = over.clone();
        self.api.send("POST", "/api/booking", Some(&self.api.key), &[], body).await
    }
}

fn entry(connection: &Value, id: &str) -> Value {
    json!({ "connection_id": connection, "external_id": id })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_field_is_the_entry_of_the_listings_own_connection() {
    let desk = Desk::new().await;
    let shown = desk.api.ok("GET", &desk.event_type, Value::Null).await;
    assert_eq!(shown["external"], json!([entry(&desk.own, "consultation")]), "as it was given before");
    // As before, it is meant for whichever connection.
    assert_eq!(desk.book(9, &desk.other).await.status.as_u16(), 201);

    let both = json!([entry(&desk.own, "consultation"), entry(&desk.other, "consultation")]);
    let changed = desk.changed(json!({ "external": both })).await;
    assert_eq!((&changed["external"], &changed["external_id"]), (&both, &json!("consultation")));
    let over_other = desk.book(10, &desk.other).await;
    assert_eq!(over_other.status.as_u16(), 201, "{}", over_other.body);
    let over_own = desk.book(11, &desk.own).await;
    assert_eq!(over_own.status.as_u16(), 201, "{}", over_own.body);

    // The old field changes its own entry alone.
    let second = "class";
    let changed = desk.changed(json!({ "external_id": second })).await;
    assert_eq!(changed["external_id"], json!(second));
    let entries = changed["external"].as_array().unwrap();
    assert!(
        entries.contains(&entry(&desk.own, second)) && entries.contains(&entry(&desk.other, "consultation")),
        "{changed}"
    );
    let listed = desk.api.ok("GET", "/api/booking/event-types", Value::Null).await;
    assert_eq!(listed["items"][0]["external"], changed["external"]);

    // Over a connection without an entry nothing is booked.
    desk.changed(json!({ "external": [entry(&desk.own, "consultation")] })).await;
    let none = desk.book(12, &desk.other).await;
    refused(&none, 422, "BERTH-E0501");
    assert_eq!((&none.body["reason"], &none.body["state"]), (&json!("event_type"), &json!("missing")));
    assert_eq!(desk.book(12, &desk.own).await.status.as_u16(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nowhere_is_refused_by_its_place_in_the_list() {
    let desk = Desk::new().await;
    let before = desk.api.ok("GET", &desk.event_type, Value::Null).await;
    let good = entry(&desk.own, "consultation");
    desk.refused(json!({ "external": [good, entry(&json!(NOBODY), "x")] }), "/external/1/connection_id")
        .await;
    desk.refused(json!({ "external": [good, good] }), "/external/1/connection_id").await;
    desk.refused(json!({ "external": [good, entry(&desk.other, "moon")] }), "/external/1/external_id").await;
    desk.refused(json!({ "external": [entry(&desk.own, "")] }), "/external/0/external_id").await;
    desk.refused(json!({ "external": [entry(&desk.own, "moon")] }), "/external_id").await;
    desk.refused(json!({ "external": [good], "external_id": "haircut" }), "/external_id").await;
    let many: Vec<Value> = (0..1_000).map(|_| good.clone()).collect();
    desk.refused(json!({ "external": many }), "/external").await;
    let unknown = json!({ "external": [{ "connection_id": desk.own, "external_id": "x", "moon": 1 }] });
    let unknown = desk.api.send("PATCH", &desk.event_type, Some(&desk.api.key), &[], unknown).await;
    refused(&unknown, 400, "BERTH-E0400");
    // Another tenant's connection is not there.
    let other = desk.api.other_tenant().await;
    let theirs = key(&desk.api.world, other, berth_engine::TENANT_SCOPES).await;
    let new =
        json!({ "provider": "reference", "credentials": { "api-key": "reference_test_not_a_real_key" } });
    let theirs = desk.api.send("POST", "/api/booking-providers", Some(&theirs), &[], new).await.body;
    desk.refused(json!({ "external": [entry(&theirs["id"], "consultation")] }), "/external/0/connection_id")
        .await;
    assert_eq!(desk.api.ok("GET", &desk.event_type, Value::Null).await, before);
}
