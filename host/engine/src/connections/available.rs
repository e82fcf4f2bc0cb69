//! What a tenant can connect to: the provider plugins that are installed and granted to it.

use std::collections::BTreeSet;

use berth_model::{
    limits,
    plugins::{
        manifest::{OAuth2Spec, PluginId},
        plugin::{PluginState, PluginVersion},
    },
    problem::Code,
};

use super::oauth::oauth_credentials;
use crate::{Caller, Outcome, connections::Connections};

/// A provider that a tenant can connect to.
#[derive(Debug)]
pub struct AvailableProvider {
    /// The version that serves.
    pub version: PluginVersion,
    /// Credentials that people consent to and whose client an operator has registered.
    pub clients: BTreeSet<String>,
    /// Where its messages go: one address for all accounts, or one with `{connection_id}` in it. None if it sends none, or this engine does not
    /// know its own address.
    pub webhook_address: Option<String>,
}

impl Connections {
    /// What the tenant can connect to, by name, after this one; or the one of this name alone.
    pub async fn available(
        &self,
        caller: &Caller,
        only: Option<PluginId>,
        after: Option<PluginId>,
        limit: u32,
    ) -> Outcome<Vec<AvailableProvider>> {
        let limit = usize::try_from(limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1))).unwrap_or(1);
        let only = only.map(|name| self.names.resolve(name));
        let mut active = self.base.store().list_plugin_versions(only.as_ref()).await?;
        active.retain(|version| version.state == PluginState::Active);
        active.sort_by(|one, other| one.plugin.cmp(&other.plugin));
        let mut found = Vec::new();
        for version in active.into_iter().filter(|v| after.as_ref().is_none_or(|after| v.plugin > *after)) {
            if found.len() >= limit {
                break;
            }
            if !self.is_granted(caller, &version).await? {
                continue;
            }
            let consented: BTreeSet<&str> = oauth_credentials(&version.manifest).into_iter().collect();
            let clients = if consented.is_empty() {
                BTreeSet::new()
            } else {
                let registered = self.base.store().list_oauth_clients(&version.plugin).await?;
                let names = registered.into_iter().map(|client| client.credential);
                names.filter(|name| consented.contains(name.as_str())).collect()
            };
            let webhook_address = self.messages_address(&version);
            found.push(AvailableProvider { version, clients, webhook_address });
        }
        Ok(found)
    }

    /// May the tenant use it, and reach anything by it?
    async fn is_granted(&self, caller: &Caller, version: &PluginVersion) -> Outcome<bool> {
        let granted = match self.contexts.granted_hosts(&version.plugin, caller.tenant, None).await {
            Ok(granted) => granted,
            Err(problem) if problem.code == Code::ProviderNotActive => return Ok(false),
            Err(problem) => return Err(problem),
        };
        let manifest = &version.manifest;
        Ok(!granted.is_empty() || (manifest.hosts.is_empty() && manifest.host_settings.is_empty()))
    }

    fn messages_address(&self, version: &PluginVersion) -> Option<String> {
        let webhook = version.manifest.webhook.as_ref()?;
        let of =
            format!("{}/api/webhooks/{}", self.public_url.as_ref()?.trim_end_matches('/'), version.plugin);
        Some(if webhook.account.is_some() { of } else { format!("{of}/{{connection_id}}") })
    }
}

impl AvailableProvider {
    /// Does a person consent to this credential?
    #[must_use]
    pub fn has_consent(&self, credential: &str) -> bool {
        let spec = self.version.manifest.credentials.get(credential);
        spec.and_then(|spec| spec.oauth2.as_ref()).is_some_and(OAuth2Spec::has_consent)
    }
}
