//! A tenant's call while calls of other tenants wait for providers that do not answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use berth_model::{
    limits,
    outbound::provider::{CallContext, Providers},
};
use berth_tests::{World, component};
use serde_json::json;

use crate::{
    context::context,
    table::{Table, Times, ratio, time},
};

const CALLS: usize = 400;
/// Calls of one tenant that may run at once, of those that nobody waits for.
const EACH: u128 = limits::CALLS_BACKGROUND_PER_TENANT_MAX as u128;

/// Measure, with a function of the component that serves already.
pub async fn run(table: &mut Table, world: &World, url: &str) {
    world.install(component("hostile")).await;
    let alone = Times::new(calls(world, url).await);
    for sleeping in [73_u128, 200] {
        let sleepers: Vec<_> = (0..sleeping)
            .map(|n| {
                let runtime = world.runtime.clone();
                tokio::spawn(async move {
                    let cx = CallContext {
                        plugin: "hostile".parse().expect("an id"),
                        settings: Arc::new(json!({ "mode": "sleep", "count": 60_000 })),
                        ..context(10_000 + n / EACH)
                    };
                    // Ends by the wall time of a call, or when it is aborted.
                    let _ = runtime.validate(&cx).await;
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let beside = Times::new(calls(world, url).await);
        let still = sleepers.iter().filter(|sleeper| !sleeper.is_finished()).count();
        for sleeper in sleepers {
            sleeper.abort();
        }
        table.row(
            &format!("a call beside {still} sleeping calls of other tenants, median (p99)"),
            &format!("{} ({})", time(beside.median()), time(beside.percentile(99))),
            &format!("{:.2} of one alone ({})", ratio(beside.median(), alone.median()), time(alone.median())),
            "",
        );
    }
}

async fn calls(world: &World, url: &str) -> Vec<Duration> {
    let cx = context(1);
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let started = Instant::now();
        world.runtime.resolve_link(&cx, url.to_owned()).await.expect("an answer");
        times.push(started.elapsed());
    }
    times
}
