//! The requests of Microsoft Graph, one function each. Answers are JSON.

use berth_sdk::{
    Result,
    http::{Client, RequestBuilder, encode},
    log, time,
    types::{Instant, Interval, ProviderError},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::map::{self, DEFAULT_CALENDAR, REFERENCE};

/// Version of the API; part of every path.
const VERSION: &str = "/v1.0";
/// Times in UTC, and ids that stay the same when an item moves to another folder.
const PREFER: &str = r#"outlook.timezone="UTC", IdType="ImmutableId""#;
/// What tells a busy event from others.
const BUSY_FIELDS: &str = "id,start,end,showAs,isCancelled,isAllDay,responseStatus";
/// What is subscribed to: events of the account.
const SUBSCRIBED: &str = "me/events";

/// The API of one account.
pub(crate) struct Api {
    client: Client,
}

/// A piece of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    pub(crate) value: Vec<Value>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    delta: Option<String>,
}

impl Page {
    /// Where the next piece is; none on the last.
    pub(crate) fn next(&self) -> Result<Option<String>> {
        self.next.as_deref().map(path_of).transpose()
    }

    /// Where changes after the last piece are.
    pub(crate) fn delta(&self) -> Result<Option<String>> {
        self.delta.as_deref().map(path_of).transpose()
    }
}

/// The path and query of a link, after the version. Its host does not matter: requests go to the API's address, whatever an
/// answer says.
fn path_of(link: &str) -> Result<String> {
    let after_scheme = link.split_once("://").map_or(link, |(_, rest)| rest);
    let path = after_scheme.find('/').and_then(|at| after_scheme.get(at..));
    let climbs = |path: &&str| path.split('?').next().is_some_and(|path| path.contains(".."));
    let path = path.and_then(|path| path.strip_prefix(VERSION));
    let path = path.filter(|path| path.starts_with('/') && !climbs(path));
    path.map(str::to_owned).ok_or_else(|| {
        log::warn("a link leads outside of the API");
        ProviderError::Unavailable(None)
    })
}

/// Before `/events` and `/calendarView` of a calendar.
fn scope(calendar: &str) -> String {
    if calendar == DEFAULT_CALENDAR {
        "/me".to_owned()
    } else {
        format!("/me/calendars/{}", encode(calendar))
    }
}

fn expand_reference() -> String {
    format!("singleValueExtendedProperties($filter=id eq '{REFERENCE}')")
}

