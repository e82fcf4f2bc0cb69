//! For machines that watch.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use berth_model::limits;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{app::App, auth::AsOperator, problem::ApiResult};

/// What machines that watch ask all the time: not worth a line each.
pub(crate) const PATHS: &[&str] = &["/healthz", "/readyz", "/metrics"];

/// The process runs.
#[utoipa::path(get, path = "/healthz", operation_id = "liveness_get", tag = "health", security(()), responses((status = 200, description = "Runs", body = String, content_type = "text/plain")))]
pub(crate) async fn healthz() -> &'static str {
    "ok"
}

/// Can the process do its work?
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    ready: bool,
    /// `sqlite` or `postgres`.
    database: &'static str,
    database_answers: bool,
    /// What keeps the database from working.
    database_trouble: Option<&'static str>,
    pending_migrations: Vec<String>,
    /// What goes on in the background and fails.
    failing: BTreeMap<String, String>,
    /// Active plugins that are still compiled or cannot be loaded.
    plugins_not_loaded: BTreeMap<String, String>,
    time_zones: ZonesInUse,
    /// What should be known and stops nothing.
    remarks: BTreeMap<String, String>,
}

/// The time-zone data in use.
#[derive(Debug, Serialize, ToSchema)]
struct ZonesInUse {
    release: String,
    source: &'static str,
}

/// The process can do its work: the database answers, can be written, its schema is up to date, every active plugin is loaded, nothing in
/// the background fails.
#[utoipa::path(get, path = "/readyz", operation_id = "readiness_get", tag = "health", security(()),
    responses((status = 200, description = "Ready", body = Readiness), (status = 503, description = "Not ready; the body says why, within a second", body = Readiness)))]
pub(crate) async fn readyz(State(app): State<App>) -> Response {
    let store = app.engine().store();
    let asked = async {
        store.ping().await?;
        store.pending_migrations().await
    };
    let asked = tokio::time::timeout(Duration::from_millis(limits::READY_MS_MAX), asked).await;
    let answers = matches!(asked, Ok(Ok(_)));
    let (pending, failed) = match asked {
        Ok(Ok(pending)) => (pending, None),
        Ok(Err(error)) => {
            let cause = error.trouble().map_or("the database cannot be asked", |trouble| trouble.cause);
            (Vec::new(), Some(cause))
        }
        Err(_) => (Vec::new(), Some("the database gives no answer in time")),
    };
    // What was found when something was written.
    let trouble = failed.or_else(|| store.trouble().map(|trouble| trouble.cause));
    let failing = app.readiness().failing();
    let unloaded = app.engine().plugins.unloaded_plugins();
    let ready = trouble.is_none() && pending.is_empty() && failing.is_empty() && unloaded.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let (release, source) = berth_model::zone::in_use();
    let body = Readiness {
        ready,
        database: store.engine(),
        database_answers: answers,
        database_trouble: trouble,
        pending_migrations: pending,
        failing,
        plugins_not_loaded: unloaded.into_iter().map(|(plugin, why)| (plugin.to_string(), why)).collect(),
        time_zones: ZonesInUse { release: crate::zones::named(release.as_ref()), source: source.as_str() },
        remarks: app.readiness().all_remarks(),
    };
    (status, Json(body)).into_response()
}

/// Metrics, in the text format of Prometheus. With an operator's key; without one at `metrics-listen`, if that is set.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics_get", tag = "health", responses((status = 200, description = "Metrics", body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(state: State<App>, _: AsOperator) -> ApiResult<Response> {
    Ok(metrics_text(state).await)
}

/// The same for whoever may ask already.
pub(crate) async fn metrics_text(State(app): State<App>) -> Response {
    for (queue, open) in app.engine().store().open_jobs().await.unwrap_or_default() {
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        metrics::gauge!("berth_jobs_open", "queue" => queue.as_str()).set(open as f64);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.render_metrics()).into_response()
}
