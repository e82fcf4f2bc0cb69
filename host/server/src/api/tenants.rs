//! Tenants, for operators.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use berth_engine::{NewKey, NewTenant, TenantPatch};
use berth_model::{
    id::{ConnectionId, TenantId},
    listing::TenantRecord,
    time::Instant,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{keys::MadeKey, nullable};
use crate::http::{
    app::{App, RequestId},
    auth::Authenticated,
    extract::{Json as Body, Path},
    page::Page,
    problem::{ApiResult, ProblemDocument},
};

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TenantView {
    #[schema(value_type = String)]
    id: TenantId,
    slug: String,
    name: String,
    /// Where bookings go when neither request nor listing says; null: the built-in provider.
    #[schema(value_type = Option<String>)]
    default_provider_id: Option<ConnectionId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

impl From<TenantRecord> for TenantView {
    fn from(t: TenantRecord) -> Self {
        Self {
            id: t.id,
            slug: t.slug,
            name: t.name,
            default_provider_id: t.default_connection,
            created_at: t.created_at,
        }
    }
}

/// A tenant to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTenantBody {
    slug: String,
    name: String,
}

/// Make a tenant.
#[utoipa::path(post, path = "/api/operator/tenants", tag = "operator", request_body = NewTenantBody,
    responses((status = 201, body = TenantView), (status = 409, body = ProblemDocument)))]
pub(super) async fn create(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Body(new): Body<NewTenantBody>,
) -> ApiResult<(StatusCode, Json<TenantView>)> {
    key.operator()?;
    let new = NewTenant { slug: new.slug, name: new.name };
    let tenant = app.engine().create_tenant(&key.actor(), &request_id.0, new).await?;
    Ok((StatusCode::CREATED, Json(tenant.into())))
}

/// All tenants.
#[utoipa::path(get, path = "/api/operator/tenants", tag = "operator", responses((status = 200, body = Page<TenantView>)))]
pub(super) async fn list(State(app): State<App>, key: Authenticated) -> ApiResult<Json<Page<TenantView>>> {
    key.operator()?;
    let tenants = app.engine().list_tenants().await?;
    Ok(Json(Page { items: tenants.into_iter().map(TenantView::from).collect(), next: None }))
}

/// Changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null mean different things in a patch")]
pub(super) struct PatchTenant {
    slug: Option<String>,
    name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    default_provider_id: Option<Option<ConnectionId>>,
}

/// Change a tenant.
#[utoipa::path(patch, path = "/api/operator/tenants/{id}", tag = "operator", request_body = PatchTenant, params(("id" = String, Path)),
    responses((status = 200, body = TenantView), (status = 404, body = ProblemDocument)))]
pub(super) async fn update(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Path(id): Path<TenantId>,
    Body(patch): Body<PatchTenant>,
) -> ApiResult<Json<TenantView>> {
    key.operator()?;
    let patch =
        TenantPatch { slug: patch.slug, name: patch.name, default_connection: patch.default_provider_id };
    Ok(Json(app.engine().update_tenant(&key.actor(), &request_id.0, id, patch).await?.into()))
}

/// A tenant's key, as an operator makes it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTenantKey {
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
#[utoipa::path(post, path = "/api/operator/tenants/{id}/keys", tag = "operator", request_body = NewTenantKey, params(("id" = String, Path)),
    responses((status = 201, body = MadeKey), (status = 404, body = ProblemDocument)))]
pub(super) async fn create_key(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Path(id): Path<TenantId>,
    Body(new): Body<NewTenantKey>,
) -> ApiResult<Response> {
    key.operator()?;
    app.engine().tenant(id).await?;
    let new = NewKey {
        tenant: Some(id),
        name: new.name,
        scopes: new.scopes,
        requests_per_minute: new.requests_per_minute,
        sources: new.sources,
        expires_at: new.expires_at,
    };
    let made = app.engine().create_key(&key.actor(), &request_id.0, new).await?;
    Ok(MadeKey::shown(made))
}
