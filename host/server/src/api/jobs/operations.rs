//! Work for providers: what waits, what is under way, and what was given up.

use axum::{Json, extract::State, http::StatusCode};
use berth_engine::{JobState, Operation};
use berth_model::{
    connections::connection::ConnectionRecord,
    id::{ConnectionId, JobId},
    plugins::manifest::PluginId,
    problem::{Code, Problem},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    api::mirror::connections,
    http::{
        app::App,
        auth::AsTenant,
        contacts::{Anything, Words},
        extract::{Path, Query},
        page::{self, Page},
        problem::{ApiResult, ProblemDocument},
    },
};

/// Which work.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperationParams {
    #[param(value_type = Option<String>)]
    #[serde(rename = "connection_id")]
    connection: Option<ConnectionId>,
    /// `waiting`, `running` or `dead_letter`; all, if none is named.
    state: Option<String>,
    /// Items wanted, 1 to 200 (50).
    limit: Option<u32>,
    /// `next` of the last page.
    cursor: Option<String>,
}

/// Work for a provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Operation)]
pub(crate) struct OperationView {
    #[schema(value_type = String)]
    id: JobId,
    kind: String,
    /// `waiting`, `running` or `dead_letter`.
    state: &'static str,
    #[schema(value_type = String)]
    connection_id: ConnectionId,
    /// What it is about.
    #[schema(value_type = Object)]
    payload: Anything,
    /// Tries, 1 for the first.
    attempt: i64,
    /// Tries during which the process ended.
    crashes: i64,
    #[schema(value_type = Option<String>)]
    last_error: Option<Words>,
    /// Not before; null unless it waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Instant>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

/// Work for a provider, the latest first: what waits (until `due_at`), what is under way, and what was given up (`dead_letter`), which is
/// tried once more with `requeue`. `attempt` counts the tries, `crashes` those during which the process ended. A page may have fewer items
/// than asked for, and a `next`.
#[utoipa::path(get, path = "/api/admin/{provider}/operations", operation_id = "operations_list", tag = "synchronisation", params(("provider" = String, Path), OperationParams),
    responses((status = 200, body = Page<OperationView>), (status = 404, body = ProblemDocument)))]
pub(crate) async fn operations(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(provider): Path<PluginId>,
    Query(params): Query<OperationParams>,
) -> ApiResult<Json<Page<OperationView>>> {
    let known = ids_of(&connections(&app, &caller, &provider, params.connection).await?);
    let limit = page::items(params.limit)?;
    let only = match params.state.as_deref() {
        None => None,
        Some(name) => {
            Some(JobState::ALL.into_iter().find(|state| state.as_str() == name).ok_or_else(|| {
                Problem::new(Code::MalformedParameter, "state must be waiting, running or dead_letter.")
            })?)
        }
    };
    let before = page::position(params.cursor.as_ref())?;
    let (found, next) = app.engine().jobs.operations(&caller, &known, only, before, limit).await?;
    let show = |Operation { connection, state, job }| OperationView {
        id: job.id,
        kind: job.kind,
        state: state.as_str(),
        connection_id: connection,
        payload: Anything(job.payload),
        attempt: job.attempt,
        crashes: job.crashes,
        last_error: job.last_error.map(Words),
        due_at: (state == JobState::Waiting).then_some(job.due_at),
        created_at: job.created_at,
    };
    Ok(Json(Page {
        items: found.into_iter().map(show).collect(),
        next: next.as_ref().and_then(page::cursor),
    }))
}

fn ids_of(connections: &[ConnectionRecord]) -> Vec<ConnectionId> {
    connections.iter().map(|connection| connection.id).collect()
}

/// Try once more what was given up.
#[utoipa::path(post, path = "/api/admin/{provider}/operations/{id}/requeue", operation_id = "operations_requeue", tag = "synchronisation",
    params(("provider" = String, Path), ("id" = String, Path)), responses((status = 202), (status = 404, body = ProblemDocument)))]
pub(crate) async fn requeue(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path((provider, id)): Path<(PluginId, JobId)>,
) -> ApiResult<StatusCode> {
    let known = connections(&app, &caller, &provider, None).await?;
    let job = app.engine().jobs.dead_letter(&caller, &ids_of(&known), id).await?;
    app.engine().mirror.requeue_job(&caller, job.id).await?;
    Ok(StatusCode::ACCEPTED)
}
