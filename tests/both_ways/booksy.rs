//! A business behind the Berth Booksy contract.

use std::sync::Arc;

use berth_simulators::{
    Clock,
    booksy::{Booking, Config, Simulator},
};
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::scenario::{ALWAYS, Deed, Offer, RemoteBooking, Scenario};

const SERVICE: &str = "svc_2";

pub fn open(seed: u64, clock: Clock) -> BoxFuture<'static, Option<Arc<dyn Scenario>>> {
    Box::pin(async move {
        let config = Config { seed, clock, hours: ALWAYS, rate_limit: false, ..Config::default() };
        Some(Arc::new(Simulator::start(config).await.unwrap()) as _)
    })
}

impl Scenario for Simulator {
    fn offer(&self) -> Offer {
        let Config { client_id, client_secret, business_id, .. } = Config::default();
        Offer {
            plugin: "booksy",
            settings: json!({ "base_url": self.url(), "business_id": business_id, "staff_id": "stf_1" }),
            credential: ("client", format!("{client_id}:{client_secret}")),
            event_type: SERVICE,
        }
    }

    fn active(&self) -> Vec<RemoteBooking> {
        let remote = |booking: Booking| RemoteBooking {
            id: booking.id,
            start: booking.start,
            reference: booking.external_ref.map(|r| r.trim_start_matches("berth:").to_owned()),
        };
        self.active_bookings().into_iter().map(remote).collect()
    }

    fn person(&self, deed: Deed<'_>) -> Result<(), String> {
        match deed {
            Deed::Cancel(id) => self.cancel_out_of_band(id, "ill"),
            Deed::Move(id, start) => self.move_out_of_band(id, start),
            Deed::Book(start) => self.book_out_of_band(SERVICE, start).map(drop),
        }
    }
}
