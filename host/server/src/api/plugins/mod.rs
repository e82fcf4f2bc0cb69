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
    auth::AsOperator,
    extract::{Json as Body, Path},
    page::Page,
    problem::{ApiResult, ProblemDocument},
};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(installations::install: Operator, list: Operator))
        .routes(routes!(installations::list: Operator))
        .routes(routes!(installations::get: Operator))
        .routes(routes!(get: Operator))
        .routes(routes!(activate: Operator))
        .routes(routes!(rollback: Operator))
        .routes(routes!(quarantine: Operator, lift: Operator))
        .routes(routes!(grants::list: Operator, grants::set: Operator, grants::change: Operator))
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
#[utoipa::path(get, path = "/api/operator/plugins", operation_id = "plugins_list", tag = "operator", responses((status = 200, body = Page<PluginView>)))]
pub(crate) async fn list(State(app): State<App>, _: AsOperator) -> ApiResult<Json<Page<PluginView>>> {
    let versions = app.engine().plugins.list_plugins().await?;
    Ok(Json(Page { items: versions.into_iter().map(PluginView::from).collect(), next: None }))
}

/// A version: by digest (or its first 12 digits), `id@version`, or the active one of `id`.
#[utoipa::path(get, path = "/api/operator/plugins/{name}", operation_id = "plugins_get", tag = "operator", params(("name" = String, Path)),
    responses((status = 200, body = PluginDetail), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    _: AsOperator,
    Path(name): Path<String>,
) -> ApiResult<Json<PluginDetail>> {
    Ok(Json(app.engine().plugins.find_plugin(&name).await?.into()))
}

/// Let a version serve from now on. Calls under way finish on theirs.
#[utoipa::path(post, path = "/api/operator/plugins/{name}/activate", operation_id = "plugins_activate", tag = "operator", params(("name" = String, Path)),
    responses((status = 200, body = PluginView), (status = 409, body = ProblemDocument, description = "Held or quarantined")))]
pub(crate) async fn activate(
    State(app): State<App>,
    operator: AsOperator,
    Path(name): Path<String>,
) -> ApiResult<Json<PluginView>> {
    let version = app.engine().plugins.find_plugin(&name).await?;
    Ok(Json(
        app.engine()
            .plugins
            .activate_plugin(&operator.actor, &operator.request_id, &version.digest)
            .await?
            .into(),
    ))
}

/// Back to the version that served before. `name` is the plugin's id.
#[utoipa::path(post, path = "/api/operator/plugins/{name}/rollback", operation_id = "plugins_rollback", tag = "operator", params(("name" = String, Path)),
    responses((status = 200, body = PluginView), (status = 409, body = ProblemDocument)))]
pub(crate) async fn rollback(
    State(app): State<App>,
    operator: AsOperator,
    Path(plugin): Path<PluginId>,
) -> ApiResult<Json<PluginView>> {
    Ok(Json(
        app.engine().plugins.rollback_plugin(&operator.actor, &operator.request_id, &plugin).await?.into(),
    ))
}

/// Why a version is set aside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quarantine {
    reason: String,
}

/// Set a version aside. If it serves, it stops.
#[utoipa::path(post, path = "/api/operator/plugins/{name}/quarantine", operation_id = "plugins_quarantine", tag = "operator", request_body = Quarantine, params(("name" = String, Path)),
    responses((status = 200, body = PluginView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn quarantine(
    State(app): State<App>,
    operator: AsOperator,
    Path(name): Path<String>,
    Body(body): Body<Quarantine>,
) -> ApiResult<Json<PluginView>> {
    let version = app.engine().plugins.find_plugin(&name).await?;
    let done = app
        .engine()
        .plugins
        .quarantine_plugin(&operator.actor, &operator.request_id, &version.digest, &body.reason)
        .await?;
    Ok(Json(done.into()))
}

/// Lift a quarantine; the version is staged, not active.
#[utoipa::path(delete, path = "/api/operator/plugins/{name}/quarantine", operation_id = "plugins_lift_quarantine", tag = "operator", params(("name" = String, Path)),
    responses((status = 200, body = PluginView), (status = 409, body = ProblemDocument)))]
pub(crate) async fn lift(
    State(app): State<App>,
    operator: AsOperator,
    Path(name): Path<String>,
) -> ApiResult<Json<PluginView>> {
    let version = app.engine().plugins.find_plugin(&name).await?;
    Ok(Json(
        app.engine()
            .plugins
            .lift_quarantine(&operator.actor, &operator.request_id, &version.digest)
            .await?
            .into(),
    ))
}
