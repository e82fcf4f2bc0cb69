//! The cost of the sandbox: a call with 2 kB of JSON, against the same function natively and behind a loopback HTTP hop.

use std::time::{Duration, Instant};

use axum::{Router, routing::post};
use berth_model::outbound::provider::Providers;
use berth_tests::{TestClock, World, component};
use serde_json::{Value, json};

use crate::{
    context::context,
    sleepers,
    table::{Table, Times, best_of, ratio, time},
};

const CALLS: usize = 4_000;
const WARM_UP: usize = 400;
const THROUGHPUT_SECONDS: u64 = 3;

/// About 2 kB of what a provider answers.
fn document() -> String {
    let slots: Vec<Value> = (0..40)
        .map(|i| json!({ "start": format!("2026-11-23T{:02}:{:02}:00Z", 9 + i / 4, (i % 4) * 15), "seats": i }))
        .collect();
    json!({ "data": { "slots": slots } }).to_string()
}

/// The function: the entries of all arrays.
fn entries(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len() + items.iter().map(entries).sum::<usize>(),
        Value::Object(fields) => fields.values().map(entries).sum(),
        _ => 0,
    }
}

fn count(text: &str) -> usize {
    serde_json::from_str(text).map_or(0, |value: Value| entries(&value))
}

/// A sidecar: a server of its own thread and runtime that does the function behind HTTP.
fn sidecar() -> String {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            tell.send(format!("http://{}/", listener.local_addr().expect("an address"))).expect("told");
            let app = Router::new().route("/", post(|body: String| async move { count(&body).to_string() }));
            // Ends with the process.
            axum::serve(listener, app).await.expect("served");
        });
    });
    told.recv().expect("started")
}

/// Measure.
pub async fn run(table: &mut Table) {
    table.section("a sandboxed call with 2 kB of JSON (one task)");
    let world = World::new(1, TestClock::start(), &[]).await;
    world.install(component("reference")).await;
    let runtime = world.runtime.clone();
    let text = document();
    let url = format!("https://reference.example/count#{text}");
    let expected = u32::try_from(count(&text)).expect("small");
    let cx = context(1);
    let mut times = Vec::with_capacity(CALLS);
    for i in 0..WARM_UP + CALLS {
        let url = url.clone();
        let started = Instant::now();
        let answer = runtime.resolve_link(&cx, url).await.expect("an answer");
        if i >= WARM_UP {
            times.push(started.elapsed());
        }
        assert_eq!(answer.seats, expected);
    }
    let call = Times::new(times);

    let native = best_of(20, 500, || count(&text));

    let sidecar = sidecar();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut times = Vec::with_capacity(CALLS);
    for i in 0..WARM_UP + CALLS {
        let started = Instant::now();
        let answer = client.post(&sidecar).body(text.clone()).send().await.expect("an answer");
        let answer = answer.text().await.expect("a body");
        if i >= WARM_UP {
            times.push(started.elapsed());
        }
        assert_eq!(answer, expected.to_string());
    }
    let hop = Times::new(times);
    let share = ratio(call.median(), hop.median());
    table.row(
        "whole call path, median (p99)",
        &format!("{} ({})", time(call.median()), time(call.percentile(99))),
        &format!("{share:.2} of a sidecar hop ({})", time(hop.median())),
        "<= 40 µs, <= 0.33 of the hop",
    );
    table.row(
        "  the same function natively",
        &time(native),
        &format!("the call is {:.1} times that", ratio(call.median(), native)),
        "",
    );

    let tasks = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let until = Instant::now() + Duration::from_secs(THROUGHPUT_SECONDS);
    let started = Instant::now();
    let workers = (0..tasks * 2).map(|n| {
        let (runtime, url) = (runtime.clone(), url.clone());
        tokio::spawn(async move {
            let cx = context(100 + n as u128);
            let mut done = 0_u64;
            while Instant::now() < until {
                runtime.resolve_link(&cx, url.clone()).await.expect("an answer");
                done += 1;
            }
            done
        })
    });
    let mut done = 0;
    for worker in workers.collect::<Vec<_>>() {
        done += worker.await.expect("finished");
    }
    let per_second = done as f64 / started.elapsed().as_secs_f64();
    let one = 1.0 / call.median().as_secs_f64();
    table.row(
        &format!("calls per second, {tasks} cores"),
        &format!("{per_second:.0}"),
        &format!("{:.2} times one task's", per_second / one),
        "",
    );
    sleepers::run(table, &world, &url).await;
}
