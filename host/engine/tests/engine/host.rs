//! A runtime in memory that stands for the port of plugins.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use berth_model::{
    boxed::BoxFuture,
    inbound::webhook,
    plugins::{
        manifest::{Manifest, PluginId},
        plugin::{
            Capabilities, ComponentReport, Digest, Fault, LoadRefused, LoadStage, PluginHost, PluginVersion,
        },
    },
};

/// Loads "components" that are nothing but their manifest.
#[derive(Default)]
pub(crate) struct FakeHost {
    loaded: Mutex<BTreeSet<Digest>>,
    /// Compiled code that outlives the process.
    pub(crate) kept: Mutex<BTreeSet<Digest>>,
    serving: Mutex<BTreeMap<PluginId, Digest>>,
    /// How many of the next loads fail.
    pub(crate) failing: AtomicU32,
    pub(crate) loads: AtomicU32,
}

impl PluginHost for FakeHost {
    fn load_kept<'a>(
        &'a self,
        version: &'a PluginVersion,
    ) -> BoxFuture<'a, Option<Result<ComponentReport, LoadRefused>>> {
        Box::pin(async move {
            let kept = self.kept.lock().unwrap().contains(&version.digest);
            if !kept {
                return None;
            }
            self.loaded.lock().unwrap().insert(version.digest.clone());
            Some(Ok(ComponentReport {
                digest: version.digest.clone(),
                bytes: version.bytes,
                manifest: version.manifest.clone(),
                capabilities: version.capabilities,
                imports: Vec::new(),
                from_cache: true,
                load_ms: 0,
            }))
        })
    }
    fn load_telling<'a>(
        &'a self,
        bytes: Vec<u8>,
        told: &'a (dyn Fn(LoadStage) + Send + Sync),
    ) -> BoxFuture<'a, Result<ComponentReport, LoadRefused>> {
        Box::pin(async move {
            told(LoadStage::Compiling);
            self.loads.fetch_add(1, Ordering::Relaxed);
            let fails = self.failing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
            if fails.is_ok() {
                let problems = vec!["could not be compiled now: this machine is too busy".into()];
                return Err(LoadRefused { fault: Fault::Machine, problems });
            }
            let text = String::from_utf8(bytes.clone()).unwrap();
            let manifest = Manifest::parse(&text).map_err(|problems| LoadRefused {
                fault: Fault::Component,
                problems: problems.iter().map(ToString::to_string).collect(),
            })?;
            let digest = Digest(webhook::dedup_key(&bytes));
            self.loaded.lock().unwrap().insert(digest.clone());
            Ok(ComponentReport {
                digest,
                bytes: bytes.len() as u64,
                manifest,
                capabilities: Capabilities::default(),
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
