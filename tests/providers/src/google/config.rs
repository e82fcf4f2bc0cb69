//! How a simulator is set up, and with what.

use crate::{Clock, machine_clock};

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
    /// Send pushes; else they are kept for [`take_deliveries`](super::Simulator::take_deliveries).
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

/// A calendar of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    pub id: String,
    pub summary: String,
    pub time_zone: chrono_tz::Tz,
    /// `owner`, `writer`, `reader` or `freeBusyReader`.
    pub access_role: &'static str,
    /// Is it the account's own?
    pub primary: bool,
}

impl Calendar {
    pub(super) fn is_writable(&self) -> bool {
        matches!(self.access_role, "owner" | "writer")
    }
}

/// The client that the operator registered at the service.
#[derive(Debug, Clone)]
pub struct OAuthClient {
    pub id: String,
    pub secret: String,
    /// Where people may be sent back to; empty: anywhere.
    pub redirect_uris: Vec<String>,
    /// The person at the consent page says no.
    pub denies: bool,
}

impl Default for OAuthClient {
    fn default() -> Self {
        Self {
            id: "berth-test.apps.googleusercontent.example".to_owned(),
            secret: "GOCSPX-made-up-client-secret".to_owned(),
            redirect_uris: Vec::new(),
            denies: false,
        }
    }
}
