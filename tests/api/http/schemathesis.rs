//! Requests are made up from the description of the interface, right ones and wrong ones, by a program that knows nothing else of it
//! (schemathesis). No answer is an error of the server's, and none is out of its description.

use std::{path::Path, process::Stdio};

use berth_tests::PATIENCE;
use serde_json::{Value, json};
use tokio::{net::TcpListener, process::Command, time::timeout};

use crate::{Api, key_of};

/// Requests for each operation that are made up at random, beside those that are examples.
const REQUESTS: &str = "8";

/// What a tenant's key may not ask, and an operator's may.
const OPERATORS: &str = "^/(api/operator|metrics)";
/// What ends the key that asks: it comes last.
const LAST: &str = "^/api/sdk/auth";

async fn run(python: &str, api: &Api, url: &str, key: &str, which: [&str; 2]) {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    let folder = tempfile::tempdir().unwrap();
    let document = api.send("GET", "/openapi.json", None, &[], Value::Null).await.text;
    std::fs::write(folder.path().join("openapi.json"), document).unwrap();
    let program = Path::new(python).with_file_name("schemathesis");
    let mut command = Command::new(program);
    command.args(["--config-file"]).arg(sources.join("schemathesis.toml"));
    command.args(["run", "openapi.json", "--url", url, "--header", &format!("Authorization: Bearer {key}")]);
    command.args(which).args(["--max-examples", REQUESTS, "--continue-on-failure", "--no-color"]);
    command.env("SCHEMATHESIS_HOOKS", "schemathesis_hooks").env("PYTHONPATH", &sources);
    command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(folder.path());
    command.stdin(Stdio::null()).kill_on_drop(true);
    let done = timeout(10 * PATIENCE, command.output()).await.expect("it ends").expect("it starts");
    let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    for line in said.lines().filter(|line| line.contains("Seed:") || line.contains("generated")) {
        println!("{line}");
    }
    assert!(done.status.success(), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_that_is_made_up_finds_an_answer_that_is_not_described() {
    let Ok(python) = std::env::var("BERTH_TEST_PYTHON") else {
        println!("SKIPPED: requests made up from the description: BERTH_TEST_PYTHON names no interpreter");
        return;
    };
    let api = Api::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(axum::serve(listener, api.router.clone()).into_future());

    // Something to refer to.
    let listing = json!({ "title": "Studio", "slug": "studio", "time_zone": "Europe/Lisbon" });
    let listing = api.ok("POST", "/api/listings", listing).await;
    let member =
        api.ok("POST", "/api/booking/team", json!({ "name": "Ana", "time_zone": "Europe/Lisbon" })).await;
    let event_type = json!({ "listing_id": listing["id"], "slug": "visit", "title": "Visit", "length_minutes": 30,
        "member_ids": [member["id"]] });
    api.ok("POST", "/api/booking/event-types", event_type).await;

    let others = format!("{OPERATORS}|{LAST}");
    run(&python, &api, &url, &api.key, ["--exclude-path-regex", &others]).await;
    run(&python, &api, &url, &api.key, ["--include-path-regex", LAST]).await;
    let operator = key_of(&api.world, None, &[berth_engine::OPERATOR_SCOPE]).await;
    run(&python, &api, &url, &operator, ["--include-path-regex", OPERATORS]).await;
    served.abort();
}
