//! Command two: every test, with one summary line at the end.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::Stdio,
    time::Instant,
};

use crate::{
    run::{Advice, cargo, step, target_dir},
    summary::Summary,
    world::World,
};

/// Run every test.
pub(crate) fn test(args: &[&str]) -> Result<(), Advice> {
    test_with(args, &[])
}

/// Run every test, with more that tests may ask for in their environment.
pub(crate) fn test_with(args: &[&str], more: &[(&str, &Path)]) -> Result<(), Advice> {
    if let Some(unknown) = args.iter().find(|arg| arg.starts_with('-') && **arg != "--no-postgres") {
        return Err(format!("test has no option {unknown}; see cargo xtask test --help"));
    }
    let started = Instant::now();
    let mut summary = Summary::default();
    let world = World::prepare(!args.contains(&"--no-postgres"))?;
    summary.skipped.clone_from(&world.skipped);
    step("build the tests", &mut cargo(&["test", "--workspace", "--no-run", "--quiet"]))?;

    println!("==> run the tests (all output: target/test.log)");
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
    command.args(args.iter().filter(|a| !a.starts_with("--")));
    command.envs(world.environment.iter().map(|(name, value)| (name, value)));
    command.envs(more.iter().copied());
    let ok = run(&mut command, &mut summary)?;
    drop(world);

    for said in &summary.skipped {
        println!("{said}");
    }
    for name in &summary.failures {
        println!("FAILED: {name}");
    }
    println!(
        "berth tests: {} passed, {} failed, {} ignored, {} skipped, in {:.0} s",
        summary.passed,
        summary.failed,
        summary.ignored,
        summary.skipped.len(),
        started.elapsed().as_secs_f32()
    );
    if !ok || summary.failed > 0 {
        return Err("some tests failed; see target/test.log".to_owned());
    }
    if summary.passed == 0 && args.is_empty() {
        return Err("no test ran".to_owned());
    }
    Ok(())
}

/// Show the lines that matter, keep all of them, count.
fn run(command: &mut std::process::Command, summary: &mut Summary) -> Result<bool, Advice> {
    let path = target_dir().join("test.log");
    let mut log = fs::File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let errors = log.try_clone().map_err(|error| error.to_string())?;
    // Skips are said on standard output by tests that pass, which the harness hides unless told not to.
    let mut child = command
        .args(["--", "--nocapture"])
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = writeln!(log, "{line}");
            summary.line(&line);
            if line.starts_with("test result:") || line.contains("FAILED") || line.contains("SKIPPED") {
                println!("    {line}");
            }
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    Ok(status.success())
}
