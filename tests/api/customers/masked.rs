//! Who may not read customers sees how nobody can be reached. What every GET shows, each walk asks (`walk.rs`); here is what else is answered.

use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use crate::{Api, key, walk::at};

#[tokio::test]
async fn addresses_are_masked_in_every_answer() {
    let api = Api::new().await;
    let scopes: Vec<&str> = TENANT_SCOPES.iter().copied().filter(|s| *s != "customers:read").collect();
    let blind = key(&api.world, api.world.caller.tenant, &scopes).await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let mut new = crate::booking(&event_type, "2026-11-24T09:00:00Z");
    new["attendee"]["phone"] = json!("+48600100200");
    new["guests"] = json!(["bea@example.com"]);
    new["notes"] = json!("Or call +48 600 100 200, bea@example.com.");
    let once = [("idempotency-key", "once")];
    let made = api.send("POST", "/api/booking", Some(&blind), &once, new.clone()).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.body);
    let attendee = &made.body["attendee"];
    assert_eq!((&attendee["email"], &attendee["phone"]), (&json!("a***@***"), &json!("***00")));
    assert_eq!(attendee["name"], "Ada Nowak", "names stay");
    assert_eq!(made.body["guests"], json!(["b***@***"]));
    assert_eq!(made.body["notes"], "Or call ***00, b***@***");
    let again = api.send("POST", "/api/booking", Some(&blind), &once, new).await;
    assert_eq!((again.status, &again.text), (made.status, &made.text), "the same answer");
    let of = at("/api/booking", &made.body);
    let customer = format!("/api/customers/{}", made.body["customer_id"].as_str().unwrap());
    for (method, path, body) in [
        ("POST", format!("{of}/reschedule"), json!({ "start": "2026-11-24T10:00:00Z" })),
        ("GET", format!("{of}/invitation.ics"), Value::Null),
        ("PATCH", customer.clone(), json!({ "tags": ["x"] })),
        ("POST", format!("{of}/cancel"), json!({ "reason": "ada@example.com is ill" })),
        ("GET", "/api/booking".to_owned(), Value::Null),
    ] {
        let answer = api.send(method, &path, Some(&blind), &[], body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.body);
        for address in api.addresses().await {
            assert!(!answer.text.contains(&address), "{method} {path} shows {address}: {}", answer.text);
        }
    }
    // What is changed by whoever does not see it keeps what stands there.
    let patched = json!({ "attendee": { "language": "pl" }, "local_only": true });
    let later = api.ok("POST", "/api/booking", crate::booking(&event_type, "2026-11-24T12:00:00Z")).await;
    let later = at("/api/booking", &later);
    let changed = api.send("PATCH", &later, Some(&blind), &[], patched).await;
    assert_eq!(
        (changed.status.as_u16(), &changed.body["attendee"]["email"]),
        (200, &json!("a***@***")),
        "{}",
        changed.body
    );
    assert_eq!(api.ok("GET", &later, Value::Null).await["attendee"]["email"], "ada@example.com");
    // An export goes on when it is answered.
    for (key, shows) in [(&blind, false), (&api.key, true)] {
        let export = api.send("GET", "/api/booking?format=csv", Some(key), &[], Value::Null).await;
        assert_eq!(
            (export.status.as_u16(), export.text.contains("ada@example.com")),
            (200, shows),
            "{}",
            export.text
        );
        assert!(export.text.contains("Ada Nowak"));
    }
    // Whoever may read customers sees them whole.
    let shown = api.ok("GET", &of, Value::Null).await;
    assert_eq!(
        (&shown["attendee"]["email"], &shown["guests"]),
        (&json!("ada@example.com"), &json!(["bea@example.com"]))
    );
    assert_eq!(api.ok("GET", &customer, Value::Null).await["phone"], "+48600100200");
}
