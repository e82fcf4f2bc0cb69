//! Cal.com.

use std::sync::Arc;

use berth_simulators::{
    Clock,
    calcom::{Config, Simulator},
};
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::scenario::{Deed, Offer, RemoteBooking, Scenario};

const EVENT_TYPE: u64 = 101;

pub fn open(seed: u64, clock: Clock) -> BoxFuture<'static, Option<Arc<dyn Scenario>>> {
    Box::pin(async move {
        let config = Config {
            seed,
            clock,
            rate_limit: false,
            time_zone: chrono_tz::UTC,
            opens_minute: 0,
            closes_minute: 1_440,
            weekends: true,
            ..Config::default()
        };
        Some(Arc::new(Simulator::start(config).await.unwrap()) as _)
    })
}

impl Scenario for Simulator {
    fn offer(&self) -> Offer {
        Offer {
            plugin: "calcom",
            settings: json!({ "base_url": self.url() }),
            credential: ("api-key", Config::default().api_key),
            event_type: "101",
        }
    }

    fn active(&self) -> Vec<RemoteBooking> {
        let remote = |booking: berth_simulators::calcom::Booking| RemoteBooking {
            reference: booking.metadata.values().find_map(|v| v.as_str().map(str::to_owned)),
            id: booking.uid,
            start: booking.start,
        };
        self.active_bookings().into_iter().map(remote).collect()
    }

    fn person(&self, deed: Deed<'_>) -> Result<(), String> {
        match deed {
            Deed::Cancel(id) => self.cancel_out_of_band(id, "ill").map(drop),
            Deed::Move(id, start) => self.move_out_of_band(id, start).map(drop),
            Deed::Book(start) => self.book_out_of_band(EVENT_TYPE, start).map(drop),
        }
    }
}
