//! The clients that an operator registers at a provider. Their secrets go in and never come out.

use std::collections::BTreeMap;

use berth_model::{
    connections::secret::Secret,
    limits,
    plugins::manifest::{CredentialKind, Manifest, PluginId},
    problem::{Code, Problem},
};
use berth_store::records::OAuthClientRecord;
use url::Url;

use crate::{
    Outcome,
    connections::{Connections, names::installed_as},
    validate::Fields,
};

/// A client to be registered.
#[derive(Debug, Clone)]
pub struct NewOAuthClient {
    /// The public id that the provider gave.
    pub client_id: String,
    /// The secret; none for a public client.
    pub client_secret: Option<Secret>,
    /// Addresses in place of the manifest's (`authorize`, `token`, `revoke`): a test server, a company's own.
    pub endpoints: BTreeMap<String, String>,
    /// Where browsers may be sent after consent, without query.
    pub return_addresses: Vec<String>,
}

/// Endpoints that may be given.
const ENDPOINTS: [&str; 3] = ["authorize", "token", "revoke"];

impl Connections {
    /// Register the client for a credential of a plugin, or replace it.
    pub async fn set_oauth_client(
        &self,
        actor: &str,
        request_id: &str,
        plugin: &PluginId,
        credential: &str,
        new: NewOAuthClient,
    ) -> Outcome<OAuthClientRecord> {
        let plugin = &installed_as(self.base.store(), plugin).await?;
        let manifest = self.active_manifest(plugin)?;
        let known = manifest.credentials.get(credential).is_some_and(|c| c.kind == CredentialKind::Oauth2);
        if !known {
            let names = oauth_credentials(&manifest);
            return Err(Problem::not_found("OAuth credential")
                .with_hint(format!("OAuth credentials of this plugin: {}", names.join(", "))));
        }
        let mut fields = Fields::default();
        fields.text("/client_id", &new.client_id, 500);
        for (name, address) in &new.endpoints {
            let field = format!("/endpoints/{name}");
            if !ENDPOINTS.contains(&name.as_str()) {
                fields.bad(&field, format!("must be one of: {}", ENDPOINTS.join(", ")));
            } else if Url::parse(address).is_err() {
                fields.bad(&field, "must be an address");
            }
        }
        if new.return_addresses.len() > limits::OAUTH_RETURN_ADDRESSES_MAX {
            fields.bad("/return_addresses", format!("at most {}", limits::OAUTH_RETURN_ADDRESSES_MAX));
        }
        for (i, address) in new.return_addresses.iter().enumerate() {
            let good = Url::parse(address).is_ok_and(|u| {
                u.query().is_none() && u.fragment().is_none() && matches!(u.scheme(), "https" | "http")
            });
            if !good {
                fields.bad(&format!("/return_addresses/{i}"), "must be an https address without query");
            }
        }
        fields.finish()?;
        let record = OAuthClientRecord {
            plugin: plugin.clone(),
            credential: credential.to_owned(),
            client_id: new.client_id,
            endpoints: new.endpoints,
            return_addresses: new.return_addresses,
            updated_at: self.base.now(),
        };
        self.base
            .store()
            .set_oauth_client(record.clone(), new.client_secret, self.base.audit_by(actor, request_id))
            .await?;
        self.recovery.plugin(plugin).await;
        Ok(record)
    }

    /// The clients of a plugin.
    pub async fn list_oauth_clients(&self, plugin: &PluginId) -> Outcome<Vec<OAuthClientRecord>> {
        let plugin = installed_as(self.base.store(), plugin).await?;
        Ok(self.base.store().list_oauth_clients(&plugin).await?)
    }

    /// Forget a client. Connections that it made cannot renew their tokens any more.
    pub async fn delete_oauth_client(
        &self,
        actor: &str,
        request_id: &str,
        plugin: &PluginId,
        credential: &str,
    ) -> Outcome<()> {
        let plugin = installed_as(self.base.store(), plugin).await?;
        let audit = self.base.audit_by(actor, request_id);
        Ok(self.base.store().delete_oauth_client(&plugin, credential, audit).await?)
    }

    pub(crate) fn active_manifest(&self, plugin: &PluginId) -> Outcome<std::sync::Arc<Manifest>> {
        let manifest = self.providers.manifest(plugin);
        manifest.ok_or_else(|| {
            Problem::from(berth_model::outbound::provider::CallError::NotActive(plugin.clone()))
        })
    }
}

/// Names of the credentials that people consent to.
pub(crate) fn oauth_credentials(manifest: &Manifest) -> Vec<&str> {
    manifest
        .credentials
        .iter()
        .filter(|(_, spec)| {
            spec.oauth2.as_ref().is_some_and(berth_model::plugins::manifest::OAuth2Spec::has_consent)
        })
        .map(|(name, _)| name.as_str())
        .collect()
}

/// The problem of a plugin without a client.
pub(super) fn no_client(plugin: &PluginId, credential: &str) -> Problem {
    Problem::new(Code::NoOAuthClient, format!("The operator has registered no OAuth client for {plugin}."))
        .with_hint(format!(
            "An operator registers one: berth plugin oauth-client set {plugin} {credential} --client-id …"
        ))
}
