//! `berth plugin oauth-client`: the clients that connections of a plugin are consented to with.

use std::{
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
};

use berth_engine::NewOAuthClient;
use berth_model::{connections::secret::Secret, limits, plugins::manifest::PluginId};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::place::Place;
use crate::{
    api::connections::oauth::OAuthClientView,
    cli::{CliError, output},
};

/// For `--help`.
pub(super) const EXAMPLES: &str =
    "Enter {public-url}/api/oauth/callback as redirect address at the provider. A secret is never an
argument, since other users of this machine see those.

Examples:
  berth plugin oauth-client set acme oauth --client-id 4711 < secret
  berth plugin oauth-client set acme oauth --secret-file next   another secret, the rest stays
  berth plugin oauth-client set acme oauth --client-id 4711 --public
  berth plugin oauth-client show acme
  berth plugin oauth-client remove acme oauth";

#[derive(Debug, Subcommand)]
pub(super) enum OAuthClient {
    /// Register a client, or replace it. What is not given stays as it is, except the secret.
    Set(Set),
    /// The clients of a plugin, without their secrets.
    Show {
        /// The plugin's id.
        plugin: PluginId,
    },
    /// Forget a client. Connections that it made cannot renew their tokens any more.
    Remove {
        /// The plugin's id.
        plugin: PluginId,
        /// Which of its credentials.
        credential: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Set {
    /// The plugin's id.
    plugin: PluginId,
    /// Which of its credentials: see the manifest (berth plugin inspect).
    credential: String,
    /// The public id that the provider gave.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Read the secret from this file (default: from standard input).
    #[arg(long, value_name = "FILE", conflicts_with = "public")]
    secret_file: Option<PathBuf>,
    /// The client has no secret.
    #[arg(long)]
    public: bool,
    /// Where browsers may be sent after consent, without query; may be repeated.
    #[arg(long, value_name = "URL")]
    return_address: Vec<String>,
    /// `authorize`, `token` or `revoke` in place of the manifest's: token=https://id.example.com/token; may be repeated.
    #[arg(long, value_name = "NAME=URL", value_parser = endpoint)]
    endpoint: Vec<(String, String)>,
}

fn endpoint(text: &str) -> Result<(String, String), String> {
    let (name, url) = text.split_once('=').ok_or("must be name=address")?;
    Ok((name.to_owned(), url.to_owned()))
}

fn row(client: &OAuthClientView) -> Vec<(&'static str, Value)> {
    vec![
        ("credential", json!(client.credential)),
        ("client_id", json!(client.client_id)),
        ("endpoints", json!(client.endpoints)),
        ("return_addresses", json!(client.return_addresses)),
        ("updated_at", json!(client.updated_at)),
    ]
}

/// The secret in a file or on standard input, without the line's end.
fn secret(file: Option<&Path>) -> Result<Secret, CliError> {
    let name = file.map_or_else(|| "standard input".to_owned(), |file| file.display().to_string());
    let wrong = |why: &str| CliError::Other(format!("the client's secret, from {name}: {why}"));
    let source: Box<dyn Read> = if let Some(file) = file {
        Box::new(std::fs::File::open(file).map_err(|error| wrong(&error.to_string()))?)
    } else {
        if io::stdin().is_terminal() {
            output::note("Enter the client's secret, then Ctrl-D:");
        }
        Box::new(io::stdin())
    };
    let most = u64::try_from(limits::EGRESS_CREDENTIAL_BYTES_MAX).unwrap_or(u64::MAX);
    let mut text = String::new();
    let read = source.take(most.saturating_add(1)).read_to_string(&mut text);
    read.map_err(|error| wrong(&error.to_string()))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(wrong("there is none; a client without a secret is set with --public"));
    }
    if secret.len() > limits::EGRESS_CREDENTIAL_BYTES_MAX {
        return Err(wrong("it is too long"));
    }
    Ok(Secret::new(secret.to_owned()))
}

pub(super) async fn oauth_client(json: bool, place: &Place, command: OAuthClient) -> Result<(), CliError> {
    let shown = match command {
        OAuthClient::Set(set) => vec![register(place, set).await?],
        OAuthClient::Show { plugin } => place.oauth_clients(&plugin).await?,
        OAuthClient::Remove { plugin, credential } => {
            place.remove_oauth_client(&plugin, &credential).await?;
            place.oauth_clients(&plugin).await?
        }
    };
    output::rows(json, &shown.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

async fn register(place: &Place, set: Set) -> Result<OAuthClientView, CliError> {
    let before = place.oauth_clients(&set.plugin).await?;
    let before = before.into_iter().find(|client| client.credential == set.credential);
    let client_id = set.client_id.or_else(|| before.as_ref().map(|client| client.client_id.clone()));
    let client_id = client_id
        .ok_or_else(|| CliError::Other("there is no such client yet; give it with --client-id".to_owned()))?;
    let client_secret = if set.public { None } else { Some(secret(set.secret_file.as_deref())?) };
    let mut new = NewOAuthClient {
        client_id,
        client_secret,
        endpoints: set.endpoint.into_iter().collect(),
        return_addresses: set.return_address,
    };
    if let Some(before) = before {
        if new.endpoints.is_empty() {
            new.endpoints = before.endpoints;
        }
        if new.return_addresses.is_empty() {
            new.return_addresses = before.return_addresses;
        }
    }
    place.set_oauth_client(&set.plugin, &set.credential, new).await
}
