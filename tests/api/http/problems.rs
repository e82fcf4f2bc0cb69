//! Problems: each names what it points at, in words for people.

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Api, booking};

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
        ("POST", "/api/booking", r#"{"event_type":7}"#, 400, "/event_type_id"),
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
async fn bad_input_is_refused_with_a_code_and_a_hint_and_nothing_is_stored() {
    let api = Api::new().await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let mut bad = booking(&event_type, "2026-11-24T00:30:00Z");
    bad["attendee"]["email"] = json!("nobody");
    bad["attendee"]["time_zone"] = json!("Mars/Olympus");
    bad["guests"] = json!(["x"]);
    let answer = api.send("POST", "/api/booking", Some(&api.key), &[], bad).await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("BERTH-E0422"))
    );
    let fields: Vec<&str> =
        answer.body["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["/attendee/email", "/attendee/time_zone", "/guests/0"]);

    for (method, path, body, status, code) in [
        ("POST", "/api/booking", json!({ "typo": 1 }), 400, "BERTH-E0400"),
        ("POST", "/api/listings", json!("not an object"), 400, "BERTH-E0400"),
        (
            "POST",
            "/api/listings",
            json!({ "slug": "X", "title": "", "time_zone": "UTC" }),
            422,
            "BERTH-E0422",
        ),
        ("GET", "/api/booking?limit=1000", Value::Null, 400, "BERTH-E0401"),
        ("GET", "/api/booking?cursor=nonsense", Value::Null, 400, "BERTH-E0401"),
        ("GET", "/api/booking/nonsense", Value::Null, 400, "BERTH-E0401"),
        ("GET", "/api/nothing", Value::Null, 404, "BERTH-E0404"),
        ("DELETE", "/api/booking", Value::Null, 405, "BERTH-E0405"),
    ] {
        let answer = api.send(method, path, Some(&api.key), &[], body).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (status, &json!(code)), "{method} {path}");
        assert!(answer.body["hint"].as_str().is_some_and(|h| !h.is_empty()), "{method} {path} gives no hint");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{method} {path}");
    }
    let all = api.ok("GET", "/api/booking", Value::Null).await;
    assert_eq!(all["items"], json!([]));
}

#[tokio::test]
async fn a_problem_points_to_the_description_of_its_code() {
    let api = Api::new().await;
    let refused = api.send("GET", "/api/listings", None, &[], Value::Null).await;
    let kind = refused.body["type"].as_str().unwrap();
    let (path, anchor) = kind.split_once('#').unwrap();
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let page = api.router.clone().oneshot(request).await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let html = String::from_utf8(to_bytes(page.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap();
    for code in berth_model::problem::Code::ALL {
        assert!(html.contains(&format!("id=\"{}\"", code.as_str())), "{}", code.as_str());
    }
    assert!(html.contains(&format!("id=\"{anchor}\"")));
    assert!(html.contains("Bearer &lt;key>"), "hints are escaped");
}
