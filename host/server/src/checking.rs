//! The runtime as the engine manages it, with the conformance suite at its door.

use std::{sync::Arc, time::Duration};

use berth_conformance::{CheckError, Options};
use berth_model::{
    conformance::{CaseReport, Report, SUITE, Verdict},
    limits,
    manifest::PluginId,
    plugin::{ComponentReport, Digest, LoadRefused, PluginHost},
    provider::Later,
};
use berth_runtime::Runtime;

/// Loads and serves through the runtime; checks components beside it.
pub(crate) struct CheckingHost(pub(crate) Arc<Runtime>);

impl PluginHost for CheckingHost {
    fn load(&self, bytes: Vec<u8>) -> Later<'_, Result<ComponentReport, LoadRefused>> {
        self.0.load(bytes)
    }

    fn check(&self, bytes: Vec<u8>) -> Later<'_, Report> {
        Box::pin(async move {
            let checked = berth_conformance::check(Some(&self.0), bytes, Options::default(), |_| {});
            let limit = Duration::from_millis(limits::PLUGIN_CHECK_MS_MAX);
            match tokio::time::timeout(limit, checked).await {
                Ok(Ok(checked)) => checked.report,
                // Settings without defaults: only its author can say what to try it with.
                Ok(Err(CheckError::Setup(error))) => one(Verdict::Inconclusive, error.to_string()),
                Ok(Err(error)) => one(Verdict::Fail, error.to_string()),
                Err(_) => one(
                    Verdict::Fail,
                    format!("the suite took longer than {} ms", limits::PLUGIN_CHECK_MS_MAX),
                ),
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
