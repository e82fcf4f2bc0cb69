//! `berth plugin`. Works on the database; a running server follows within seconds.

use std::path::PathBuf;

use berth_model::{manifest::PluginId, plugin::PluginVersion};
use berth_store::records::GrantRecord;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::{
    CliError, Context,
    keys::{ACTOR, REQUEST},
    output,
};
use crate::wiring;

#[derive(Debug, Subcommand)]
pub(super) enum Plugin {
    /// All installed versions.
    List,
    /// Check, compile and store a component. It does not serve yet.
    Install {
        /// The component (*.wasm).
        file: PathBuf,
        /// Grant it the hosts it asks for, and let it serve.
        #[arg(long)]
        activate: bool,
    },
    /// What a version is and asks for: a digest, id@version, or an id.
    Inspect {
        /// Which.
        name: String,
    },
    /// Let a version serve from now on; calls under way finish on theirs.
    Activate {
        /// A digest, id@version, or an id (its newest version).
        name: String,
    },
    /// Back to the version that served before.
    Rollback {
        /// The plugin's id.
        plugin: PluginId,
    },
    /// Grant hosts to a plugin (for the whole instance).
    Grant {
        /// The plugin's id.
        plugin: PluginId,
        /// Hosts it may reach: api.example.com, *.example.com, 127.0.0.1:4010.
        hosts: Vec<String>,
    },
    /// Set a version aside, or lift it again with --lift.
    Quarantine {
        /// A digest, id@version, or an id.
        name: String,
        /// Why.
        #[arg(long, default_value = "set aside by an operator")]
        reason: String,
        /// End the quarantine.
        #[arg(long)]
        lift: bool,
    },
}

fn row(v: &PluginVersion) -> Vec<(&'static str, Value)> {
    vec![
        ("plugin", json!(v.plugin)),
        ("version", json!(v.version)),
        ("digest", json!(v.digest.short())),
        ("state", json!(v.state)),
        ("reason", json!(v.reason)),
        ("hosts", json!(v.manifest.hosts)),
        ("kilobytes", json!(v.bytes / 1024)),
        ("installed_at", json!(v.installed_at)),
    ]
}

pub(super) async fn plugin(context: &Context, command: Plugin) -> Result<(), CliError> {
    let wired = wiring::wire(&context.config).await?;
    let engine = &wired.engine;
    let shown = match command {
        Plugin::List => engine.list_plugins().await?,
        Plugin::Inspect { name } => {
            let version = engine.find_plugin(&name).await?;
            let manifest = serde_json::to_value(&version.manifest).unwrap_or(Value::Null);
            let whole = json!({ "digest": version.digest, "state": version.state, "reason": version.reason,
                "abilities": version.abilities, "bytes": version.bytes, "manifest": manifest });
            println!("{whole:#}");
            return Ok(());
        }
        Plugin::Install { file, activate } => {
            let bytes =
                std::fs::read(&file).map_err(|e| CliError::Other(format!("{}: {e}", file.display())))?;
            let progress =
                ProgressBar::new_spinner().with_message(format!("checking and compiling {}", file.display()));
            progress.set_style(ProgressStyle::default_spinner());
            progress.enable_steady_tick(std::time::Duration::from_millis(100));
            let installed = engine.install_plugin(ACTOR, REQUEST, bytes).await;
            progress.finish_and_clear();
            let mut version = installed?.version;
            if activate {
                let hosts = version.manifest.hosts.iter().cloned().collect();
                let grant = GrantRecord {
                    plugin: version.plugin.clone(),
                    tenant: None,
                    listing: None,
                    hosts,
                    enabled: true,
                };
                engine.set_grant(ACTOR, REQUEST, grant).await?;
                version = engine.activate_plugin(ACTOR, REQUEST, &version.digest).await?;
            }
            vec![version]
        }
        Plugin::Activate { name } => {
            let version = engine.find_plugin(&name).await?;
            vec![engine.activate_plugin(ACTOR, REQUEST, &version.digest).await?]
        }
        Plugin::Rollback { plugin } => vec![engine.rollback_plugin(ACTOR, REQUEST, &plugin).await?],
        Plugin::Grant { plugin, hosts } => {
            let hosts = hosts.into_iter().collect();
            let grant =
                GrantRecord { plugin: plugin.clone(), tenant: None, listing: None, hosts, enabled: true };
            engine.set_grant(ACTOR, REQUEST, grant).await?;
            let all = engine.list_plugins().await?;
            all.into_iter().filter(|v| v.plugin == plugin).collect()
        }
        Plugin::Quarantine { name, reason, lift } => {
            let version = engine.find_plugin(&name).await?;
            vec![if lift {
                engine.lift_quarantine(ACTOR, REQUEST, &version.digest).await?
            } else {
                engine.quarantine_plugin(ACTOR, REQUEST, &version.digest, &reason).await?
            }]
        }
    };
    output::rows(context.json, &shown.iter().map(row).collect::<Vec<_>>());
    Ok(())
}
