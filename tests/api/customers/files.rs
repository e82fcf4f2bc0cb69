//! Customers as files.

use std::collections::BTreeSet;

use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use crate::{Api, key, refused};

const PATH: &str = "/api/customers";

async fn exported(api: &Api, key: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let answer = api.send("GET", path, Some(key), headers, Value::Null).await;
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8; header=present", "{}", answer.text);
    answer.text
}

#[tokio::test]
async fn all_customers_are_one_file() {
    let api = Api::new().await;
    let header =
        "id,name,email,phone,language,notes,tags,blocked_reason,blocked_at,created_at,last_seen_at\r\n";
    assert_eq!(exported(&api, &api.key, &format!("{PATH}?format=csv"), &[]).await, header);
    let ada = json!({ "name": "=1+1, Ada", "email": "ada@example.com", "phone": "+48600100200", "language": "pl",
        "notes": "Says \"hi\",\ntwice.", "tags": ["regular", "bike"], "blocked": { "reason": "-never" } });
    api.ok("POST", PATH, ada).await;
    api.ok("POST", PATH, json!({ "name": "Bea" })).await;
    let all = exported(&api, &api.key, PATH, &[("accept", "text/csv")]).await;
    let lines: Vec<&str> = all.split("\r\n").collect();
    assert_eq!(lines.len(), 4, "{all}");
    let cells = ",\"'=1+1, Ada\",ada@example.com,'+48600100200,pl,\"Says \"\"hi\"\",\ntwice.\",bike; regular,'-never,";
    assert!(lines[1].contains(cells), "{all}");
    assert!(lines[2].contains(",Bea,,,,,,,,"), "{all}");
    let one = exported(&api, &api.key, &format!("{PATH}?format=csv&q=bea"), &[]).await;
    assert_eq!(one.lines().count(), 2, "{one}");
    let path = format!("{PATH}?format=json");
    let page = api.send("GET", &path, Some(&api.key), &[("accept", "text/csv")], Value::Null).await;
    assert_eq!(page.body["items"].as_array().unwrap().len(), 2);
    for query in ["format=csv&limit=5", "format=csv&cursor=bm8", "format=xml", "format=csv&q="] {
        let answer = api.send("GET", &format!("{PATH}?{query}"), Some(&api.key), &[], Value::Null).await;
        refused(&answer, 400, "BERTH-E0401");
    }
}

/// More than one part: each customer is there once.
#[tokio::test]
async fn a_long_file_has_everybody_once_and_nobody_elses() {
    let api = Api::new().await;
    let mut ids = BTreeSet::new();
    for n in 0..405 {
        let made = api.ok("POST", PATH, json!({ "name": format!("Person {n}") })).await;
        ids.insert(made["id"].as_str().unwrap().to_owned());
    }
    for sort in ["created_at", "name", "last_seen"] {
        let path = format!("{PATH}?format=csv&sort={sort}");
        let file = exported(&api, &api.key, &path, &[]).await;
        let lines: Vec<&str> = file.lines().skip(1).collect();
        let found: BTreeSet<String> =
            lines.iter().map(|line| line.split(',').next().unwrap().to_owned()).collect();
        assert_eq!((lines.len(), &found), (405, &ids), "{sort}");
    }
    let without: Vec<&str> =
        TENANT_SCOPES.iter().copied().filter(|scope| *scope != "customers:read").collect();
    let blind = key(&api.world, api.world.caller.tenant, &without).await;
    let answer = api.send("GET", &format!("{PATH}?format=csv"), Some(&blind), &[], Value::Null).await;
    assert_eq!(answer.status.as_u16(), 403, "{}", answer.text);
}
