//! Calendly. The customer moves a booking there, on Calendly's own page.

use std::sync::Arc;

use berth_simulators::{
    Clock,
    calendly::{Booking, Config, Simulator},
};
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::scenario::{ALWAYS, Deed, Offer, RemoteBooking, Scenario};

const EVENT_TYPE: &str = "CONSULTATION0001";

pub fn open(seed: u64, clock: Clock) -> BoxFuture<'static, Option<Arc<dyn Scenario>>> {
    Box::pin(async move {
        let config = Config { seed, clock, hours: ALWAYS, rate_limit: false, ..Config::default() };
        Some(Arc::new(Simulator::start(config).await.unwrap()) as _)
    })
}

impl Scenario for Simulator {
    fn offer(&self) -> Offer {
        Offer {
            plugin: "calendly",
            settings: json!({ "base_url": self.url() }),
            credential: ("api-key", Config::default().api_key),
            event_type: EVENT_TYPE,
        }
    }

    fn active(&self) -> Vec<RemoteBooking> {
        let remote = |booking: Booking| RemoteBooking {
            id: booking.id,
            start: booking.start,
            reference: booking.reference,
        };
        self.active_bookings().into_iter().map(remote).collect()
    }

    fn person(&self, deed: Deed<'_>) -> Result<(), String> {
        match deed {
            Deed::Cancel(id) => self.cancel_out_of_band(id, "ill"),
            Deed::Move(id, start) => self.move_out_of_band(id, start).map(drop),
            Deed::Book(start) => self.book_out_of_band(EVENT_TYPE, start).map(drop),
        }
    }
}
