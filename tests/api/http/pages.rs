//! Pages of lists.

use serde_json::{Value, json};

use crate::Api;

#[tokio::test]
async fn pages_hold_everything_once() {
    let api = Api::new().await;
    for n in 0..5 {
        api.ok(
            "POST",
            "/api/listings",
            json!({ "slug": format!("place-{n}"), "title": "Place", "time_zone": "UTC" }),
        )
        .await;
    }
    let (mut slugs, mut path) = (Vec::new(), "/api/listings?limit=2".to_owned());
    loop {
        let page = api.ok("GET", &path, Value::Null).await;
        slugs
            .extend(page["items"].as_array().unwrap().iter().map(|l| l["slug"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/listings?limit=2&cursor={next}");
    }
    assert_eq!(slugs, ["place-0", "place-1", "place-2", "place-3", "place-4"]);
}
