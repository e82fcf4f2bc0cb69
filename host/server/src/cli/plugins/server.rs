//! A running server, asked over its API with an operator's key.

use std::{collections::BTreeSet, time::Duration};

use berth_engine::NewOAuthClient;
use berth_model::{
    connections::secret::Secret,
    plugins::{installation::InstallationState, manifest::PluginId},
};
use bytes::Bytes;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::{Method, RequestBuilder, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    api::{
        connections::oauth::OAuthClientView,
        plugins::{PluginDetail, PluginView, grants::ChangedGrant, installations::InstallationView},
    },
    cli::{
        CliError,
        client::{Api, Refusal, told},
    },
};

/// Bytes of an upload between two moves of its bar.
const UPLOAD_STEP_BYTES: usize = 64 * 1024;
/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(100);
const PATH: &str = "api/operator/plugins";
/// Where components are that are on their way in.
const INSTALLATIONS: &str = "api/operator/installations";
/// How often a server is asked how far an installation is.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// Below a plugin: its OAuth clients.
const CLIENTS: &str = "oauth-clients";

/// The server and the key for it.
pub(super) struct Server {
    api: Api,
}

/// A page, of which these lists have one.
#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
}

impl Server {
    /// The server at this address; nothing is asked yet.
    pub(super) fn new(url: &str, key: Option<String>) -> Result<Self, CliError> {
        let hint = "--url needs an operator's key: set BERTH_KEY, or --key\n  Make one with: berth key create --operator --name ops";
        Ok(Self { api: Api::new(url, key, hint)? })
    }

    pub(super) async fn list(&self) -> Result<Vec<PluginView>, CliError> {
        let page: Page<PluginView> = self.ask(self.request(Method::GET, &[])?).await?;
        Ok(page.items)
    }

    pub(super) async fn find(&self, name: &str) -> Result<PluginDetail, CliError> {
        self.ask(self.request(Method::GET, &[name])?).await
    }

    /// Send a component with a bar that shows how much has gone, then ask until the server has installed it, and say how far it is.
    pub(super) async fn install(&self, component: Vec<u8>) -> Result<PluginView, CliError> {
        let length = u64::try_from(component.len()).unwrap_or(u64::MAX);
        let bar = ProgressBar::new(length).with_message("sending");
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {bytes}/{total_bytes}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        let component = Bytes::from(component);
        let steps: Vec<usize> = (0..component.len()).step_by(UPLOAD_STEP_BYTES).collect();
        let sending = bar.clone();
        let pieces = steps.into_iter().map(move |from| {
            let to = from.saturating_add(UPLOAD_STEP_BYTES).min(component.len());
            sending.set_position(u64::try_from(to).unwrap_or(u64::MAX));
            if to == component.len() {
                sending.set_message("the server takes it");
            }
            Ok::<Bytes, std::io::Error>(component.slice(from..to))
        });
        let request = self
            .request(Method::POST, &[])?
            .header(header::CONTENT_TYPE, "application/wasm")
            .header(header::CONTENT_LENGTH, length)
            .body(reqwest::Body::wrap_stream(stream::iter(pieces)));
        let begun = self.ask(request).await;
        bar.finish_and_clear();
        self.installed(begun?).await
    }

    /// Ask how far an installation is until it has ended.
    async fn installed(&self, begun: InstallationView) -> Result<PluginView, CliError> {
        // Seen on a terminal only.
        let progress = ProgressBar::new_spinner();
        progress.enable_steady_tick(TICK);
        let mut now = begun;
        while !now.state.is_over() {
            progress.set_message(match now.state {
                InstallationState::Queued => "the server compiles another component first",
                InstallationState::Compiling => "the server compiles it",
                InstallationState::Trying => "the server tries it with the conformance suite",
                _ => "the server looks at it",
            });
            tokio::time::sleep(ASK_EVERY).await;
            let id = now.id.to_string();
            now = self.ask(self.request_at(INSTALLATIONS, Method::GET, &[&id])?).await?;
        }
        progress.finish_and_clear();
        match (now.plugin, now.problem) {
            (Some(plugin), _) => Ok(plugin),
            (None, Some(problem)) => Err(serde_json::from_value::<Refusal>(problem).map_or_else(
                |_| CliError::Other(format!("the installation ended as {}", now.state.as_str())),
                |refusal| told(&refusal),
            )),
            (None, None) => Err(CliError::Other(format!("the installation ended as {}", now.state.as_str()))),
        }
    }

    pub(super) async fn activate(&self, name: &str) -> Result<PluginView, CliError> {
        self.ask(self.request(Method::POST, &[name, "activate"])?).await
    }

    pub(super) async fn rollback(&self, plugin: &PluginId) -> Result<PluginView, CliError> {
        self.ask(self.request(Method::POST, &[plugin.as_str(), "rollback"])?).await
    }

    pub(super) async fn grant(
        &self,
        plugin: &PluginId,
        add: &BTreeSet<String>,
        remove: &BTreeSet<String>,
        force: bool,
    ) -> Result<ChangedGrant, CliError> {
        let changes = json!({ "add": add, "remove": remove });
        let request = self.request(Method::PATCH, &[plugin.as_str(), "grants"])?;
        self.ask(request.query(&[("force", force)]).json(&changes)).await
    }

    pub(super) async fn quarantine(&self, name: &str, reason: &str) -> Result<PluginView, CliError> {
        let reason = json!({ "reason": reason });
        self.ask(self.request(Method::POST, &[name, "quarantine"])?.json(&reason)).await
    }

    pub(super) async fn lift(&self, name: &str) -> Result<PluginView, CliError> {
        self.ask(self.request(Method::DELETE, &[name, "quarantine"])?).await
    }

    pub(super) async fn oauth_clients(&self, plugin: &PluginId) -> Result<Vec<OAuthClientView>, CliError> {
        let page: Page<OAuthClientView> =
            self.ask(self.request(Method::GET, &[plugin.as_str(), CLIENTS])?).await?;
        Ok(page.items)
    }

    pub(super) async fn set_oauth_client(
        &self,
        plugin: &PluginId,
        credential: &str,
        new: &NewOAuthClient,
    ) -> Result<OAuthClientView, CliError> {
        let body = json!({
            "client_id": new.client_id, "client_secret": new.client_secret.as_ref().map(Secret::expose),
            "endpoints": new.endpoints, "return_addresses": new.return_addresses,
        });
        self.ask(self.request(Method::PUT, &[plugin.as_str(), CLIENTS, credential])?.json(&body)).await
    }

    pub(super) async fn remove_oauth_client(
        &self,
        plugin: &PluginId,
        credential: &str,
    ) -> Result<(), CliError> {
        self.api.send(self.request(Method::DELETE, &[plugin.as_str(), CLIENTS, credential])?).await.map(drop)
    }

    fn request(&self, method: Method, parts: &[&str]) -> Result<RequestBuilder, CliError> {
        self.request_at(PATH, method, parts)
    }

    fn request_at(&self, path: &str, method: Method, parts: &[&str]) -> Result<RequestBuilder, CliError> {
        self.api.request(path, method, parts)
    }

    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, CliError> {
        self.api.ask(request).await
    }
}
