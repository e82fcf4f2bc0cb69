//! Outlook calendars by Microsoft Graph, v1.0, as far as Berth's plugin and its tests go. Source: the service's published
//! documentation.

mod calendar;
mod changes;
mod config;
mod delta;
mod events;
mod human;
mod logins;
mod notify;
mod oauth;
mod refusal;
mod routes;
mod schedule;
mod state;
mod subscriptions;
#[cfg(test)]
mod tests;
mod views;

pub use config::{Calendar, Client, Colleague, Config};
pub use state::{Event, Subscription};

use crate::{front::lock, running::Running};
use state::State;

/// A running simulator; it stops when dropped.
pub type Simulator = Running<State>;

impl Simulator {
    /// Start listening.
    pub async fn start(config: Config) -> std::io::Result<Self> {
        Self::serve(config.port, State::new(config)).await
    }

    pub fn calendars(&self) -> Vec<Calendar> {
        lock(&self.state).config.calendars.clone()
    }

    /// Events that are there, oldest first.
    pub fn events(&self) -> Vec<Event> {
        lock(&self.state).events.iter().filter(|e| !e.deleted).cloned().collect()
    }

    /// Events that carry this value in an extended property.
    pub fn events_by_reference(&self, reference: &str) -> Vec<Event> {
        self.events().into_iter().filter(|e| e.properties.values().any(|v| v == reference)).collect()
    }

    /// Subscriptions that are alive.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        let state = lock(&self.state);
        state.subscriptions.iter().filter(|s| s.expires_at > state.now()).cloned().collect()
    }
}
