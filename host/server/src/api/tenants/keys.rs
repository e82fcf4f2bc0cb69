//! A tenant's API keys.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use berth_engine::NewKey;
use berth_model::{
    connections::secret::Secret,
    id::ApiKeyId,
    problem::{FieldError, Problem},
    time::Instant,
};
use berth_store::records::{ApiKeyRecord, KeyPatch};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{
    app::App,
    auth::AsTenant,
    extract::{Json as Body, Path},
    once::shown_once,
    page::Page,
    problem::{ApiResult, ProblemDocument},
    versions,
};

/// A key, without its text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyView {
    #[schema(value_type = String)]
    id: ApiKeyId,
    name: String,
    /// First characters, to tell keys apart.
    prefix: String,
    scopes: Vec<String>,
    /// Requests per minute; null: as the server is configured. The headers `RateLimit-Policy` and `RateLimit` say how it stands.
    requests_per_minute: Option<u32>,
    /// Networks that it may be used from; none: from anywhere.
    sources: Vec<String>,
    /// The version of the interface that it is answered in, unless a request names another (`Berth-Version`). Keys are made with the latest.
    #[schema(value_type = String, format = Date)]
    version: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Instant>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Instant>,
}

impl From<ApiKeyRecord> for KeyView {
    fn from(k: ApiKeyRecord) -> Self {
        Self {
            id: k.id,
            name: k.name,
            prefix: k.prefix,
            scopes: k.scopes,
            requests_per_minute: k.requests_per_minute,
            sources: k.sources,
            version: k.version.as_str(),
            created_at: k.created_at,
            expires_at: k.expires_at,
            revoked_at: k.revoked_at,
            last_used_at: k.last_used_at,
        }
    }
}

/// A key with its text, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeKey {
    #[serde(flatten)]
    record: KeyView,
    /// Send it as `Authorization: Bearer …`.
    key: String,
}

impl MadeKey {
    pub(crate) fn shown((record, text): (ApiKeyRecord, Secret)) -> Response {
        let made = Self { record: record.into(), key: text.expose().to_owned() };
        let instead = "For another text of the key that was made: POST /api/sdk/auth/{id}/rotate with a new Idempotency-Key.";
        shown_once((StatusCode::CREATED, Json(made)), instead)
    }
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKeyBody {
    pub(crate) name: String,
    /// `bookings:read`, `bookings:write`, …
    pub(crate) scopes: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Instant>,
    /// Networks (`192.0.2.0/24`) and addresses that it may be used from, at most 64; absent or empty: from anywhere.
    #[serde(default)]
    pub(crate) sources: Vec<String>,
}

/// Make a key. Its text is shown this once.
#[utoipa::path(post, path = "/api/sdk/auth", operation_id = "keys_create", tag = "keys", request_body = NewKeyBody,
    responses((status = 201, body = MadeKey), (status = 422, body = ProblemDocument)))]
pub(crate) async fn create(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(new): Body<NewKeyBody>,
) -> ApiResult<Response> {
    let new = NewKey {
        tenant: Some(caller.tenant),
        name: new.name,
        scopes: new.scopes,
        // How much one tenant may ask is the operator's business.
        requests_per_minute: None,
        sources: new.sources,
        expires_at: new.expires_at,
    };
    let made = app.engine().tenants.create_key(&caller.actor, &caller.request_id, new).await?;
    Ok(MadeKey::shown(made))
}

/// All keys, revoked ones included.
#[utoipa::path(get, path = "/api/sdk/auth", operation_id = "keys_list", tag = "keys", responses((status = 200, body = Page<KeyView>)))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
) -> ApiResult<Json<Page<KeyView>>> {
    let keys = app.engine().tenants.list_keys(Some(caller.tenant)).await?;
    Ok(Json(Page { items: keys.into_iter().map(KeyView::from).collect(), next: None }))
}

/// What can be changed of a key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchKey {
    /// Networks and addresses that it may be used from; empty: from anywhere. Absent: as before.
    sources: Option<Vec<String>>,
    /// The version of the interface that it is answered in from now on, such as `2026-11-30`. Absent: as before.
    version: Option<String>,
}

/// Say where a key may be used from, or in which version of the interface it is answered. It holds from the next request.
#[utoipa::path(patch, path = "/api/sdk/auth/{id}", operation_id = "keys_update", tag = "keys", request_body = PatchKey, params(("id" = String, Path)),
    responses((status = 200, body = KeyView), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn update(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ApiKeyId>,
    Body(PatchKey { sources, version }): Body<PatchKey>,
) -> ApiResult<Json<KeyView>> {
    let version = version.map(|name| versions::named(&name)).transpose().map_err(|known| {
        Problem::invalid(vec![FieldError::new("/version", format!("must be one of {known}"))])
    })?;
    let (tenant, patch) = (Some(caller.tenant), KeyPatch { sources, version });
    let changed =
        app.engine().tenants.change_key(&caller.actor, &caller.request_id, tenant, id, patch).await?;
    Ok(Json(changed.into()))
}

/// Give a key another text; the one before ends now. Its id and its rights stay.
#[utoipa::path(post, path = "/api/sdk/auth/{id}/rotate", operation_id = "keys_rotate", tag = "keys", params(("id" = String, Path)),
    responses((status = 201, body = MadeKey), (status = 404, body = ProblemDocument)))]
pub(crate) async fn rotate(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ApiKeyId>,
) -> ApiResult<Response> {
    let made =
        app.engine().tenants.rotate_key(&caller.actor, &caller.request_id, Some(caller.tenant), id).await?;
    Ok(MadeKey::shown(made))
}

/// End a key now.
#[utoipa::path(delete, path = "/api/sdk/auth/{id}", operation_id = "keys_revoke", tag = "keys", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument)))]
pub(crate) async fn revoke(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ApiKeyId>,
) -> ApiResult<StatusCode> {
    app.engine().tenants.revoke_key(&caller.actor, &caller.request_id, Some(caller.tenant), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
