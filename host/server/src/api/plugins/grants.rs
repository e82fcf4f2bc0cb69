//! Hosts that operators grant to provider plugins, per level: the instance's, a tenant's, a listing's.

use std::{collections::BTreeSet, fmt};

use axum::{Json, extract::State, http::StatusCode};
use berth_engine::{GrantChange, Losing};
use berth_model::{
    id::{ConnectionId, ListingId, TenantId},
    plugins::manifest::PluginId,
    problem::{FieldError, Problem},
};
use berth_store::records::GrantRecord;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::{
    app::App,
    auth::AsOperator,
    extract::{Json as Body, Path, Query},
    page::Page,
    problem::{ApiResult, ProblemDocument},
};

/// Rights of a plugin at one level: the instance's, a tenant's or a listing's. Effective is the intersection.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grant {
    /// Absent: the instance's level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    #[serde(rename = "tenant_id")]
    tenant: Option<TenantId>,
    /// With a tenant: the listing's level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    #[serde(rename = "listing_id")]
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

impl From<GrantRecord> for Grant {
    fn from(g: GrantRecord) -> Self {
        Self { tenant: g.tenant, listing: g.listing, hosts: g.hosts, enabled: g.enabled }
    }
}

/// What changes of a grant; what is named in neither list stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantChanges {
    /// Absent: the instance's level.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    #[serde(rename = "tenant_id")]
    tenant: Option<TenantId>,
    /// With a tenant: the listing's level.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    #[serde(rename = "listing_id")]
    listing: Option<ListingId>,
    /// Hosts it may reach besides.
    #[serde(default)]
    add: BTreeSet<String>,
    /// Hosts it may not reach any more.
    #[serde(default)]
    remove: BTreeSet<String>,
}

/// A grant that was changed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ChangedGrant {
    /// All hosts that it may reach at this level now.
    pub(crate) hosts: BTreeSet<String>,
    /// Connections that lost a host by it.
    pub(crate) losing: Vec<LosingView>,
}

/// A connection that lost a host.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct LosingView {
    #[schema(value_type = String)]
    #[serde(rename = "tenant_id")]
    tenant: TenantId,
    #[schema(value_type = String)]
    #[serde(rename = "connection_id")]
    connection: ConnectionId,
    name: String,
    hosts: Vec<String>,
}

impl fmt::Display for LosingView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, connection, name, hosts } = self;
        write!(f, "{name} ({connection}, tenant {tenant}) may not reach {} any more", hosts.join(", "))
    }
}

impl From<(GrantRecord, Vec<Losing>)> for ChangedGrant {
    fn from((grant, losing): (GrantRecord, Vec<Losing>)) -> Self {
        let view = |l: Losing| LosingView {
            tenant: l.tenant,
            connection: l.connection,
            name: l.name,
            hosts: l.hosts,
        };
        Self { hosts: grant.hosts, losing: losing.into_iter().map(view).collect() }
    }
}

/// Whose grants.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantParams {
    #[param(value_type = Option<String>)]
    #[serde(rename = "tenant_id")]
    tenant: Option<TenantId>,
    #[param(value_type = Option<String>)]
    #[serde(rename = "listing_id")]
    listing: Option<ListingId>,
}

/// Whether others may be harmed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Force {
    /// Change it although connections lose a host by it, which the refusal names.
    #[serde(default)]
    force: bool,
}

/// The grants that bear on this tenant and listing. `name` is the plugin's id.
#[utoipa::path(get, path = "/api/operator/plugins/{name}/grants", operation_id = "grants_list", tag = "operator", params(("name" = String, Path), GrantParams),
    responses((status = 200, body = Page<Grant>)))]
pub(crate) async fn list(
    State(app): State<App>,
    _: AsOperator,
    Path(plugin): Path<PluginId>,
    Query(params): Query<GrantParams>,
) -> ApiResult<Json<Page<Grant>>> {
    let grants = app.engine().plugins.list_grants(&plugin, params.tenant, params.listing).await?;
    Ok(Json(Page { items: grants.into_iter().map(Grant::from).collect(), next: None }))
}

/// Set the grant of one level in place of what was granted there. Refused while connections would lose a host by it, unless it is
/// forced. A held version that is covered now is staged.
#[utoipa::path(put, path = "/api/operator/plugins/{name}/grants", operation_id = "grants_set", tag = "operator", request_body = Grant, params(("name" = String, Path), Force),
    responses((status = 204), (status = 409, body = ProblemDocument, description = "Connections would lose a host"), (status = 422, body = ProblemDocument)))]
pub(crate) async fn set(
    State(app): State<App>,
    operator: AsOperator,
    Path(plugin): Path<PluginId>,
    Query(Force { force }): Query<Force>,
    Body(grant): Body<Grant>,
) -> ApiResult<StatusCode> {
    check_level(grant.tenant, grant.listing)?;
    let grant = GrantRecord {
        plugin,
        tenant: grant.tenant,
        listing: grant.listing,
        hosts: grant.hosts,
        enabled: grant.enabled,
    };
    app.engine().plugins.replace_grant(&operator.actor, &operator.request_id, grant, force).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Add hosts to the grant of one level, or take some away; the others stay. Refused while connections would lose a host by it, unless it
/// is forced. A held version that is covered now is staged.
#[utoipa::path(patch, path = "/api/operator/plugins/{name}/grants", operation_id = "grants_update", tag = "operator", request_body = GrantChanges, params(("name" = String, Path), Force),
    responses((status = 200, body = ChangedGrant), (status = 409, body = ProblemDocument, description = "Connections would lose a host"), (status = 422, body = ProblemDocument)))]
pub(crate) async fn change(
    State(app): State<App>,
    operator: AsOperator,
    Path(plugin): Path<PluginId>,
    Query(Force { force }): Query<Force>,
    Body(changes): Body<GrantChanges>,
) -> ApiResult<Json<ChangedGrant>> {
    check_level(changes.tenant, changes.listing)?;
    let change = GrantChange {
        plugin,
        tenant: changes.tenant,
        listing: changes.listing,
        add: changes.add,
        remove: changes.remove,
        force,
    };
    Ok(Json(app.engine().plugins.change_grant(&operator.actor, &operator.request_id, change).await?.into()))
}

fn check_level(tenant: Option<TenantId>, listing: Option<ListingId>) -> Result<(), Problem> {
    if listing.is_some() && tenant.is_none() {
        return Err(Problem::invalid(vec![FieldError::new("/tenant_id", "is needed with a listing")]));
    }
    Ok(())
}
