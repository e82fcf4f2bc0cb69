//! Running the suite.

use std::{collections::BTreeSet, sync::Arc};

use berth_conformance::{Bench, Checked, Live, Memory, Options, Provider, Recording, SetClock, Setup};
use berth_model::{
    plugins::conformance::Verdict,
    time::{Clock as _, Instant},
};
use berth_runtime::{
    Compiler, Runtime, RuntimeLimits, RuntimeParts,
    egress::{Gate, GateConfig},
};

/// Wednesday.
pub fn now() -> Instant {
    "2030-01-02T09:00:00Z".parse().unwrap()
}

/// The suite's clock, and a simulator's that shows the same.
pub fn clocks() -> (Arc<SetClock>, berth_simulators::Clock) {
    let clock = Arc::new(SetClock::new(now()));
    let same = Arc::clone(&clock);
    (clock, Arc::new(move || same.now().micros()))
}

pub fn setup(plugin: &str) -> Setup {
    let path = format!("{}/../plugins/{plugin}/conformance.toml", env!("CARGO_MANIFEST_DIR"));
    Setup::parse(&std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))).unwrap()
}

/// The recording beside a plugin.
pub fn recording(plugin: &str) -> Recording {
    let path = format!("{}/../plugins/{plugin}/conformance.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))).unwrap()
}

/// The set-up, but at this address and with this credential.
pub fn live(mut setup: Setup, url: &str, credential: &str, value: &str) -> Setup {
    let host = url.trim_start_matches("http://").to_owned();
    setup.live = Live {
        settings: [("base_url".to_owned(), url.into())].into_iter().collect(),
        credentials: [(credential.to_owned(), value.to_owned())].into_iter().collect(),
        insecure_hosts: BTreeSet::from([host]),
    };
    setup
}

/// A runtime that compiles each component once for all suites.
pub fn host() -> Runtime {
    let clock: Arc<SetClock> = Arc::new(SetClock::new(now()));
    Runtime::new(RuntimeParts {
        clock: clock.clone(),
        state: Arc::new(Memory::default()),
        calls: Arc::new(berth_tests::Calls::default()),
        gate: Gate::new(GateConfig::new(clock)).unwrap(),
        compiler: Compiler::Here,
        aot_dir: Some(std::env::temp_dir().join("berth-test-compiled")),
        aot_key: [9; 32],
        limits: RuntimeLimits::default(),
    })
    .unwrap()
}

pub async fn check(component: &str, setup: Setup, provider: Provider, clock: Arc<SetClock>) -> Checked {
    let options = Options { setup, provider, only: Vec::new(), clock };
    berth_conformance::check(Bench::Beside(&host()), berth_tests::component(component), options, |_| {})
        .await
        .unwrap()
}

/// Nothing failed and nothing was left open; at least so many cases passed.
pub fn conforms(checked: &Checked, passes: usize) {
    let open: Vec<_> = checked
        .report
        .cases
        .iter()
        .filter(|case| matches!(case.verdict, Verdict::Fail | Verdict::Inconclusive))
        .map(|case| format!("{} {}: {} {}", case.id, case.title, case.verdict, case.detail))
        .collect();
    assert!(open.is_empty(), "{}", open.join("\n"));
    let passed = checked.report.count(Verdict::Pass);
    assert!(passed >= passes, "only {passed} cases passed");
}
