//! The runtime as the engine manages it, with the conformance suite at its door.

use std::{sync::Arc, time::Duration};

use berth_conformance::{Bench, CheckError, Options};
use berth_model::{
    boxed::BoxFuture,
    limits,
    plugins::{
        conformance::{CaseReport, Report, SUITE, Verdict},
        manifest::PluginId,
        plugin::{ComponentReport, Digest, Fault, LoadRefused, LoadStage, PluginHost, PluginVersion},
    },
};
use berth_runtime::Runtime;

/// Loads and serves through the runtime; checks components beside it.
pub(crate) struct CheckingHost(pub(crate) Arc<Runtime>);

impl PluginHost for CheckingHost {
    fn load_telling<'a>(
        &'a self,
        bytes: Vec<u8>,
        told: &'a (dyn Fn(LoadStage) + Send + Sync),
    ) -> BoxFuture<'a, Result<ComponentReport, LoadRefused>> {
        self.0.load_telling(bytes, told)
    }

    fn load_kept<'a>(
        &'a self,
        version: &'a PluginVersion,
    ) -> BoxFuture<'a, Option<Result<ComponentReport, LoadRefused>>> {
        self.0.load_kept(version)
    }

    fn check(&self, bytes: Vec<u8>) -> BoxFuture<'_, Result<Report, LoadRefused>> {
        Box::pin(async move {
            let checked = berth_conformance::check(Bench::Beside(&self.0), bytes, Options::default(), |_| {});
            let limit = Duration::from_millis(limits::PLUGIN_CHECK_MS_MAX);
            match tokio::time::timeout(limit, checked).await {
                Ok(Ok(checked)) => Ok(checked.report),
                Ok(Err(CheckError::Refused(refused))) => Err(refused),
                // Settings without defaults: only its author can say what to try it with.
                Ok(Err(CheckError::Setup(error))) => Ok(one(Verdict::Inconclusive, error.to_string())),
                Ok(Err(error)) => Ok(one(Verdict::Fail, error.to_string())),
                // Each of its calls is bounded by itself, so the time went elsewhere.
                Err(_) => Err(LoadRefused {
                    fault: Fault::Machine,
                    problems: vec![format!(
                        "could not be tried: the suite was not done after {} s; this machine is too busy, or something waits in every call",
                        limits::PLUGIN_CHECK_MS_MAX / 1_000
                    )],
                }),
            }
        })
    }

    fn activate(&self, plugin: &PluginId, digest: &Digest) -> bool {
        self.0.activate(plugin, digest)
    }

    fn deactivate(&self, plugin: &PluginId) {
        self.0.deactivate(plugin);
    }

    fn publish_gauges(&self) {
        self.0.publish_gauges();
    }

    fn active(&self, plugin: &PluginId) -> Option<Digest> {
        self.0.active(plugin)
    }
}

/// A report of the suite itself.
fn one(verdict: Verdict, detail: String) -> Report {
    let case = CaseReport {
        id: "C000".to_owned(),
        title: "can be tried with its defaults".to_owned(),
        verdict,
        detail,
    };
    Report { suite: SUITE.to_owned(), cases: vec![case] }
}
