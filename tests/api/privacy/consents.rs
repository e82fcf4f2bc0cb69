//! Customers agree to texts and take that back.

use axum::http::StatusCode;
use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use crate::{Api, booking, key, refused};

pub(crate) const TEXTS: &str = "/api/privacy/texts";

async fn customer(api: &Api) -> String {
    let event_type = json!(api.world.offer(None, None).await.id);
    let made = api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T00:00:00Z")).await;
    format!("/api/customers/{}/consents", made["customer_id"].as_str().unwrap())
}

pub(crate) async fn published(api: &Api, purpose: &str, language: &str, text: &str) -> Value {
    api.ok("POST", TEXTS, json!({ "purpose": purpose, "language": language, "text": text })).await
}

fn give(purpose: &str, text: &Value) -> Value {
    json!({ "purpose": purpose, "text_id": text["id"], "source": "checkout" })
}

/// How a purpose stands.
async fn standing(api: &Api, path: &str, purpose: &str) -> Value {
    let consents = api.ok("GET", path, Value::Null).await;
    let all = consents["purposes"].as_array().unwrap();
    assert_eq!(all.len(), 5);
    all.iter().find(|standing| standing["purpose"] == purpose).unwrap().clone()
}

#[tokio::test]
async fn the_last_word_of_a_customer_counts() {
    let api = Api::new().await;
    let path = customer(&api).await;
    let withdraw = format!("{path}/withdraw");
    let text = published(&api, "marketing", "en", "We may write to you.").await;
    assert_eq!(standing(&api, &path, "marketing").await["state"], "never");

    let mut body = give("marketing", &text);
    body["ip_address"] = json!("192.0.2.77");
    body["user_agent"] = json!("Mozilla/5.0");
    let idempotent = [("idempotency-key", "once")];
    let given = api.send("POST", &path, Some(&api.key), &idempotent, body.clone()).await;
    assert_eq!(given.status, StatusCode::CREATED, "{}", given.body);
    assert_eq!(api.send("POST", &path, Some(&api.key), &idempotent, body).await.body, given.body);
    assert_eq!(
        (&given.body["given"], &given.body["ip_network"], &given.body["text_id"]),
        (&json!(true), &json!("192.0.2.0/24"), &text["id"])
    );
    assert!(!given.body.to_string().contains("192.0.2.77"), "the address itself is not kept");
    // Two years, if nobody says otherwise.
    assert_eq!(&given.body["expires_at"].as_str().unwrap()[..10], "2028-11-23");
    let now = standing(&api, &path, "marketing").await;
    assert_eq!((&now["state"], &now["last"]), (&json!("given"), &given.body));
    assert_eq!(standing(&api, &path, "data_sync").await["state"], "never");

    let taken_back = api.ok("POST", &withdraw, json!({ "purpose": "marketing", "source": "letter" })).await;
    assert_eq!((&taken_back["given"], &taken_back["expires_at"]), (&json!(false), &Value::Null));
    assert_eq!(standing(&api, &path, "marketing").await["state"], "withdrawn");
    // A no before anybody asked is a word, too.
    api.ok("POST", &withdraw, json!({ "purpose": "data_sync", "source": "form" })).await;
    assert_eq!(standing(&api, &path, "data_sync").await["state"], "withdrawn");

    // Given again, for a minute.
    let mut body = give("marketing", &text);
    body["expires_at"] = json!(api.world.engine.now().plus_seconds(60));
    api.ok("POST", &path, body).await;
    assert_eq!(standing(&api, &path, "marketing").await["state"], "given");
    api.world.clock.advance_ms(61_000);
    assert_eq!(standing(&api, &path, "marketing").await["state"], "expired");

    let history = api.ok("GET", &path, Value::Null).await["history"]["items"].clone();
    let said: Vec<_> =
        history.as_array().unwrap().iter().map(|c| (c["purpose"].clone(), c["given"].clone())).collect();
    let (sync, marketing) = (json!("data_sync"), json!("marketing"));
    let (yes, no) = (json!(true), json!(false));
    assert_eq!(
        said,
        [(sync, no.clone()), (marketing.clone(), yes.clone()), (marketing.clone(), no), (marketing, yes)]
    );
    let page = api.ok("GET", &format!("{path}?limit=3"), Value::Null).await;
    let next = page["history"]["next"].as_str().unwrap();
    let page = api.ok("GET", &format!("{path}?limit=3&cursor={next}"), Value::Null).await;
    assert_eq!(page["history"]["items"], json!([history[3]]));
}

