//! `berth plugin`: on the database, or on a running server with `--url`.

mod check;
mod oauth;
mod place;
mod server;

use std::{collections::BTreeSet, path::PathBuf};

use berth_model::plugins::manifest::PluginId;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use self::{place::Place, server::Server};
use super::{CliError, Context, output};
use crate::{
    api::plugins::{PluginView, grants::ChangedGrant},
    wiring,
};

#[derive(Debug, Args)]
#[command(
    after_help = "Without --url the database of the configuration is worked on; running servers follow within seconds.

Examples:
  berth plugin check acme.wasm                   does it keep the contract?
  berth plugin install --activate acme.wasm      check, compile, grant what it asks for, let it serve
  berth plugin grant acme api.example.com        another host besides those that are granted
  berth plugin list                              all versions and their states
  berth plugin rollback acme                     back to the version that served before
  berth plugin quarantine acme@1.2.0 --reason \"loops\"
  export BERTH_KEY=berth_…                       an operator's key
  berth plugin --url https://booking.example.com install acme.wasm"
)]
pub(super) struct Plugins {
    /// Ask a running server instead of the database.
    #[arg(long, global = true, env = "BERTH_URL", value_name = "URL")]
    url: Option<String>,
    /// An operator's key for the server. Better in the environment: other users of this machine see arguments.
    #[arg(long, global = true, env = "BERTH_KEY", value_name = "KEY", hide_env_values = true)]
    key: Option<String>,
    #[command(subcommand)]
    command: Plugin,
}

#[derive(Debug, Subcommand)]
enum Plugin {
    /// Try a component with the conformance suite. Nothing is installed.
    Check(check::Check),
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
    /// Grant hosts to a plugin besides those that are granted, or take some away (for the whole instance).
    Grant {
        /// The plugin's id.
        plugin: PluginId,
        /// Hosts it may reach, too: api.example.com, *.example.com, 127.0.0.1:4010. None: only say what is granted.
        hosts: Vec<String>,
        /// A host that it may not reach any more; may be given several times.
        #[arg(long, value_name = "HOST")]
        revoke: Vec<String>,
        /// Revoke although connections lose a host by it; without this they are named and nothing changes.
        #[arg(long)]
        yes: bool,
    },
    /// Clients that the operator registered at a provider where people consent (OAuth 2).
    #[command(subcommand, after_help = oauth::EXAMPLES)]
    OauthClient(oauth::OAuthClient),
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

fn row(v: &PluginView) -> Vec<(&'static str, Value)> {
    vec![
        ("plugin", json!(v.plugin)),
        ("version", json!(v.version)),
        ("digest", json!(v.digest.short())),
        ("state", json!(v.state)),
        ("reason", json!(v.reason)),
        ("hosts", json!(v.hosts)),
        ("kilobytes", json!(v.bytes / 1024)),
        ("installed_at", json!(v.installed_at)),
    ]
}

/// What is granted besides the hosts that were named, and who lost one. To standard error: it is for people.
fn say_granted(plugin: &PluginId, named: &[String], changed: &ChangedGrant) {
    let besides: Vec<&str> =
        changed.hosts.iter().filter(|host| !named.contains(host)).map(String::as_str).collect();
    if !besides.is_empty() {
        output::note(&format!("{plugin} may reach besides: {}", besides.join(" ")));
    }
    for losing in &changed.losing {
        output::note(&losing.to_string());
    }
}

pub(super) async fn plugin(context: &Context, plugins: Plugins) -> Result<(), CliError> {
    let command = match plugins.command {
        Plugin::Check(check) => return check::check(context.json, check).await,
        other => other,
    };
    let place = match plugins.url.filter(|url| !url.is_empty()) {
        Some(url) => Place::There(Server::new(&url, plugins.key)?),
        None => Place::Here(Box::new(wiring::wire(&context.config).await?.engine)),
    };
    let shown = match command {
        Plugin::Check(_) => return Ok(()),
        Plugin::OauthClient(command) => return oauth::oauth_client(context.json, &place, command).await,
        Plugin::List => place.list().await?,
        Plugin::Inspect { name } => {
            let version = place.find(&name).await?;
            output::line(&format!("{:#}", serde_json::to_value(&version).unwrap_or(Value::Null)));
            return Ok(());
        }
        Plugin::Install { file, activate } => {
            let version = place.install(&file).await?;
            if activate {
                let asked = version.hosts.iter().cloned().collect();
                let changed = place.grant(&version.plugin, asked, BTreeSet::new(), false).await?;
                say_granted(&version.plugin, &version.hosts, &changed);
                vec![place.activate(&version.digest.0).await?]
            } else {
                vec![version]
            }
        }
        Plugin::Activate { name } => vec![place.activate(&name).await?],
        Plugin::Rollback { plugin } => vec![place.rollback(&plugin).await?],
        Plugin::Grant { plugin, hosts, revoke, yes } => {
            let (add, remove) = (hosts.iter().cloned().collect(), revoke.into_iter().collect());
            let changed = place.grant(&plugin, add, remove, yes).await?;
            say_granted(&plugin, &hosts, &changed);
            place.list().await?.into_iter().filter(|v| v.plugin == plugin).collect()
        }
        Plugin::Quarantine { name, lift: true, .. } => vec![place.lift(&name).await?],
        Plugin::Quarantine { name, reason, .. } => vec![place.quarantine(&name, &reason).await?],
    };
    output::rows(context.json, &shown.iter().map(row).collect::<Vec<_>>());
    Ok(())
}
