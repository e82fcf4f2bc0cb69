//! Running commands, with a line that says what and how long.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

/// What went wrong and what to do about it, for the person at the terminal.
pub(crate) type Advice = String;

/// The top of the work tree.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map_or_else(|| here.clone(), PathBuf::from)
}

/// Where cargo builds.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// `cargo` of the toolchain that runs us, in the work tree.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.args(args).current_dir(root());
    command
}

/// Say what is done, do it with its output shown, and say how long it took.
pub(crate) fn step(what: &str, command: &mut Command) -> Result<(), Advice> {
    println!("==> {what}");
    let started = Instant::now();
    let status =
        command.status().map_err(|error| format!("{what}: {} did not start: {error}", name(command)))?;
    if status.success() {
        println!("    done in {:.0} s", started.elapsed().as_secs_f32());
        Ok(())
    } else {
        Err(format!("{what} failed ({status}); its output is above"))
    }
}

/// The standard output of a command that succeeds.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}
