//! The port through which the engine manages what is loaded.

use berth_model::{
    boxed::BoxFuture,
    plugins::{
        manifest::PluginId,
        plugin::{ComponentReport, Digest, LoadRefused, LoadStage, PluginHost, PluginVersion},
    },
};

use crate::Runtime;

impl PluginHost for Runtime {
    fn load_telling<'a>(
        &'a self,
        bytes: Vec<u8>,
        told: &'a (dyn Fn(LoadStage) + Send + Sync),
    ) -> BoxFuture<'a, Result<ComponentReport, LoadRefused>> {
        Box::pin(self.core.load(bytes, told))
    }

    fn load_kept<'a>(
        &'a self,
        version: &'a PluginVersion,
    ) -> BoxFuture<'a, Option<Result<ComponentReport, LoadRefused>>> {
        Box::pin(self.core.load_kept(version))
    }

    fn activate(&self, plugin: &PluginId, digest: &Digest) -> bool {
        self.core.registry.activate(plugin, digest)
    }

    fn deactivate(&self, plugin: &PluginId) {
        self.core.registry.deactivate(plugin);
    }

    fn publish_gauges(&self) {
        self.core.publish_gauges();
    }

    fn active(&self, plugin: &PluginId) -> Option<Digest> {
        self.core.registry.serving(plugin).map(|serving| serving.version.digest().clone())
    }
}
