//! HighLevel.

use std::sync::Arc;

use berth_simulators::{
    Clock,
    gohighlevel::{Appointment, Config, Simulator},
};
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::scenario::{ALWAYS, Deed, Offer, RemoteBooking, Scenario};

const CALENDAR: &str = "cal_1";
/// How an appointment says whose it is.
const REFERENCE: &str = "Berth reference: ";

pub fn open(seed: u64, clock: Clock) -> BoxFuture<'static, Option<Arc<dyn Scenario>>> {
    Box::pin(async move {
        let config = Config { seed, clock, hours: ALWAYS, rate_limit: false, ..Config::default() };
        Some(Arc::new(Simulator::start(config).await.unwrap()) as _)
    })
}

impl Scenario for Simulator {
    fn offer(&self) -> Offer {
        Offer {
            plugin: "gohighlevel",
            settings: json!({ "base_url": self.url(), "location_id": Config::default().location_id,
                "webhook_public_key": self.webhook_public_key() }),
            credential: ("api-key", Config::default().token),
            event_type: CALENDAR,
        }
    }

    fn active(&self) -> Vec<RemoteBooking> {
        let remote = |appointment: Appointment| RemoteBooking {
            id: appointment.id,
            start: appointment.start,
            reference: appointment
                .description
                .and_then(|text| text.lines().find_map(|l| l.strip_prefix(REFERENCE).map(str::to_owned))),
        };
        self.active_appointments().into_iter().map(remote).collect()
    }

    fn person(&self, deed: Deed<'_>) -> Result<(), String> {
        match deed {
            // Some cancel an appointment, and some delete it, which leaves no trace.
            Deed::Cancel(id) if id.bytes().last().is_some_and(|b| b % 2 == 0) => self.delete_out_of_band(id),
            Deed::Cancel(id) => self.change_out_of_band(id, &json!({ "appointmentStatus": "cancelled" })),
            Deed::Move(id, start) => self.move_out_of_band(id, start),
            Deed::Book(start) => self.book_out_of_band(CALENDAR, start).map(drop),
        }
    }
}
