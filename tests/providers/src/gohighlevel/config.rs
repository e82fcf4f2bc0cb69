//! How a simulator is set up, and with what.

use super::keys::Signatures;
use crate::{Clock, hours::Hours, machine_clock};

/// How a simulator is set up.
#[derive(Clone)]
pub struct Config {
    /// Port on 127.0.0.1; 0 for any free one.
    pub port: u16,
    /// Seed of chance.
    pub seed: u64,
    /// The private integration token that it accepts.
    pub token: String,
    /// The Marketplace app that gets tokens by consent.
    pub app: App,
    pub location_id: String,
    pub clock: Clock,
    /// Offer `/_simulator/…`.
    pub control: bool,
    /// Send webhooks to `webhook_url`; else they are kept for [`take_deliveries`](super::Simulator::take_deliveries).
    pub deliver_webhooks: bool,
    /// The address in the app's settings.
    pub webhook_url: String,
    /// Which signatures webhooks carry.
    pub signatures: Signatures,
    /// Enforce the rate limit of 100 requests in 10 seconds.
    pub rate_limit: bool,
    pub calendars: Vec<Calendar>,
    pub hours: Hours,
}

impl Default for Config {
    fn default() -> Self {
        let calendar = |id: &str, slug: &str, name: &str, length_minutes, auto_confirm| Calendar {
            id: id.to_owned(),
            slug: slug.to_owned(),
            name: name.to_owned(),
            length_minutes,
            auto_confirm,
        };
        Self {
            port: 0,
            seed: 1,
            token: "pit-00000000-made-up-0000-000000000000".to_owned(),
            app: App::default(),
            location_id: "loc_1".to_owned(),
            clock: machine_clock(),
            control: false,
            deliver_webhooks: false,
            webhook_url: String::new(),
            signatures: Signatures::Current,
            rate_limit: true,
            calendars: vec![
                calendar("cal_1", "consultation", "Consultation", 30, true),
                calendar("cal_2", "workshop", "Workshop", 60, false),
            ],
            hours: Hours {
                time_zone: chrono_tz::Europe::Warsaw,
                opens_minute: 9 * 60,
                closes_minute: 17 * 60,
                weekends: false,
            },
        }
    }
}

/// A calendar: what can be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    pub id: String,
    pub slug: String,
    pub name: String,
    pub length_minutes: u32,
    pub auto_confirm: bool,
}

/// A Marketplace app.
#[derive(Debug, Clone)]
pub struct App {
    pub client_id: String,
    pub client_secret: String,
}

impl Default for App {
    fn default() -> Self {
        Self { client_id: "made-up-app-0001".to_owned(), client_secret: "made-up-app-secret".to_owned() }
    }
}
