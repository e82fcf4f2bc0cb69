//! For machines that watch.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use berth_model::limits;
use serde_json::json;

use crate::http::{app::App, auth::AsOperator, problem::ApiResult};

/// What machines that watch ask all the time: not worth a line each.
pub(crate) const PATHS: &[&str] = &["/healthz", "/readyz", "/metrics"];

/// The process runs.
#[utoipa::path(get, path = "/healthz", operation_id = "liveness_get", tag = "health", security(()), responses((status = 200, description = "Runs")))]
pub(crate) async fn healthz() -> &'static str {
    "ok"
}

/// The process can do its work: the database answers, can be written, its schema is up to date, every active plugin is loaded, nothing in
/// the background fails.
#[utoipa::path(get, path = "/readyz", operation_id = "readiness_get", tag = "health", security(()),
    responses((status = 200, description = "Ready"), (status = 503, description = "Not ready; the body says why, within a second: `database_trouble`; `failing` names what goes on in the background and fails, `plugins_not_loaded` active plugins that are still compiled or cannot be loaded. Either way `time_zones` is the release and the source of the time-zone data in use, and `remarks` what should be known and stops nothing")))]
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
    let body = json!({
        "ready": ready, "database": store.engine(), "database_answers": answers, "database_trouble": trouble,
        "pending_migrations": pending, "failing": failing, "plugins_not_loaded": unloaded,
        "time_zones": { "release": crate::zones::named(release.as_ref()), "source": source.as_str() },
        "remarks": app.readiness().all_remarks(),
    });
    (status, Json(body)).into_response()
}

/// Metrics, in the text format of Prometheus. With an operator's key; without one at `metrics-listen`, if that is set.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics_get", tag = "health", responses((status = 200, description = "Metrics", content_type = "text/plain")))]
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
