//! How well a provider's connections work, in one answer.

use axum::{Json, extract::State};
use berth_model::{
    connections::{
        breaker::BreakerState,
        connection::{ConnectionRecord, ConnectionState, ConnectionStatus},
    },
    id::ConnectionId,
    plugins::manifest::PluginId,
    time::Instant,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Which, connections};
use crate::http::{
    app::App,
    auth::AsTenant,
    extract::{Path, Query},
    problem::{ApiResult, ProblemDocument},
};

/// How well it works, as far as is known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderHealth {
    /// The provider's API, by the worst of the connections: `healthy`, `unauthorised`, `unavailable`.
    api: &'static str,
    /// Synchronisation: `healthy`, or `failing` if that of a connection failed last time.
    sync_engine: &'static str,
    /// Berth's own: `healthy`, or `read_only` if nothing can be written into it. (Where it does not answer, nor does this.)
    database: &'static str,
    /// Each connection.
    connections: Vec<ConnectionHealth>,
    /// The same, as it was called before.
    items: Vec<ConnectionHealth>,
}

/// How well a connection works, as far as is known.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct ConnectionHealth {
    #[schema(value_type = String)]
    connection_id: ConnectionId,
    name: String,
    /// `active`, `paused`, `disconnected`.
    #[schema(value_type = String)]
    state: ConnectionState,
    /// `healthy`, `unauthorised`, `unavailable`.
    #[schema(value_type = String)]
    status: ConnectionStatus,
    status_detail: Option<String>,
    /// `closed`: its provider is asked; `open`: it is not for now; `half_open`: the next call finds out.
    #[schema(value_type = String)]
    breaker: BreakerState,
    /// Does the provider send messages?
    webhooks: bool,
    webhooks_detail: Option<String>,
    /// Why its synchronisation failed last time.
    sync_error: Option<String>,
    /// When it last ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Instant>,
    /// Conflicts that wait for a person.
    open_conflicts: i64,
}

/// The worst of what connections say that are in use.
fn api(connections: &[ConnectionHealth]) -> &'static str {
    let in_use = connections.iter().filter(|c| c.state == ConnectionState::Active);
    let rank = |status: ConnectionStatus| match status {
        ConnectionStatus::Healthy => 0,
        ConnectionStatus::Unauthorised => 1,
        ConnectionStatus::Unavailable => 2,
    };
    let of = |c: &ConnectionHealth| match c.breaker {
        BreakerState::Open => ConnectionStatus::Unavailable,
        _ => c.status,
    };
    in_use.map(of).max_by_key(|status| rank(*status)).unwrap_or(ConnectionStatus::Healthy).as_str()
}

/// Does a provider work, as far as is known: its API, synchronisation, our database, and each connection to it.
#[utoipa::path(get, path = "/api/admin/{provider}/health", operation_id = "provider_health_get", tag = "synchronisation", params(("provider" = String, Path), Which),
    responses((status = 200, body = ProviderHealth), (status = 404, body = ProblemDocument)))]
pub(crate) async fn health(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(provider): Path<PluginId>,
    Query(which): Query<Which>,
) -> ApiResult<Json<ProviderHealth>> {
    let mut found = Vec::new();
    for c in connections(&app, &caller, &provider, which.connection).await? {
        let c: ConnectionRecord = app.engine().plugins.as_it_stands(c).await?;
        let sync = app.engine().mirror.sync_status(&caller, c.id).await?;
        found.push(ConnectionHealth {
            connection_id: c.id,
            breaker: app.engine().connections.connection_breaker(c.id),
            name: c.name,
            state: c.state,
            status: c.status,
            status_detail: c.status_detail,
            webhooks: c.subscription.is_some(),
            webhooks_detail: c.subscription_detail,
            sync_error: sync.state.error,
            finished_at: sync.state.finished_at,
            open_conflicts: sync.open_conflicts,
        });
    }
    let failing = found.iter().any(|c| c.state == ConnectionState::Active && c.sync_error.is_some());
    Ok(Json(ProviderHealth {
        api: api(&found),
        sync_engine: if failing { "failing" } else { "healthy" },
        database: if app.engine().store().trouble().is_some() { "read_only" } else { "healthy" },
        items: found.clone(),
        connections: found,
    }))
}
