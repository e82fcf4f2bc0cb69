//! A calendar that is published at an address (iCalendar, RFC 5545): its busy times, and nothing else.
//!
//! `feed` asks for it, `busy` reads when it is taken, `kept` remembers that until it changes. The address is a credential: Berth puts it into
//! the request, and this component never sees it.

mod busy;
mod feed;
mod kept;

use berth_sdk::{
    Availability, Catalog, Connection, Result,
    credentials::{self, MacAlgorithm},
    time::{self, DAY},
    types::{
        Account, BusyQuery, BusyTime, EventType, EventTypePage, Interval, PageRequest, ProviderError,
        QuerySpans,
    },
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    feed::{Answer, Feed},
    kept::Kept,
};

/// The one calendar of an address.
const CALENDAR: &str = "calendar";
/// What a calendar without a name is called.
const NAMELESS: &str = "Calendar";
/// Longest query, in days: Berth asks for more in parts.
const SPAN_DAYS: u32 = 62;
/// What is read ahead, in days, so that the answer to later questions is known as long as the calendar is the same: a year and a month.
const AHEAD_DAYS: i64 = 400;
/// A calendar says nothing of lengths: what calendar programs give a new event, in minutes.
const LENGTH_MINUTES: u32 = 60;

/// A published calendar.
pub struct IcsFeed {
    settings: Settings,
}

/// What the tenant can set; described in `plugin.toml`.
#[derive(Debug, Clone, Deserialize)]
struct Settings {
    base_url: String,
    tentative_is_busy: bool,
}

impl IcsFeed {
    fn feed(&self) -> Result<Feed> {
        match feed::ask(&self.settings.base_url, None)? {
            Answer::Changed(feed) => Ok(feed),
            // Nothing was asked for that could be the same.
            Answer::Same => Err(ProviderError::Unavailable(None)),
        }
    }

    fn name(&self) -> Result<String> {
        Ok(self.feed()?.name().unwrap_or_else(|| NAMELESS.to_owned()))
    }

    /// The busy times around this stretch, as they are published now.
    fn times(&self, zone: &str, within: Interval) -> Result<Vec<Interval>> {
        let now = time::now();
        let tentative = self.settings.tentative_is_busy;
        let known = Kept::read().filter(|kept| kept.answers(zone, tentative, within, now));
        let feed = match feed::ask(&self.settings.base_url, known.as_ref().map(|kept| kept.etag.as_str()))? {
            Answer::Changed(feed) => feed,
            Answer::Same => return Ok(known.map(|kept| kept.times()).unwrap_or_default()),
        };
        let whole = Interval {
            start: within.start.min(now.saturating_sub(DAY)),
            end: within.end.max(now.saturating_add(AHEAD_DAYS * DAY)),
        };
        let times = busy::times(&feed, zone, whole, tentative);
        Kept::keep(feed.etag, zone, tentative, whole, now, &times);
        Ok(times)
    }
}

impl Connection for IcsFeed {
    fn open() -> Result<Self> {
        Ok(Self { settings: berth_sdk::settings::get()? })
    }

    fn validate(&self) -> Result<Account> {
        let name = self.name()?;
        // The same for the same address, and tells nothing of it.
        let mac = credentials::sign("address", MacAlgorithm::HmacSha256, CALENDAR.as_bytes());
        let id = mac.map_err(|_| ProviderError::Unauthorised)?;
        Ok(Account {
            id: id.iter().take(16).fold(String::new(), |text, byte| text + &format!("{byte:02x}")),
            raw: json!({ "name": name, "server": self.settings.base_url }).to_string(),
            name,
            email: None,
            time_zone: None,
        })
    }
}

impl Catalog for IcsFeed {
    fn list_event_types(&self, _page: PageRequest) -> Result<EventTypePage> {
        let title = self.name()?;
        let raw = json!({ "id": CALENDAR, "name": title }).to_string();
        // It can only be read.
        let calendar = EventType { active: false, ..EventType::plain(CALENDAR, title, LENGTH_MINUTES, raw) };
        Ok(EventTypePage { items: vec![calendar], next: None })
    }
}

impl Availability for IcsFeed {
    fn spans() -> QuerySpans {
        QuerySpans { free_slots_days: 0, busy_days: SPAN_DAYS }
    }

    fn busy(&self, query: BusyQuery) -> Result<Vec<BusyTime>> {
        if query.calendars.iter().any(|calendar| calendar != CALENDAR) {
            return Err(ProviderError::invalid("calendars", format!("the address has one: {CALENDAR}")));
        }
        let within = query.within;
        let mut times = self.times(&query.time_zone, within)?;
        times.retain(|when| when.start < within.end && within.start < when.end);
        Ok(times.into_iter().map(|when| BusyTime { when, source: Some(CALENDAR.to_owned()) }).collect())
    }
}

berth_sdk::export!(
    IcsFeed: catalog, availability;
    manifest = "plugin.toml"
);

#[cfg(test)]
mod tests;
