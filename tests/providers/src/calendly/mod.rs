//! Calendly, API v2, as far as Berth's plugin and its tests go. Source: the service's published API description and docs.

mod bookings;
mod catalog;
mod config;
mod lists;
mod refusal;
mod routes;
mod state;
mod subscriptions;
mod views;

use serde_json::json;

pub use config::{Config, EventType};
pub use state::Booking;

use crate::{
    front::{flush, lock},
    running::Running,
};
use state::State;

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
