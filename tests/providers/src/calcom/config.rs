//! How a simulator is set up, and with what.

use crate::{Clock, machine_clock};

/// How a simulator is set up.
#[derive(Clone)]
pub struct Config {
    /// Port on 127.0.0.1; 0 for any free one.
    pub port: u16,
    /// Seed of chance.
    pub seed: u64,
    /// The API key it accepts.
    pub api_key: String,
    pub clock: Clock,
    /// Offer `/_simulator/…`.
    pub control: bool,
    /// Send webhooks; else they are kept for [`take_deliveries`](super::Simulator::take_deliveries).
    pub deliver_webhooks: bool,
    /// Enforce the rate limit of 120 requests a minute.
    pub rate_limit: bool,
    pub event_types: Vec<EventType>,
    /// The host's zone and opening hours (local, minutes from midnight; every weekday, or every day).
    pub time_zone: chrono_tz::Tz,
    pub opens_minute: u32,
    pub closes_minute: u32,
    pub weekends: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            seed: 1,
            api_key: "cal_test_not_a_real_key".to_owned(),
            clock: machine_clock(),
            control: false,
            deliver_webhooks: false,
            rate_limit: true,
            event_types: vec![
                EventType {
                    id: 101,
                    slug: "consultation".to_owned(),
                    title: "Consultation".to_owned(),
                    length_minutes: 30,
                    needs_confirmation: false,
                },
                EventType {
                    id: 102,
                    slug: "workshop".to_owned(),
                    title: "Workshop".to_owned(),
                    length_minutes: 60,
                    needs_confirmation: true,
                },
            ],
            time_zone: chrono_tz::Europe::Warsaw,
            opens_minute: 9 * 60,
            closes_minute: 17 * 60,
            weekends: false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    pub id: u64,
    pub slug: String,
    pub title: String,
    pub length_minutes: u32,
    pub needs_confirmation: bool,
}
