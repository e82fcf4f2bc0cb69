//! `berth plugin check`: the conformance suite, for authors. No server, no database.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use berth_conformance::{Bench, Options, Provider, Recording, SetClock, Setup};
use berth_model::{
    plugins::conformance::{CaseReport, Report, Verdict},
    time::Instant,
};
use berth_runtime::Compiler;
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;

use crate::{
    cli::{CliError, output},
    ports::MachineClock,
};

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(100);
/// Environment variables that hold credentials begin so.
const CREDENTIAL: &str = "BERTH_CHECK_";

#[derive(Debug, Args)]
#[command(
    after_help = "Without a recording and without --live only the cases that need no provider are run; they are run at every
installation as well. The exit code is 1 if a case failed. What each case shows: plugins/README.md.

Examples:
  berth plugin check acme.wasm                                      what needs no provider
  berth plugin check acme.wasm --setup plugins/acme                 with conformance.toml and conformance.json from there
  berth plugin check acme.wasm --setup plugins/acme --live --record plugins/acme/conformance.json
  BERTH_CHECK_API_KEY=… berth plugin check acme.wasm --setup plugins/acme --live --case C112
  berth plugin check acme.wasm --json | jq '.cases[] | select(.verdict == \"fail\")'"
)]
pub(super) struct Check {
    /// The component (*.wasm).
    file: PathBuf,
    /// What is particular to the provider: conformance.toml, or the folder that has it (and conformance.json).
    #[arg(long, value_name = "PATH")]
    setup: Option<PathBuf>,
    /// Play this recording (default: conformance.json in the folder of --setup).
    #[arg(long, value_name = "FILE", conflicts_with = "live")]
    replay: Option<PathBuf>,
    /// Ask the real provider, or a simulator, as [live] of the set-up says. Bookings are made there.
    #[arg(long, requires = "setup")]
    live: bool,
    /// Write the exchanges of a live run to this file. No credential is in it.
    #[arg(long, value_name = "FILE", requires = "live")]
    record: Option<PathBuf>,
    /// Only this case; may be repeated.
    #[arg(long, value_name = "ID")]
    case: Vec<String>,
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|error| CliError::Other(format!("{}: {error}", path.display())))
}

fn setup(path: &Path) -> Result<Setup, CliError> {
    let file = if path.is_dir() { path.join("conformance.toml") } else { path.to_owned() };
    let wrong = |error: String| CliError::Other(format!("{}: {error}", file.display()));
    let text = String::from_utf8(read(&file)?).map_err(|error| wrong(error.to_string()))?;
    let mut setup = Setup::parse(&text).map_err(|error| wrong(error.to_string()))?;
    for (name, value) in std::env::vars() {
        if let Some(name) = name.strip_prefix(CREDENTIAL) {
            setup.live.credentials.insert(name.to_ascii_lowercase().replace('_', "-"), value);
        }
    }
    Ok(setup)
}

fn provider(check: &Check) -> Result<Provider, CliError> {
    if check.live {
        return Ok(Provider::Live);
    }
    let beside = check.setup.as_ref().filter(|path| path.is_dir()).map(|dir| dir.join("conformance.json"));
    let Some(file) = check.replay.clone().or(beside.filter(|file| file.is_file())) else {
        return Ok(Provider::Nobody);
    };
    let recording: Recording = serde_json::from_slice(&read(&file)?)
        .map_err(|error| CliError::Other(format!("{} is no recording: {error}", file.display())))?;
    Ok(Provider::Recording(Arc::new(recording)))
}

/// The whole second: what is recorded shall be readable.
fn now() -> Instant {
    use berth_model::time::Clock as _;
    Instant::from_seconds(MachineClock.now().micros().div_euclid(1_000_000))
}

pub(super) async fn check(json: bool, check: Check) -> Result<(), CliError> {
    let bytes = read(&check.file)?;
    let options = Options {
        setup: check.setup.as_deref().map(setup).transpose()?.unwrap_or_default(),
        provider: provider(&check)?,
        only: check.case.iter().map(|id| id.to_ascii_uppercase()).collect(),
        clock: Arc::new(SetClock::new(now())),
    };
    // Seen on a terminal only.
    let progress = ProgressBar::new_spinner().with_message("compiling");
    progress.enable_steady_tick(TICK);
    let told = |case: &CaseReport| progress.set_message(format!("{} {}", case.id, case.title));
    let checked =
        berth_conformance::check(Bench::Alone(Compiler::this_program()), bytes, options, told).await;
    progress.finish_and_clear();
    let checked = checked.map_err(|error| CliError::Other(error.to_string()))?;
    if let Some(file) = &check.record {
        let text = serde_json::to_string_pretty(&checked.recording).unwrap_or_default();
        std::fs::write(file, format!("{text}\n"))
            .map_err(|error| CliError::Other(format!("{}: {error}", file.display())))?;
    }
    show(json, &checked.report);
    let failed: Vec<&str> = checked.report.failures().map(|case| case.id.as_str()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(CliError::Other(format!("{} failed", failed.join(", "))))
}

fn show(json: bool, report: &Report) {
    if json {
        output::line(&format!("{:#}", json!(report)));
        return;
    }
    let rows: Vec<_> = report
        .cases
        .iter()
        .map(|case| {
            vec![
                ("case", json!(case.id)),
                ("verdict", json!(case.verdict.as_str())),
                ("shows_that_it", json!(case.title)),
                ("detail", json!(case.detail)),
            ]
        })
        .collect();
    output::rows(false, &rows);
    output::line(&format!(
        "conformance suite {}: {} passed, {} failed, {} not applicable, {} inconclusive",
        report.suite,
        report.count(Verdict::Pass),
        report.count(Verdict::Fail),
        report.count(Verdict::NotApplicable),
        report.count(Verdict::Inconclusive)
    ));
}
