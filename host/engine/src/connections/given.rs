//! What somebody gives who connects or changes a connection, brought into the form of the provider's manifest.

use berth_model::{
    connections::{
        given::{self, GivenCredentials},
        secret::Credentials,
    },
    id::ConnectionId,
    mirror::sync::SyncMode,
    plugins::manifest::PluginId,
    problem::Problem,
};
use serde_json::Value;

use crate::{Caller, Outcome, connections::Connections};

/// What was given, sorted.
#[derive(Debug)]
pub struct SortedGiven {
    /// By the manifest's names.
    pub credentials: Credentials,
    /// By the manifest's names; not checked against its schema yet.
    pub settings: Value,
    /// Which way the connection is to be kept in step, if that was among the settings.
    pub mode: Option<SyncMode>,
    /// The provider's name for people.
    pub provider_name: String,
}

impl Connections {
    /// The provider of this name, which may be one of its aliases. A name that nothing is installed under stays as it is.
    #[must_use]
    pub fn provider_named(&self, name: PluginId) -> PluginId {
        self.names.resolve(name)
    }

    /// Sort what is given for a connection to a provider.
    pub fn sort_given(
        &self,
        provider: &PluginId,
        given: GivenCredentials,
        settings: Value,
    ) -> Outcome<SortedGiven> {
        let manifest = self.active_manifest(provider)?;
        let mut settings = given::settings(&manifest, settings);
        let mode =
            given::take_direction(&manifest, &mut settings).map_err(|error| Problem::invalid(vec![error]))?;
        let credentials = given::sorted(&manifest, given, &mut settings).map_err(Problem::invalid)?;
        Ok(SortedGiven { credentials, settings, mode, provider_name: manifest.name.clone() })
    }

    /// The same for a change: without settings, a setting among the credentials changes those that are there.
    pub async fn sort_changes(
        &self,
        caller: &Caller,
        id: ConnectionId,
        given: GivenCredentials,
        settings: Option<Value>,
    ) -> Outcome<SortedGiven> {
        let connection = self.connection(caller, id).await?;
        self.sort_given(&connection.plugin, given, settings.unwrap_or(connection.settings))
    }
}
