//! Components on their way in.

use berth_model::{
    id::InstallationId,
    plugins::{
        installation::{Installation, InstallationState},
        plugin::Digest,
    },
    time::Instant,
};
use serde_json::Value;

use crate::{Store, StoreError};

impl Store {
    /// Add an installation that begins.
    pub async fn insert_installation(&self, new: Installation) -> Result<(), StoreError> {
        write_tx!(self, [new], |q, conn| q::plugins::installations::insert(conn, &new))
    }

    /// One installation.
    pub async fn installation(&self, id: InstallationId) -> Result<Installation, StoreError> {
        read!(self, |q, conn| q::plugins::installations::get(conn, id))
    }

    /// The latest first (at most `LIST_ROWS_MAX`).
    pub async fn list_installations(&self) -> Result<Vec<Installation>, StoreError> {
        read!(self, |q, conn| q::plugins::installations::list(conn))
    }

    /// Note how far one has come, and that somebody works on it. What has ended stays as it is.
    pub async fn installation_reached(
        &self,
        id: InstallationId,
        state: InstallationState,
        digest: Option<Digest>,
        problem: Option<Value>,
        now: Instant,
    ) -> Result<(), StoreError> {
        write_tx!(self, [digest, problem], |q, conn| q::plugins::installations::reach(
            conn,
            id,
            state,
            digest.as_ref(),
            problem.as_ref(),
            now
        ))
    }

    /// End, as failed with this problem, the installations that nobody has worked on since.
    pub async fn lose_installations(&self, since: Instant, problem: Value) -> Result<(), StoreError> {
        write_tx!(self, [problem], |q, conn| q::plugins::installations::lose(conn, since, &problem))
    }
}
