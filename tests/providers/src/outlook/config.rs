//! How a simulator is set up, and with what.

use crate::{Clock, machine_clock};

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
    /// Send notifications; else they are kept for [`take_deliveries`](super::Simulator::take_deliveries).
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

/// A calendar of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    pub id: String,
    pub name: String,
    pub can_edit: bool,
}

/// Somebody else, with times that are busy, in microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Colleague {
    pub address: String,
    pub busy: Vec<(i64, i64)>,
}

/// An app that logs people in.
#[derive(Debug, Clone)]
pub struct Client {
    pub id: String,
    pub secret: String,
    /// Where people may be sent back to; empty: anywhere.
    pub redirect_uris: Vec<String>,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            id: "11111111-2222-4333-8444-555555555555".to_owned(),
            secret: "made-up-client-secret".to_owned(),
            redirect_uris: vec!["https://berth.example/api/oauth/callback".to_owned()],
        }
    }
}
