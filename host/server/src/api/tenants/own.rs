//! A tenant's own settings, by its own key.

use axum::{extract::State, http::StatusCode, response::Response};
use berth_engine::TenantPatch;
use berth_model::{
    catalog::listing::TenantRecord,
    id::{ConnectionId, TenantId},
    json::merged,
    tenants::settings::TenantSettings,
    time::Instant,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::schemas;
use crate::{
    api::nullable,
    http::{
        app::App,
        auth::AsTenant,
        etag,
        extract::{IfMatch, Json as Body, malformed},
        problem::{ApiResult, ProblemDocument},
    },
};

/// A tenant, as its own key sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnTenant {
    #[schema(value_type = String)]
    id: TenantId,
    /// Name in addresses; an operator changes it.
    slug: String,
    name: String,
    /// Where bookings go when neither request nor listing says; null: the built-in provider.
    #[schema(value_type = Option<String>)]
    default_connection_id: Option<ConnectionId>,
    #[schema(value_type = schemas::TenantSettings)]
    settings: TenantSettings,
    /// Counts changes; the `ETag`.
    revision: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

fn tagged(tenant: TenantRecord) -> Response {
    let TenantRecord { id, slug, name, default_connection, settings, revision, created_at, .. } = tenant;
    let view = OwnTenant {
        id,
        slug,
        name,
        default_connection_id: default_connection,
        settings,
        revision,
        created_at,
    };
    etag::tagged(StatusCode::OK, revision, view)
}

/// The tenant that the key belongs to.
#[utoipa::path(get, path = "/api/tenant", tag = "tenant", operation_id = "tenant_get", responses((status = 200, body = OwnTenant)))]
pub(crate) async fn get(State(app): State<App>, AsTenant(caller): AsTenant) -> ApiResult<Response> {
    Ok(tagged(app.engine().tenants.tenant(caller.tenant).await?))
}

/// Changes. Absent fields stay as they are.
#[expect(clippy::option_option, reason = "absent and null mean different things in a patch")]
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnTenantPatch {
    /// 1 to 200 characters.
    name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    default_connection_id: Option<Option<ConnectionId>>,
    /// Its absent members, and those of `brand`, stay as they are, too; null sets the default of a member.
    #[schema(value_type = Option<schemas::TenantSettings>)]
    settings: Option<Map<String, Value>>,
}

/// The settings with these changes.
fn changed(current: &TenantSettings, mut changes: Map<String, Value>) -> ApiResult<TenantSettings> {
    if let Some(Value::Object(brand)) = changes.get("brand") {
        let brand = merged(&current.brand, brand.clone(), "/settings/brand").map_err(malformed)?;
        let brand = serde_json::to_value(brand).unwrap_or_default();
        changes.insert("brand".to_owned(), brand);
    }
    merged(current, changes, "/settings").map_err(malformed)
}

/// Change the tenant that the key belongs to: its name, where its bookings go by default, and what it says of itself to people without a key.
#[utoipa::path(patch, path = "/api/tenant", tag = "tenant", operation_id = "tenant_update", request_body = OwnTenantPatch,
    params(("If-Match" = Option<String>, Header, description = "ETag that was read")),
    responses((status = 200, body = OwnTenant), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 412, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn update(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    IfMatch(revision): IfMatch,
    Body(patch): Body<OwnTenantPatch>,
) -> ApiResult<Response> {
    let (settings, expected_revision) = match patch.settings {
        None => (None, revision),
        Some(changes) => {
            // Laid over what is there now; the revision makes sure that it is still there then.
            let current = app.engine().tenants.tenant(caller.tenant).await?;
            (Some(changed(&current.settings, changes)?), revision.or(Some(current.revision)))
        }
    };
    let patch = TenantPatch {
        slug: None,
        name: patch.name,
        default_connection: patch.default_connection_id,
        settings,
        expected_revision,
    };
    let done =
        app.engine().tenants.update_tenant(&caller.actor, &caller.request_id, caller.tenant, patch).await?;
    Ok(tagged(done))
}
