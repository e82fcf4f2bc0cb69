//! Google Calendar, API v3, with the OAuth endpoints of Google accounts, as far as Berth's plugin and its tests go. Source: the service's
//! published discovery document and its guides.

mod calendars;
mod channels;
mod config;
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
pub use config::{Calendar, Config, OAuthClient};
pub use state::Event;

use crate::running::Running;
use state::State;

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
