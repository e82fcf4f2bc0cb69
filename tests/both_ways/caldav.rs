//! A real CalDAV server, Radicale, behind a proxy that loses answers. People write past it; nobody sends messages.

use std::sync::Arc;

use berth_simulators::{Clock, faults::Rates, front::Delivery};
use berth_tests::{
    proxy::Proxy,
    radicale::{LOGIN, Radicale, object},
};
use chrono::{DateTime, NaiveDateTime};
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::{runtime::Handle, task::block_in_place};

use crate::scenario::{Control, Deed, Offer, RemoteBooking, Scenario};

const HOME: &str = "/eve/home/";
/// UTC, as it is written in an event.
const TIME: &str = "%Y%m%dT%H%M%SZ";

struct Server {
    radicale: Radicale,
    proxy: Proxy,
}

/// Its clock is the machine's.
pub fn open(seed: u64, _: Clock) -> BoxFuture<'static, Option<Arc<dyn Scenario>>> {
    Box::pin(async move {
        let radicale = Radicale::start("CalDAV among all providers").await?;
        let proxy = Proxy::start(&radicale, seed).await;
        Some(Arc::new(Server { radicale, proxy }) as _)
    })
}

impl Server {
    fn ask(&self, method: &str, path: &str, body: &str) -> Result<(), String> {
        let (status, _) =
            block_in_place(|| Handle::current().block_on(self.radicale.ask(method, path, body)));
        if status.is_success() { Ok(()) } else { Err(status.to_string()) }
    }

    fn write(&self, path: &str, uid: &str, start: i64) -> Result<(), String> {
        let start = DateTime::from_timestamp_micros(start).unwrap().format(TIME);
        self.ask("PUT", path, &object(uid, &format!("DTSTART:{start}\r\nDURATION:PT30M")))
    }
}

impl Control for Server {
    fn url(&self) -> String {
        self.proxy.url()
    }

    fn set_rates(&self, rates: Rates) {
        self.proxy.set_rates(rates);
    }

    fn take_deliveries(&self) -> Vec<Delivery> {
        Vec::new()
    }
}

impl Scenario for Server {
    fn offer(&self) -> Offer {
        Offer {
            plugin: "caldav",
            settings: json!({ "base_url": self.proxy.url(), "calendar": HOME }),
            credential: ("login", LOGIN.to_owned()),
            event_type: HOME,
        }
    }

    fn active(&self) -> Vec<RemoteBooking> {
        let entries = block_in_place(|| Handle::current().block_on(self.radicale.entries(HOME)));
        let remote = |entry: berth_tests::radicale::Entry| RemoteBooking {
            start: NaiveDateTime::parse_from_str(&entry.start, TIME).unwrap().and_utc().timestamp_micros(),
            reference: entry.uid.strip_suffix("@berth").map(str::to_owned),
            id: entry.path,
        };
        entries.into_iter().map(remote).collect()
    }

    fn person(&self, deed: Deed<'_>) -> Result<(), String> {
        match deed {
            Deed::Cancel(path) => self.ask("DELETE", path, ""),
            Deed::Move(path, start) => {
                let entries = block_in_place(|| Handle::current().block_on(self.radicale.entries(HOME)));
                let entry =
                    entries.iter().find(|e| e.path == path).ok_or_else(|| "no such event".to_owned())?;
                self.write(path, &entry.uid, start)
            }
            Deed::Book(start) => {
                self.write(&format!("{HOME}dentist-{start}.ics"), &format!("dentist-{start}"), start)
            }
        }
    }
}
