//! Tokens, limits, and what every answer carries.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{World, code, header, read};
use crate::faults::Fault;

fn asked(secret: &str) -> Value {
    json!({ "grant_type": "client_credentials", "client_id": "booksy_test_client", "client_secret": secret })
}

impl World {
    async fn token(&self, form: bool, fields: &Value) -> (u16, Value) {
        let request = self.http.post(format!("{}/oauth/token", self.simulator.url()));
        let request = if form {
            let text: Vec<String> = fields
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()))
                .collect();
            request.header("content-type", "application/x-www-form-urlencoded").body(text.join("&"))
        } else {
            request.json(fields)
        };
        read(request.send().await.unwrap()).await
    }
}

#[tokio::test]
async fn a_token_is_given_for_form_and_json_and_ends_by_the_clock() {
    let mut world = World::new().await;
    for form in [true, false] {
        let (status, token) = world.token(form, &asked("booksy_test_not_a_real_secret")).await;
        assert_eq!(
            (status, &token["token_type"], &token["expires_in"]),
            (200, &json!("Bearer"), &json!(3_600))
        );
        world.token = token["access_token"].as_str().unwrap().to_owned();
        assert_eq!(world.get("").await.0, 200);
        world.advance_seconds(3_599);
        assert_eq!(world.get("").await.0, 200);
        world.advance_seconds(1);
        assert_eq!(code(&world.get("").await), (401, "unauthorized"));
    }
}

#[tokio::test]
async fn the_token_endpoint_refuses_in_the_words_of_oauth() {
    let world = World::new().await;
    let mut other_grant = asked("booksy_test_not_a_real_secret");
    other_grant["grant_type"] = json!("password");
    for (fields, status, error) in [
        (asked("wrong"), 401, "invalid_client"),
        (other_grant, 400, "unsupported_grant_type"),
        (json!({ "client_id": "x" }), 400, "invalid_request"),
    ] {
        let refused = world.token(true, &fields).await;
        assert_eq!((refused.0, refused.1["error"].as_str()), (status, Some(error)));
    }
}

#[tokio::test]
async fn limits_are_counted_by_the_minute() {
    let world = World::with(|config| config.rate_limit = true).await;
    for _ in 0..10 {
        assert_eq!(world.token(true, &asked("wrong")).await.0, 401);
    }
    assert_eq!(world.token(true, &asked("wrong")).await.0, 429);
    for _ in 0..200 {
        assert_eq!(world.get("").await.0, 200);
    }
    world.advance_seconds(20);
    let limited = world.send(Method::GET, "", &[], Value::Null).await;
    assert_eq!(limited.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        (header(&limited, "retry-after"), header(&limited, "x-ratelimit-remaining")),
        ("41".to_owned(), "0".to_owned())
    );
    world.advance_seconds(40);
    let again = world.send(Method::GET, "", &[], Value::Null).await;
    assert_eq!((again.status(), header(&again, "x-ratelimit-remaining")), (StatusCode::OK, "199".to_owned()));
}

#[tokio::test]
async fn answers_carry_what_the_contract_says() {
    let world = World::new().await;
    let services = world.send(Method::GET, "/services", &[("x-request-id", "r-7")], Value::Null).await;
    assert_eq!(header(&services, "x-request-id"), "r-7");
    assert_eq!(header(&services, "cache-control"), "private, max-age=300");
    let slots = "/availability?service_id=svc_1&from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z";
    let slots = world.send(Method::GET, slots, &[], Value::Null).await;
    assert_eq!(header(&slots, "cache-control"), "private, max-age=60");
    let missing = world.send(Method::GET, "/bookings/bk_9", &[("x-request-id", "r-8")], Value::Null).await;
    assert_eq!(read(missing).await.1["error"]["request_id"], "r-8");
    let elsewhere = world.http.get(format!("{}/v1/businesses/biz_2", world.simulator.url()));
    let elsewhere = read(elsewhere.bearer_auth(&world.token).send().await.unwrap()).await;
    assert_eq!(code(&elsewhere), (403, "forbidden"));
}

#[tokio::test]
async fn services_and_staff_page_by_page() {
    let world = World::new().await;
    let (mut ids, mut path) = (Vec::new(), "/services?limit=2".to_owned());
    loop {
        let (_, page) = world.get(&path).await;
        ids.extend(page["data"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/services?limit=2&cursor={next}");
    }
    assert_eq!(ids, ["svc_1", "svc_2", "svc_3", "svc_4", "svc_5"]);
    assert_eq!(world.get("/services?active=true").await.1["data"].as_array().unwrap().len(), 4);
    assert_eq!(
        world.get("/staff").await.1["data"][0]["service_ids"],
        json!(["svc_1", "svc_2", "svc_4", "svc_5"])
    );
    assert_eq!(code(&world.get("/services?limit=201").await), (400, "invalid_request"));
}

#[tokio::test]
async fn faults_are_what_they_say() {
    let world = World::new().await;
    let url = format!("{}/v1/businesses/biz_1", world.simulator.url());
    let ask = async || world.http.get(&url).bearer_auth(&world.token).send().await;
    world.simulator.script("GET", Fault::RateLimited { retry_after_seconds: None });
    let limited = ask().await.unwrap();
    assert_eq!((limited.status().as_u16(), header(&limited, "x-ratelimit-reset")), (429, "17".to_owned()));
    assert_eq!(header(&limited, "retry-after"), "");
    world.simulator.script("GET", Fault::ServerError);
    assert_eq!(code(&read(ask().await.unwrap()).await), (500, "internal"));
    world.simulator.script("GET", Fault::DropBefore);
    assert!(ask().await.is_err());
    world.simulator.script("POST", Fault::DropAfter);
    let made = world.http.post(format!("{url}/bookings")).bearer_auth(&world.token);
    assert!(made.json(&super::booking("svc_1", "2026-01-05T09:00:00Z")).send().await.is_err());
    assert_eq!(world.simulator.active_bookings().len(), 1, "the work was done all the same");
}
