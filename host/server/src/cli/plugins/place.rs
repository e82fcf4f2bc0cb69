//! Where plugins are managed: on the database of this configuration, or on a running server. Both know the same few things.

use std::{collections::BTreeSet, path::Path, time::Duration};

use berth_engine::{Engine, GrantChange, NewOAuthClient};
use berth_model::plugins::manifest::PluginId;
use indicatif::ProgressBar;

use super::server::Server;
use crate::{
    api::{
        connections::oauth::OAuthClientView,
        plugins::{PluginDetail, PluginView, grants::ChangedGrant},
    },
    cli::{
        CliError,
        keys::{ACTOR, REQUEST},
    },
};

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(100);

/// Where.
pub(super) enum Place {
    /// The database, and a runtime of our own to check and compile. A running server follows within seconds.
    Here(Box<Engine>),
    /// A server, over its API.
    There(Server),
}

impl Place {
    /// All installed versions.
    pub(super) async fn list(&self) -> Result<Vec<PluginView>, CliError> {
        match self {
            Self::Here(engine) => {
                Ok(engine.plugins.list_plugins().await?.into_iter().map(Into::into).collect())
            }
            Self::There(server) => server.list().await,
        }
    }

    /// A digest, `id@version` or an id.
    pub(super) async fn find(&self, name: &str) -> Result<PluginDetail, CliError> {
        match self {
            Self::Here(engine) => Ok(engine.plugins.find_plugin(name).await?.into()),
            Self::There(server) => server.find(name).await,
        }
    }

    /// Check, compile and store a component.
    pub(super) async fn install(&self, file: &Path) -> Result<PluginView, CliError> {
        let bytes = std::fs::read(file).map_err(|e| CliError::Other(format!("{}: {e}", file.display())))?;
        match self {
            Self::Here(engine) => {
                // Seen on a terminal only.
                let what = format!("checking and compiling {}", file.display());
                let progress = ProgressBar::new_spinner().with_message(what);
                progress.enable_steady_tick(TICK);
                let installed = engine.plugins.install_plugin(ACTOR, REQUEST, bytes).await;
                progress.finish_and_clear();
                Ok(installed?.version.into())
            }
            Self::There(server) => server.install(bytes).await,
        }
    }

    /// Let a version serve.
    pub(super) async fn activate(&self, name: &str) -> Result<PluginView, CliError> {
        match self {
            Self::Here(engine) => {
                let version = engine.plugins.find_plugin(name).await?;
                Ok(engine.plugins.activate_plugin(ACTOR, REQUEST, &version.digest).await?.into())
            }
            Self::There(server) => server.activate(name).await,
        }
    }

    /// Back to the version that served before.
    pub(super) async fn rollback(&self, plugin: &PluginId) -> Result<PluginView, CliError> {
        match self {
            Self::Here(engine) => Ok(engine.plugins.rollback_plugin(ACTOR, REQUEST, plugin).await?.into()),
            Self::There(server) => server.rollback(plugin).await,
        }
    }

    /// Grant hosts for the whole instance besides those that are granted, and take others away.
    pub(super) async fn grant(
        &self,
        plugin: &PluginId,
        add: BTreeSet<String>,
        remove: BTreeSet<String>,
        force: bool,
    ) -> Result<ChangedGrant, CliError> {
        match self {
            Self::Here(engine) => {
                let change =
                    GrantChange { plugin: plugin.clone(), tenant: None, listing: None, add, remove, force };
                Ok(engine.plugins.change_grant(ACTOR, REQUEST, change).await?.into())
            }
            Self::There(server) => server.grant(plugin, &add, &remove, force).await,
        }
    }

    /// Set a version aside.
    pub(super) async fn quarantine(&self, name: &str, reason: &str) -> Result<PluginView, CliError> {
        match self {
            Self::Here(engine) => {
                let version = engine.plugins.find_plugin(name).await?;
                Ok(engine.plugins.quarantine_plugin(ACTOR, REQUEST, &version.digest, reason).await?.into())
            }
            Self::There(server) => server.quarantine(name, reason).await,
        }
    }

    /// End a quarantine.
    pub(super) async fn lift(&self, name: &str) -> Result<PluginView, CliError> {
        match self {
            Self::Here(engine) => {
                let version = engine.plugins.find_plugin(name).await?;
                Ok(engine.plugins.lift_quarantine(ACTOR, REQUEST, &version.digest).await?.into())
            }
            Self::There(server) => server.lift(name).await,
        }
    }

    /// The OAuth clients of a plugin, without their secrets.
    pub(super) async fn oauth_clients(&self, plugin: &PluginId) -> Result<Vec<OAuthClientView>, CliError> {
        match self {
            Self::Here(engine) => {
                Ok(engine.connections.list_oauth_clients(plugin).await?.into_iter().map(Into::into).collect())
            }
            Self::There(server) => server.oauth_clients(plugin).await,
        }
    }

    /// Register a client, or replace it.
    pub(super) async fn set_oauth_client(
        &self,
        plugin: &PluginId,
        credential: &str,
        new: NewOAuthClient,
    ) -> Result<OAuthClientView, CliError> {
        match self {
            Self::Here(engine) => {
                Ok(engine.connections.set_oauth_client(ACTOR, REQUEST, plugin, credential, new).await?.into())
            }
            Self::There(server) => server.set_oauth_client(plugin, credential, &new).await,
        }
    }

    /// Forget a client.
    pub(super) async fn remove_oauth_client(
        &self,
        plugin: &PluginId,
        credential: &str,
    ) -> Result<(), CliError> {
        match self {
            Self::Here(engine) => {
                Ok(engine.connections.delete_oauth_client(ACTOR, REQUEST, plugin, credential).await?)
            }
            Self::There(server) => server.remove_oauth_client(plugin, credential).await,
        }
    }
}
