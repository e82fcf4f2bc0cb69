//! The HTTP client of commands that ask a server.

use std::time::Duration;

use berth_model::limits;
use reqwest::{Client, ClientBuilder, redirect::Policy};

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
