//! Outlook calendars by Microsoft Graph, v1.0, as far as Berth's plugin and its tests go. Source: the service's published
//! documentation.

mod calendar;
mod changes;
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

pub use oauth::Client;
pub use state::{Calendar, Colleague, Event, Subscription};

use crate::{Clock, front::lock, machine_clock, running::Running};
use state::State;

/// How a simulator is set up.
#[derive(Clone)]
pub struct Config {
    /// Port on 127.0.0.1; 0 for any free one.
    pub port: u16,
    /// Seed of chance.
    pub seed: u64,
    /// An access token that it accepts without a login, for ever.
    pub access_token: String,
    pub clock: Clock,
    /// Offer `/_simulator/…`.
    pub control: bool,
    /// Send notifications; else they are kept for [`Simulator::take_deliveries`].
    pub deliver_webhooks: bool,
    /// Enforce the limit of 10,000 requests in 10 minutes.
    pub rate_limit: bool,
    /// A personal account, which has no schedules of other people.
    pub personal: bool,
    /// The first is the account's own.
    pub calendars: Vec<Calendar>,
    /// People and rooms whose schedules can be seen.
    pub colleagues: Vec<Colleague>,
    /// The app that logs people in.
    pub client: Client,
    /// Does the user consent when asked?
    pub consents: bool,
}

impl Default for Config {
    fn default() -> Self {
        let calendar = |id: &str, name: &str, can_edit: bool| Calendar {
            id: id.to_owned(),
            name: name.to_owned(),
            can_edit,
        };
        Self {
            port: 0,
            seed: 1,
            access_token: "outlook_test_not_a_real_token".to_owned(),
            clock: machine_clock(),
            control: false,
            deliver_webhooks: false,
            rate_limit: true,
            personal: false,
            calendars: vec![
                calendar("AAMkAGcalendar1=", "Calendar", true),
                calendar("AAMkAGcalendar2=", "Workshops", true),
                calendar("AAMkAGcalendar3=", "Holidays in Poland", false),
            ],
            colleagues: vec![Colleague { address: "room@example.com".to_owned(), busy: Vec::new() }],
            client: Client::default(),
            consents: true,
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
