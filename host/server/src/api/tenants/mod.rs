//! Tenants, for operators.

mod audit;
pub(crate) mod keys;
pub(crate) mod me;
pub(crate) mod own;
pub(crate) mod schemas;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use berth_engine::{NewKey, NewTenant, TenantPatch};
use berth_model::{
    catalog::listing::TenantRecord,
    id::{ConnectionId, TenantId},
    time::Instant,
};
use berth_store::records::TenantCounts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::keys::MadeKey;
use super::described::{Described, routes};
use crate::{
    api::nullable,
    http::{
        app::App,
        auth::AsOperator,
        extract::{Json as Body, Path},
        page::Page,
        problem::{ApiResult, ProblemDocument},
    },
};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(me::get))
        .routes(routes!(keys::create: KeysWrite, keys::list: KeysWrite))
        .routes(routes!(keys::rotate: KeysWrite))
        .routes(routes!(keys::revoke: KeysWrite, keys::update: KeysWrite))
        .routes(routes!(create: Operator, list: Operator))
        .routes(routes!(update: Operator, delete: Operator))
        .routes(routes!(suspend: Operator))
        .routes(routes!(resume: Operator))
        .routes(routes!(deletion: Operator))
        .routes(routes!(create_key: Operator))
        .routes(routes!(own::get: ListingsRead, own::update: ListingsWrite))
        .routes(routes!(audit::list: AuditRead))
}

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TenantView {
    #[schema(value_type = String)]
    id: TenantId,
    slug: String,
    name: String,
    /// Where bookings go when neither request nor listing says; null: the built-in provider.
    #[schema(value_type = Option<String>)]
    default_connection_id: Option<ConnectionId>,
    /// `active`; `suspended`: its keys and links are refused, nothing of it is read or sent, and everything goes on when it is resumed;
    /// `deleting`: everything of it is being removed.
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

impl From<TenantRecord> for TenantView {
    fn from(t: TenantRecord) -> Self {
        Self {
            id: t.id,
            slug: t.slug,
            name: t.name,
            default_connection_id: t.default_connection,
            state: t.state.as_str(),
            created_at: t.created_at,
        }
    }
}

/// A tenant to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTenantBody {
    slug: String,
    name: String,
}

/// Make a tenant.
#[utoipa::path(post, path = "/api/operator/tenants", operation_id = "tenants_create", tag = "operator", request_body = NewTenantBody,
    responses((status = 201, body = TenantView), (status = 409, body = ProblemDocument)))]
pub(crate) async fn create(
    State(app): State<App>,
    operator: AsOperator,
    Body(new): Body<NewTenantBody>,
) -> ApiResult<(StatusCode, Json<TenantView>)> {
    let new = NewTenant { slug: new.slug, name: new.name };
    let tenant = app.engine().tenants.create_tenant(&operator.actor, &operator.request_id, new).await?;
    Ok((StatusCode::CREATED, Json(tenant.into())))
}

/// All tenants.
#[utoipa::path(get, path = "/api/operator/tenants", operation_id = "tenants_list", tag = "operator", responses((status = 200, body = Page<TenantView>)))]
pub(crate) async fn list(State(app): State<App>, _: AsOperator) -> ApiResult<Json<Page<TenantView>>> {
    let tenants = app.engine().tenants.list_tenants().await?;
    Ok(Json(Page { items: tenants.into_iter().map(TenantView::from).collect(), next: None }))
}

/// Changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null mean different things in a patch")]
pub(crate) struct PatchTenant {
    slug: Option<String>,
    name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    #[serde(alias = "default_provider_id")]
    default_connection_id: Option<Option<ConnectionId>>,
}

