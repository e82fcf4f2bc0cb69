//! Google Calendar, API v3, with the OAuth endpoints of Google accounts, as far as Berth's plugin and its tests go. Source: the service's
//! published discovery document and its guides.

mod calendars;
mod channels;
mod events;
mod list;
mod oauth;
mod refusal;
mod resource;
mod routes;
mod state;
mod user;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

pub use crate::front::{Delivery, RequestLine};
pub use oauth::OAuthClient;
pub use state::{Calendar, Event};

use crate::{
    Clock,
    faults::{Fault, Rates},
    front::{self, Shared, lock},
    machine_clock,
    server::Server,
};
use state::State;

/// How a simulator is set up.
#[derive(Clone)]
pub struct Config {
    /// Port on 127.0.0.1; 0 for any free one.
    pub port: u16,
    /// Seed of chance.
    pub seed: u64,
    /// An access token that it accepts, with every scope and without an end.
    pub access_token: String,
    pub oauth: OAuthClient,
    pub clock: Clock,
    /// Offer `/_simulator/…`.
    pub control: bool,
    /// Send pushes; else they are kept for [`Simulator::take_deliveries`].
    pub deliver_pushes: bool,
    /// Requests a minute before it refuses; none: any number.
    pub requests_per_minute: Option<u32>,
    /// Longest life of a channel, in seconds.
    pub channel_seconds_max: i64,
    /// The account's calendars; one is its own.
    pub calendars: Vec<Calendar>,
}

impl Default for Config {
    fn default() -> Self {
        let calendar = |id: &str, summary: &str, role: &'static str, primary| Calendar {
            id: id.to_owned(),
            summary: summary.to_owned(),
            time_zone: chrono_tz::Europe::Warsaw,
            access_role: role,
            primary,
        };
        Self {
            port: 0,
            seed: 1,
            access_token: "ya29_test_not_a_real_token".to_owned(),
            oauth: OAuthClient::default(),
            clock: machine_clock(),
            control: false,
            deliver_pushes: false,
            requests_per_minute: None,
            channel_seconds_max: 7 * 86_400,
            calendars: vec![
                calendar("eve@example.com", "Eve", "owner", true),
                calendar("team@group.calendar.google.com", "Team", "writer", false),
                calendar("room@resource.calendar.google.com", "Room 1", "writer", false),
                calendar("holidays@group.v.calendar.google.com", "Holidays", "reader", false),
            ],
        }
    }
}

/// A running simulator; it stops when dropped.
pub struct Simulator {
    server: Server,
    state: Shared<State>,
}

impl Drop for Simulator {
    /// A test whose exchanges the service's own description does not allow fails, whatever else it shows.
    fn drop(&mut self) {
        let violations = lock(&self.state).common.findings.violations().join("\n");
        assert!(
            violations.is_empty() || std::thread::panicking(),
            "against the description of Google Calendar:\n{violations}"
        );
    }
}

impl Simulator {
    /// Start listening.
    pub async fn start(config: Config) -> std::io::Result<Self> {
        let port = config.port;
        // For the client that sends pushes; another one may be installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let state: Shared<State> = Arc::new(Mutex::new(State::new(config)));
        let server = Server::start(port, front::router(state.clone())).await?;
        Ok(Self { server, state })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The address of the API.
    pub fn api_url(&self) -> String {
        format!("{}/calendar/v3", self.server.url())
    }

    /// Faults by chance from now on.
    pub fn set_rates(&self, rates: Rates) {
        lock(&self.state).common.faults.rates = rates;
    }

    /// The next request whose `METHOD path` contains `what` gets this fault.
    pub fn script(&self, what: &str, fault: Fault) {
        lock(&self.state).common.faults.script(what, fault);
    }

    /// Requests so far, without headers and bodies.
    pub fn requests(&self) -> Vec<RequestLine> {
        lock(&self.state).common.requests.clone()
    }

    /// Pushes that were not sent because `deliver_pushes` is off.
    pub fn take_deliveries(&self) -> Vec<Delivery> {
        std::mem::take(&mut lock(&self.state).common.deliveries)
    }
}
