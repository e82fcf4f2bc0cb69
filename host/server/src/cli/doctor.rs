//! `berth doctor`: what is wrong with this set-up, and how to mend it.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{CliError, Context, output};
use crate::wiring;

/// A check: its name, whether it is good, and what was found or what to do.
type Check = (&'static str, bool, String);

pub(super) async fn doctor(context: &Context) -> Result<ExitCode, CliError> {
    let config = &context.config;
    let mut checks: Vec<Check> = vec![("configuration", true, "read".to_owned())];
    match config.make_data_dir() {
        Ok(()) => checks.push(("data folder", true, config.data_dir.display().to_string())),
        Err(error) => checks.push(("data folder", false, error.to_string())),
    }
    match tokio::net::TcpListener::bind(config.listen).await {
        Ok(_) => checks.push(("address", true, config.listen.to_string())),
        Err(error) => checks.push((
            "address",
            false,
            format!("{}: {error}; another server? set BERTH_LISTEN", config.listen),
        )),
    }
    if config.public_url.is_empty() {
        checks.push(("public address", true, "none: providers cannot send webhooks (public-url)".to_owned()));
    } else {
        checks.push(("public address", config.public_url.starts_with("https://"), config.public_url.clone()));
    }
    match wiring::open_store(config).await {
        Err(error) => checks.push(("database", false, error.to_string())),
        Ok(store) => {
            match store.pending_migrations().await {
                Ok(pending) if pending.is_empty() => {
                    checks.push(("database", true, format!("{}, schema up to date", store.engine())));
                }
                Ok(pending) => checks.push((
                    "database",
                    false,
                    format!("{}: run `berth migrate` ({})", store.engine(), pending.join(", ")),
                )),
                Err(error) => checks.push(("database", false, error.to_string())),
            }
            if checks.iter().all(|(_, good, _)| *good) {
                match store.prepare_all().await {
                    Ok(refused) if refused.is_empty() => {
                        checks.push(("statements", true, "all understood by the database".to_owned()));
                    }
                    Ok(refused) => checks.push(("statements", false, refused.join("; "))),
                    Err(error) => checks.push(("statements", false, error.to_string())),
                }
                checks.extend(plugins(context).await);
            }
        }
    }
    let rows: Vec<Vec<(&str, Value)>> = checks
        .iter()
        .map(|(name, good, found)| {
            vec![
                ("check", json!(name)),
                ("result", json!(if *good { "ok" } else { "WRONG" })),
                ("found", json!(found)),
            ]
        })
        .collect();
    output::rows(context.json, &rows);
    let good = checks.iter().all(|(_, good, _)| *good);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn plugins(context: &Context) -> Vec<Check> {
    let wired = match wiring::wire(&context.config).await {
        Ok(wired) => wired,
        Err(error) => return vec![("wasm runtime", false, error.to_string())],
    };
    let mut checks = vec![("wasm runtime", true, "starts".to_owned())];
    match wired.engine.list_plugins().await {
        Err(problem) => checks.push(("plugins", false, problem.to_string())),
        Ok(versions) => {
            let active: Vec<String> = versions
                .iter()
                .filter(|v| v.state == berth_model::plugin::PluginState::Active)
                .map(|v| format!("{}@{}", v.plugin, v.version))
                .collect();
            checks.push((
                "plugins",
                true,
                if active.is_empty() { "none active".to_owned() } else { active.join(", ") },
            ));
        }
    }
    checks
}
