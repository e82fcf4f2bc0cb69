//! A walk over components: on their way in, in service, put aside, and what they may reach.

use berth_tests::{PATIENCE, component_as};
use serde_json::{Value, json};

use crate::{
    Api, component,
    walk::{Walk, at},
};

const PATH: &str = "/api/operator/plugins";

/// Uploaded, and in.
async fn install(walk: &mut Walk<'_>, bytes: Vec<u8>) -> Value {
    let begun = walk.upload(PATH, "application/wasm", bytes).await;
    let of = at("/api/operator/installations", &begun);
    let ended = async {
        loop {
            let seen = walk.look(&of).await;
            if ["installed", "refused", "failed"].contains(&seen["state"].as_str().unwrap()) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
    walk.operate("GET", &of, Value::Null).await["plugin"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    install(&mut walk, b"no component".to_vec()).await;
    let first = install(&mut walk, component("reference")).await;
    walk.operate("GET", "/api/operator/installations", Value::Null).await;
    let of = |version: &Value| format!("{PATH}/{}", version["digest"].as_str().unwrap());
    walk.operate("POST", &format!("{}/activate", of(&first)), Value::Null).await;
    walk.operate("GET", PATH, Value::Null).await;
    walk.operate("GET", &format!("{PATH}/reference"), Value::Null).await;
    walk.operate("GET", &format!("{PATH}/nobody"), Value::Null).await;
    let second = install(&mut walk, component_as("reference", "0.1.1")).await;
    walk.operate("POST", &format!("{}/activate", of(&second)), Value::Null).await;
    walk.operate("POST", &format!("{PATH}/reference/rollback"), Value::Null).await;
    let why = json!({ "reason": "it loops" });
    walk.operate("POST", &format!("{}/quarantine", of(&second)), why).await;
    walk.operate("POST", &format!("{}/activate", of(&second)), Value::Null).await;
    walk.operate("DELETE", &format!("{}/quarantine", of(&second)), Value::Null).await;
    walk.end("plugins", "plugins");
}

#[tokio::test]
async fn grants() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let path = format!("{PATH}/acme/grants");
    walk.operate("PUT", &path, json!({ "hosts": ["a.example"] })).await;
    walk.operate("PATCH", &path, json!({ "add": ["b.example"], "remove": ["a.example"] })).await;
    walk.operate("PATCH", &path, json!({ "add": ["https://c.example"] })).await;
    walk.operate("GET", &path, Value::Null).await;
    walk.end("plugins", "grants");
}
