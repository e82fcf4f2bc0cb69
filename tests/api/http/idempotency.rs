//! `Idempotency-Key`: who is given the answer of an earlier request, and what is never given twice.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use berth_engine::{OPERATOR_SCOPE, TENANT_SCOPES};
use berth_model::limits;
use berth_tests::{
    Seeded, TestClock, World,
    canary_secrets::{CanarySecrets, texts_of},
    process::Database,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use crate::{Answer, Api, booking, key, key_of};

const DAY: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261101T000000Z\r\n\
    DTSTART;VALUE=DATE:20261225\r\nSUMMARY:Closed\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
const MEMBER: &str = r#"{"name":"Eve","time_zone":"UTC"}"#;

impl Api {
    async fn again(&self, path: &str, key: &str, name: &str, body: Value) -> Answer {
        self.send("POST", path, Some(key), &[("idempotency-key", name)], body).await
    }

    async fn count(&self, path: &str) -> usize {
        self.ok("GET", path, Value::Null).await["items"].as_array().unwrap().len()
    }

    async fn sql(&self, statement: &str) {
        let url = format!("sqlite:{}", self.world.database().unwrap().display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    }
}

fn member() -> Value {
    serde_json::from_str(MEMBER).unwrap()
}

fn is_replay(answer: &Answer) -> bool {
    answer.headers.contains_key("idempotency-replayed")
}

async fn each_key_has_answers_of_its_own(api: Api) {
    let other = key(&api.world, api.world.caller.tenant, TENANT_SCOPES).await;
    let weak = key(&api.world, api.world.caller.tenant, &["bookings:read"]).await;
    let first = api.again("/api/booking/team", &api.key, "k", member()).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    let refused = api.again("/api/booking/team", &weak, "k", member()).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::FORBIDDEN, &json!("BERTH-E0403")));
    let second = api.again("/api/booking/team", &other, "k", member()).await;
    assert_eq!(second.status, StatusCode::CREATED);
    assert_ne!(first.body["id"], second.body["id"], "the same name of two API keys is two keys");
    for (key, made) in [(&api.key, &first), (&other, &second)] {
        let again = api.again("/api/booking/team", key, "k", member()).await;
        assert_eq!((again.status, &again.body, is_replay(&again)), (StatusCode::CREATED, &made.body, true));
    }
    assert_eq!(api.again("/api/booking/team", &weak, "k", member()).await.status, StatusCode::FORBIDDEN);
    assert_eq!(api.count("/api/booking/team").await, 2);
}

#[tokio::test]
async fn an_answer_is_for_the_key_that_asked() {
    each_key_has_answers_of_its_own(Api::new().await).await;
}

#[tokio::test]
async fn an_answer_is_for_the_key_that_asked_on_postgres() {
    let Some(database) = Database::new("repeats").await else { return };
    let random = std::sync::Arc::new(Seeded::new(3));
    let keys = berth_store::VaultKeys::new(vec![("test".to_owned(), [7; 32])]).unwrap();
    let store = berth_store::Store::open(&database.url, keys, random.clone()).await.unwrap();
    store.migrate().await.unwrap();
    let world = World::over(store.clone(), TestClock::start(), random).await;
    each_key_has_answers_of_its_own(Api::over(world).await).await;
    store.close().await;
    database.drop_it().await;
}

