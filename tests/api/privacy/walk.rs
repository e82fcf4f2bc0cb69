//! A walk over texts of consents and consents.

use serde_json::json;

use crate::{
    Api, booking,
    privacy::consents::{TEXTS, published},
    walk::Walk,
};

#[tokio::test]
async fn texts() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let text = json!({ "purpose": "marketing", "language": "en-GB", "text": "We may write to you." });
    walk.ask("POST", TEXTS, text.clone()).await;
    walk.ask("POST", TEXTS, text).await;
    walk.ask("POST", TEXTS, json!({ "purpose": "profiling", "language": "en", "text": "x" })).await;
    walk.get(TEXTS).await;
    walk.end("privacy", "texts");
}

#[tokio::test]
async fn consents() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let event_type = json!(api.world.offer(None, None).await.id);
    let made = api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T09:00:00Z")).await;
    let path = format!("/api/customers/{}/consents", made["customer_id"].as_str().unwrap());
    let text = published(&api, "marketing", "en", "We may write to you.").await;
    let give = json!({ "purpose": "marketing", "text_id": text["id"], "source": "checkout", "ip_address": "192.0.2.77" });
    walk.ask("POST", &path, give).await;
    walk.ask("POST", &path, json!({ "purpose": "data_sync", "text_id": text["id"], "source": "checkout" }))
        .await;
    walk.get(&path).await;
    let withdraw = json!({ "purpose": "marketing", "source": "letter" });
    walk.ask("POST", &format!("{path}/withdraw"), withdraw).await;
    walk.get(&path).await;
    walk.end("privacy", "consents");
}
