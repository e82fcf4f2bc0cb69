//! Benchmarks: everything in release mode, on SQLite and a private PostgreSQL.

use crate::{
    components,
    postgres::Postgres,
    run::{Advice, cargo, step, target_dir},
};

/// Build and run the benchmarks, all or the named ones.
pub(crate) fn bench(names: &[&str]) -> Result<(), Advice> {
    let components = components::build()?;
    step(
        "build the programs in release mode (minutes, the first time)",
        &mut cargo(&[
            "build",
            "--release",
            "--package",
            "berth-server",
            "--package",
            "berth-bench",
            "--bins",
        ]),
    )?;
    let postgres = match std::env::var("BERTH_TEST_PG_URL") {
        Ok(url) => Ok((None, url)),
        // As durable as it is by itself: that is what bookings are measured with.
        Err(_) => Postgres::start_with("").map(|server| {
            let url = server.url.clone();
            (Some(server), url)
        }),
    };
    let mut command = std::process::Command::new(target_dir().join("release/berth-bench"));
    command
        .args(names)
        .env("BERTH_COMPONENTS", components)
        .env("BERTH_BINARIES", target_dir().join("release"));
    match &postgres {
        Ok((_, url)) => {
            command.env("BERTH_TEST_PG_URL", url);
        }
        Err(reason) => println!("\nSKIPPED: the PostgreSQL half of the benchmarks: {reason}\n"),
    }
    let status = command.status().map_err(|error| format!("the benchmarks did not start: {error}"))?;
    drop(postgres);
    if status.success() { Ok(()) } else { Err("a benchmark failed; see above".to_owned()) }
}
