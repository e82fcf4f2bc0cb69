//! Loading a component: compiled anew, and from the cache of compiled code.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use berth_model::{
    boxed::BoxFuture,
    id::{ConnectionId, TenantId},
    outbound::provider::{ConnectionState, StateError},
    plugins::plugin::PluginHost,
    time::Clock,
};
use berth_runtime::{
    Compiler, Runtime, RuntimeLimits, RuntimeParts,
    egress::{Gate, GateConfig},
};
use berth_tests::{Calls, TestClock, component};

use crate::table::{Table, Times, ratio, time};

struct NoState;

impl ConnectionState for NoState {
    fn get<'a>(
        &'a self,
        _: TenantId,
        _: ConnectionId,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, StateError>> {
        Box::pin(async { Ok(None) })
    }
    fn set<'a>(
        &'a self,
        _: TenantId,
        _: ConnectionId,
        _: &'a str,
        _: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(async { Ok(()) })
    }
    fn delete<'a>(
        &'a self,
        _: TenantId,
        _: ConnectionId,
        _: &'a str,
    ) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(async { Ok(()) })
    }
}

fn runtime(cache: &std::path::Path) -> Runtime {
    let clock: Arc<dyn Clock> = TestClock::start();
    let mut gate = GateConfig::new(clock.clone());
    gate.insecure_hosts = BTreeSet::new();
    Runtime::new(RuntimeParts {
        clock,
        state: Arc::new(NoState),
        calls: Arc::new(Calls::default()),
        gate: Gate::new(gate).expect("a gate"),
        compiler: Compiler::Here,
        aot_dir: Some(cache.to_owned()),
        aot_key: [5; 32],
        limits: RuntimeLimits::default(),
    })
    .expect("a runtime")
}

/// Measure.
pub async fn run(table: &mut Table) {
    table.section("loading a component");
    for name in ["calcom", "reference"] {
        let bytes = component(name);
        let folder = tempfile::tempdir().expect("a folder");
        let started = Instant::now();
        runtime(folder.path()).load(bytes.clone()).await.expect("loads");
        let cold = started.elapsed();
        let mut times = Vec::new();
        for _ in 0..10 {
            // A new runtime each time: nothing but the files is warm.
            let runtime = runtime(folder.path());
            let started = Instant::now();
            runtime.load(bytes.clone()).await.expect("loads");
            times.push(started.elapsed());
        }
        let warm = Times::new(times).median();
        table.row(
            &format!("{name} ({} kB), from the cache of compiled code", bytes.len() / 1_024),
            &time(warm),
            &format!("1/{:.0} of compiling it ({})", ratio(cold, warm), time(cold)),
            "",
        );
    }
}
