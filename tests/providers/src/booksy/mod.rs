//! A business behind the Berth Booksy contract (v1), as far as Berth's plugin and its tests go, with its token endpoint and webhooks.
//! Source: the contract's own description. Booksy's own interface is another one.

mod availability;
mod bookings;
mod clients;
mod keys;
mod oauth;
mod refusal;
mod routes;
mod state;
mod views;
mod webhooks;

#[cfg(test)]
mod tests;

use chrono_tz::Tz;
use serde_json::json;

pub use crate::front::{Delivery, RequestLine};
pub use state::{Booking, Client, Service, Staff, Status};

use crate::{
    Clock,
    front::{self, lock},
    hours::Hours,
    machine_clock,
    running::Running,
    times::utc,
};
use state::State;

/// How a simulator is set up.
#[derive(Clone)]
pub struct Config {
    /// Port on 127.0.0.1; 0 for any free one.
    pub port: u16,
    /// Seed of chance.
    pub seed: u64,
    /// The client that the token endpoint knows: the business's API key and API secret.
    pub client_id: String,
    pub client_secret: String,
    /// How long its tokens last.
    pub token_seconds: i64,
    /// An access token that is accepted without the token endpoint, and has no end.
    pub access_token: String,
    pub business_id: String,
    pub clock: Clock,
    /// Offer `/_simulator/…`.
    pub control: bool,
    /// Send webhooks; else they are kept for [`Simulator::take_deliveries`].
    pub deliver_webhooks: bool,
    /// Enforce 200 requests a minute, and 10 of the token endpoint.
    pub rate_limit: bool,
    pub hours: Hours,
    pub services: Vec<Service>,
    pub staff: Vec<Staff>,
}

impl Default for Config {
    fn default() -> Self {
        let service = |id: &str, name: &str, minutes, capacity, staff: &[&str]| Service {
            id: id.to_owned(),
            name: name.to_owned(),
            duration_minutes: minutes,
            buffer_before_minutes: 0,
            buffer_after_minutes: 0,
            price: 12_000,
            capacity,
            active: true,
            asks_first: false,
            staff: staff.iter().map(|id| (*id).to_owned()).collect(),
        };
        let staff = |id: &str, name: &str, active| Staff { id: id.to_owned(), name: name.to_owned(), active };
        Self {
            port: 0,
            seed: 1,
            client_id: "booksy_test_client".to_owned(),
            client_secret: "booksy_test_not_a_real_secret".to_owned(),
            token_seconds: 3_600,
            access_token: "booksy_test_not_a_real_token".to_owned(),
            business_id: "biz_1".to_owned(),
            clock: machine_clock(),
            control: false,
            deliver_webhooks: false,
            rate_limit: true,
            hours: Hours {
                time_zone: Tz::Europe__Warsaw,
                opens_minute: 9 * 60,
                closes_minute: 17 * 60,
                weekends: false,
            },
            services: vec![
                Service { buffer_after_minutes: 10, ..service("svc_1", "Haircut", 45, 1, &["stf_1"]) },
                service("svc_2", "Consultation", 30, 1, &["stf_1", "stf_2"]),
                service("svc_3", "Yoga", 60, 8, &["stf_2"]),
                Service { asks_first: true, ..service("svc_4", "Patch test", 30, 1, &["stf_1"]) },
                Service { active: false, ..service("svc_5", "Perm", 90, 1, &["stf_1"]) },
            ],
            staff: vec![
                staff("stf_1", "Ola", true),
                staff("stf_2", "Jan", true),
                staff("stf_3", "Iga", false),
            ],
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
