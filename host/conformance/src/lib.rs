//! The conformance suite: does a component keep the contract, whatever language it is written in?
//!
//! A case calls the component as the product does (a fresh sandbox, the egress gate, credentials attached by the host) and
//! looks at what comes back. The provider behind the gate is simulated by nobody (answers are made up), a recording, or
//! the live service; faults are put in between. So most cases know nothing of the provider, and what is particular to it
//! stands in a small set-up file ([`Setup`]).
#![forbid(unsafe_code)]

mod cases;
mod finding;
mod recording;
mod setup;
mod simulated_provider;
mod subject;

use std::sync::Arc;

use berth_model::{
    plugins::{
        conformance::{CaseReport, Report, SUITE, Verdict},
        plugin::{LoadRefused, PluginHost},
    },
    time::{Clock, Instant},
};
use berth_runtime::{
    Compiler, Runtime, RuntimeError,
    egress::{Gate, GateConfig, GateError},
};

pub use recording::{Exchange, Recording};
pub use setup::{ClockChange, Live, Setup, SetupError, Webhook};
pub use subject::{Memory, SetClock};

use cases::{CASES, Case};
use finding::Finding;
use simulated_provider::SimulatedProvider;
use subject::{Book, Subject};

/// Who plays the provider.
#[derive(Debug, Clone, Default)]
pub enum Provider {
    /// Nobody: only cases that need none.
    #[default]
    Nobody,
    /// A recording.
    Recording(Arc<Recording>),
    /// The real one, or a simulator, as the set-up's `live` says.
    Live,
}

/// What is checked, and against what.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What is particular to the provider.
    pub setup: Setup,
    /// Who plays it.
    pub provider: Provider,
    /// Only these cases; empty for all.
    pub only: Vec<String>,
    /// What the component's clock shows. A recording brings its own time; a simulator may read this clock.
    pub clock: Arc<SetClock>,
}

/// Why nothing could be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The component cannot be loaded at all.
    #[error(transparent)]
    Refused(#[from] LoadRefused),
    /// The set-up does not fit the component.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The hosts of the set-up cannot be used.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// No engine on this machine.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A case was named that is none.
    #[error("there is no case {0}; the last is {last}", last = CASES.last().map_or("", |case| case.id))]
    NoSuchCase(String),
}

/// What was found, and the exchanges with a live provider.
#[derive(Debug, Clone)]
pub struct Checked {
    /// A verdict for each case.
    pub report: Report,
    /// Empty unless the provider was live.
    pub recording: Recording,
}

/// Every case: id, title, and the rule it shows. For the documentation.
pub fn catalogue() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    CASES.iter().map(|case| (case.id, case.title, case.rule))
}

/// Where a component is tried.
#[derive(Clone)]
pub enum Bench<'a> {
    /// Beside this runtime, which lends its engine and its compiled components.
    Beside(&'a Runtime),
    /// In a runtime of its own, compiled by this.
    Alone(Compiler),
}

/// Check a component. `progress` is told of each case as it ends.
pub async fn check(
    bench: Bench<'_>,
    bytes: Vec<u8>,
    options: Options,
    mut progress: impl FnMut(&CaseReport) + Send,
) -> Result<Checked, CheckError> {
    if let Some(unknown) = options.only.iter().find(|id| CASES.iter().all(|case| case.id != **id)) {
        return Err(CheckError::NoSuchCase(unknown.clone()));
    }
    let now = match &options.provider {
        Provider::Recording(recording) => recording.now,
        Provider::Nobody | Provider::Live => options.clock.now(),
    };
    let clock = Arc::clone(&options.clock);
    let simulated = Arc::new(SimulatedProvider::new(&options.provider, options.setup.questions.clone(), now));
    let book = Arc::new(Book::default());
    let mut gate = GateConfig::new(Arc::clone(&clock) as Arc<dyn Clock>);
    gate.insecure_hosts = options.setup.insecure_hosts(&options.provider);
    gate.interceptor = Some(Arc::clone(&simulated) as _);
    let runtime = subject::runtime(
        bench,
        berth_runtime::TrialPorts {
            clock: Arc::clone(&clock) as _,
            state: Arc::new(Memory::default()) as _,
            calls: Arc::clone(&book) as _,
            gate: Gate::new(gate)?,
        },
    )?;
    let loaded = runtime.load(bytes).await?;
    runtime.activate(&loaded.manifest.id, &loaded.digest);
    let subject = Subject::new(runtime, loaded, &options, clock, simulated, book)?;
    let mut cases = Vec::new();
    for (number, case) in (0_u32..).zip(CASES) {
        if !options.only.is_empty() && options.only.iter().all(|id| *id != case.id) {
            continue;
        }
        let report = one(case, number, &subject, now).await;
        progress(&report);
        cases.push(report);
    }
    let report = Report { suite: SUITE.to_owned(), cases };
    Ok(Checked { report, recording: subject.simulated.recorded() })
}

async fn one(case: &Case, number: u32, subject: &Subject, now: Instant) -> CaseReport {
    subject.enter(case.id, number, now);
    let finding = if case.needs_provider && subject.has_no_provider() {
        Finding::not_applicable("nobody plays the provider; see berth plugin check --help")
    } else {
        (case.run)(subject).await
    };
    // What had no recorded answer explains everything else.
    let finding = match subject.simulated.missing() {
        Some(request) if finding.verdict != Verdict::NotApplicable => {
            Finding::inconclusive(format!("nothing is recorded for {request}"))
        }
        _ => finding,
    };
    CaseReport {
        id: case.id.to_owned(),
        title: case.title.to_owned(),
        verdict: finding.verdict,
        detail: finding.detail,
    }
}
