//! Hostile components: each misdeed ends its own call with a typed error, and the engine serves others meanwhile.

#[path = "hostile/compile.rs"]
mod compile;
#[path = "hostile/texts.rs"]
mod texts;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use berth_engine::{Engine, NewConnection};
use berth_model::{
    connections::secret::{Credentials, Secret},
    outbound::provider::CallRecord,
    problem::{Code, Problem},
};
use berth_runtime::{
    RuntimeLimits,
    egress::{Lookup, Resolve},
};
use berth_tests::{Means, TestClock, World, component};
use serde_json::{Value, json};

const SECRET: &str = "hostile_test_not_a_real_secret";

async fn world(insecure: &[&str]) -> World {
    world_with(insecure, Means::default()).await
}

async fn world_with(insecure: &[&str], means: Means) -> World {
    let world = World::with(5, TestClock::start(), insecure, means).await;
    world.install(component("hostile")).await;
    world.install(component("reference")).await;
    world
}

fn connection(plugin: &str, settings: Value) -> NewConnection {
    NewConnection {
        plugin: plugin.parse().unwrap(),
        name: "test".to_owned(),
        listing: None,
        settings,
        credentials: Credentials::from([("api-key".to_owned(), Secret::new(SECRET.to_owned()))]),
        granted_hosts: None,
        webhook_sources: None,
    }
}

