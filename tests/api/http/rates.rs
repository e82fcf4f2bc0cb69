//! How often a key may ask.

use berth_engine::NewKey;
use serde_json::{Value, json};

use crate::{Answer, Api};

#[tokio::test]
async fn answers_say_how_often_a_key_may_ask() {
    let api = Api::new().await;
    let ask = async |key: &str| api.send("GET", "/api/listings", Some(key), &[], Value::Null).await;
    let header = |answer: &Answer, name: &str| answer.headers[name].to_str().unwrap().to_owned();
    let answer = ask(&api.key).await;
    assert_eq!(header(&answer, "ratelimit-policy"), "\"key\";q=100000;w=60");
    assert!(header(&answer, "ratelimit").starts_with("\"key\";r=99999;t="), "{:?}", answer.headers);

    let (world, tenant) = (&api.world, api.world.caller.tenant);
    let new = NewKey {
        tenant: Some(tenant),
        name: "slow".to_owned(),
        scopes: vec!["listings:read".to_owned()],
        requests_per_minute: Some(1),
        sources: Vec::new(),
        expires_at: None,
    };
    let slow = world.engine.tenants.create_key("test", "test", new).await.unwrap().1;
    assert_eq!(ask(slow.expose()).await.status, 200);
    let refused = ask(slow.expose()).await;
    assert_eq!((refused.status.as_u16(), &refused.body["code"]), (429, &json!("BERTH-E0429")));
    assert_eq!(header(&refused, "ratelimit-policy"), "\"key\";q=1;w=60");
    assert_eq!(header(&refused, "ratelimit"), "\"key\";r=0;t=60");
    let wait: u64 = header(&refused, "retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(ask(&api.key).await.status, 200, "another key has its own tokens");
    let open = api.send("GET", "/healthz", None, &[], Value::Null).await;
    assert!(!open.headers.contains_key("ratelimit"), "no key, no limit to tell of");
}