#[tokio::test]
async fn a_key_that_lost_its_rights_is_not_given_the_answer() {
    let api = Api::new().await;
    let made = api.again("/api/booking/team", &api.key, "k", member()).await;
    assert_eq!(made.status, StatusCode::CREATED);
    api.sql(r#"UPDATE api_keys SET scopes = '["bookings:read"]'"#).await;
    let refused = api.again("/api/booking/team", &api.key, "k", member()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    api.sql(r#"UPDATE api_keys SET scopes = '["listings:write"]'"#).await;
    assert!(is_replay(&api.again("/api/booking/team", &api.key, "k", member()).await));
    api.sql("UPDATE api_keys SET revoked_at = 1").await;
    assert_eq!(
        api.again("/api/booking/team", &api.key, "k", member()).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_rotated_key_keeps_its_id_and_its_answers() {
    let api = Api::new().await;
    let made = api.ok("POST", "/api/sdk/auth", json!({ "name": "app", "scopes": TENANT_SCOPES })).await;
    let text = made["key"].as_str().unwrap();
    let first = api.again("/api/booking/team", text, "k", member()).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let path = format!("/api/sdk/auth/{}/rotate", made["id"].as_str().unwrap());
    let rotated = api.ok("POST", &path, Value::Null).await;
    assert_eq!(rotated["id"], made["id"]);
    assert_ne!(rotated["prefix"], made["prefix"]);
    let again = api.again("/api/booking/team", rotated["key"].as_str().unwrap(), "k", member()).await;
    assert_eq!((is_replay(&again), &again.body["id"]), (true, &first.body["id"]));
    assert_eq!(api.again("/api/booking/team", text, "k", member()).await.status, StatusCode::UNAUTHORIZED);
    let listed = api.ok("GET", "/api/sdk/auth", Value::Null).await;
    let named: Vec<_> = listed["items"].as_array().unwrap().iter().filter(|k| k["name"] == "app").collect();
    assert_eq!(named.len(), 1, "it is one key still: {named:?}");
    api.ok("DELETE", path.trim_end_matches("/rotate"), Value::Null).await;
    let over = api.send("POST", &path, Some(&api.key), &[], Value::Null).await;
    assert_eq!((over.status, &over.body["code"]), (StatusCode::CONFLICT, &json!("BERTH-E0411")));
}

#[tokio::test]
async fn the_query_is_part_of_the_request() {
    let api = Api::new().await;
    let mut listings = Vec::new();
    for slug in ["one", "two"] {
        let listing = json!({ "slug": slug, "title": "Studio", "time_zone": "UTC" });
        let listing = api.ok("POST", "/api/listings", listing).await;
        listings.push(listing["id"].as_str().unwrap().to_owned());
    }
    let import = async |listing: &str| {
        let path = format!("/api/booking/holidays/import?listing={listing}");
        let headers = [("idempotency-key", "import"), ("content-type", "text/calendar")];
        api.send_body("POST", &path, Some(&api.key), &headers, DAY.to_owned()).await
    };
    let first = import(&listings[0]).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    let other = import(&listings[1]).await;
    assert_eq!(
        (other.status, &other.body["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("BERTH-E0412"))
    );
    assert!(is_replay(&import(&listings[0]).await));
}

#[tokio::test]
async fn the_header_is_sent_once() {
    let api = Api::new().await;
    let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
    let answer = api.send("POST", "/api/booking/team", Some(&api.key), &twice, member()).await;
    assert_eq!((answer.status, &answer.body["code"]), (StatusCode::BAD_REQUEST, &json!("BERTH-E0420")));
    assert_eq!(api.count("/api/booking/team").await, 0);
}

/// Every POST whose answer has a secret in it, by the description of the interface.
fn secret_routes(document: &Value) -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(operation) = methods.get("post").filter(|post| post["security"] != json!([])) else {
            continue;
        };
        for answer in operation["responses"].as_object().unwrap().values() {
            let Some(schema) = answer.pointer("/content/application~1json/schema") else { continue };
            let mut properties = BTreeSet::new();
            collect(document, schema, &mut properties, 0);
            if ["key", "token", "secret", "client_secret", "url", "password"]
                .iter()
                .any(|p| properties.contains(*p))
            {
                routes.insert(path.clone());
            }
        }
    }
    routes
}

fn collect(document: &Value, schema: &Value, into: &mut BTreeSet<String>, depth: usize) {
    if depth > 8 {
        return;
    }
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.trim_start_matches('#');
        collect(document, document.pointer(pointer).unwrap(), into, depth + 1);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        collect(document, part, into, depth + 1);
    }
    if let Some(properties) = schema["properties"].as_object() {
        into.extend(properties.keys().cloned());
    }
}

#[tokio::test]
async fn a_secret_is_shown_once_and_kept_nowhere() {
    let api = Api::new().await;
    let document = api.send("GET", "/openapi.json", None, &[], Value::Null).await.body;
    let mut routes = secret_routes(&document);
    let operator = key_of(&api.world, None, &[OPERATOR_SCOPE]).await;
    let event_type = api.world.offer(None, None).await;
    let new_key = json!({ "name": "app", "scopes": ["bookings:read"] });
    let made = api.ok("POST", "/api/sdk/auth", new_key.clone()).await;
    let tenant = api.world.caller.tenant;
    let mut canaries = CanarySecrets::default();
    for (route, path, key, body, secret) in [
        ("/api/sdk/auth", "/api/sdk/auth".to_owned(), &api.key, new_key.clone(), "key"),
        (
            "/api/sdk/auth/{id}/rotate",
            format!("/api/sdk/auth/{}/rotate", made["id"].as_str().unwrap()),
            &api.key,
            Value::Null,
            "key",
        ),
        (
            "/api/operator/tenants/{id}/keys",
            format!("/api/operator/tenants/{tenant}/keys"),
            &operator,
            new_key.clone(),
            "key",
        ),
        (
            "/api/booking/private-links",
            "/api/booking/private-links".to_owned(),
            &api.key,
            json!({ "event_type_id": event_type.id, "name": "Ada" }),
            "token",
        ),
        (
            "/api/booking/event-types/{id}/links",
            format!("/api/booking/event-types/{}/links", event_type.id),
            &api.key,
            json!({ "name": "Ada" }),
            "token",
        ),
        (
            "/api/booking/holds",
            "/api/booking/holds".to_owned(),
            &api.key,
            json!({ "event_type": event_type.id, "start": "2026-11-24T10:00:00Z" }),
            "token",
        ),
    ] {
        assert!(routes.remove(route), "{route} is described as one whose answer has a secret");
        let keys = api.count("/api/sdk/auth").await;
        let made = api.again(&path, key, route, body.clone()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{route}: {}", made.body);
        assert_eq!(made.headers["cache-control"], "no-store", "{route}");
        canaries.plant(made.body[secret].as_str().unwrap());
        let there = api.count("/api/sdk/auth").await;
        let again = api.again(&path, key, route, body).await;
        assert_eq!(
            (again.status, &again.body["code"]),
            (StatusCode::CONFLICT, &json!("BERTH-E0424")),
            "{route}"
        );
        assert_eq!(again.body["made"], made.body["id"], "{route}: {}", again.body);
        assert!(again.body["hint"].as_str().unwrap().len() > 20, "{}", again.body);
        assert_eq!(api.count("/api/sdk/auth").await, there, "{route}: nothing is made twice (from {keys})");
    }
    // These need a plugin; they make their answer in the same way.
    for route in [
        "/api/booking-providers/oauth/start",
        "/api/booking-providers/{id}/oauth/start",
        // Its answer has the form of a hold, without the token.
        "/api/booking/holds/{id}/extend",
        // The address of a provider's public page, which everybody may know.
        "/api/booking-providers/{id}/resolve-link",
    ] {
        assert!(routes.remove(route), "{route}");
    }
    assert!(routes.is_empty(), "answers with a secret that this test does not try: {routes:?}");
    // Of those who booked, nothing stands in clear either.
    let booked = booking(&json!(event_type.id), "2026-11-24T12:00:00Z");
    assert_eq!(api.again("/api/booking", &api.key, "book", booked).await.status, StatusCode::CREATED);
    let mut rows = 0;
    for (place, bytes) in texts_of(&api.world.database().unwrap()).await {
        canaries.assert_absent(&place, &bytes);
        if place.starts_with("idempotency_keys.") {
            rows += 1;
            assert!(!String::from_utf8_lossy(&bytes).contains("ada@example.com"), "{place}");
        }
    }
    assert!(rows > 5, "the table was looked at");
}

#[tokio::test]
async fn a_body_is_read_as_far_as_its_route_allows() {
    let api = Api::new().await;
    let large = |bytes: usize| json!({ "name": "x".repeat(bytes) });
    for (path, key, bytes, status) in [
        ("/api/booking/team", &api.key, limits::API_BODY_BYTES_MAX, StatusCode::PAYLOAD_TOO_LARGE),
        ("/api/sdk/auth", &api.key, limits::API_BODY_BYTES_MAX, StatusCode::PAYLOAD_TOO_LARGE),
        // Whoever may not install is not read at all.
        ("/api/operator/plugins", &api.key, limits::COMPONENT_BYTES_MAX, StatusCode::FORBIDDEN),
    ] {
        for headers in [&[][..], &[("idempotency-key", "large")][..]] {
            let answer = api.send("POST", path, Some(key), headers, large(bytes)).await;
            assert_eq!(answer.status, status, "{path} {headers:?}: {}", answer.body);
        }
    }
    let operator = key_of(&api.world, None, &[OPERATOR_SCOPE]).await;
    let answer =
        api.again("/api/operator/plugins", &operator, "large", large(limits::API_BODY_BYTES_MAX)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "read, to be looked at: {}", answer.body);
    let answer =
        api.again("/api/operator/plugins", &operator, "larger", large(limits::COMPONENT_BYTES_MAX)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_was_done_is_not_done_again_though_its_answer_is_not_stored() {
    let api = Api::new().await;
    api.sql(
        "CREATE TRIGGER broken BEFORE UPDATE ON idempotency_keys BEGIN SELECT RAISE(ABORT, 'broken'); END",
    )
    .await;
    let made = api.again("/api/booking/team", &api.key, "k", member()).await;
    assert_eq!(
        made.status,
        StatusCode::CREATED,
        "it was done, and is not said to have failed: {}",
        made.body
    );
    // Longer than the key of a dead process would be blocked.
    api.world.clock.advance_ms(limits::IDEMPOTENCY_IN_FLIGHT_SECONDS * 1_000 + 1);
    let again = api.again("/api/booking/team", &api.key, "k", member()).await;
    assert_eq!((again.status, &again.body["code"]), (StatusCode::CONFLICT, &json!("BERTH-E0414")));
    api.sql("DROP TRIGGER broken").await;
    let replay = loop {
        let again = api.again("/api/booking/team", &api.key, "k", member()).await;
        if again.status != StatusCode::CONFLICT {
            break again;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((is_replay(&replay), &replay.body["id"]), (true, &made.body["id"]));
    assert_eq!(api.count("/api/booking/team").await, 1);
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_any_more_is_carried_out_once() {
    let api = Api::new().await;
    for n in 0..20_u32 {
        let name = format!("k{n}");
        {
            let sent = api.again("/api/booking/team", &api.key, &name, member());
            let mut sent = std::pin::pin!(sent);
            // Hang up after so many steps.
            for _ in 0..n {
                let step = futures_util::future::poll_immediate(&mut sent).await;
                if step.is_some() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        let answer = loop {
            let answer = api.again("/api/booking/team", &api.key, &name, member()).await;
            if answer.status != StatusCode::CONFLICT {
                break answer;
            }
            // A request that was dropped before it began leaves a key that is free after a minute.
            api.world.clock.advance_ms(1_000);
            tokio::task::yield_now().await;
        };
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    }
    assert_eq!(api.count("/api/booking/team?limit=100").await, 20, "one for each");
}

#[tokio::test]
async fn one_api_key_cannot_fill_the_table() {
    let api = Api::new().await;
    let first = api.again("/api/booking/team", &api.key, "k", member()).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let many = limits::IDEMPOTENCY_KEYS_PER_API_KEY_MAX;
    api.sql(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {many})
        INSERT INTO idempotency_keys (tenant_id, scope, key, fingerprint, status, created_at)
        SELECT i.tenant_id, i.scope, 'n' || n.n, x'00', 200, i.created_at FROM n JOIN idempotency_keys i ON i.key = 'k'"
    ))
    .await;
    // Counted anew now and then.
    api.app.upkeep();
    let refused = api.again("/api/booking/team", &api.key, "more", member()).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (StatusCode::TOO_MANY_REQUESTS, &json!("BERTH-E0429"))
    );
    assert!(refused.headers.contains_key("retry-after"));
    assert!(
        is_replay(&api.again("/api/booking/team", &api.key, "k", member()).await),
        "what is there is found"
    );
    assert_eq!(api.count("/api/booking/team").await, 1);
    let other = key(&api.world, api.world.caller.tenant, TENANT_SCOPES).await;
    assert_eq!(api.again("/api/booking/team", &other, "k", member()).await.status, StatusCode::CREATED);
}

/// Any sequence of requests by several keys, repeated and changed at random: an answer is only ever given to the key that asked for the
/// same thing, and nothing is done twice.
async fn any_sequence(seed: u64) {
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let api = Api::new().await;
    let mut listings = Vec::new();
    for slug in ["one", "two"] {
        let listing = json!({ "slug": slug, "title": "Studio", "time_zone": "UTC" });
        listings.push(api.ok("POST", "/api/listings", listing).await["id"].as_str().unwrap().to_owned());
    }
    // Two that may, and one that may not.
    let mut keys = Vec::new();
    for scopes in [&["listings:write"][..], &["listings:write"][..], &["bookings:read"][..]] {
        let new = json!({ "name": "app", "scopes": scopes });
        let made = api.ok("POST", "/api/sdk/auth", new).await;
        keys.push((made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned()));
    }
    // By key and name: which request it was, and what it was answered.
    let mut known: BTreeMap<(usize, u32), (u32, Value)> = BTreeMap::new();
    let mut members = 0;
    for _ in 0..120 {
        let (who, name, what) =
            (random.random_range(0..3), random.random_range(0..3_u32), random.random_range(0..6_u32));
        if random.random_ratio(1, 20) {
            let rotated = api.ok("POST", &format!("/api/sdk/auth/{}/rotate", keys[who].0), Value::Null).await;
            rotated["key"].as_str().unwrap().clone_into(&mut keys[who].1);
        }
        let text =
            if what < 3 { format!(r#"{{"name":"Eve {what}","time_zone":"UTC"}}"#) } else { DAY.to_owned() };
        let path = match what {
            0..3 => "/api/booking/team".to_owned(),
            n => format!("/api/booking/holidays/import?listing={}", listings[n as usize % 2]),
        };
        // The last two differ from those before in their type only, which is part of the request.
        let kind = if what < 3 {
            "application/json"
        } else if what < 5 {
            "text/calendar"
        } else {
            "text/calendar; charset=utf-8"
        };
        let headers = [("idempotency-key", format!("name-{name}")), ("content-type", kind.to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = api.send_body("POST", &path, Some(&keys[who].1), &headers, text).await;
        if who == 2 {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
            continue;
        }
        match known.get(&(who, name)) {
            None => {
                assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
                assert!(!is_replay(&answer));
                known.insert((who, name), (what, answer.body));
                members += usize::from(what < 3);
            }
            Some((before, told)) if *before == what => {
                assert_eq!(
                    (answer.status, &answer.body, is_replay(&answer)),
                    (StatusCode::CREATED, told, true)
                );
            }
            Some(_) => {
                assert_eq!(
                    (answer.status, &answer.body["code"]),
                    (StatusCode::UNPROCESSABLE_ENTITY, &json!("BERTH-E0412"))
                );
            }
        }
    }
    assert_eq!(api.count("/api/booking/team?limit=100").await, members, "nothing was done twice");
}

#[tokio::test]
async fn no_sequence_of_requests_gives_an_answer_to_anybody_else() {
    for seed in [1, 2, rand::random()] {
        any_sequence(seed).await;
    }
}
