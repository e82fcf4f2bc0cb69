//! The two commands, and what CI does: `cargo xtask demo`, `cargo xtask test`, `cargo xtask ci`.
//!
//! Everything that a fresh machine lacks is set up here, said aloud, and done once.
#![forbid(unsafe_code)]

mod advisories;
mod bench;
mod ci;
mod components;
mod demo;
mod javascript;
mod postgres;
mod python;
mod run;
mod soak;
mod summary;
mod target;
mod test;
mod world;

use std::process::ExitCode;

const HELP: &str = "\
Berth's build tasks

    cargo xtask demo [-- ARGS]     set up, build, start Berth on SQLite with a demo tenant and a provider simulator
    cargo xtask test [FILTER]      set up, build and run every test, PostgreSQL included; ends with one summary line
    cargo xtask bench [NAME …]     measure: calls, loading, program, commits, scheduling, availability, providers, spine (release build)
    cargo xtask soak NAME          run a trial of the suites again and again with other seeds, for an hour
    cargo xtask components         build the provider components into target/components
    cargo xtask ci                 formatting, lints, documentation, dependency policy, then `test`

Options of test: --no-postgres (skip the PostgreSQL half; it is said).
More of one task: cargo xtask TASK --help
";

/// What each task does, for whoever asks before it begins to build.
const TASKS: &[(&str, &str)] = &[
    (
        "demo",
        "cargo xtask demo [-- ARGS]

Builds the provider components, berth and the provider simulator (minutes the first time, then seconds), sets a demo tenant up on SQLite
and serves. Prints a line with an API key to paste, and lines to try. ARGS go to `berth demo`:

    --once                     set up, print, and stop instead of serving
    --config FILE              another configuration than berth.toml

In the environment: BERTH_LISTEN (where to serve), BERTH_DATA_DIR (where the database is).
",
    ),
    (
        "test",
        "cargo xtask test [FILTER] [--no-postgres]

Builds everything and runs every test, or those whose name contains FILTER. PostgreSQL is started if it is installed (or taken from
BERTH_TEST_PG_URL); --no-postgres leaves that half out. Cargo.lock is held against a copy of the RustSec database of advisories, if
BERTH_ADVISORIES names one. Ends with one summary line; all output is in target/test.log.
",
    ),
    (
        "bench",
        "cargo xtask bench [NAME …]

Builds in release mode (minutes the first time) and measures: calls, loading, program, commits, scheduling, availability, providers, spine;
or the named ones. See tests/bench/README.md.
",
    ),
    (
        "soak",
        "cargo xtask soak NAME [MINUTES]

Runs a trial of the suites (tests/soak.txt names them) again and again with another seed each time, and with more operations, for
MINUTES (60 if not said). Stops at the first failure, with the seed that brings it back.
",
    ),
    (
        "components",
        "cargo xtask components

Builds the provider components into target/components.
",
    ),
    (
        "ci",
        "cargo xtask ci

Formatting, lints, documentation, dependency policy, then every test as `cargo xtask test`, with a copy of the RustSec database of
advisories that is downloaded, if that can be done, or that BERTH_ADVISORIES names.
",
    ),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let task = args.first().map(String::as_str);
    let help = TASKS.iter().find(|(name, _)| Some(*name) == task).map(|(_, help)| *help);
    let result = match task {
        Some(_) if help.is_some() && rest.iter().any(|arg| matches!(*arg, "--help" | "-h")) => {
            println!("{}", help.unwrap_or_default());
            Ok(())
        }
        Some("demo") => demo::demo(&rest),
        Some("test") => test::test(&rest),
        Some("bench") => bench::bench(&rest),
        Some("soak") => soak::soak(&rest),
        Some("components") => components::build().and_then(|folder| javascript::build(&folder)),
        Some("ci") => ci::ci(),
        Some("help" | "--help" | "-h") | None => {
            println!("{HELP}");
            Ok(())
        }
        Some(other) => Err(format!("there is no task {other:?}\n\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(advice) => {
            eprintln!("\nxtask: {advice}");
            ExitCode::FAILURE
        }
    }
}
