//! A tenant's API keys.

use axum::{Json, extract::State, http::StatusCode};
use berth_engine::NewKey;
use berth_model::{id::ApiKeyId, secret::Secret, time::Instant};
use berth_store::records::ApiKeyRecord;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{
    app::{App, RequestId},
    auth::Authenticated,
    extract::{Json as Body, Path},
    page::Page,
    problem::{ApiResult, ProblemDocument},
};

/// A key, without its text.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeyView {
    #[schema(value_type = String)]
    id: ApiKeyId,
    name: String,
    /// First characters, to tell keys apart.
    prefix: String,
    scopes: Vec<String>,
    /// Requests per minute; null: as the server is configured. The headers `RateLimit-Policy` and `RateLimit` say how it stands.
    requests_per_minute: Option<u32>,
    #[schema(value_type = String)]
    created_at: Instant,
    #[schema(value_type = Option<String>)]
    expires_at: Option<Instant>,
    #[schema(value_type = Option<String>)]
    revoked_at: Option<Instant>,
    #[schema(value_type = Option<String>)]
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
            created_at: k.created_at,
            expires_at: k.expires_at,
            revoked_at: k.revoked_at,
            last_used_at: k.last_used_at,
        }
    }
}

/// A key with its text, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MadeKey {
    #[serde(flatten)]
    record: KeyView,
    /// Send it as `Authorization: Bearer …`.
    key: String,
}

impl MadeKey {
    pub(super) fn new((record, text): (ApiKeyRecord, Secret)) -> Self {
        Self { record: record.into(), key: text.expose().to_owned() }
    }
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKeyBody {
    pub(super) name: String,
    /// `bookings:read`, `bookings:write`, …
    pub(super) scopes: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(super) expires_at: Option<Instant>,
}

/// Make a key. Its text is shown this once.
#[utoipa::path(post, path = "/api/sdk/auth", tag = "keys", request_body = NewKeyBody,
    responses((status = 201, body = MadeKey), (status = 422, body = ProblemDocument)))]
pub(super) async fn create(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Body(new): Body<NewKeyBody>,
) -> ApiResult<(StatusCode, Json<MadeKey>)> {
    let caller = key.caller("keys:write", &request_id)?;
    let new = NewKey {
        tenant: Some(caller.tenant),
        name: new.name,
        scopes: new.scopes,
        // How much one tenant may ask is the operator's business.
        requests_per_minute: None,
        expires_at: new.expires_at,
    };
    let made = app.engine().create_key(&caller.actor, &caller.request_id, new).await?;
    Ok((StatusCode::CREATED, Json(MadeKey::new(made))))
}

/// All keys, revoked ones included.
#[utoipa::path(get, path = "/api/sdk/auth", tag = "keys", responses((status = 200, body = Page<KeyView>)))]
pub(super) async fn list(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
) -> ApiResult<Json<Page<KeyView>>> {
    let caller = key.caller("keys:write", &request_id)?;
    let keys = app.engine().list_keys(Some(caller.tenant)).await?;
    Ok(Json(Page { items: keys.into_iter().map(KeyView::from).collect(), next: None }))
}

/// Replace a key by a new one with the same rights.
#[utoipa::path(post, path = "/api/sdk/auth/{id}/rotate", tag = "keys", params(("id" = String, Path)),
    responses((status = 201, body = MadeKey), (status = 404, body = ProblemDocument)))]
pub(super) async fn rotate(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Path(id): Path<ApiKeyId>,
) -> ApiResult<(StatusCode, Json<MadeKey>)> {
    let caller = key.caller("keys:write", &request_id)?;
    let made = app.engine().rotate_key(&caller.actor, &caller.request_id, Some(caller.tenant), id).await?;
    Ok((StatusCode::CREATED, Json(MadeKey::new(made))))
}

/// End a key now.
#[utoipa::path(delete, path = "/api/sdk/auth/{id}", tag = "keys", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument)))]
pub(super) async fn revoke(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Path(id): Path<ApiKeyId>,
) -> ApiResult<StatusCode> {
    let caller = key.caller("keys:write", &request_id)?;
    app.engine().revoke_key(&caller.actor, &caller.request_id, Some(caller.tenant), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
