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
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    api::{
        connections::oauth::OAuthClientView,
        plugins::{PluginDetail, PluginView, grants::ChangedGrant, installations::InstallationView},
    },
    cli::{CliError, client::client},
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
    client: Client,
    url: Url,
    key: Secret,
}

/// A page, of which these lists have one.
#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
}

/// What a refusal says to a person.
#[derive(Deserialize)]
struct Refusal {
    code: String,
    detail: String,
    hint: String,
    #[serde(default)]
    errors: Vec<RefusedField>,
}

#[derive(Deserialize)]
struct RefusedField {
    field: String,
    message: String,
}

impl Server {
    /// The server at this address; nothing is asked yet.
    pub(super) fn new(url: &str, key: Option<String>) -> Result<Self, CliError> {
        let bad =
            |why: &str| CliError::Other(format!("--url {url}: {why}, for example http://127.0.0.1:8080"));
        // Joined with relative paths, so the base must end with a slash.
        let url: Url = format!("{}/", url.trim_end_matches('/'))
            .parse()
            .map_err(|_| bad("must be the address of a server"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("must begin with http:// or https://"));
        }
        let key = key.filter(|key| !key.is_empty()).ok_or_else(|| {
            CliError::Other(
                "--url needs an operator's key: set BERTH_KEY, or --key\n  Make one with: berth key create --operator --name ops"
                    .to_owned(),
            )
        })?;
        Ok(Self { client: client()?, url, key: Secret::new(key) })
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
        self.send(self.request(Method::DELETE, &[plugin.as_str(), CLIENTS, credential])?).await.map(drop)
    }

    fn request(&self, method: Method, parts: &[&str]) -> Result<RequestBuilder, CliError> {
        self.request_at(PATH, method, parts)
    }

    fn request_at(&self, path: &str, method: Method, parts: &[&str]) -> Result<RequestBuilder, CliError> {
        let mut url = self.url.join(path).map_err(|error| CliError::Other(error.to_string()))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(parts);
        }
        Ok(self.client.request(method, url).bearer_auth(self.key.expose()))
    }

    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, CliError> {
        let body = self.send(request).await?;
        serde_json::from_slice(&body).map_err(|error| {
            CliError::Other(format!(
                "{} answered something else than this program expects: {error}",
                self.url
            ))
        })
    }

    /// The body of a good answer; a refusal as its words.
    async fn send(&self, request: RequestBuilder) -> Result<Bytes, CliError> {
        let failed = |error: reqwest::Error| {
            // The cause says more than "error sending request".
            let cause = std::iter::successors(std::error::Error::source(&error), |e| e.source()).last();
            let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
            CliError::Other(format!("{}: {cause}\n  Is the server running? See: berth serve", self.url))
        };
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(failed)?;
        if status.is_success() { Ok(body) } else { Err(self.refusal(status, &body)) }
    }

    fn refusal(&self, status: StatusCode, body: &[u8]) -> CliError {
        let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else {
            return CliError::Other(format!("{} answered {status}; is it a berth server?", self.url));
        };
        told(&refusal)
    }
}

/// A refusal for the person at the terminal.
fn told(refusal: &Refusal) -> CliError {
    let fields = refusal.errors.iter().map(|e| format!("  {}: {}\n", e.field, e.message));
    let fields: String = fields.collect();
    CliError::Other(format!("{} {}\n{fields}  {}", refusal.code, refusal.detail, refusal.hint))
}
