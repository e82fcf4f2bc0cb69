//! The requests of the Calendar API v3, one function each. Answers are JSON as they came.

use berth_sdk::{
    Result,
    http::{Client, encode},
    time::format_millis,
    types::Instant,
};
use serde_json::{Value, json};

use crate::{errors, map::REFERENCE, settings::Settings};

/// Events on a page of a lookup by reference: there are hardly ever two.
const FOUND_PER_PAGE: &str = "50";

/// The API of one account.
pub(crate) struct Api {
    client: Client,
    /// Path of the calendar that bookings are written to.
    calendar: String,
    send_updates: String,
    meet: bool,
}

/// Which events to list. The same values on every page, and in every sync that goes on from there.
#[derive(Debug)]
pub(crate) struct Listing<'a> {
    /// Only events that end after this; not with `sync_token`.
    pub(crate) ends_after: Option<Instant>,
    pub(crate) sync_token: Option<&'a str>,
    pub(crate) page_token: Option<&'a str>,
    pub(crate) page_size: u32,
}

impl Api {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            client: Client::live(&settings.base_url).error_hint(errors::of),
            calendar: format!("/calendars/{}", encode(&settings.calendar)),
            send_updates: settings.send_updates.clone(),
            meet: settings.meet,
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.client.now()
    }

    /// A page of the calendars that the account may write to.
    pub(crate) fn calendars(&self, page_size: u32, page_token: Option<&str>) -> Result<Value> {
        self.client
            .get("/users/me/calendarList")
            .query("minAccessRole", "writer")
            .query("maxResults", page_size.to_string())
            .query_some("pageToken", page_token)
            .fetch()
    }

    pub(crate) fn free_busy(&self, from: Instant, to: Instant, calendars: &[String]) -> Result<Value> {
        let items: Vec<Value> = calendars.iter().map(|id| json!({ "id": id })).collect();
        let body = json!({ "timeMin": format_millis(from), "timeMax": format_millis(to), "items": items });
        self.client.post("/freeBusy").json(&body).fetch()
    }

    pub(crate) fn insert(&self, event: &Value) -> Result<Value> {
        self.client
            .post(&format!("{}/events", self.calendar))
            .query("sendUpdates", &self.send_updates)
            .query_some("conferenceDataVersion", self.meet.then_some("1"))
            .json(event)
            .fetch()
    }

    /// An event, a deleted one as well.
    pub(crate) fn event(&self, id: &str) -> Result<Value> {
        self.client.get(&self.event_path(id)).fetch()
    }

    /// Change fields of the event, if it is still the one with this tag.
    pub(crate) fn patch(&self, id: &str, etag: Option<&str>, changes: &Value) -> Result<Value> {
        let request =
            self.client.patch(&self.event_path(id)).query("sendUpdates", &self.send_updates).json(changes);
        match etag {
            Some(etag) => request.header("if-match", etag).fetch(),
            None => request.fetch(),
        }
    }

    pub(crate) fn delete(&self, id: &str) -> Result<()> {
        let request = self.client.delete(&self.event_path(id)).query("sendUpdates", &self.send_updates);
        request.send().map(drop)
    }

    /// A page of the events that carry a reference, deleted ones included.
    pub(crate) fn with_reference(&self, reference: &str, page_token: Option<&str>) -> Result<Value> {
        self.client
            .get(&format!("{}/events", self.calendar))
            .query("privateExtendedProperty", format!("{REFERENCE}={reference}"))
            .query("showDeleted", "true")
            .query("maxResults", FOUND_PER_PAGE)
            .query_some("pageToken", page_token)
            .fetch()
    }

    pub(crate) fn events(&self, listing: &Listing<'_>) -> Result<Value> {
        let client = self.client.clone().error_hint(errors::of_changes);
        client
            .get(&format!("{}/events", self.calendar))
            .query("singleEvents", "true")
            .query("maxResults", listing.page_size.to_string())
            .query_some("timeMin", listing.ends_after.map(format_millis))
            .query_some("syncToken", listing.sync_token)
            .query_some("pageToken", listing.page_token)
            .fetch()
    }

    /// Berth adds the token to the body.
    pub(crate) fn watch(&self, channel: &Value) -> Result<Value> {
        self.client.post(&format!("{}/events/watch", self.calendar)).json(channel).fetch()
    }

    pub(crate) fn stop(&self, channel: &Value) -> Result<()> {
        self.client.post("/channels/stop").json(channel).send().map(drop)
    }

    fn event_path(&self, id: &str) -> String {
        format!("{}/events/{}", self.calendar, encode(id))
    }
}
