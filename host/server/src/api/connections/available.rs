//! What can be connected to.

use axum::{Json, extract::State};
use berth_engine::AvailableProvider;
use berth_model::plugins::{
    manifest::{CredentialKind, CredentialSpec, PluginId},
    plugin::Capabilities,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::http::{
    app::App,
    auth::AsTenant,
    extract::Query,
    page::{self, Page},
    problem::ApiResult,
};

/// A provider that this tenant can connect to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AvailableView {
    /// Its name.
    #[schema(value_type = String)]
    provider: PluginId,
    /// Other names that are read for it.
    #[schema(value_type = Vec<String>)]
    aliases: Vec<PluginId>,
    /// For people.
    name: String,
    description: String,
    /// A `data:` URL of an image.
    icon: Option<String>,
    /// Of its plugin: `major.minor.patch`.
    version: String,
    /// JSON Schema of a connection's `settings`.
    #[schema(value_type = Object)]
    settings_schema: Value,
    /// What a connection's `credentials` may hold.
    credentials: Vec<CredentialView>,
    /// Which interfaces it offers besides `connection`.
    #[schema(value_type = Object)]
    capabilities: Capabilities,
    /// Is there a client with which a person can consent (`/api/booking-providers/oauth/start`)?
    oauth_client: bool,
    /// Null if it sends no messages.
    webhooks: Option<MessagesView>,
}

/// A credential that a connection may hold.
#[derive(Debug, Serialize, ToSchema)]
struct CredentialView {
    /// What it is given by.
    name: String,
    /// For people.
    label: String,
    /// `api-key`, `basic` (`user:password`), `oauth2`, `generated` (made up here).
    #[schema(value_type = String)]
    kind: CredentialKind,
    required: bool,
    /// What it is made of; empty: it is one value.
    parts: Vec<PartView>,
    /// Does a person consent to it? Then it is not given.
    consent: bool,
    /// Is there a client for that? An operator registers it.
    oauth_client: bool,
}

/// A part of a credential.
#[derive(Debug, Serialize, ToSchema)]
struct PartView {
    name: String,
    label: String,
}

/// Where a provider's messages go.
#[derive(Debug, Serialize, ToSchema)]
struct MessagesView {
    /// One address for all accounts, or one with `{connection_id}` in it for each connection. Null if this server does not know its own address.
    address: Option<String>,
}

impl AvailableView {
    fn of(found: AvailableProvider) -> Self {
        let credential = |(name, spec): (&String, &CredentialSpec)| CredentialView {
            consent: found.has_consent(name),
            oauth_client: found.clients.contains(name),
            name: name.clone(),
            label: spec.label.clone(),
            kind: spec.kind,
            required: spec.required,
            parts: spec
                .parts
                .iter()
                .map(|part| PartView { name: part.name.clone(), label: part.label.clone() })
                .collect(),
        };
        let credentials = found.version.manifest.credentials.iter().map(credential).collect();
        let (version, manifest) = (found.version.version, found.version.manifest);
        Self {
            provider: manifest.id,
            aliases: manifest.aliases,
            name: manifest.name,
            description: manifest.description,
            icon: manifest.icon,
            version,
            settings_schema: manifest.settings_schema,
            credentials,
            capabilities: found.version.capabilities,
            oauth_client: !found.clients.is_empty(),
            webhooks: manifest.webhook.map(|_| MessagesView { address: found.webhook_address }),
        }
    }
}

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct AvailableParams {
    /// Only the one of this name, or alias.
    #[param(value_type = Option<String>)]
    provider: Option<PluginId>,
    /// Items wanted, 1 to 100 (50).
    limit: Option<u32>,
    /// `next` of the last page.
    cursor: Option<String>,
}

/// Providers that can be connected to: installed, serving, and granted to this tenant. By name.
#[utoipa::path(get, path = "/api/booking-providers/available", operation_id = "providers_available", tag = "booking providers", params(AvailableParams),
    responses((status = 200, body = Page<AvailableView>)))]
pub(crate) async fn available(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Query(params): Query<AvailableParams>,
) -> ApiResult<Json<Page<AvailableView>>> {
    let limit = page::items(params.limit)?;
    let after = page::position(params.cursor.as_ref())?;
    let connections = &app.engine().connections;
    let found = connections.available(&caller, params.provider, after, limit.saturating_add(1)).await?;
    Ok(Json(page::page(found, limit, |p| p.version.plugin.clone(), AvailableView::of)))
}
