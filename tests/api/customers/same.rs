//! Who is the same person and who is not, as somebody says it.

use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use super::identity::booked;
use crate::{Api, key, refused, walk::at};

/// Ada and Jan, who share an address: their ids, and their bookings.
async fn family(api: &Api) -> (Value, Value, Value, Value) {
    let event_type = json!(api.world.offer(None, None).await.id);
    let ada = json!({ "name": "Ada Nowak", "email": "nowak@example.com" });
    let jan = json!({ "name": "Jan Nowak", "email": "nowak@example.com", "phone": "+48600100201" });
    let one = booked(api, &event_type, "2026-11-24T09:00:00Z", ada).await;
    let other = booked(api, &event_type, "2026-11-24T10:00:00Z", jan).await;
    (one["customer_id"].clone(), other["customer_id"].clone(), one["id"].clone(), other["id"].clone())
}

fn of(customer: &Value) -> String {
    format!("/api/customers/{}", customer.as_str().unwrap())
}

#[tokio::test]
async fn two_become_one_and_two_again() {
    let api = Api::new().await;
    let (ada, jan, first, second) = family(&api).await;
    let whole = api.ok("POST", &format!("{}/merge", of(&ada)), json!({ "customer_id": jan })).await;
    assert_eq!(
        (&whole["name"], &whole["phone"], &whole["counts"]["bookings"]),
        (&json!("Ada Nowak"), &json!("+48600100201"), &json!(2))
    );
    assert_eq!(whole["maybe_same"], json!([]));
    let again = api.ok("POST", &format!("{}/merge", of(&ada)), json!({ "customer_id": jan })).await;
    assert_eq!(again, whole, "twice is once");
    // Whatever is asked for by the old id names the new one.
    for (method, path) in [
        ("GET", of(&jan)),
        ("PATCH", of(&jan)),
        ("GET", format!("{}/bookings", of(&jan))),
        ("GET", format!("{}/consents", of(&jan))),
        ("POST", format!("{}/merge", of(&jan))),
        ("POST", format!("{}/not-same", of(&jan))),
        ("POST", format!("{}/split", of(&jan))),
    ] {
        let body = match path.rsplit('/').next() {
            Some("merge" | "not-same") => json!({ "customer_id": ada }),
            Some("split") => json!({ "bookings": [second] }),
            _ if method == "PATCH" => json!({ "name": "Jan" }),
            _ => Value::Null,
        };
        let answer = api.send(method, &path, Some(&api.key), &[], body).await;
        refused(&answer, 410, "BERTH-E0557");
        assert_eq!(answer.body["customer_id"], ada, "{method} {path}");
    }
    let list = api.ok("GET", "/api/customers", Value::Null).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);

    let apart = api
        .send("POST", &format!("{}/split", of(&ada)), Some(&api.key), &[], json!({ "bookings": [second] }))
        .await;
    assert_eq!(apart.status.as_u16(), 201, "{}", apart.body);
    assert_eq!((&apart.body["name"], &apart.body["counts"]["bookings"]), (&json!("Jan Nowak"), &json!(1)));
    assert_eq!(apart.body["maybe_same"], json!([]), "somebody said that they are two");
    let booking = api.ok("GET", &format!("/api/booking/{}", second.as_str().unwrap()), Value::Null).await;
    assert_eq!(booking["customer_id"], apart.body["id"]);
    let taken = api
        .send(
            "POST",
            &format!("{}/split", of(&ada)),
            Some(&api.key),
            &[],
            json!({ "bookings": [first, second] }),
        )
        .await;
    refused(&taken, 404, "BERTH-E0404");
    api.world.engine.events.place_events().await.unwrap();
    let events = api.ok("GET", "/api/events?kinds=customer.merged,customer.split", Value::Null).await;
    let told: Vec<_> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (&e["kind"], &e["subject_id"], &e["data"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("customer.merged"), &ada, &json!({ "merged_customer_id": jan, "bookings": 1 })),
            (
                &json!("customer.split"),
                &ada,
                &json!({ "new_customer_id": apart.body["id"], "booking_ids": [second] })
            ),
        ]
    );
}

#[tokio::test]
async fn what_was_answered_is_not_asked_again() {
    let api = Api::new().await;
    let (ada, jan, _, _) = family(&api).await;
    let asked = api.ok("GET", &of(&ada), Value::Null).await;
    assert_eq!((&asked["maybe_same"][0]["customer_id"], &asked["maybe_same_more"]), (&jan, &json!(false)));
    for _ in 0..2 {
        let answered = api.ok("POST", &format!("{}/not-same", of(&jan)), json!({ "customer_id": ada })).await;
        assert_eq!(answered["maybe_same"], json!([]));
    }
    assert_eq!(api.ok("GET", &of(&ada), Value::Null).await["maybe_same"], json!([]));
}

#[tokio::test]
async fn what_cannot_be_one_is_refused() {
    let api = Api::new().await;
    let (ada, jan, first, _) = family(&api).await;
    let nobody = "0193b3f0-0000-7000-8000-000000000000";
    for verb in ["merge", "not-same"] {
        let path = format!("{}/{verb}", of(&ada));
        let itself = api.send("POST", &path, Some(&api.key), &[], json!({ "customer_id": ada })).await;
        refused(&itself, 422, "BERTH-E0422");
        assert_eq!(itself.body["errors"][0]["field"], "/customer_id");
        let nobody = api.send("POST", &path, Some(&api.key), &[], json!({ "customer_id": nobody })).await;
        refused(&nobody, 404, "BERTH-E0404");
    }
    for (body, field) in [
        (json!({}), "/booking_ids"),
        (json!({ "booking_ids": [first, first] }), "/booking_ids/1"),
        (json!({ "bookings": vec![nobody; 201] }), "/booking_ids"),
    ] {
        let answer = api.send("POST", &format!("{}/split", of(&ada)), Some(&api.key), &[], body).await;
        refused(&answer, 422, "BERTH-E0422");
        assert_eq!(answer.body["errors"][0]["field"], field);
    }
    // Another tenant has none of them.
    let other = api.other_tenant().await;
    let stranger = key(&api.world, other, TENANT_SCOPES).await;
    let theirs =
        api.send("POST", "/api/customers", Some(&stranger), &[], json!({ "name": "Eva" })).await.body;
    for (path, customer) in
        [(format!("{}/merge", of(&ada)), &jan), (format!("{}/merge", at("/api/customers", &theirs)), &ada)]
    {
        let answer = api.send("POST", &path, Some(&stranger), &[], json!({ "customer_id": customer })).await;
        refused(&answer, 404, "BERTH-E0404");
    }
    let ours = api
        .send(
            "POST",
            &format!("{}/merge", of(&ada)),
            Some(&api.key),
            &[],
            json!({ "customer_id": theirs["id"] }),
        )
        .await;
    refused(&ours, 404, "BERTH-E0404");
    for (method, path) in [
        ("PATCH", of(&ada)),
        ("GET", format!("{}/bookings", of(&ada))),
        ("POST", format!("{}/split", of(&ada))),
    ] {
        let body = if path.ends_with("split") { json!({ "bookings": [first] }) } else { json!({}) };
        let answer = api
            .send(method, &path, Some(&stranger), &[], if method == "GET" { Value::Null } else { body })
            .await;
        refused(&answer, 404, "BERTH-E0404");
    }
    assert_eq!(api.ok("GET", &of(&ada), Value::Null).await["counts"]["bookings"], 1);
}
