//! By which names providers are known: ids of plugins, and the aliases of those that are installed.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use berth_model::plugins::{manifest::PluginId, plugin::PluginVersion};
use berth_store::Store;

use crate::Outcome;

/// The plugin that is called so among all that are installed, active or not; the name itself if there is none.
pub(crate) async fn installed_as(store: &Store, name: &PluginId) -> Outcome<PluginId> {
    let all = store.list_plugin_versions(None).await?;
    let own = all.iter().any(|version| version.plugin == *name);
    let by_alias = all.iter().find(|version| version.manifest.aliases.contains(name)).filter(|_| !own);
    Ok(by_alias.map_or_else(|| name.clone(), |version| version.plugin.clone()))
}

/// The aliases of installed plugins, read again with each generation of plugins. An alias means one plugin: installation sees to that.
#[derive(Debug, Default)]
pub(crate) struct ProviderNames {
    aliases: Mutex<BTreeMap<PluginId, PluginId>>,
}

impl ProviderNames {
    /// These versions are installed, and no others.
    pub(crate) fn learn(&self, installed: &[PluginVersion]) {
        let of = |version: &PluginVersion| {
            let plugin = version.plugin.clone();
            version.manifest.aliases.clone().into_iter().map(move |alias| (alias, plugin.clone()))
        };
        let mut aliases: BTreeMap<PluginId, PluginId> = installed.iter().flat_map(of).collect();
        // Both at once can only have come in together: a name of its own goes first.
        for version in installed {
            aliases.remove(&version.plugin);
        }
        *self.aliases.lock().unwrap_or_else(PoisonError::into_inner) = aliases;
    }

    /// The plugin of this name; the name itself if it is no alias.
    pub(crate) fn resolve(&self, name: PluginId) -> PluginId {
        let aliases = self.aliases.lock().unwrap_or_else(PoisonError::into_inner);
        aliases.get(&name).cloned().unwrap_or(name)
    }
}
