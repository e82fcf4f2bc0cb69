//! Google Calendar.

use std::sync::Arc;

use berth_simulators::{
    Clock,
    google::{Config, Event, Simulator},
};
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::scenario::{Deed, Offer, RemoteBooking, Scenario};

const CALENDAR: &str = "primary";

pub fn open(seed: u64, clock: Clock) -> BoxFuture<'static, Option<Arc<dyn Scenario>>> {
    Box::pin(async move {
        let config = Config { seed, clock, ..Config::default() };
        Some(Arc::new(Simulator::start(config).await.unwrap()) as _)
    })
}

impl Scenario for Simulator {
    fn offer(&self) -> Offer {
        Offer {
            plugin: "google-calendar",
            settings: json!({ "base_url": self.api_url() }),
            credential: ("oauth", Config::default().access_token),
            event_type: CALENDAR,
        }
    }

    fn active(&self) -> Vec<RemoteBooking> {
        let remote = |event: Event| RemoteBooking {
            id: event.id().to_owned(),
            start: event.start,
            reference: event.resource["extendedProperties"]["private"]
                .as_object()
                .and_then(|all| all.values().find_map(|v| v.as_str().map(str::to_owned))),
        };
        self.events(CALENDAR).into_iter().filter(Event::is_active).map(remote).collect()
    }

    fn person(&self, deed: Deed<'_>) -> Result<(), String> {
        match deed {
            Deed::Cancel(id) => self.delete_event(CALENDAR, id),
            Deed::Move(id, start) => self.move_event(CALENDAR, id, start),
            Deed::Book(start) => self.add_event(CALENDAR, start, 30, "Dentist").map(drop),
        }
    }
}
