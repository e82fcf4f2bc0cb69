//! The requests of `CalDAV`, one function each. Addresses are whole URLs.

use berth_sdk::{
    Result,
    http::{Client, Method, RequestBuilder, Response, error_of, retry_after_ms},
    time,
    types::{Instant, Interval, ProviderError},
};

use crate::{
    errors,
    map::{
        event::Event,
        href, query,
        xml::{self, Multistatus},
    },
};

const XML: &str = "application/xml; charset=utf-8";
const ICALENDAR: &str = "text/calendar; charset=utf-8";
/// Redirects that discovery follows, more than any server needs.
const REDIRECTS_MAX: usize = 4;

/// Properties of a resource (`Depth: 0`).
pub(crate) fn properties(url: &str, names: &[&str]) -> Result<Multistatus> {
    multistatus(Method::Propfind, url, "0", query::propfind(names))
}

/// Properties of a collection and of everything directly in it (`Depth: 1`).
pub(crate) fn list(url: &str, names: &[&str]) -> Result<Multistatus> {
    multistatus(Method::Propfind, url, "1", query::propfind(names))
}

/// As [`properties`], wherever redirects lead; with the URL at which the answer was given.
pub(crate) fn properties_wherever(began: &str, names: &[&str]) -> Result<(String, Multistatus)> {
    let mut url = began.to_owned();
    for _ in 0..REDIRECTS_MAX {
        let client = client(&url);
        let response = match ask(&client, Method::Propfind, &url, "0", query::propfind(names)).send_any() {
            // Only Berth's gate refuses without a status: that host is not the one of the settings.
            Err(ProviderError::Forbidden(_)) if href::origin(&url) != href::origin(began) => {
                let message = format!("The server is {url} by its own word; give that address.");
                return Err(ProviderError::invalid("settings.base_url", message));
            }
            other => other?,
        };
        match (response.status, response.header("location")) {
            (301 | 302 | 303 | 307 | 308, Some(location)) => url = href::resolve(&url, location),
            // A website that knows no WebDAV answers with a page.
            (200..=206, _) => return Err(errors::not_supported(response.status)),
            _ => return Ok((url, xml::multistatus(accepted(&response)?.text()?)?)),
        }
    }
    Err(ProviderError::vendor(302, "redirects", "The server sends from one address to the next without end."))
}

/// What the server counts as busy, as a `VFREEBUSY`.
pub(crate) fn free_busy(calendar: &str, within: Interval) -> Result<String> {
    let client = client(calendar);
    let response = ask(&client, Method::Report, calendar, "1", query::free_busy(within)).send()?;
    response.text().map(str::to_owned)
}

/// The events that touch this time.
pub(crate) fn events(calendar: &str, within: Interval) -> Result<Multistatus> {
    multistatus(Method::Report, calendar, "1", query::events(within))
}

/// The addresses and sizes of the events that touch this time.
pub(crate) fn sizes(calendar: &str, within: Interval) -> Result<Multistatus> {
    multistatus(Method::Report, calendar, "1", query::sizes(within))
}

/// The addresses of the events that are not over at this time.
pub(crate) fn not_over(calendar: &str, at: Instant) -> Result<Multistatus> {
    multistatus(Method::Report, calendar, "1", query::not_over(at))
}

/// The events with this UID.
pub(crate) fn by_uid(calendar: &str, uid: &str) -> Result<Multistatus> {
    multistatus(Method::Report, calendar, "1", query::by_uid(uid))
}

/// These events of a calendar.
pub(crate) fn multiget(calendar: &str, urls: &[String]) -> Result<Multistatus> {
    let paths: Vec<String> = urls.iter().map(|url| href::path(url).to_owned()).collect();
    multistatus(Method::Report, calendar, "1", query::multiget(&paths))
}

/// What changed in a calendar (RFC 6578, which wants `Depth: 0`).
pub(crate) fn changes(calendar: &str, token: &str) -> Result<Multistatus> {
    multistatus(Method::Report, calendar, "0", query::changes(token))
}

/// One event.
pub(crate) fn event(url: &str, id: String) -> Result<Event> {
    let client = client(url);
    let response = request(&client, Method::Get, url).send()?;
    let event = Event::read(id, response.header("etag"), response.text()?)?;
    Ok(event.modified(response.header("last-modified")))
}

/// Write an event where there is none; `conflict(changed)` if there is one.
pub(crate) fn create(url: &str, calendar: &str) -> Result<Option<String>> {
    let client = client(url);
    put(request(&client, Method::Put, url).header("if-none-match", "*"), calendar)
}

/// Write an event in place of the one that was read; `conflict(changed)` if it is not that one any more.
pub(crate) fn replace(url: &str, event: &Event, calendar: &str) -> Result<Option<String>> {
    let client = client(url);
    put(bound(request(&client, Method::Put, url), event), calendar)
}

/// Delete the event that was read; `conflict(changed)` if it is not that one any more.
pub(crate) fn delete(url: &str, event: &Event) -> Result<()> {
    let client = client(url);
    bound(request(&client, Method::Delete, url), event).send().map(|_| ())
}

fn multistatus(method: Method, url: &str, depth: &str, body: String) -> Result<Multistatus> {
    let client = client(url);
    xml::multistatus(ask(&client, method, url, depth, body).send()?.text()?)
}

fn accepted(response: &Response) -> Result<&Response> {
    if response.is_success() {
        return Ok(response);
    }
    let wait = retry_after_ms(response, time::now());
    Err(errors::of(response).unwrap_or_else(|| error_of(response, wait)))
}

fn client(url: &str) -> Client {
    Client::live(href::origin(url)).error_hint(errors::of)
}

fn request<'a>(client: &'a Client, method: Method, url: &str) -> RequestBuilder<'a> {
    client.request(method, href::path(url))
}

fn ask<'a>(client: &'a Client, method: Method, url: &str, depth: &str, body: String) -> RequestBuilder<'a> {
    request(client, method, url).header("depth", depth).body(XML, body)
}

/// Only in the state that was read. A weak tag binds nothing (RFC 9110 section 13.1.1).
fn bound<'a>(request: RequestBuilder<'a>, event: &Event) -> RequestBuilder<'a> {
    match event.etag.as_deref().filter(|tag| !tag.starts_with("W/")) {
        Some(tag) => request.header("if-match", tag),
        None => request,
    }
}

/// The tag of what was written, if the server stored it as it is (RFC 4791 section 5.3.4).
fn put(request: RequestBuilder<'_>, calendar: &str) -> Result<Option<String>> {
    let response = request.body(ICALENDAR, calendar).send()?;
    Ok(response.header("etag").map(str::to_owned))
}
