//! The HTTP client of commands that ask a server.

use std::time::Duration;

use berth_model::{connections::secret::Secret, limits};
use bytes::Bytes;
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, StatusCode, Url, header, redirect::Policy};
use serde::{Deserialize, de::DeserializeOwned};

use super::CliError;

/// A client with limits; it follows no redirects, which would take the key elsewhere.
pub(super) fn client() -> Result<Client, CliError> {
    built(Client::builder())
}

/// The same for an address that no certificate names. Nothing may be sent with it that others may not read.
pub(super) fn probe() -> Result<Client, CliError> {
    built(Client::builder().tls_danger_accept_invalid_certs(true))
}

fn built(builder: ClientBuilder) -> Result<Client, CliError> {
    // Once per process; another library may have chosen the same before us.
    let _ = rustls::crypto::ring::default_provider().install_default();
    builder
        .connect_timeout(Duration::from_millis(limits::CLI_CONNECT_MS_MAX))
        .timeout(Duration::from_millis(limits::CLI_REQUEST_MS_MAX))
        .redirect(Policy::none())
        .build()
        .map_err(|error| CliError::Other(format!("the HTTP client cannot start: {error}")))
}

/// A server, and the key that it is asked with.
pub(super) struct Api {
    client: Client,
    url: Url,
    key: Secret,
}

/// What a refusal says to a person.
#[derive(Deserialize)]
pub(super) struct Refusal {
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

impl Api {
    /// The server at this address; nothing is asked yet. Without a key, `hint` says how there is one.
    pub(super) fn new(url: &str, key: Option<String>, hint: &str) -> Result<Self, CliError> {
        let bad =
            |why: &str| CliError::Other(format!("--url {url}: {why}, for example http://127.0.0.1:8080"));
        // Joined with relative paths, so the base must end with a slash.
        let url: Url = format!("{}/", url.trim_end_matches('/'))
            .parse()
            .map_err(|_| bad("must be the address of a server"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("must begin with http:// or https://"));
        }
        let key = key.filter(|key| !key.is_empty()).ok_or_else(|| CliError::Other(hint.to_owned()))?;
        Ok(Self { client: client()?, url, key: Secret::new(key) })
    }

    /// A request to what is there.
    pub(super) fn request(
        &self,
        path: &str,
        method: Method,
        parts: &[&str],
    ) -> Result<RequestBuilder, CliError> {
        let mut url = self.url.join(path).map_err(|error| CliError::Other(error.to_string()))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(parts);
        }
        Ok(self.client.request(method, url).bearer_auth(self.key.expose()))
    }

    /// A good answer as what it says.
    pub(super) async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, CliError> {
        let body = self.send(request).await?;
        serde_json::from_slice(&body).map_err(|error| {
            CliError::Other(format!(
                "{} answered something else than this program expects: {error}",
                self.url
            ))
        })
    }

    /// The body of a good answer; a refusal as its words.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Bytes, CliError> {
        let failed = |error: reqwest::Error| {
            // The cause says more than "error sending request".
            let cause = std::iter::successors(std::error::Error::source(&error), |e| e.source()).last();
            let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
            CliError::Unreachable(format!("{}: {cause}\n  Is the server running? See: berth serve", self.url))
        };
        let mut request = request;
        let mut tries = 1;
        let answer = loop {
            let again = request.try_clone();
            let answer = request.send().await.map_err(failed)?;
            let wait =
                answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            match (answer.status(), again, wait) {
                // It says when there is room: whoever waits need not begin again.
                (StatusCode::TOO_MANY_REQUESTS, Some(again), Some(seconds))
                    if tries < limits::CLI_TRIES_MAX =>
                {
                    let most = Duration::from_millis(limits::CLI_REQUEST_MS_MAX);
                    tokio::time::sleep(Duration::from_secs(seconds).min(most)).await;
                    (request, tries) = (again, tries + 1);
                }
                _ => break answer,
            }
        };
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
pub(super) fn told(refusal: &Refusal) -> CliError {
    let fields = refusal.errors.iter().map(|e| format!("  {}: {}\n", e.field, e.message));
    let fields: String = fields.collect();
    CliError::Other(format!("{} {}\n{fields}  {}", refusal.code, refusal.detail, refusal.hint))
}
