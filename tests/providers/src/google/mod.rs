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
mod sync_tokens;
mod tokens;
mod user;

#[cfg(test)]
mod tests;

pub use crate::front::{Delivery, RequestLine};
pub use oauth::OAuthClient;
pub use state::{Calendar, Event};

use crate::{Clock, machine_clock, running::Running};
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
pub type Simulator = Running<State>;

impl Simulator {
    /// Start listening.
    pub async fn start(config: Config) -> std::io::Result<Self> {
        Self::serve(config.port, State::new(config)).await
    }

    /// The address of the API.
    pub fn api_url(&self) -> String {
        format!("{}/calendar/v3", self.url())
    }
}
