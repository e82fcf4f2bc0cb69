//! Customers: whom bookings are for.

use axum::http::StatusCode;
use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use crate::{Api, key};

/// Book for somebody; the booking as it is shown.
pub(super) async fn booked(api: &Api, event_type: &Value, start: &str, attendee: Value) -> Value {
    let mut attendee = attendee;
    attendee["time_zone"] = json!("Europe/Warsaw");
    api.ok("POST", "/api/booking", json!({ "event_type": event_type, "start": start, "attendee": attendee }))
        .await
}

#[tokio::test]
async fn bookings_of_one_person_are_one_customers() {
    let api = Api::new().await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let ada = json!({ "name": "Ada Nowak", "email": "ada@example.com" });
    let first = booked(&api, &event_type, "2026-11-24T00:00:00Z", ada).await;
    let again = json!({ "name": "NOWAK, Ada", "email": "Ada@Example.com", "phone": "+48600100200" });
    let second = booked(&api, &event_type, "2026-11-24T00:30:00Z", again).await;
    let jan = json!({ "name": "Jan Nowak", "email": "ada@example.com" });
    let third = booked(&api, &event_type, "2026-11-24T01:00:00Z", jan).await;
    let (ada, jan) = (&first["customer_id"], &third["customer_id"]);
    assert!(ada.is_string() && jan.is_string() && ada != jan);
    assert_eq!(&second["customer_id"], ada);
    assert_eq!(second["attendee"]["name"], "NOWAK, Ada", "as they were named with the booking");
    let shown = api.ok("GET", &format!("/api/booking/{}", second["id"].as_str().unwrap()), Value::Null).await;
    assert_eq!(&shown["customer_id"], ada);

    let path = format!("/api/customers/{}", ada.as_str().unwrap());
    let answer = api.send("GET", &path, Some(&api.key), &[], Value::Null).await;
    assert_eq!(answer.headers["etag"], "\"2\"");
    let customer = answer.body;
    assert_eq!(
        (&customer["name"], &customer["email"], &customer["phone"]),
        (&json!("Ada Nowak"), &json!("ada@example.com"), &json!("+48600100200"))
    );
    assert_eq!(
        customer["maybe_same"],
        json!([{
            "customer_id": jan, "name": "Jan Nowak", "email": "ada@example.com", "phone": null,
            "same_email": true, "same_phone": false, "same_name": false,
        }])
    );
    let of = async |customer: &Value| {
        let path = format!("/api/booking?customer_id={}", customer.as_str().unwrap());
        api.ok("GET", &path, Value::Null).await["items"].as_array().unwrap().len()
    };
    assert_eq!((of(ada).await, of(jan).await), (2, 1));

    // Pages, by age.
    let page = api.ok("GET", "/api/customers?limit=1", Value::Null).await;
    assert_eq!((&page["items"][0]["id"], page["items"].as_array().unwrap().len()), (ada, 1));
    let next = format!("/api/customers?limit=1&cursor={}", page["next"].as_str().unwrap());
    let page = api.ok("GET", &next, Value::Null).await;
    assert_eq!((&page["items"][0]["id"], &page["next"]), (jan, &Value::Null));
}

#[tokio::test]
async fn a_series_is_one_customers() {
    let api = Api::new().await;
    let event_type = api.world.offer(None, None).await.id;
    for (mode, start) in [("all_or_nothing", "2026-11-24T00:00:00Z"), ("best_effort", "2026-11-24T01:00:00Z")]
    {
        let made = api
            .ok(
                "POST",
                "/api/booking",
                json!({
                    "event_type": event_type, "start": start,
                    "attendee": { "name": mode, "email": format!("{mode}@example.com"), "time_zone": "UTC" },
                    "recurrence": { "rrule": "FREQ=DAILY;COUNT=3", "mode": mode },
                }),
            )
            .await;
        let bookings = made["done"].as_array().unwrap();
        assert_eq!(bookings.len(), 3, "{made}");
        assert!(bookings[0]["customer_id"].is_string());
        assert!(bookings.iter().all(|b| b["customer_id"] == bookings[0]["customer_id"]), "{made}");
    }
    assert_eq!(api.ok("GET", "/api/customers", Value::Null).await["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn customers_are_behind_a_scope_and_a_wall() {
    let api = Api::new().await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let ada = json!({ "name": "Ada Nowak", "email": "ada@example.com" });
    let made = booked(&api, &event_type, "2026-11-24T00:00:00Z", ada).await;
    let path = format!("/api/customers/{}", made["customer_id"].as_str().unwrap());
    let tenant = api.world.caller.tenant;
    for (scopes, status) in [(["bookings:read"], StatusCode::FORBIDDEN), (["customers:read"], StatusCode::OK)]
    {
        let key = key(&api.world, tenant, &scopes).await;
        for path in ["/api/customers", &path] {
            assert_eq!(api.send("GET", path, Some(&key), &[], Value::Null).await.status, status, "{path}");
        }
    }
    let other = api.other_tenant().await;
    let stranger = key(&api.world, other, TENANT_SCOPES).await;
    let answer = api.send("GET", &path, Some(&stranger), &[], Value::Null).await;
    assert_eq!((answer.status, &answer.body["code"]), (StatusCode::NOT_FOUND, &json!("BERTH-E0404")));
    let all = api.send("GET", "/api/customers", Some(&stranger), &[], Value::Null).await;
    assert_eq!(all.body["items"], json!([]));
    for path in [
        "/api/customers?cursor=x",
        "/api/customers?limit=0",
        "/api/customers/x",
        "/api/booking?customer_id=x",
    ] {
        let answer = api.send("GET", path, Some(&api.key), &[], Value::Null).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (StatusCode::BAD_REQUEST, &json!("BERTH-E0401")),
            "{path}"
        );
    }
}
