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

use crate::Calendly;

const ROOT: &str = "https://api.calendly.com";

/// A provider with default settings, before this script.
fn provider(script: Scripted) -> (Calendly, Rc<Scripted>) {
    with_settings(&json!({}), script)
}

fn with_settings(settings: &Value, script: Scripted) -> (Calendly, Rc<Scripted>) {
    let script = testing::play(script);
    let manifest = Manifest::parse(include_str!("../plugin.toml")).unwrap();
    testing::set_settings(&berth_settings::check(&manifest, settings).unwrap().to_string());
    (Calendly::open().unwrap(), script)
}

fn script() -> Scripted {
    Scripted::at(at("2026-01-02T09:00:00Z"))
}

/// A script that begins with the question whose the account is.
fn script_of_eve() -> Scripted {
    script().on("GET", "/users/me", 200, &resource(&me()))
}

fn at(text: &str) -> i64 {
    time::parse(text).unwrap()
}

fn me() -> Value {
    json!({"uri": format!("{ROOT}/users/U1"), "name": "Eve", "email": "eve@example.com", "timezone": "Europe/Warsaw",
        "current_organization": format!("{ROOT}/organizations/O1")})
}

/// A successful answer around this object.
fn resource(value: &Value) -> String {
    json!({ "resource": value }).to_string()
}

/// A page of a list.
fn list(items: &[Value], next: Option<&str>) -> String {
    json!({"collection": items, "pagination": {"count": items.len(), "next_page_token": next}}).to_string()
}

fn error(title: &str, message: &str) -> String {
    json!({"title": title, "message": message, "details": []}).to_string()
}

fn event_type() -> Value {
    serde_json::from_str(include_str!("../fixtures/event-type.json")).unwrap()
}

/// The usual event with another id, changed.
fn event(id: &str, changes: &Value) -> Value {
    let mut event: Value = serde_json::from_str(include_str!("../fixtures/event.json")).unwrap();
    event["uri"] = json!(format!("{ROOT}/scheduled_events/{id}"));
    changed(event, changes)
}

/// The usual invitee of this event, changed.
fn invitee(event: &str, id: &str, changes: &Value) -> Value {
    let mut invitee: Value = serde_json::from_str(include_str!("../fixtures/invitee.json")).unwrap();
    invitee["uri"] = json!(format!("{ROOT}/scheduled_events/{event}/invitees/{id}"));
    invitee["event"] = json!(format!("{ROOT}/scheduled_events/{event}"));
    changed(invitee, changes)
}

fn changed(mut value: Value, changes: &Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        value[name] = change.clone();
    }
    value
}