/// Have the component do this, while another one works; what the caller is told, and the record of the call.
async fn misbehave(world: &World, settings: Value) -> (Result<Value, Problem>, CallRecord) {
    // A breaker that opened after traps is half-open by then.
    world.clock.advance_ms(120_000);
    let engine: &Engine = &world.engine;
    let (hostile, other) = tokio::join!(
        engine.connections.create_connection(&world.caller, connection("hostile", settings)),
        engine.connections.create_connection(&world.caller, connection("reference", json!({}))),
    );
    other.expect("another component works meanwhile");
    let calls = world.calls.0.lock().unwrap();
    let call =
        calls.iter().rev().find(|c| c.plugin.as_str() == "hostile" && c.operation == "connection.validate");
    (hostile.map(|c| c.account), call.expect("the call was recorded").clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_too_much_is_ended() {
    let world = world(&[]).await;
    for (settings, outcome, said) in [
        (json!({ "mode": "endless_loop" }), "exhausted", "cpu"),
        (json!({ "mode": "memory_bomb" }), "exhausted", "memory"),
        // This guest keeps its stack in its own memory and runs off its end there.
        (json!({ "mode": "deep_recursion" }), "trap", "recurse"),
        (json!({ "mode": "host_call_flood" }), "exhausted", "host calls"),
        // Processor time or calls, whichever is less: a question costs more than the loop around it.
        (json!({ "mode": "zone_flood" }), "exhausted", "used up its"),
        (json!({ "mode": "rule_flood" }), "exhausted", "used up its"),
        (json!({ "mode": "panic" }), "trap", ""),
        (json!({ "mode": "random_bomb", "count": 100_000_000 }), "trap", ""),
        (json!({ "mode": "exit" }), "trap", ""),
        (json!({ "mode": "invalid_raw" }), "trap", "raw"),
    ] {
        let (result, call) = misbehave(&world, settings.clone()).await;
        let problem = result.expect_err(&settings.to_string());
        assert_eq!(problem.code, Code::PluginFailed, "{settings}: {problem:?}");
        assert_eq!(call.outcome, outcome, "{settings}: {:?}", call.error);
        let error = call.error.unwrap_or_default();
        assert!(error.contains(said), "{settings}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_component_said_last_is_in_the_call_and_in_the_error() {
    let world = world(&[]).await;
    let (result, call) = misbehave(&world, json!({ "mode": "panic" })).await;
    let said = call.said.clone().expect("its last words");
    assert!(said.contains("panicked at"), "{said}");
    assert!(said.len() <= berth_model::limits::CALL_LOG_TAIL_BYTES_MAX + 64, "{} bytes", said.len());
    let problem = result.expect_err("it panicked");
    assert_eq!(problem.extra["said"], said, "{problem:?}");
    assert!(problem.extra["failure"].as_str().unwrap().contains("failed"), "{problem:?}");
    // The connection was not made, and its call is listed all the same: under the id that was tried.
    assert_eq!(problem.extra["tried"], call.connection.to_string());
    world.store.insert_calls(vec![call.clone()]).await.unwrap();
    let listed = world.engine.connections.connection_calls(&world.caller, call.connection, 10).await.unwrap();
    assert_eq!((listed.len(), &listed[0]["said"]), (1, &said.into()));
    let unknown = world
        .engine
        .connections
        .connection_calls(&world.caller, berth_model::id::Id::from_uuid(uuid::Uuid::from_u128(1)), 10)
        .await;
    assert_eq!(unknown.unwrap_err().code, Code::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_floods_is_cut_off_and_the_call_goes_on() {
    let world = world(&[]).await;
    for settings in [
        json!({ "mode": "nothing" }),
        json!({ "mode": "log_flood", "count": 1_000 }),
        json!({ "mode": "stdout_flood", "count": 1_000 }),
        json!({ "mode": "huge_state_value", "count": 100_000 }),
        json!({ "mode": "environment" }),
    ] {
        let (result, call) = misbehave(&world, settings.clone()).await;
        assert!(result.is_ok(), "{settings}: {result:?} {:?}", call.error);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_are_told_of_zones_and_ranges_that_are_some() {
    let world = world(&[]).await;
    let (result, call) = misbehave(&world, json!({ "mode": "zones", "count": 1_000_000 })).await;
    let told = format!("{:?} {:?}", result.unwrap_err(), call.error);
    let names = format!("1{}", " unknown-zone".repeat(6));
    let (_, ranges) = told.split_once(&names).unwrap_or_else(|| panic!("{told}"));
    let mut ranges = ranges.split_whitespace();
    assert!(
        ranges.next().and_then(|n| n.parse().ok()).is_some_and(|n: u32| (10..100).contains(&n)),
        "{told}"
    );
    assert_eq!(ranges.next().zip(ranges.next()), Some(("invalid-range", "invalid-range")), "{told}");
    assert!(ranges.next().is_some_and(|last| last.starts_with("invalid-range")), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_leaves_for_a_place_that_is_not_granted() {
    let world = world(&[]).await;
    for url in [
        "https://elsewhere.example/",
        "http://api.hostile.example/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://user:password@api.hostile.example/",
    ] {
        let (_, call) = misbehave(&world, json!({ "mode": "egress", "url": url })).await;
        for request in &call.egress {
            assert_ne!(request.outcome, "ok", "{url}: {request:?}");
            assert_eq!(request.status, None, "{url}: {request:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_echoed_credential_never_reaches_the_component() {
    let echo = berth_simulators::server::Server::start(
        0,
        axum::Router::new().fallback(|headers: axum::http::HeaderMap| async move {
            let all: Vec<String> =
                headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap_or("?"))).collect();
            json!({ "you_sent": all }).to_string()
        }),
    );
    let echo = echo.await.unwrap();
    let host = echo.url().trim_start_matches("http://").to_owned();
    let world = world(&[&host]).await;
    let settings = json!({ "mode": "echo_credentials", "url": echo.url(), "granted_url": echo.url() });
    let (result, call) = misbehave(&world, settings).await;
    let told = format!("{result:?} {call:?}");
    assert!(call.egress.iter().any(|r| r.status == Some(200)), "the request was answered: {call:?}");
    assert!(!told.contains(SECRET), "the credential came back: {told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_giant_result_ends_its_call() {
    let world = world(&[]).await;
    let settings = json!({ "mode": "giant_result", "count": 1_000_000 });
    let made = world
        .engine
        .connections
        .create_connection(&world.caller, connection("hostile", settings))
        .await
        .unwrap();
    let refused = world.engine.catalog.external_event_types(&world.caller, made.id, None).await;
    assert_eq!(refused.unwrap_err().code, Code::PluginFailed);
    // The next call works: nothing of the last one is left.
    let other = world
        .engine
        .connections
        .create_connection(&world.caller, connection("reference", json!({})))
        .await
        .unwrap();
    assert!(
        !world
            .engine
            .catalog
            .external_event_types(&world.caller, other.id, None)
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_smuggle_never_leave() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = seen.clone();
    let server = berth_simulators::server::Server::start(
        0,
        axum::Router::new().fallback(move |headers: axum::http::HeaderMap| async move {
            told.lock().unwrap().push(headers);
            "{}"
        }),
    );
    let server = server.await.unwrap();
    let host = server.url().trim_start_matches("http://").to_owned();
    let world = world(&[&host]).await;
    for (name, value) in [
        ("host", "metadata.internal"),
        ("transfer-encoding", "chunked"),
        ("content-length", "7"),
        ("connection", "upgrade"),
        ("authorization", "Bearer somebody-elses"),
        ("proxy-authorization", "Basic x"),
    ] {
        let headers = json!({ name: value });
        let settings =
            json!({ "mode": "egress", "url": server.url(), "granted_url": server.url(), "headers": headers });
        let _ = misbehave(&world, settings).await;
        for headers in seen.lock().unwrap().drain(..) {
            let arrived = headers.get(name).and_then(|v| v.to_str().ok());
            assert_ne!(arrived, Some(value), "{name} left the sandbox");
        }
    }
}

/// Waiting costs no processor time; the wall clock ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sleeps_is_woken_by_the_wall_clock() {
    let limits = RuntimeLimits { wall_ms: 400, ..RuntimeLimits::default() };
    let world = world_with(&[], Means { limits, ..Means::default() }).await;
    let (result, call) = misbehave(&world, json!({ "mode": "sleep", "count": 20_000 })).await;
    assert_eq!(result.unwrap_err().code, Code::PluginFailed);
    assert_eq!(call.outcome, "exhausted");
    assert!(call.error.unwrap_or_default().contains("wall time"));
}

/// A name server that changes its mind after the first question.
struct Rebinding(AtomicUsize);

impl Resolve for Rebinding {
    fn resolve<'a>(&'a self, _host: &'a str) -> Lookup<'a> {
        let first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
        let address: IpAddr = if first { "127.0.0.1" } else { "169.254.169.254" }.parse().unwrap();
        Box::pin(async move { Ok(vec![address]) })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_moves_to_a_forbidden_address_is_not_followed() {
    let server = berth_simulators::server::Server::start(0, axum::Router::new().fallback(|| async { "{}" }));
    let server = server.await.unwrap();
    let host = format!("rebinding.example:{}", server.address.port());
    let url = format!("http://{host}");
    let resolver = Arc::new(Rebinding(AtomicUsize::new(0)));
    let world = world_with(&[&host], Means { resolver: Some(resolver.clone()), ..Means::default() }).await;
    let settings = json!({ "mode": "egress", "url": url, "granted_url": url });
    let (_, call) = misbehave(&world, settings.clone()).await;
    assert_eq!(call.egress[0].status, Some(200), "it was the operator's own host at first: {call:?}");
    // What was checked is not asked again for a while, and then it is checked anew.
    let (_, call) = misbehave(&world, settings).await;
    assert_eq!((call.egress[0].outcome.as_str(), call.egress[0].status), ("address_prohibited", None));
    assert_eq!(resolver.0.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_is_no_component_is_refused_with_a_reason() {
    let world = World::new(5, TestClock::start(), &[]).await;
    for (bytes, said) in [
        (b"not wasm at all".to_vec(), ""),
        (wat::parse_str("(module)").unwrap(), "module"),
        (wat::parse_str("(component)").unwrap(), "manifest"),
        (vec![0; berth_model::limits::COMPONENT_BYTES_MAX + 1], "bytes"),
    ] {
        let problem = world.engine.plugins.install_plugin("test", "test", bytes).await.expect_err("refused");
        assert_eq!(problem.code, Code::PluginRefused);
        assert!(problem.detail.contains(said), "{said:?} is not in {problem:?}");
    }
}
