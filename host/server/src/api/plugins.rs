//! Provider plugins, for operators.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
};
use berth_model::{
    conformance::Report,
    id::{ListingId, TenantId},
    limits,
    manifest::{Manifest, PluginId},
    plugin::{Abilities, Digest, PluginState, PluginVersion},
    problem::{Code, Problem},
    time::Instant,
};
use berth_store::records::GrantRecord;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::{
    app::{App, RequestId},
    auth::Authenticated,
    body,
    extract::{Json as Body, Path, Query},
    page::Page,
    problem::{ApiResult, ProblemDocument},
};

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
    abilities: Abilities,
    /// Hosts it asks for.
    pub(crate) hosts: Vec<String>,
    pub(crate) bytes: u64,
    #[schema(value_type = String)]
    pub(crate) installed_at: Instant,
    #[schema(value_type = Option<String>)]
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
            abilities: v.abilities,
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
    conformance: Option<Report>,
}

impl From<PluginVersion> for PluginDetail {
    fn from(v: PluginVersion) -> Self {
        let (manifest, conformance) = (v.manifest.clone(), v.conformance.clone());
        Self { version: v.into(), manifest, conformance }
    }
}

/// Install a component: checked, compiled and tried with the conformance suite, not serving yet. The same bytes twice are the same version.
#[utoipa::path(post, path = "/api/operator/plugins", tag = "operator",
    request_body(content = Vec<u8>, content_type = "application/wasm", description = "The component, at most 16 MiB"),
    responses((status = 201, body = PluginView), (status = 422, body = ProblemDocument, description = "Refused; `errors` says what to change")))]
pub(super) async fn install(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    request: Request,
) -> ApiResult<(StatusCode, Json<PluginView>)> {
    key.operator()?;
    let bytes = body::read(request.into_body(), limits::COMPONENT_BYTES_MAX).await?;
    let installed = app.engine().install_plugin(&key.actor(), &request_id.0, bytes.to_vec()).await?;
    Ok((StatusCode::CREATED, Json(installed.version.into())))
}

/// All installed versions.
#[utoipa::path(get, path = "/api/operator/plugins", tag = "operator", responses((status = 200, body = Page<PluginView>)))]
pub(super) async fn list(State(app): State<App>, key: Authenticated) -> ApiResult<Json<Page<PluginView>>> {
    key.operator()?;
    let versions = app.engine().list_plugins().await?;
    Ok(Json(Page { items: versions.into_iter().map(PluginView::from).collect(), next: None }))
}

/// A version: by digest (or its first 12 digits), `id@version`, or the active one of `id`.
#[utoipa::path(get, path = "/api/operator/plugins/{name}", tag = "operator", params(("name" = String, Path)),
    responses((status = 200, body = PluginDetail), (status = 404, body = ProblemDocument)))]
pub(super) async fn get(
    State(app): State<App>,
    key: Authenticated,
    Path(name): Path<String>,
) -> ApiResult<Json<PluginDetail>> {
    key.operator()?;
    Ok(Json(app.engine().find_plugin(&name).await?.into()))
}

/// Let a version serve from now on. Calls under way finish on theirs.
#[utoipa::path(post, path = "/api/operator/plugins/{name}/activate", tag = "operator", params(("name" = String, Path)),
    responses((status = 200, body = PluginView), (status = 409, body = ProblemDocument, description = "Held or quarantined")))]
pub(super) async fn activate(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Path(name): Path<String>,
) -> ApiResult<Json<PluginView>> {
    key.operator()?;
    let version = app.engine().find_plugin(&name).await?;
    Ok(Json(app.engine().activate_plugin(&key.actor(), &request_id.0, &version.digest).await?.into()))
}

/// Back to the version that served before. `name` is the plugin's id.
#[utoipa::path(post, path = "/api/operator/plugins/{name}/rollback", tag = "operator", params(("name" = String, Path)),
    responses((status = 200, body = PluginView), (status = 409, body = ProblemDocument)))]
