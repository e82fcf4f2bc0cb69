//! Calendly, API v2, as far as Berth's plugin and its tests go. Source: the service's published API description and docs.

mod bookings;
mod catalog;
mod lists;
mod refusal;
mod routes;
mod state;
mod subscriptions;
mod views;

use serde_json::json;

pub use state::{Booking, EventType};

use crate::{
    Clock,
    front::{flush, lock},
    hours::Hours,
    machine_clock,
    running::Running,
};
use state::State;

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
    /// Send webhooks; else they are kept for [`Simulator::take_deliveries`].
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

/// A running simulator; it stops when dropped.
pub type Simulator = Running<State>;

impl Simulator {
    /// Start listening.
    pub async fn start(config: Config) -> std::io::Result<Self> {
        Self::serve(config.port, State::new(config)).await
    }

    pub fn event_types(&self) -> Vec<EventType> {
        lock(&self.state).config.event_types.clone()
    }

    /// Every booking, oldest first.
    pub fn bookings(&self) -> Vec<Booking> {
        lock(&self.state).bookings()
    }

    /// Bookings that take their time.
    pub fn active_bookings(&self) -> Vec<Booking> {
        self.bookings().into_iter().filter(|b| b.active).collect()
    }

    /// Active bookings that carry this reference.
    pub fn active_by_reference(&self, reference: &str) -> Vec<Booking> {
        let carries = |b: &Booking| b.reference.as_deref() == Some(reference);
        self.active_bookings().into_iter().filter(carries).collect()
    }

    /// Calendly gives up on every subscription, as after a day without an answer.
    pub fn disable_webhooks(&self) {
        lock(&self.state).subscriptions.iter_mut().for_each(|s| s.active = false);
    }

    /// Somebody does something on Calendly's own pages.
    fn by_hand<T>(&self, act: impl FnOnce(&mut State) -> Result<T, refusal::Refusal>) -> Result<T, String> {
        let done = act(&mut lock(&self.state)).map_err(|refusal| refusal.to_string());
        flush(&self.state);
        done
    }

    /// The host cancels on Calendly's own pages.
    pub fn cancel_out_of_band(&self, id: &str, reason: &str) -> Result<(), String> {
        let event = id.split('/').next().unwrap_or_default();
        self.by_hand(|state| bookings::cancel(state, event, Some(reason)).map(drop))
    }

    /// The invitee opens the booking's page and picks another time. The new booking's id.
    pub fn move_out_of_band(&self, id: &str, start_micros: i64) -> Result<String, String> {
        self.by_hand(|state| bookings::reschedule(state, id, start_micros))
    }

    /// Somebody books on Calendly's own pages. The booking's id.
    pub fn book_out_of_band(&self, event_type: &str, start_micros: i64) -> Result<String, String> {
        let body = json!({
            "event_type": views::event_type_uri(event_type), "start_time": views::utc(start_micros),
            "invitee": { "name": "Walk In", "email": "walk.in@example.com", "timezone": "Europe/Warsaw",
                "text_reminder_number": "+48600100200" },
        });
        self.by_hand(|state| bookings::book(state, &body, true).map(|b| b.id()))
    }

    /// Somebody opens a single-use link and books. The booking's id.
    pub fn book_by_link(&self, url: &str, start_micros: i64) -> Result<String, String> {
        self.by_hand(|state| bookings::book_by_link(state, url, start_micros))
    }

    /// The host notes that the invitee did not come.
    pub fn mark_no_show(&self, id: &str) -> Result<(), String> {
        self.by_hand(|state| bookings::mark_no_show(state, id))
    }
}
