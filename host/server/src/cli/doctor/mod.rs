//! `berth doctor`: what is wrong with this set-up, and what to do about it.

mod database;
mod machine;
mod plugins;
mod zones;

use std::process::ExitCode;

use serde_json::{Value, json};

use berth_model::time::Clock;

use super::{CliError, output};
use crate::{
    config::{Config, ConfigError},
    ports::MachineClock,
};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// Good.
    Ok,
    /// It works, but not for long or not for everybody.
    Warn,
    /// It does not work.
    Fail,
}

/// What a check found.
#[derive(Debug)]
struct Finding {
    check: &'static str,
    level: Level,
    /// What is there.
    found: String,
    /// What to do; empty if nothing.
    advice: String,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, found: found.into(), advice: String::new() }
    }

    fn warn(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Warn, found: found.into(), advice: advice.into() }
    }

    fn fail(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Fail, found: found.into(), advice: advice.into() }
    }
}

/// Run every check that can be run, and show what was found. The exit code is a failure if one failed.
pub(super) async fn doctor(json: bool, config: Result<Config, ConfigError>) -> Result<ExitCode, CliError> {
    let findings = match config {
        Ok(config) => examine(&config).await,
        Err(error) => {
            vec![Finding::fail("configuration", error.to_string(), "mend berth.toml or the environment")]
        }
    };
    let rows: Vec<Vec<(&str, Value)>> = findings
        .iter()
        .map(|finding| {
            let level = match finding.level {
                Level::Ok => "ok",
                Level::Warn => "warn",
                Level::Fail => "FAIL",
            };
            vec![
                ("check", json!(finding.check)),
                ("result", json!(level)),
                ("found", json!(finding.found)),
                ("what_to_do", json!(finding.advice)),
            ]
        })
        .collect();
    output::rows(json, &rows);
    let failed = findings.iter().any(|finding| finding.level == Level::Fail);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// How little room there is for the database, if it is little.
pub(super) fn low_disk(config: &Config) -> Option<String> {
    machine::disk(&config.data_dir).filter(|finding| finding.level != Level::Ok).map(|finding| finding.found)
}

async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("configuration", "read")];
    findings.extend(machine::findings(config).await);
    let zones = zones::Known::look(config);
    findings.push(zones.finding(MachineClock.now()));
    let (of_database, usable) = database::findings(config, &zones).await;
    findings.extend(of_database);
    if usable {
        findings.extend(plugins::findings(config).await);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(findings: &[Finding], check: &str) -> Level {
        findings.iter().find(|f| f.check == check).unwrap_or_else(|| panic!("{check}: {findings:?}")).level
    }

    fn config(folder: &tempfile::TempDir) -> Config {
        let data_dir = folder.path().join("data");
        Config { listen: ([127, 0, 0, 1], 0).into(), data_dir, ..Config::default() }
    }

    #[tokio::test]
    async fn a_fresh_set_up_needs_its_schema_and_then_only_warns() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder);
        let fresh = examine(&config).await;
        assert_eq!(level(&fresh, "database"), Level::Fail);
        let advice = &fresh.iter().find(|f| f.check == "database").unwrap().advice;
        assert!(advice.contains("berth migrate"), "{advice}");

        let store = crate::wiring::open_store(&config).await.unwrap();
        store.migrate().await.unwrap();
        store.close().await;
        let findings = examine(&config).await;
        for check in [
            "data folder",
            "address",
            "clock",
            "time zones",
            "database",
            "statements",
            "vault key",
            "compiled components",
        ] {
            assert_eq!(level(&findings, check), Level::Ok, "{check}: {findings:?}");
        }
        // How much room there is depends on the machine.
        for check in ["disk", "wasm runtime"] {
            assert!(findings.iter().any(|f| f.check == check), "{check}: {findings:?}");
        }
        for check in ["public address", "plugins"] {
            assert_eq!(level(&findings, check), Level::Warn, "{check}: {findings:?}");
        }
        assert!(findings.iter().all(|f| (f.level == Level::Ok) == f.advice.is_empty()), "{findings:?}");
    }

    #[tokio::test]
    async fn what_is_broken_fails_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = taken.local_addr().unwrap();
        // Another program, which hangs up on whoever calls.
        let other = std::thread::spawn(move || drop(taken.accept()));
        let config = Config {
            listen,
            public_url: "booking.example.com".to_owned(),
            vault_key: "short".to_owned(),
            plugin_dir: folder.path().join("nowhere").display().to_string(),
            ..config(&folder)
        };
        let findings = examine(&config).await;
        other.join().unwrap();
        for check in ["address", "public address", "vault key", "plugin folder"] {
            assert_eq!(level(&findings, check), Level::Fail, "{check}: {findings:?}");
        }
        assert!(findings.iter().all(|f| (f.level == Level::Ok) == f.advice.is_empty()), "{findings:?}");
    }
}
