//! The whole provider against scripted answers.

mod blocks;
mod bookings;
mod changes;
mod connection;
mod webhooks;

use std::rc::Rc;

use berth_model::plugins::manifest::Manifest;
use berth_sdk::{
    Connection,
    testing::{self, Scripted},
    time,
};
use serde_json::{Value, json};

use crate::HighLevel;

/// A provider for the sub-account `loc_1`, before this script.
fn provider(script: Scripted) -> (HighLevel, Rc<Scripted>) {
    provider_with(script, &json!({}))
}

/// As [`provider`], with more settings.
fn provider_with(script: Scripted, more: &Value) -> (HighLevel, Rc<Scripted>) {
    let script = testing::play(script);
    let manifest = Manifest::parse(include_str!("../plugin.toml")).unwrap();
    let mut settings = json!({ "location_id": "loc_1" });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    testing::set_settings(&berth_settings::check(&manifest, &settings).unwrap().to_string());
    (HighLevel::open().unwrap(), script)
}

fn script() -> Scripted {
    Scripted::at(at("2026-01-02T09:00:00Z"))
}

fn at(text: &str) -> i64 {
    time::parse(text).unwrap()
}

fn error(status: u16, message: &str) -> String {
    json!({ "statusCode": status, "message": message, "traceId": "t" }).to_string()
}

/// A calendar of half an hour, changed.
fn calendar(changes: &Value) -> Value {
    let mut calendar = json!({ "id": "cal_1", "locationId": "loc_1", "name": "Consultation", "slug": "consultation",
        "calendarType": "round_robin", "slotDuration": 30, "slotDurationUnit": "mins", "isActive": true,
        "teamMembers": [{ "userId": "usr_1", "priority": 0.5 }] });
    calendar.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    calendar
}

fn one_calendar() -> String {
    json!({ "calendar": calendar(&json!({})), "traceId": "t" }).to_string()
}

fn calendars(ids: &[&str]) -> String {
    let list: Vec<Value> = ids.iter().map(|id| calendar(&json!({ "id": id }))).collect();
    json!({ "calendars": list, "traceId": "t" }).to_string()
}

/// The usual appointment, changed.
fn appointment(changes: &Value) -> Value {
    let mut answer: Value = serde_json::from_str(include_str!("../fixtures/appointment.json")).unwrap();
    answer["event"].as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    answer["event"].clone()
}

fn event(changes: &Value) -> String {
    json!({ "event": appointment(changes), "traceId": "t" }).to_string()
}

fn events(list: &[Value]) -> String {
    json!({ "events": list, "traceId": "t" }).to_string()
}

fn contact() -> String {
    json!({ "new": false, "contact": { "id": "con_1", "firstName": "Ada", "lastName": "Nowak",
        "email": "ada@example.com", "timezone": "Europe/Warsaw" }, "traceId": "t" })
    .to_string()
}

/// A day in Warsaw with these starts.
fn slots(times: &[&str]) -> String {
    let slots: Vec<String> = times.iter().map(|time| format!("2026-01-05T{time}:00+01:00")).collect();
    json!({ "2026-01-05": { "slots": slots }, "traceId": "t" }).to_string()
}

/// The header of this name in a request.
fn header(script: &Scripted, request: usize, name: &str) -> Option<String> {
    let headers = script.requests().get(request)?.headers.clone();
    headers.into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
}