/// With pages of at most so many items.
fn paged(request: RequestBuilder<'_>, size: u32) -> RequestBuilder<'_> {
    request.header("prefer", &format!("{PREFER}, odata.maxpagesize={size}"))
}

impl Api {
    pub(crate) fn new(base_url: &str) -> Self {
        let client = Client::live(&format!("{base_url}{VERSION}"));
        Self { client: client.header("prefer", PREFER).error_hint(map::failure) }
    }

    pub(crate) fn now(&self) -> Instant {
        self.client.now()
    }

    pub(crate) fn me(&self) -> Result<Value> {
        self.client.get("/me").query("$select", "id,displayName,mail,userPrincipalName").fetch()
    }

    pub(crate) fn calendar(&self, id: &str) -> Result<Value> {
        let path = if id == DEFAULT_CALENDAR { "/me/calendar".to_owned() } else { scope(id) };
        self.client.get(&path).fetch()
    }

    /// Calendars, the first page or the one at this path.
    pub(crate) fn calendars(&self, path: Option<&str>, size: u32) -> Result<Page> {
        match path {
            Some(path) => self.client.get(path).fetch(),
            None => self.client.get("/me/calendars").query("$top", size.to_string()).fetch(),
        }
    }

    /// Events that touch a stretch of time, recurring ones as their occurrences.
    pub(crate) fn calendar_view(
        &self,
        calendar: &str,
        within: Interval,
        path: Option<&str>,
        size: u32,
    ) -> Result<Page> {
        let request = if let Some(path) = path {
            self.client.get(path)
        } else {
            let request = self.client.get(&format!("{}/calendarView", scope(calendar)));
            spanning(request, within).query("$select", BUSY_FIELDS)
        };
        paged(request, size).fetch()
    }

    /// Busy times of other people and of rooms.
    pub(crate) fn schedules(&self, addresses: &[String], within: Interval) -> Result<Value> {
        let body = json!({
            "schedules": addresses, "startTime": map::time_of(within.start), "endTime": map::time_of(within.end),
            "availabilityViewInterval": 30,
        });
        self.client.post("/me/calendar/getSchedule").json(&body).fetch()
    }

    pub(crate) fn create_event(&self, calendar: &str, body: &Value) -> Result<Value> {
        self.client.post(&format!("{}/events", scope(calendar))).json(body).fetch()
    }

    pub(crate) fn event(&self, id: &str) -> Result<Value> {
        self.client.get(&event_path(id)).query("$expand", expand_reference()).fetch()
    }

    /// Events of a calendar that carry this reference.
    pub(crate) fn events_with(&self, calendar: &str, reference: &str, path: Option<&str>) -> Result<Page> {
        let Some(path) = path else {
            // A quote in a text of OData is written twice.
            let value = reference.replace('\'', "''");
            let filter = format!(
                "singleValueExtendedProperties/Any(ep: ep/id eq '{REFERENCE}' and ep/value eq '{value}')"
            );
            let request = self.client.get(&format!("{}/events", scope(calendar))).query("$filter", filter);
            return request.query("$expand", expand_reference()).fetch();
        };
        self.client.get(path).fetch()
    }

    pub(crate) fn update_event(&self, id: &str, body: &Value) -> Result<Value> {
        self.client.patch(&event_path(id)).json(body).fetch()
    }

    /// Cancel a meeting, telling its attendees why.
    pub(crate) fn call_off(&self, id: &str, comment: &str) -> Result<()> {
        let path = format!("{}/cancel", event_path(id));
        self.client.post(&path).json(&json!({ "comment": comment })).send().map(drop)
    }

    pub(crate) fn delete_event(&self, id: &str) -> Result<()> {
        self.client.delete(&event_path(id)).send().map(drop)
    }

    /// Changes: of a window from its beginning, or at this path.
    pub(crate) fn delta(
        &self,
        calendar: &str,
        window: Interval,
        path: Option<&str>,
        size: u32,
    ) -> Result<Page> {
        let client = self.client.clone().error_hint(map::delta_failure);
        let request = match path {
            Some(path) => client.get(path),
            None => spanning(client.get(&format!("{}/calendarView/delta", scope(calendar))), window),
        };
        paged(request, size).fetch()
    }

    pub(crate) fn subscriptions(&self, path: Option<&str>) -> Result<Page> {
        self.client.get(path.unwrap_or("/subscriptions")).fetch()
    }

    /// Berth adds the client state to the body.
    pub(crate) fn create_subscription(&self, callback_url: &str, until: Instant) -> Result<Value> {
        let body = json!({
            "changeType": "created,updated,deleted", "notificationUrl": callback_url,
            "lifecycleNotificationUrl": callback_url, "resource": SUBSCRIBED, "expirationDateTime": time::format(until),
        });
        self.client.post("/subscriptions").json(&body).fetch()
    }

    pub(crate) fn renew_subscription(&self, id: &str, until: Instant) -> Result<Value> {
        let body = json!({ "expirationDateTime": time::format(until) });
        self.client.patch(&subscription_path(id)).json(&body).fetch()
    }

    pub(crate) fn delete_subscription(&self, id: &str) -> Result<()> {
        self.client.delete(&subscription_path(id)).send().map(drop)
    }
}

fn event_path(id: &str) -> String {
    format!("/me/events/{}", encode(id))
}

fn subscription_path(id: &str) -> String {
    format!("/subscriptions/{}", encode(id))
}

fn spanning(request: RequestBuilder<'_>, within: Interval) -> RequestBuilder<'_> {
    let request = request.query("startDateTime", time::format(within.start));
    request.query("endDateTime", time::format(within.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_followed_at_the_apis_own_address() {
        for (link, path) in [
            ("https://graph.microsoft.com/v1.0/me/calendars?$skip=10", Some("/me/calendars?$skip=10")),
            ("https://elsewhere.example/v1.0/me/events?a=/v1.0/x", Some("/me/events?a=/v1.0/x")),
            ("https://graph.microsoft.com/beta/me/events", None),
            ("https://graph.microsoft.com/v1.0", None),
            ("https://graph.microsoft.com/v1.0.evil/me", None),
            ("https://graph.microsoft.com/v1.0/../beta/me?x=1", None),
            (
                "https://graph.microsoft.com/v1.0/me/calendars?$skiptoken=a..b",
                Some("/me/calendars?$skiptoken=a..b"),
            ),
            ("junk", None),
        ] {
            assert_eq!(path_of(link).ok().as_deref(), path, "{link}");
        }
    }
}
