//! What a change of a connection says, brought into the engine's form.

use axum::{http::StatusCode, response::Response};
use berth_engine::{Caller, ConnectionPatch, Engine};
use berth_model::{
    id::ConnectionId,
    mirror::sync::SyncRules,
    problem::{FieldError, Problem},
};

use super::{PatchConnection, tagged};
use crate::http::problem::ApiResult;

/// Change it, and the mode of its synchronisation if the settings name one.
pub(super) async fn change(
    engine: &Engine,
    caller: &Caller,
    id: ConnectionId,
    revision: Option<i64>,
    patch: PatchConnection,
) -> ApiResult<Response> {
    let connections = &engine.connections;
    if let Some(named) = patch.provider {
        let (named, is) =
            (connections.provider_named(named), connections.connection(caller, id).await?.plugin);
        if named != is {
            let message = format!("is {is}, and does not change: make another connection");
            return Err(Problem::invalid(vec![FieldError::new("/provider", message)]).into());
        }
    }
    let (mut settings, mut credentials, mut mode) = (None, None, None);
    if patch.settings.is_some() || patch.credentials.is_some() {
        let has_settings = patch.settings.is_some();
        let has_credentials = patch.credentials.is_some();
        let before = connections.connection(caller, id).await?.settings;
        let given = patch.credentials.unwrap_or_default();
        let sorted = connections.sort_changes(caller, id, given, patch.settings).await?;
        // Of credentials that were settings nothing is left to be replaced.
        credentials = Some(sorted.credentials).filter(|found| has_credentials && !found.is_empty());
        settings = Some(sorted.settings).filter(|found| has_settings || *found != before);
        mode = sorted.mode;
    }
    let patch = ConnectionPatch {
        name: patch.name,
        listing: patch.listing,
        settings,
        credentials,
        granted_hosts: patch.granted_hosts,
        webhook_sources: patch.webhook_sources,
    };
    let changed = connections.update_connection(caller, id, patch, revision).await?;
    if let Some(mode) = mode {
        let rules = engine.mirror.sync_status(caller, id).await?.state.rules;
        if rules.mode != mode {
            engine.mirror.set_sync_rules(caller, id, SyncRules { mode, ..rules }).await?;
        }
    }
    tagged(engine, StatusCode::OK, changed).await
}
