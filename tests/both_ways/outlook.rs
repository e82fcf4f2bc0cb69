//! Outlook, by Microsoft Graph.

use std::sync::Arc;

use berth_simulators::{
    Clock,
    outlook::{Config, Event, Simulator},
};
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::scenario::{Deed, Offer, RemoteBooking, Scenario};

const HALF_HOUR_MICROS: i64 = 30 * 60_000_000;

pub fn open(seed: u64, clock: Clock) -> BoxFuture<'static, Option<Arc<dyn Scenario>>> {
    Box::pin(async move {
        let config = Config { seed, clock, rate_limit: false, ..Config::default() };
        Some(Arc::new(Simulator::start(config).await.unwrap()) as _)
    })
}

fn was_there(there: bool) -> Result<(), String> {
    there.then_some(()).ok_or_else(|| "no such event".to_owned())
}

impl Scenario for Simulator {
    fn offer(&self) -> Offer {
        Offer {
            plugin: "outlook",
            settings: json!({ "base_url": self.url() }),
            credential: ("oauth", Config::default().access_token),
            event_type: "default",
        }
    }

    fn active(&self) -> Vec<RemoteBooking> {
        let remote = |event: Event| RemoteBooking {
            id: event.id,
            start: event.start,
            reference: event.properties.into_values().next(),
        };
        self.events().into_iter().map(remote).collect()
    }

    fn person(&self, deed: Deed<'_>) -> Result<(), String> {
        match deed {
            Deed::Cancel(id) => was_there(self.delete_event(id)),
            Deed::Move(id, start) => was_there(self.move_event(id, start)),
            Deed::Book(start) => {
                let own = &self.calendars()[0].id;
                self.add_event(own, "Dentist", start, start + HALF_HOUR_MICROS).map(drop)
            }
        }
    }
}
