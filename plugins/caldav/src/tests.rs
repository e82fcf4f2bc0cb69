//! The whole provider against scripted answers.

mod bookings;
mod connection;
mod sync;

use std::rc::Rc;

use berth_model::plugins::manifest::Manifest;
use berth_sdk::{
    Connection,
    testing::{self, Scripted},
    time,
};
use serde_json::{Value, json};

use crate::CalDav;

const BASE: &str = "https://dav.example.com";

/// A provider with these settings beside the defaults, before this script.
fn provider_with(settings: &Value, script: Scripted) -> (CalDav, Rc<Scripted>) {
    let script = testing::play(script);
    let manifest = Manifest::parse(include_str!("../plugin.toml")).unwrap();
    let mut all = json!({ "base_url": BASE });
    for (name, value) in settings.as_object().unwrap() {
        all[name] = value.clone();
    }
    testing::set_settings(&berth_settings::check(&manifest, &all).unwrap().to_string());
    (CalDav::open().unwrap(), script)
}

/// A provider that writes to `/eve/work/`.
fn provider(script: Scripted) -> (CalDav, Rc<Scripted>) {
    provider_with(&json!({ "calendar": "/eve/work/" }), script)
}

fn script() -> Scripted {
    Scripted::at(at("2030-01-02T09:00:00Z"))
}

fn at(text: &str) -> i64 {
    time::parse(text).unwrap()
}

/// Body of a request, as text.
fn sent(script: &Scripted, index: usize) -> String {
    String::from_utf8(script.requests()[index].body.clone().unwrap()).unwrap()
}

/// A header of a request.
fn header(script: &Scripted, index: usize, name: &str) -> Option<String> {
    script.requests()[index].headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone())
}

fn multistatus(inside: &str) -> String {
    format!(r#"<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">{inside}</multistatus>"#)
}

fn response(href: &str, properties: &str) -> String {
    format!(
        "<response><href>{href}</href><propstat><prop>{properties}</prop><status>HTTP/1.1 200 OK</status></propstat></response>"
    )
}

fn gone(href: &str) -> String {
    format!("<response><href>{href}</href><status>HTTP/1.1 404 Not Found</status></response>")
}

fn refusal(condition: &str) -> String {
    format!(r#"<error xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><{condition}/></error>"#)
}

/// An event as it lies on the server.
fn event(reference: &str, start: &str, more: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:{reference}@berth\nDTSTAMP:20300101T000000Z\nDTSTART:{start}\nDURATION:PT30M\nSEQUENCE:0\n{more}END:VEVENT\nEND:VCALENDAR\n"
    )
}

fn event_response(href: &str, etag: &str, data: &str) -> String {
    response(href, &format!("<getetag>{etag}</getetag><C:calendar-data>{data}</C:calendar-data>"))
}

/// The same, last written on this day of January.
fn modified(response: &str, day: u8) -> String {
    let date = format!("<getlastmodified>Wed, {day:02} Jan 2030 09:00:00 GMT</getlastmodified><getetag>");
    response.replace("<getetag>", &date)
}

/// A calendar in a listing of a home.
fn calendar(href: &str, more: &str) -> String {
    response(href, &format!("<resourcetype><collection/><C:calendar/></resourcetype>{more}"))
}
