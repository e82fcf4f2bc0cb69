//! A runtime in memory that stands for the port of plugins.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use berth_model::{
    manifest::{Manifest, PluginId},
    plugin::{Abilities, ComponentReport, Digest, LoadRefused, PluginHost},
    provider::Later,
    webhook,
};

/// Loads "components" that are nothing but their manifest.
#[derive(Default)]
pub(crate) struct FakeHost {
    loaded: Mutex<BTreeSet<Digest>>,
    serving: Mutex<BTreeMap<PluginId, Digest>>,
    /// How many of the next loads fail.
    pub(crate) failing: AtomicU32,
    pub(crate) loads: AtomicU32,
}

impl PluginHost for FakeHost {
    fn load(&self, bytes: Vec<u8>) -> Later<'_, Result<ComponentReport, LoadRefused>> {
        Box::pin(async move {
            self.loads.fetch_add(1, Ordering::Relaxed);
            let fails = self.failing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
            if fails.is_ok() {
                return Err(LoadRefused { problems: vec!["takes longer than 30 s to compile".into()] });
            }
            let text = String::from_utf8(bytes.clone()).unwrap();
            let manifest = Manifest::parse(&text).map_err(|problems| LoadRefused {
                problems: problems.iter().map(ToString::to_string).collect(),
            })?;
            let digest = Digest(webhook::dedup_key(&bytes));
            self.loaded.lock().unwrap().insert(digest.clone());
            Ok(ComponentReport {
                digest,
                bytes: bytes.len() as u64,
                manifest,
                abilities: Abilities::default(),
                imports: Vec::new(),
                from_cache: false,
                load_ms: 0,
            })
        })
    }
    fn activate(&self, plugin: &PluginId, digest: &Digest) -> bool {
        let loaded = self.loaded.lock().unwrap().contains(digest);
        if loaded {
            self.serving.lock().unwrap().insert(plugin.clone(), digest.clone());
        }
        loaded
    }
    fn deactivate(&self, plugin: &PluginId) {
        self.serving.lock().unwrap().remove(plugin);
    }
    fn active(&self, plugin: &PluginId) -> Option<Digest> {
        self.serving.lock().unwrap().get(plugin).cloned()
    }
}
