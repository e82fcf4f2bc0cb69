//! The two commands, and what CI does: `cargo xtask demo`, `cargo xtask test`, `cargo xtask ci`.
//!
//! Everything that a fresh machine lacks is set up here, said aloud, and done once.
#![forbid(unsafe_code)]

mod bench;
mod ci;
mod components;
mod demo;
mod javascript;
mod postgres;
mod python;
mod run;
mod summary;
mod target;
mod test;

use std::process::ExitCode;

const HELP: &str = "\
Berth's build tasks

    cargo xtask demo [-- ARGS]     set up, build, start Berth on SQLite with a demo tenant and a provider simulator
    cargo xtask test [FILTER]      set up, build and run every test, PostgreSQL included; ends with one summary line
    cargo xtask bench [NAME …]     measure: calls, loading, program, commits, scheduling, availability, providers (release build)
    cargo xtask components         build the provider components into target/components
    cargo xtask ci                 formatting, lints, documentation, dependency policy, then `test`

Options of test: --no-postgres (skip the PostgreSQL half; it is said).
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let result = match args.first().map(String::as_str) {
        Some("demo") => demo::demo(&rest),
        Some("test") => test::test(&rest),
        Some("bench") => bench::bench(&rest),
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
