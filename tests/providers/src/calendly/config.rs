//! How a simulator is set up, and with what.

use serde_json::{Value, json};

use crate::{Clock, hours::Hours, machine_clock};

/// How a simulator is set up.
#[derive(Clone)]
pub struct Config {
    /// Port on 127.0.0.1; 0 for any free one.
    pub port: u16,
    /// Seed of chance.
    pub seed: u64,
    /// The access token it accepts.
    pub api_key: String,
    pub clock: Clock,
    /// Offer `/_simulator/…`.
    pub control: bool,
    /// Send webhooks; else they are kept for [`take_deliveries`](super::Simulator::take_deliveries).
    pub deliver_webhooks: bool,
    /// Enforce the rate limit of 500 requests a minute.
    pub rate_limit: bool,
    pub event_types: Vec<EventType>,
    /// When the one host is at work.
    pub hours: Hours,
}

impl Default for Config {
    fn default() -> Self {
        let question = |name: &str, kind: &str, position: u32| {
            json!({ "name": name, "type": kind, "position": position, "enabled": true, "required": false,
                "answer_choices": [], "include_other": false })
        };
        let event_type = |id: &str, slug: &str, name: &str, length_minutes, seats, location| EventType {
            id: id.to_owned(),
            slug: slug.to_owned(),
            name: name.to_owned(),
            length_minutes,
            seats,
            locations: vec![location],
            questions: vec![question("Company?", "string", 0), question("Anything else?", "text", 1)],
        };
        Self {
            port: 0,
            seed: 1,
            api_key: "calendly_test_not_a_real_token".to_owned(),
            clock: machine_clock(),
            control: false,
            deliver_webhooks: false,
            rate_limit: true,
            event_types: vec![
                event_type(
                    "CONSULTATION0001",
                    "consultation",
                    "Consultation",
                    30,
                    1,
                    json!({ "kind": "zoom_conference" }),
                ),
                event_type(
                    "PHONECALL0000001",
                    "call",
                    "Phone call",
                    15,
                    1,
                    json!({ "kind": "outbound_call" }),
                ),
                event_type(
                    "WORKSHOP00000001",
                    "workshop",
                    "Workshop",
                    60,
                    8,
                    json!({ "kind": "physical", "location": "Long Street 1" }),
                ),
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

#[derive(Debug, Clone, PartialEq)]
pub struct EventType {
    pub id: String,
    pub slug: String,
    pub name: String,
    pub length_minutes: u32,
    /// Invitees of one event.
    pub seats: usize,
    pub locations: Vec<Value>,
    pub questions: Vec<Value>,
}
