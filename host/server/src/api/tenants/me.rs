//! Who asks: what a program looks at first.

use axum::{Json, extract::State};
use berth_model::id::TenantId;
use serde::Serialize;
use utoipa::ToSchema;

use super::keys::KeyView;
use crate::http::{app::App, auth::Authenticated, problem::ApiResult};

/// Where it is asked.
pub(crate) const PATH: &str = "/api/me";

/// Whose key it is, and what it may do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// Null for an operator's key.
    tenant: Option<MyTenant>,
    key: KeyView,
}

/// The tenant of a key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MyTenant {
    #[schema(value_type = String)]
    id: TenantId,
    slug: String,
    name: String,
}

/// Whose key this is, and what it may do. Any key may ask, whatever its scopes.
#[utoipa::path(get, path = "/api/me", operation_id = "me_get", tag = "keys", responses((status = 200, body = Me)))]
pub(crate) async fn get(State(app): State<App>, key: Authenticated) -> ApiResult<Json<Me>> {
    let tenant = match key.key.tenant {
        None => None,
        Some(id) => {
            let tenant = app.engine().tenants.tenant(id).await?;
            Some(MyTenant { id, slug: tenant.slug, name: tenant.name })
        }
    };
    Ok(Json(Me { tenant, key: key.key.into() }))
}
