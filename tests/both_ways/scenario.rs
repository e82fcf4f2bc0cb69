//! A provider as the simulation sees it: one file for each.

use std::sync::Arc;

use berth_simulators::{
    Clock,
    faults::Rates,
    front::{Delivery, Service},
    hours::Hours,
    running::Running,
};
use futures_util::future::BoxFuture;
use serde_json::Value;

/// Starts a provider with this seed and by this clock; none, said aloud, where it cannot be had.
pub type Open = fn(u64, Clock) -> BoxFuture<'static, Option<Arc<dyn Scenario>>>;

/// Open round the clock.
pub const ALWAYS: Hours =
    Hours { time_zone: chrono_tz::UTC, opens_minute: 0, closes_minute: 1_440, weekends: true };

/// How a connection is made, and what is booked over it.
pub struct Offer {
    pub plugin: &'static str,
    pub settings: Value,
    /// Name and value.
    pub credential: (&'static str, String),
    pub event_type: &'static str,
}

/// A booking as its provider has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteBooking {
    pub id: String,
    /// In microseconds.
    pub start: i64,
    /// Our booking, if it says so.
    pub reference: Option<String>,
}

/// What a person does at the provider, past Berth. Times in microseconds.
#[derive(Debug, Clone, Copy)]
pub enum Deed<'a> {
    Cancel(&'a str),
    Move(&'a str, i64),
    Book(i64),
}

/// What is the same for all.
pub trait Control {
    fn url(&self) -> String;
    /// Faults by chance from now on.
    fn set_rates(&self, rates: Rates);
    /// Messages to us since the last time.
    fn take_deliveries(&self) -> Vec<Delivery>;
}

impl<S: Service> Control for Running<S> {
    fn url(&self) -> String {
        self.url()
    }

    fn set_rates(&self, rates: Rates) {
        self.set_rates(rates);
    }

    fn take_deliveries(&self) -> Vec<Delivery> {
        self.take_deliveries()
    }
}

/// A running provider.
pub trait Scenario: Control + Send + Sync {
    fn offer(&self) -> Offer;
    /// What takes place there.
    fn active(&self) -> Vec<RemoteBooking>;
    /// Somebody works there. A person who is refused is refused.
    fn person(&self, deed: Deed<'_>) -> Result<(), String>;
}
