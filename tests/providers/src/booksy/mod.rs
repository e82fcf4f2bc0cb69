//! A business behind the Berth Booksy contract (v1), as far as Berth's plugin and its tests go, with its token endpoint and webhooks.
//! Source: the contract's own description. Booksy's own interface is another one.

mod availability;
mod bookings;
mod clients;
mod config;
mod keys;
mod oauth;
mod refusal;
mod routes;
mod state;
mod views;
mod webhooks;

#[cfg(test)]
mod tests;

use serde_json::json;

pub use crate::front::{Delivery, RequestLine};
pub use config::{Config, Service, Staff};
pub use state::{Booking, Client, Status};

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

    pub fn services(&self) -> Vec<Service> {
        lock(&self.state).config.services.clone()
    }

    /// Every booking, oldest first.
    pub fn bookings(&self) -> Vec<Booking> {
        lock(&self.state).bookings.clone()
    }

    /// Bookings that take their time.
    pub fn active_bookings(&self) -> Vec<Booking> {
        self.bookings().into_iter().filter(|b| b.status.is_active()).collect()
    }

    /// Every client, oldest first, erased ones included.
    pub fn clients(&self) -> Vec<Client> {
        lock(&self.state).clients.clone()
    }

    /// Time that is kept free, oldest first: whose, from when and until when.
    pub fn blocks(&self) -> Vec<(Option<String>, i64, i64)> {
        lock(&self.state).blocks.iter().map(|b| (b.staff.clone(), b.start, b.end)).collect()
    }

    /// A receiver did not take a message: it comes again, or with 410 never.
    pub fn not_taken(&self, delivery: &Delivery, status: u16) {
        webhooks::not_taken(&mut lock(&self.state), delivery, status);
    }

    /// Somebody cancels at the business's own desk.
    pub fn cancel_out_of_band(&self, id: &str, reason: &str) -> Result<(), String> {
        let body = json!({ "reason": reason, "cancelled_by": "business" });
        self.at_the_desk(|state| bookings::cancel(state, id, None, &body).map(drop))
    }

    /// Somebody moves a booking at the business's own desk.
    pub fn move_out_of_band(&self, id: &str, start_micros: i64) -> Result<(), String> {
        let body = json!({ "start": utc(start_micros) });
        self.at_the_desk(|state| bookings::reschedule(state, id, None, &body).map(drop))
    }

    /// Somebody books at the business's own desk. The booking's id.
    pub fn book_out_of_band(&self, service: &str, start_micros: i64) -> Result<String, String> {
        let body = json!({
            "service_id": service,
            "start": utc(start_micros),
            "client": { "first_name": "Walk", "last_name": "In", "email": "walk.in@example.com" },
        });
        self.at_the_desk(|state| bookings::create(state, &body, "business").map(|booking| booking.id))
    }

    /// Somebody confirms a booking, ends it, or notes that nobody came.
    pub fn set_status_out_of_band(&self, id: &str, to: Status) -> Result<(), String> {
        self.at_the_desk(|state| bookings::set_status(state, id, to).map(drop))
    }

    /// Somebody keeps time free at the business's own desk.
    pub fn block_out_of_band(&self, start_micros: i64, end_micros: i64) -> Result<(), String> {
        let body = json!({ "start": utc(start_micros), "end": utc(end_micros) });
        self.at_the_desk(|state| availability::block(state, &body).map(drop))
    }

    fn at_the_desk<T>(
        &self,
        act: impl FnOnce(&mut State) -> Result<T, refusal::Refusal>,
    ) -> Result<T, String> {
        let mut state = lock(&self.state);
        let done = act(&mut state).map_err(|refusal| refusal.message);
        webhooks::dispatch(&mut state);
        drop(state);
        front::flush(&self.state);
        done
    }
}
