//! `berth`: the booking engine.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    berth_server::cli::main()
}
