//! Texts of consents.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    Api,
    privacy::consents::{TEXTS, published},
    refused,
};

#[tokio::test]
async fn a_text_is_published_and_never_changed() {
    let api = Api::new().await;
    let first = published(&api, "marketing", "en-GB", "We may write to you.").await;
    assert_eq!((&first["version"], &first["language"]), (&json!(1), &json!("en-gb")));
    assert_eq!(first["sha256"].as_str().unwrap().len(), 64);
    let same = json!({ "purpose": "marketing", "language": "en-gb", "text": "We may write to you." });
    let again = api.send("POST", TEXTS, Some(&api.key), &[], same).await;
    assert_eq!((again.status, &again.body), (StatusCode::OK, &first), "it says the same");
    let second = published(&api, "marketing", "en-GB", "We may write to you, monthly.").await;
    assert_eq!(second["version"], 2);
    assert_eq!(published(&api, "marketing", "de", "Wir dürfen Ihnen schreiben.").await["version"], 1);
    assert_eq!(published(&api, "data_sync", "en-GB", "We may pass it on.").await["version"], 1);
    // Back to what was said first: a version of its own.
    assert_eq!(published(&api, "marketing", "en-GB", "We may write to you.").await["version"], 3);

    let listed = async |query: &str| {
        let page = api.ok("GET", &format!("{TEXTS}{query}"), Value::Null).await;
        page["items"].as_array().unwrap().iter().map(|text| text["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed("").await.len(), 5);
    assert_eq!(listed("?purpose=marketing").await.len(), 4);
    assert_eq!(
        listed("?purpose=marketing&language=EN-gb").await[..2],
        [first["id"].clone(), second["id"].clone()]
    );
    assert_eq!(listed("?limit=2").await.len(), 2);

    for (body, field) in [
        (json!({ "purpose": "marketing", "language": "e", "text": "x" }), "/language"),
        (json!({ "purpose": "marketing", "language": "en", "text": " \n" }), "/text"),
        (json!({ "purpose": "marketing", "language": "en", "text": "x".repeat(20_001) }), "/text"),
        (json!({ "purpose": "marketing", "language": "en", "text": "\u{202e}x" }), "/text"),
    ] {
        let answer = api.send("POST", TEXTS, Some(&api.key), &[], body).await;
        refused(&answer, 422, "BERTH-E0422");
        assert_eq!(answer.body["errors"][0]["field"], field);
    }
    let unknown = json!({ "purpose": "profiling", "language": "en", "text": "x" });
    let answer = api.send("POST", TEXTS, Some(&api.key), &[], unknown).await;
    refused(&answer, 422, "BERTH-E0545");
    assert_eq!(answer.body["purposes"].as_array().unwrap().len(), 5);
    let answer =
        api.send("GET", &format!("{TEXTS}?purpose=profiling"), Some(&api.key), &[], Value::Null).await;
    refused(&answer, 422, "BERTH-E0545");
}