pub(super) async fn rollback(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Path(plugin): Path<PluginId>,
) -> ApiResult<Json<PluginView>> {
    key.operator()?;
    Ok(Json(app.engine().rollback_plugin(&key.actor(), &request_id.0, &plugin).await?.into()))
}

/// Why a version is set aside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Quarantine {
    reason: String,
}

/// Set a version aside. If it serves, it stops.
#[utoipa::path(post, path = "/api/operator/plugins/{name}/quarantine", tag = "operator", request_body = Quarantine, params(("name" = String, Path)),
    responses((status = 200, body = PluginView), (status = 404, body = ProblemDocument)))]
pub(super) async fn quarantine(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Path(name): Path<String>,
    Body(body): Body<Quarantine>,
) -> ApiResult<Json<PluginView>> {
    key.operator()?;
    let version = app.engine().find_plugin(&name).await?;
    let done =
        app.engine().quarantine_plugin(&key.actor(), &request_id.0, &version.digest, &body.reason).await?;
    Ok(Json(done.into()))
}

/// Lift a quarantine; the version is staged, not active.
#[utoipa::path(delete, path = "/api/operator/plugins/{name}/quarantine", tag = "operator", params(("name" = String, Path)),
    responses((status = 200, body = PluginView), (status = 409, body = ProblemDocument)))]
pub(super) async fn lift(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Path(name): Path<String>,
) -> ApiResult<Json<PluginView>> {
    key.operator()?;
    let version = app.engine().find_plugin(&name).await?;
    Ok(Json(app.engine().lift_quarantine(&key.actor(), &request_id.0, &version.digest).await?.into()))
}

/// Rights of a plugin at one level: the instance's, a tenant's or a listing's. Effective is the intersection.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Grant {
    /// Absent: the instance's level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    tenant: Option<TenantId>,
    /// With a tenant: the listing's level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    listing: Option<ListingId>,
    /// Hosts it may reach.
    hosts: BTreeSet<String>,
    /// False forbids the plugin at this level.
    #[serde(default = "yes")]
    enabled: bool,
}

const fn yes() -> bool {
    true
}

/// Whose grants.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantParams {
    #[param(value_type = Option<String>)]
    tenant: Option<TenantId>,
    #[param(value_type = Option<String>)]
    listing: Option<ListingId>,
}

/// The grants that bear on this tenant and listing. `name` is the plugin's id.
#[utoipa::path(get, path = "/api/operator/plugins/{name}/grants", tag = "operator", params(("name" = String, Path), GrantParams),
    responses((status = 200, body = Page<Grant>)))]
pub(super) async fn grants(
    State(app): State<App>,
    key: Authenticated,
    Path(plugin): Path<PluginId>,
    Query(params): Query<GrantParams>,
) -> ApiResult<Json<Page<Grant>>> {
    key.operator()?;
    let grants = app.engine().list_grants(&plugin, params.tenant, params.listing).await?;
    let show =
        |g: GrantRecord| Grant { tenant: g.tenant, listing: g.listing, hosts: g.hosts, enabled: g.enabled };
    Ok(Json(Page { items: grants.into_iter().map(show).collect(), next: None }))
}

/// Set the grant of one level. A held version that is covered now is staged.
#[utoipa::path(put, path = "/api/operator/plugins/{name}/grants", tag = "operator", request_body = Grant, params(("name" = String, Path)),
    responses((status = 204), (status = 422, body = ProblemDocument)))]
pub(super) async fn set_grant(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Path(plugin): Path<PluginId>,
    Body(grant): Body<Grant>,
) -> ApiResult<StatusCode> {
    key.operator()?;
    if grant.listing.is_some() && grant.tenant.is_none() {
        return Err(Problem::new(Code::Invalid, "A listing's grant needs its tenant.").into());
    }
    let grant = GrantRecord {
        plugin,
        tenant: grant.tenant,
        listing: grant.listing,
        hosts: grant.hosts,
        enabled: grant.enabled,
    };
    app.engine().set_grant(&key.actor(), &request_id.0, grant).await?;
    Ok(StatusCode::NO_CONTENT)
}
