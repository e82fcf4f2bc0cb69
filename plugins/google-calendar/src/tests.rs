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

use crate::GoogleCalendar;

/// A provider with these settings beside the defaults, before this script.
fn provider_with(script: Scripted, settings: &Value) -> (GoogleCalendar, Rc<Scripted>) {
    let script = testing::play(script);
    let manifest = Manifest::parse(include_str!("../plugin.toml")).unwrap();
    testing::set_settings(&berth_settings::check(&manifest, settings).unwrap().to_string());
    (GoogleCalendar::open().unwrap(), script)
}

fn provider(script: Scripted) -> (GoogleCalendar, Rc<Scripted>) {
    provider_with(script, &json!({}))
}

fn script() -> Scripted {
    Scripted::at(at("2026-01-02T09:00:00Z"))
}

fn at(text: &str) -> i64 {
    time::parse(text).unwrap()
}

/// A refusal as Google words it.
fn refusal(status: u16, reason: &str) -> String {
    json!({ "error": { "code": status, "message": format!("{reason}."), "errors": [
        { "domain": "global", "reason": reason, "message": format!("{reason}.") }] } })
    .to_string()
}

/// The usual event, changed.
fn event(changes: &Value) -> Value {
    let mut event: Value = serde_json::from_str(include_str!("../fixtures/event.json")).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

/// An answer about busy times of the own calendar.
fn busy(periods: &[(&str, &str)]) -> String {
    let periods: Vec<Value> =
        periods.iter().map(|(start, end)| json!({ "start": start, "end": end })).collect();
    json!({ "kind": "calendar#freeBusy", "calendars": { "primary": { "busy": periods } } }).to_string()
}
