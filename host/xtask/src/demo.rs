//! Command one: everything set up and running.

use crate::{
    components,
    run::{Advice, cargo, root, step, target_dir},
};

/// Build what is needed and run `berth demo`.
pub(crate) fn demo(args: &[&str]) -> Result<(), Advice> {
    let components = components::build()?;
    step(
        "build berth and the provider simulator (the first time takes some minutes)",
        &mut cargo(&["build", "--package", "berth-server", "--package", "berth-simulators", "--bins"]),
    )?;
    let built = target_dir().join("debug");
    let mut command = std::process::Command::new(built.join("berth"));
    command
        .arg("demo")
        .arg("--components")
        .arg(components)
        .arg("--seed")
        .arg(root().join("tests/providers/demo.toml"))
        .arg("--simulator")
        .arg(built.join("berth-simulator"))
        .args(args.strip_prefix(&["--"]).unwrap_or(args))
        .current_dir(root());
    step("start berth", &mut command)
}
