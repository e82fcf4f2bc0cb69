//! Components on their way in, for operators: an upload is answered at once, and asked for until it has ended.

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use berth_model::{
    id::InstallationId,
    limits,
    plugins::{
        installation::{Installation, InstallationState},
        plugin::Digest,
    },
    time::Instant,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::PluginView;
use crate::http::{
    app::App,
    auth::AsOperator,
    body,
    etag::located,
    extract::Path,
    page::Page,
    problem::{ApiResult, ProblemDocument},
};

/// Where installations are.
const PATH: &str = "/api/operator/installations";

/// A component on its way in.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct InstallationView {
    #[schema(value_type = String)]
    pub(crate) id: InstallationId,
    /// `checking`, `queued` (for the compiler), `compiling`, `trying` (with the conformance suite); then `installed`, `refused` (the
    /// component is at fault) or `failed` (it is not: upload it again).
    #[schema(value_type = String)]
    pub(crate) state: InstallationState,
    /// Size of the component.
    bytes: u64,
    /// SHA-256 of the component, once it is installed.
    #[schema(value_type = Option<String>)]
    digest: Option<Digest>,
    /// The version, once it is installed.
    pub(crate) plugin: Option<PluginView>,
    /// Why it was refused or failed: `code`, `title`, `status`, `detail`, `hint`, `errors`.
    #[schema(value_type = Option<Object>)]
    pub(crate) problem: Option<Value>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

impl From<Installation> for InstallationView {
    fn from(i: Installation) -> Self {
        let Installation { id, state, bytes, digest, problem, created_at, seen_at: _ } = i;
        Self { id, state, bytes, digest, plugin: None, problem, created_at }
    }
}

/// Install a component: it is checked, compiled and tried with the conformance suite, and does not serve yet. That takes seconds to
/// minutes, so the answer says where to ask how far it is. The same bytes twice are the same version.
#[utoipa::path(post, path = "/api/operator/plugins", operation_id = "plugins_install", tag = "operator",
    request_body(content = Vec<u8>, content_type = "application/wasm", description = "The component, at most 16 MiB"),
    responses((status = 202, body = InstallationView, description = "Begun; ask at `Location`"),
        (status = 413, body = ProblemDocument), (status = 503, body = ProblemDocument, description = "Too many are on their way in")))]
pub(crate) async fn install(
    State(app): State<App>,
    operator: AsOperator,
    request: Request,
) -> ApiResult<Response> {
    let room = app.engine().plugins.installation_room()?;
    let bytes = body::read(request.into_body(), limits::COMPONENT_BYTES_MAX).await?;
    let begun = app
        .engine()
        .plugins
        .begin_installation(room, &operator.actor, &operator.request_id, bytes.to_vec())
        .await?;
    let location = format!("{PATH}/{}", begun.id);
    Ok(located((StatusCode::ACCEPTED, Json(InstallationView::from(begun))).into_response(), location))
}

/// How far an installation is, and how it ended.
#[utoipa::path(get, path = "/api/operator/installations/{id}", operation_id = "installations_get", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = InstallationView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    _: AsOperator,
    Path(id): Path<InstallationId>,
) -> ApiResult<Json<InstallationView>> {
    let mut view = InstallationView::from(app.engine().plugins.installation(id).await?);
    if let Some(digest) = &view.digest {
        view.plugin = Some(app.engine().plugins.find_plugin(&digest.0).await?.into());
    }
    Ok(Json(view))
}

/// Installations of the last days, the latest first.
#[utoipa::path(get, path = "/api/operator/installations", operation_id = "installations_list", tag = "operator",
    responses((status = 200, body = Page<InstallationView>)))]
pub(crate) async fn list(State(app): State<App>, _: AsOperator) -> ApiResult<Json<Page<InstallationView>>> {
    let items = app.engine().plugins.list_installations().await?.into_iter().map(Into::into).collect();
    Ok(Json(Page { items, next: None }))
}
