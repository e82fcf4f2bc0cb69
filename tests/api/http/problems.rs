//! What is said: errors name what they point at, in words for people; tables can be opened; grants say who would lose.

use axum::http::StatusCode;
use berth_engine::NewKey;
use berth_model::{
    mirror::sync::{ItemKind, MirroredItem},
    time::Clock as _,
};
use serde_json::{Value, json};

use crate::{Api, mirror::conflicts::connect};

#[tokio::test]
async fn errors_name_the_field_and_no_column() {
    let api = Api::new().await;
    let event_type = api.world.offer(None, None).await.id.to_string();
    let send = async |method: &str, path: &str, body: &str| {
        let answer = api.send_text(method, path, &api.key, body).await;
        let detail = answer.body["detail"].as_str().unwrap_or_default().to_owned();
        assert!(!detail.contains("column") && !answer.body.to_string().contains("at line"), "{detail}");
        (answer.status.as_u16(), answer.body["errors"][0]["field"].as_str().unwrap_or("-").to_owned(), detail)
    };
    let listing = r#"{"slug":"pier","title":"Pier","time_zone":"Mars/Olympus"}"#;
    let attendee = format!(
        r#"{{"event_type":"{event_type}","start":"2026-11-24T00:30:00Z","attendee":{{"name":"Ada","email":"ada@example.com","time_zone":"../../etc/passwd"}}}}"#
    );
    // An unknown zone: 422 in every body, 400 in every address.
    for (method, path, body, status, field) in [
        ("POST", "/api/listings", listing, 422, "/time_zone"),
        (
            "POST",
            "/api/booking/team",
            r#"{"name":"Eve","time_zone":"Mars/Olympus","weekly_hours":[]}"#,
            422,
            "/time_zone",
        ),
        ("POST", "/api/booking", &attendee, 422, "/attendee/time_zone"),
        (
            "GET",
            &format!(
                "/api/booking/availability?event_type={event_type}&from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&time_zone=Mars/Olympus"
            ),
            "",
            400,
            "time_zone",
        ),
        (
            "GET",
            &format!(
                "/api/booking/availability?event_type={event_type}&from=yesterday&to=2026-11-25T00:00:00Z&time_zone=UTC"
            ),
            "",
            400,
            "from",
        ),
        (
            "GET",
            &format!(
                "/api/booking/availability?event_type={event_type}&to=2026-11-25T00:00:00Z&time_zone=UTC"
            ),
            "",
            400,
            "from",
        ),
        ("GET", "/api/booking?frmo=x", "", 400, "frmo"),
        ("GET", "/api/booking/nothing", "", 400, "id"),
        ("POST", "/api/booking", r#"{"event_type":7}"#, 400, "/event_type"),
        ("POST", "/api/listings", r#"{"slug":"pier","title":}"#, 400, "/title"),
        ("POST", "/api/listings", r#"{"slug":"pier","title":"Pier","time_zone":"UTC"} {}"#, 400, "-"),
        ("POST", "/api/listings", "{", 400, ""),
        (
            "POST",
            "/api/listings",
            "{\"slug\":\"pier\",\"title\":\"P\u{202e}ier\",\"time_zone\":\"UTC\"}",
            422,
            "/title",
        ),
        (
            "POST",
            "/api/booking/team",
            "{\"name\":\"\u{200b}\",\"time_zone\":\"UTC\",\"weekly_hours\":[]}",
            422,
            "/name",
        ),
    ] {
        let (got, named, detail) = send(method, path, body).await;
        assert_eq!((got, named.as_str()), (status, field), "{method} {path} {body}: {detail}");
    }
}

#[tokio::test]
async fn a_reconciliation_is_a_table_also_when_nothing_differs() {
    let api = Api::new().await;
    let connection = connect(&api, "acme").await;
    let path = "/api/admin/acme/reconciliation?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z";
    let csv = async || String::from_utf8(api.bytes(&format!("{path}&format=csv")).await).unwrap();
    let header = "kind,connection,booking,event_type,external_id,ours,theirs\n";
    assert_eq!(csv().await, header);
    // A price under an id that a spreadsheet would calculate.
    let evil = "=HYPERLINK(\"https://evil.example\")";
    let item = MirroredItem {
        external_id: evil.to_owned(),
        title: "t".to_owned(),
        payload: json!({ "price": { "minor_units": 5, "currency": "EUR" } }),
        last_synced_at: api.world.clock.now(),
    };
    let tenant = api.world.caller.tenant;
    api.world.store.put_mirrored_items(tenant, connection, ItemKind::EventType, vec![item], 0).await.unwrap();
    api.world.offer(None, Some(evil)).await;
    let table = csv().await;
    let line = table.strip_prefix(header).unwrap();
    assert!(line.starts_with("price,") && line.contains("\"'=HYPERLINK"), "{table}");
    let found = api.ok("GET", path, Value::Null).await;
    assert_eq!(found["items"][0]["totals"], json!([]));
}

#[tokio::test]
async fn grants_are_added_to_over_the_interface() {
    let api = Api::new().await;
    let new = NewKey {
        tenant: None,
        name: "ops".to_owned(),
        scopes: vec![berth_engine::OPERATOR_SCOPE.to_owned()],
        requests_per_minute: None,
        sources: Vec::new(),
        expires_at: None,
    };
    let key = api.world.engine.create_key("test", "test", new).await.unwrap().1.expose().to_owned();
    let grants = "/api/operator/plugins/acme/grants";
    let send = async |method: &str, body: Value| api.send(method, grants, Some(&key), &[], body).await;
    assert_eq!(send("PUT", json!({ "hosts": ["a.example"] })).await.status, StatusCode::NO_CONTENT);
    let more = send("PATCH", json!({ "add": ["b.example"] })).await;
    assert_eq!(more.body["hosts"], json!(["a.example", "b.example"]));
    let less = send("PATCH", json!({ "remove": ["a.example"] })).await;
    assert_eq!((&less.body["hosts"], &less.body["losing"]), (&json!(["b.example"]), &json!([])));
    let bad = send("PATCH", json!({ "add": ["https://c.example"] })).await;
    assert_eq!((bad.status.as_u16(), &bad.body["errors"][0]["field"]), (422, &json!("/add/0")));
    let listing =
        send("PATCH", json!({ "listing": "0193b3f0-0000-7000-8000-000000000000", "add": [] })).await;
    assert_eq!(listing.body["errors"][0]["field"], "/tenant");
}
