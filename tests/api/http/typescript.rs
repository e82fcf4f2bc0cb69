//! A TypeScript client is generated from the description of the interface, compiled strictly, and books with it.

use std::{fs, path::Path, process::Stdio};

use berth_tests::PATIENCE;
use tokio::{net::TcpListener, process::Command, time::timeout};

use crate::Api;

/// A program of the packages, run to its end in a folder; what it said, if it did not end well, is the test's failure.
async fn run(folder: &Path, program: &str, args: &[&str], environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).envs(environment.iter().copied());
    command.stdin(Stdio::null()).kill_on_drop(true);
    let done = timeout(PATIENCE, command.output()).await.expect("it ends").expect("it starts");
    let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(done.status.success(), "{program} {args:?}: {said}");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generated_client_books() {
    let Ok(packages) = std::env::var("BERTH_TEST_JAVASCRIPT") else {
        println!("SKIPPED: a TypeScript client: BERTH_TEST_JAVASCRIPT names no folder");
        return;
    };
    let api = Api::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(axum::serve(listener, api.router.clone()).into_future());

    // Below the packages, where Node.js finds them.
    let folder = tempfile::tempdir_in(&packages).unwrap();
    let here = folder.path();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("javascript");
    for name in ["books.ts", "tsconfig.json"] {
        fs::copy(sources.join(name), here.join(name)).unwrap();
    }
    fs::write(here.join("package.json"), r#"{ "type": "module" }"#).unwrap();
    let document = api.send("GET", "/openapi.json", None, &[], serde_json::Value::Null).await.text;
    fs::write(here.join("openapi.json"), document).unwrap();

    let generate = ["../node_modules/openapi-typescript/bin/cli.js", "openapi.json", "-o", "schema.d.ts"];
    run(here, "node", &generate, &[]).await;
    run(here, "node", &["../node_modules/typescript/bin/tsc", "-p", "."], &[]).await;
    let said = run(here, "node", &["out/books.js"], &[("BERTH_URL", &url), ("BERTH_KEY", &api.key)]).await;
    assert!(said.contains("was booked, moved and cancelled"), "{said}");
    served.abort();
}
