//! Installing a component after its upload was answered: whoever uploaded it asks how far it has come. What was under way when a process
//! ended is failed, and may be uploaded again.

use std::{sync::Arc, time::Duration};

use berth_model::{
    id::InstallationId,
    limits,
    plugins::{
        installation::{Installation, InstallationState},
        plugin::LoadStage,
    },
    problem::{Code, Problem},
};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::InstalledPlugin;
use crate::{Outcome, plugins::Plugins};

/// Room for one more component that is on its way in.
#[derive(Debug)]
pub struct InstallationRoom(
    #[expect(dead_code, reason = "given back when it is dropped")] OwnedSemaphorePermit,
);

/// The members of a problem document that say what to do about it.
fn told(problem: &Problem) -> Value {
    let errors: Vec<Value> =
        problem.errors.iter().map(|e| json!({ "field": e.field, "message": e.message })).collect();
    json!({
        "code": problem.code.as_str(), "title": problem.code.title(), "status": problem.code.status(),
        "detail": problem.detail, "hint": problem.hint.as_deref().unwrap_or_else(|| problem.code.hint()),
        "errors": errors,
    })
}

impl Plugins {
    /// Room for a component, to be had before its bytes are read: those of all that are on their way in are in memory.
    pub fn installation_room(&self) -> Outcome<InstallationRoom> {
        let room = Arc::clone(&self.installing).try_acquire_owned();
        room.map(InstallationRoom).map_err(|_| {
            Problem::new(Code::Busy, "As many components are on their way in as there may be at a time.")
                .with_retry_after_seconds(limits::PLUGIN_LOAD_RETRY_SECONDS)
        })
    }

    /// Begin to check, compile, try and store a component. It goes on by itself; see [`Self::installation`].
    pub async fn begin_installation(
        &self,
        room: InstallationRoom,
        actor: &str,
        request_id: &str,
        bytes: Vec<u8>,
    ) -> Outcome<Installation> {
        let now = self.base.now();
        let begun = Installation {
            id: self.base.new_id(),
            state: InstallationState::Checking,
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            digest: None,
            problem: None,
            created_at: now,
            seen_at: now,
        };
        self.base.store().insert_installation(begun.clone()).await?;
        let (engine, id, actor, request_id) =
            (self.clone(), begun.id, actor.to_owned(), request_id.to_owned());
        tokio::spawn(async move {
            let ended = engine.go_on(id, &actor, &request_id, bytes).await;
            engine.end_installation(id, ended).await;
            drop(room);
        });
        Ok(begun)
    }

    /// Install it, and say meanwhile how far it has come.
    async fn go_on(
        &self,
        id: InstallationId,
        actor: &str,
        request_id: &str,
        bytes: Vec<u8>,
    ) -> Outcome<InstalledPlugin> {
        let (reached, mut stages) = watch::channel(LoadStage::Checking);
        let tell = move |stage| {
            reached.send_replace(stage);
        };
        // On the heap: the future holds an installation's whole way.
        let mut install = Box::pin(self.install_plugin_telling(actor, request_id, bytes, &tell));
        loop {
            tokio::select! {
                ended = &mut install => return ended,
                changed = stages.changed() => if changed.is_err() { return install.await },
                () = tokio::time::sleep(Duration::from_secs(limits::INSTALLATION_SEEN_EVERY_SECONDS)) => {}
            }
            let state = InstallationState::from(*stages.borrow_and_update());
            if let Err(error) =
                self.base.store().installation_reached(id, state, None, None, self.base.now()).await
            {
                tracing::warn!(%error, installation = %id, "how far an installation has come was not noted");
            }
        }
    }

    async fn end_installation(&self, id: InstallationId, ended: Outcome<InstalledPlugin>) {
        let (state, digest, problem) = match ended {
            Ok(installed) => (InstallationState::Installed, Some(installed.version.digest), None),
            Err(problem) => {
                let state = if problem.code.status() < 500 {
                    InstallationState::Refused
                } else {
                    InstallationState::Failed
                };
                tracing::info!(%problem, installation = %id, state = state.as_str(), "a component was not installed");
                (state, None, Some(told(&problem)))
            }
        };
        if let Err(error) =
            self.base.store().installation_reached(id, state, digest, problem, self.base.now()).await
        {
            tracing::error!(%error, installation = %id, "how an installation ended was not noted");
        }
    }

    /// An installation, and how far it has come.
    pub async fn installation(&self, id: InstallationId) -> Outcome<Installation> {
        self.lose_installations().await?;
        Ok(self.base.store().installation(id).await?)
    }

    /// Installations of the last days, the latest first.
    pub async fn list_installations(&self) -> Outcome<Vec<Installation>> {
        self.lose_installations().await?;
        Ok(self.base.store().list_installations().await?)
    }

    /// End those whose process ended.
    async fn lose_installations(&self) -> Outcome<()> {
        let problem =
            Problem::new(Code::PluginNotLoaded, "The server that worked on it ended before it was done.")
                .with_hint("Upload the component again.");
        let since = self.base.now().plus_seconds(-limits::INSTALLATION_SEEN_SECONDS);
        Ok(self.base.store().lose_installations(since, told(&problem)).await?)
    }
}
