//! Provider plugins, for operators.

pub(crate) mod grants;
pub(crate) mod installations;
pub(crate) mod schemas;

use axum::{Json, extract::State};
use berth_model::{
    plugins::{
        conformance::Report,
        manifest::{Manifest, PluginId},
        plugin::{Capabilities, Digest, PluginState, PluginVersion},
    },
    time::Instant,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::described::{Described, routes};
use crate::http::{
    app::App,
    auth::Authenticated,
    extract::{Json as Body, Path},
    page::Page,
    problem::{ApiResult, ProblemDocument},
    request_id::RequestId,
};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(installations::install, list))
        .routes(routes!(installations::list))
        .routes(routes!(installations::get))
        .routes(routes!(get))
        .routes(routes!(activate))
        .routes(routes!(rollback))
        .routes(routes!(quarantine, lift))
        .routes(routes!(grants::list, grants::set, grants::change))
}

/// An installed version.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PluginView {
    #[schema(value_type = String)]
    pub(crate) plugin: PluginId,
    pub(crate) version: String,
    /// SHA-256 of the component.
    #[schema(value_type = String)]
    pub(crate) digest: Digest,
    name: String,
    /// `staged`, `held`, `active`, `retired`, `quarantined`.
    #[schema(value_type = String)]
    pub(crate) state: PluginState,
    /// Why it is held or quarantined.
    pub(crate) reason: Option<String>,
    /// Interfaces besides `connection`.
    #[schema(value_type = Object)]
    #[serde(rename = "abilities")]
    capabilities: Capabilities,
    /// Hosts it asks for.
    pub(crate) hosts: Vec<String>,
    pub(crate) bytes: u64,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) installed_at: Instant,
    #[schema(value_type = Option<String>, format = DateTime)]
    activated_at: Option<Instant>,
}

impl From<PluginVersion> for PluginView {
    fn from(v: PluginVersion) -> Self {
        Self {
            plugin: v.plugin,
            version: v.version,
            digest: v.digest,
            name: v.manifest.name,
            state: v.state,
            reason: v.reason,
            capabilities: v.capabilities,
            hosts: v.manifest.hosts,
            bytes: v.bytes,
            installed_at: v.installed_at,
            activated_at: v.activated_at,
        }
    }
}

/// An installed version with its manifest.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PluginDetail {
    #[serde(flatten)]
    version: PluginView,
    /// What it is and asks for, as its author wrote it.
    #[schema(value_type = Object)]
    manifest: Manifest,
    /// What the conformance suite found when it was installed.
    #[schema(value_type = Option<schemas::Report>)]
    conformance: Option<Report>,
}

impl From<PluginVersion> for PluginDetail {
    fn from(v: PluginVersion) -> Self {
        let (manifest, conformance) = (v.manifest.clone(), v.conformance.clone());
        Self { version: v.into(), manifest, conformance }
    }
}

/// All installed versions.
#[utoipa::path(get, path = "/api/operator/plugins", tag = "operator", responses((status = 200, body = Page<PluginView>)))]
pub(crate) async fn list(State(app): State<App>, key: Authenticated) -> ApiResult<Json<Page<PluginView>>> {
    key.operator()?;
    let versions = app.engine().plugins.list_plugins().await?;
    Ok(Json(Page { items: versions.into_iter().map(PluginView::from).collect(), next: None }))
}

/// A version: by digest (or its first 12 digits), `id@version`, or the active one of `id`.
#[utoipa::path(get, path = "/api/operator/plugins/{name}", tag = "operator", params(("name" = String, Path)),
    responses((status = 200, body = PluginDetail), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    key: Authenticated,
    Path(name): Path<String>,
) -> ApiResult<Json<PluginDetail>> {
    key.operator()?;
    Ok(Json(app.engine().plugins.find_plugin(&name).await?.into()))
}

/// Let a version serve from now on. Calls under way finish on theirs.
#[utoipa::path(post, path = "/api/operator/plugins/{name}/activate", tag = "operator", params(("name" = String, Path)),
    responses((status = 200, body = PluginView), (status = 409, body = ProblemDocument, description = "Held or quarantined")))]
pub(crate) async fn activate(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Path(name): Path<String>,
) -> ApiResult<Json<PluginView>> {
    key.operator()?;
    let version = app.engine().plugins.find_plugin(&name).await?;
    Ok(Json(app.engine().plugins.activate_plugin(&key.actor(), &request_id.0, &version.digest).await?.into()))
}

/// Back to the version that served before. `name` is the plugin's id.
#[utoipa::path(post, path = "/api/operator/plugins/{name}/rollback", tag = "operator", params(("name" = String, Path)),
    responses((status = 200, body = PluginView), (status = 409, body = ProblemDocument)))]
pub(crate) async fn rollback(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Path(plugin): Path<PluginId>,
) -> ApiResult<Json<PluginView>> {
    key.operator()?;
    Ok(Json(app.engine().plugins.rollback_plugin(&key.actor(), &request_id.0, &plugin).await?.into()))
}

/// Why a version is set aside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quarantine {
    reason: String,
}

/// Set a version aside. If it serves, it stops.
#[utoipa::path(post, path = "/api/operator/plugins/{name}/quarantine", tag = "operator", request_body = Quarantine, params(("name" = String, Path)),
    responses((status = 200, body = PluginView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn quarantine(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Path(name): Path<String>,
    Body(body): Body<Quarantine>,
) -> ApiResult<Json<PluginView>> {
    key.operator()?;
    let version = app.engine().plugins.find_plugin(&name).await?;
    let done = app
        .engine()
        .plugins
        .quarantine_plugin(&key.actor(), &request_id.0, &version.digest, &body.reason)
        .await?;
    Ok(Json(done.into()))
}

/// Lift a quarantine; the version is staged, not active.
#[utoipa::path(delete, path = "/api/operator/plugins/{name}/quarantine", tag = "operator", params(("name" = String, Path)),
    responses((status = 200, body = PluginView), (status = 409, body = ProblemDocument)))]
pub(crate) async fn lift(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Path(name): Path<String>,
) -> ApiResult<Json<PluginView>> {
    key.operator()?;
    let version = app.engine().plugins.find_plugin(&name).await?;
    Ok(Json(app.engine().plugins.lift_quarantine(&key.actor(), &request_id.0, &version.digest).await?.into()))
}
