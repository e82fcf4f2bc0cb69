//! What CI does: the checks that need no running, then command two. What changes without us, such as which advisories there are, is asked
//! here alone: command two says the same of the same sources every day.

use std::process::Command;

use crate::{
    advisories,
    run::{Advice, cargo, output, step},
    target::{self, TARGET},
    test,
};

/// Formatting, lints, documentation, dependency policy, tests.
pub(crate) fn ci() -> Result<(), Advice> {
    step("formatting", &mut cargo(&["fmt", "--all", "--check"]))?;
    step(
        "lints",
        &mut cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    )?;
    target::ensure()?;
    let mut guests = cargo(&["clippy", "--quiet", "--target", TARGET, "--package", "berth-sdk"]);
    guests.args(["--", "-D", "warnings"]);
    step("lints of the guest side", &mut guests)?;
    let mut docs = cargo(&["doc", "--quiet", "--no-deps", "--workspace"]);
    step("documentation", docs.env("RUSTDOCFLAGS", "-D warnings"))?;
    if output(Command::new("cargo").args(["deny", "--version"])).is_some() {
        step(
            "dependency policy",
            &mut cargo(&["deny", "--config", "host/deny.toml", "check", "bans", "licenses", "sources"]),
        )?;
    } else {
        println!("SKIPPED: the dependency policy (host/deny.toml): cargo-deny is not installed");
    }
    match advisories::database() {
        Ok(folder) => test::test_with(&[], &[("BERTH_ADVISORIES", &folder)]),
        Err(reason) => {
            println!("SKIPPED: advisories of what is in Cargo.lock: {reason}");
            test::test(&[])
        }
    }
}