#[tokio::test]
async fn a_consent_is_for_a_text_that_people_could_read() {
    let api = Api::new().await;
    let path = customer(&api).await;
    let text = published(&api, "marketing", "en", "We may write to you.").await;
    let unknown = "0193b3f0-0000-7000-8000-000000000000";
    let with = |field: &str, value: Value| {
        let mut body = give("marketing", &text);
        body[field] = value;
        body
    };
    for (body, status, code) in [
        (with("purpose", json!("profiling")), 422, "BERTH-E0545"),
        (with("purpose", json!("data_sync")), 422, "BERTH-E0546"),
        (with("language", json!("de")), 422, "BERTH-E0546"),
        (with("text_id", json!(unknown)), 422, "BERTH-E0547"),
        (with("source", json!(" ")), 422, "BERTH-E0422"),
        (with("user_agent", json!("x".repeat(501))), 422, "BERTH-E0422"),
        (with("expires_at", json!("2026-11-01T00:00:00Z")), 422, "BERTH-E0422"),
        (with("expires_at", json!("2060-01-01T00:00:00Z")), 422, "BERTH-E0422"),
        (with("ip_address", json!("here")), 400, "BERTH-E0400"),
        (with("text_id", json!("x")), 400, "BERTH-E0400"),
        (with("extra", json!(1)), 400, "BERTH-E0400"),
    ] {
        refused(&api.send("POST", &path, Some(&api.key), &[], body).await, status, code);
    }
    let withdraw = format!("{path}/withdraw");
    let body = json!({ "purpose": "profiling", "source": "letter" });
    refused(&api.send("POST", &withdraw, Some(&api.key), &[], body).await, 422, "BERTH-E0545");
    // Somebody who is not here.
    let nobody = format!("/api/customers/{unknown}/consents");
    refused(&api.send("GET", &nobody, Some(&api.key), &[], Value::Null).await, 404, "BERTH-E0404");
    refused(
        &api.send("POST", &nobody, Some(&api.key), &[], give("marketing", &text)).await,
        404,
        "BERTH-E0404",
    );
    let body = json!({ "purpose": "marketing", "source": "letter" });
    let answer = api.send("POST", &format!("{nobody}/withdraw"), Some(&api.key), &[], body).await;
    refused(&answer, 404, "BERTH-E0404");
    assert_eq!(api.ok("GET", &path, Value::Null).await["history"]["items"], json!([]), "nothing was written");
    // The language may be written in another way.
    api.ok("POST", &path, with("language", json!("EN"))).await;
}

#[tokio::test]
async fn consents_are_behind_scopes_and_a_wall() {
    let api = Api::new().await;
    let path = customer(&api).await;
    let text = published(&api, "marketing", "en", "We may write to you.").await;
    let tenant = api.world.caller.tenant;
    let (reads, writes) =
        (key(&api.world, tenant, &["privacy:read"]).await, key(&api.world, tenant, &["privacy:write"]).await);
    for (key, read, wrote) in [
        (&reads, StatusCode::OK, StatusCode::FORBIDDEN),
        (&writes, StatusCode::FORBIDDEN, StatusCode::CREATED),
    ] {
        for path in [path.as_str(), TEXTS] {
            assert_eq!(api.send("GET", path, Some(key), &[], Value::Null).await.status, read, "{path}");
        }
        let body = give("marketing", &text);
        assert_eq!(api.send("POST", &path, Some(key), &[], body).await.status, wrote);
    }
    let other = api.other_tenant().await;
    let stranger = key(&api.world, other, TENANT_SCOPES).await;
    for (method, path, body) in [
        ("GET", path.clone(), Value::Null),
        ("POST", path.clone(), give("marketing", &text)),
        ("POST", format!("{path}/withdraw"), json!({ "purpose": "marketing", "source": "letter" })),
    ] {
        refused(&api.send(method, &path, Some(&stranger), &[], body).await, 404, "BERTH-E0404");
    }
    let none = api.send("GET", TEXTS, Some(&stranger), &[], Value::Null).await;
    assert_eq!(none.body["items"], json!([]));
}
