//! Cal.com, API v2, as far as Berth's plugin and its tests go. Source: the service's published API description and docs.

mod bookings;
mod config;
mod routes;
mod slots;
mod state;
mod views;
mod webhooks;

use serde_json::Value;

pub use crate::front::{Delivery, RequestLine};
pub use config::{Config, EventType};
pub use state::{Booking, Status};

use crate::{
    front::{self, lock},
    running::Running,
    times::utc,
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
        lock(&self.state).bookings.clone()
    }

    /// Bookings that take their time.
    pub fn active_bookings(&self) -> Vec<Booking> {
        self.bookings().into_iter().filter(|b| b.status.is_active()).collect()
    }

    /// Active bookings whose metadata carry this value.
    pub fn active_by_reference(&self, reference: &str) -> Vec<Booking> {
        let carries = |b: &Booking| b.metadata.values().any(|v| v.as_str() == Some(reference));
        self.active_bookings().into_iter().filter(carries).collect()
    }

    /// Somebody cancels in the provider's own calendar.
    pub fn cancel_out_of_band(&self, uid: &str, reason: &str) -> Result<Value, String> {
        let mut state = lock(&self.state);
        let answer = bookings::cancel(&mut state, uid, Some(reason)).map_err(|e| e.message);
        drop(state);
        front::flush(&self.state);
        answer
    }

    /// Somebody moves a booking in the provider's own calendar. The new booking's uid.
    pub fn move_out_of_band(&self, uid: &str, start_micros: i64) -> Result<String, String> {
        let mut state = lock(&self.state);
        let moved = bookings::reschedule(&mut state, uid, start_micros, None).map_err(|e| e.message);
        drop(state);
        front::flush(&self.state);
        let moved = moved?;
        moved["uid"].as_str().map(str::to_owned).ok_or_else(|| "no uid".to_owned())
    }

    /// Somebody books in the provider's own calendar. The booking's uid.
    pub fn book_out_of_band(&self, event_type: u64, start_micros: i64) -> Result<String, String> {
        let body = serde_json::json!({
            "eventTypeId": event_type,
            "start": utc(start_micros),
            "attendee": { "name": "Walk In", "email": "walk.in@example.com", "timeZone": "Europe/Warsaw" },
        });
        let mut state = lock(&self.state);
        let made = bookings::create(&mut state, &body).map_err(|e| e.message);
        drop(state);
        front::flush(&self.state);
        made?["uid"].as_str().map(str::to_owned).ok_or_else(|| "no uid".to_owned())
    }
}