/// Change a tenant.
#[utoipa::path(patch, path = "/api/operator/tenants/{id}", operation_id = "tenants_update", tag = "operator", request_body = PatchTenant, params(("id" = String, Path)),
    responses((status = 200, body = TenantView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn update(
    State(app): State<App>,
    operator: AsOperator,
    Path(id): Path<TenantId>,
    Body(patch): Body<PatchTenant>,
) -> ApiResult<Json<TenantView>> {
    let patch = TenantPatch {
        slug: patch.slug,
        name: patch.name,
        default_connection: patch.default_connection_id,
        ..TenantPatch::default()
    };
    Ok(Json(
        app.engine().tenants.update_tenant(&operator.actor, &operator.request_id, id, patch).await?.into(),
    ))
}

/// Suspend a tenant: its keys and links are refused (`BERTH-E0432`), nothing of it is read, told or offered, and what has to be delivered waits.
/// Suspending what is suspended changes nothing.
#[utoipa::path(post, path = "/api/operator/tenants/{id}/suspend", operation_id = "tenants_suspend", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = TenantView), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument, description = "It is being deleted")))]
pub(crate) async fn suspend(
    State(app): State<App>,
    operator: AsOperator,
    Path(id): Path<TenantId>,
) -> ApiResult<Json<TenantView>> {
    Ok(Json(
        app.engine().tenant_removal.suspend_tenant(&operator.actor, &operator.request_id, id).await?.into(),
    ))
}

/// Resume a tenant: what waited is told, and its connections are read anew. Resuming what is active wakes what waits once more.
#[utoipa::path(post, path = "/api/operator/tenants/{id}/resume", operation_id = "tenants_resume", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = TenantView), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument, description = "It is being deleted")))]
pub(crate) async fn resume(
    State(app): State<App>,
    operator: AsOperator,
    Path(id): Path<TenantId>,
) -> ApiResult<Json<TenantView>> {
    Ok(Json(
        app.engine().tenant_removal.resume_tenant(&operator.actor, &operator.request_id, id).await?.into(),
    ))
}

/// What deleting a tenant would remove now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TenantDeletionView {
    /// Bookings that are to come or under way. Their providers keep theirs.
    upcoming_bookings: i64,
    /// Bookings that are over, cancelled or failed.
    past_bookings: i64,
    listings: i64,
    event_types: i64,
    members: i64,
    rules: i64,
    calendars: i64,
    /// Disconnected first.
    connections: i64,
    /// Keys that are not revoked: they end at once.
    keys: i64,
}

impl From<TenantCounts> for TenantDeletionView {
    fn from(c: TenantCounts) -> Self {
        Self {
            upcoming_bookings: c.upcoming_bookings,
            past_bookings: c.past_bookings,
            listings: c.listings,
            event_types: c.event_types,
            members: c.members,
            rules: c.rules,
            calendars: c.calendars,
            connections: c.connections,
            keys: c.keys,
        }
    }
}

/// What deleting a tenant would remove now. Nothing is done.
#[utoipa::path(get, path = "/api/operator/tenants/{id}/deletion", operation_id = "tenant_deletions_get", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = TenantDeletionView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn deletion(
    State(app): State<App>,
    _: AsOperator,
    Path(id): Path<TenantId>,
) -> ApiResult<Json<TenantDeletionView>> {
    Ok(Json(app.engine().tenant_removal.tenant_deletion(id).await?.into()))
}

/// Delete a tenant and everything of it, for good. Its keys end at once; then its connections are disconnected and everything is removed in
/// the background, which goes on over restarts. It is listed as `deleting` until it is gone. Of its audit log what was done to the tenant
/// itself stays. See `deletion` for what goes.
#[utoipa::path(delete, path = "/api/operator/tenants/{id}", operation_id = "tenants_delete", tag = "operator", params(("id" = String, Path)),
    responses((status = 202, body = TenantView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn delete(
    State(app): State<App>,
    operator: AsOperator,
    Path(id): Path<TenantId>,
) -> ApiResult<(StatusCode, Json<TenantView>)> {
    let tenant = app.engine().tenant_removal.delete_tenant(&operator.actor, &operator.request_id, id).await?;
    Ok((StatusCode::ACCEPTED, Json(tenant.into())))
}

/// A tenant's key, as an operator makes it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTenantKey {
    name: String,
    /// `bookings:read`, `bookings:write`, …
    scopes: Vec<String>,
    /// Requests per minute, 1 to 1 000 000; absent: as the server is configured.
    #[serde(default)]
    requests_per_minute: Option<u32>,
    /// Networks and addresses that it may be used from; absent or empty: from anywhere.
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
}

/// Make a tenant's first key.
#[utoipa::path(post, path = "/api/operator/tenants/{id}/keys", operation_id = "tenant_keys_create", tag = "operator", request_body = NewTenantKey, params(("id" = String, Path)),
    responses((status = 201, body = MadeKey), (status = 404, body = ProblemDocument)))]
pub(crate) async fn create_key(
    State(app): State<App>,
    operator: AsOperator,
    Path(id): Path<TenantId>,
    Body(new): Body<NewTenantKey>,
) -> ApiResult<Response> {
    app.engine().tenants.tenant(id).await?;
    let new = NewKey {
        tenant: Some(id),
        name: new.name,
        scopes: new.scopes,
        requests_per_minute: new.requests_per_minute,
        sources: new.sources,
        expires_at: new.expires_at,
    };
    let made = app.engine().tenants.create_key(&operator.actor, &operator.request_id, new).await?;
    Ok(MadeKey::shown(made))
}
