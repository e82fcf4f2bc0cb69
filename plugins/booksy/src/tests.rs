//! The whole provider against scripted answers.

mod blocks;
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

use crate::Booksy;

fn manifest() -> Manifest {
    Manifest::parse(include_str!("../plugin.toml")).unwrap()
}

/// A provider with these settings beside the needed ones, before this script.
fn provider_with(script: Scripted, more: &Value) -> (Booksy, Rc<Scripted>) {
    let script = testing::play(script);
    let mut settings = json!({"base_url": "https://booksy.example", "business_id": "biz_1"});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    testing::set_settings(&berth_settings::check(&manifest(), &settings).unwrap().to_string());
    (Booksy::open().unwrap(), script)
}

fn provider(script: Scripted) -> (Booksy, Rc<Scripted>) {
    provider_with(script, &json!({}))
}

fn script() -> Scripted {
    Scripted::at(at("2026-01-02T09:00:00Z"))
}

fn at(text: &str) -> i64 {
    time::parse(text).unwrap()
}

/// A path of the business.
fn path(rest: &str) -> String {
    format!("/v1/businesses/biz_1/{rest}")
}

fn page(items: &[Value], next: Option<&str>) -> String {
    json!({ "data": items, "next_cursor": next }).to_string()
}

fn error(code: &str, message: &str) -> String {
    json!({ "error": { "code": code, "message": message, "request_id": "r" } }).to_string()
}

/// The usual booking, changed.
fn booking(changes: &Value) -> Value {
    let mut booking: Value = serde_json::from_str(include_str!("../fixtures/booking.json")).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        booking[name] = value.clone();
    }
    booking
}
