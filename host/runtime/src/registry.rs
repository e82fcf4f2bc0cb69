//! Which versions are loaded, and which of them serves. Readers never wait.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use berth_model::{
    limits,
    plugins::{manifest::PluginId, plugin::Digest},
};

use crate::version::Version;

/// A version that serves, and the how-manieth activation of this process made it so.
#[derive(Clone)]
pub(crate) struct Serving {
    /// The version.
    pub(crate) version: Arc<Version>,
    /// Counts activations and deactivations of all plugins, from 1.
    pub(crate) generation: u64,
}

/// All loaded versions.
#[derive(Default)]
pub(crate) struct Registry {
    serving: ArcSwap<HashMap<PluginId, Serving>>,
    loaded: Mutex<Loaded>,
}

#[derive(Default)]
struct Loaded {
    /// Per plugin, the one touched last at the end.
    versions: HashMap<PluginId, Vec<Arc<Version>>>,
    generation: u64,
}

impl Registry {
    /// The version that serves a plugin's calls from now on.
    pub(crate) fn serving(&self, plugin: &PluginId) -> Option<Serving> {
        self.serving.load().get(plugin).cloned()
    }

    /// Every loaded version.
    pub(crate) fn all_loaded(&self) -> Vec<Arc<Version>> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.versions.values().flatten().cloned().collect()
    }

    /// A loaded version by its digest.
    pub(crate) fn find(&self, digest: &Digest) -> Option<Arc<Version>> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.versions.values().flatten().find(|v| v.digest() == digest).cloned()
    }

    /// Add a loaded version. Beyond the one that serves and [`limits::PLUGIN_VERSIONS_KEPT`] others, the plugin's oldest
    /// is forgotten; its calls still end on it.
    pub(crate) fn add(&self, version: Arc<Version>) {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let plugin = version.manifest.id.clone();
        let active = self.serving(&plugin).map(|s| s.version.digest().clone());
        let versions = loaded.versions.entry(plugin).or_default();
        versions.retain(|v| v.digest() != version.digest());
        versions.push(version);
        forget(versions, active.as_ref());
    }

    /// Let a loaded version serve. False if it is not loaded.
    pub(crate) fn activate(&self, plugin: &PluginId, digest: &Digest) -> bool {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(versions) = loaded.versions.get_mut(plugin) else { return false };
        let Some(at) = versions.iter().position(|v| v.digest() == digest) else { return false };
        let version = versions.remove(at);
        versions.push(Arc::clone(&version));
        loaded.generation = loaded.generation.saturating_add(1);
        let serving = Serving { version, generation: loaded.generation };
        // Under the lock: two activations must not overwrite each other's map.
        let mut map = HashMap::clone(&self.serving.load());
        map.insert(plugin.clone(), serving);
        self.serving.store(Arc::new(map));
        true
    }

    /// Let no version of a plugin serve. They stay loaded.
    pub(crate) fn deactivate(&self, plugin: &PluginId) {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.generation = loaded.generation.saturating_add(1);
        let mut map = HashMap::clone(&self.serving.load());
        map.remove(plugin);
        self.serving.store(Arc::new(map));
    }
}

/// Drop the oldest of too many versions, never the one that serves.
fn forget(versions: &mut Vec<Arc<Version>>, active: Option<&Digest>) {
    let mut over = versions.len().saturating_sub(limits::PLUGIN_VERSIONS_KEPT.saturating_add(1));
    versions.retain(|version| {
        let keep = over == 0 || Some(version.digest()) == active;
        if !keep {
            over -= 1;
        }
        keep
    });
}
