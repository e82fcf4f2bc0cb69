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

use crate::CalCom;

/// A provider with default settings, before this script.
fn provider(script: Scripted) -> (CalCom, Rc<Scripted>) {
    let script = testing::play(script);
    let manifest = Manifest::parse(include_str!("../plugin.toml")).unwrap();
    testing::set_settings(&berth_settings::check(&manifest, &json!({})).unwrap().to_string());
    (CalCom::open().unwrap(), script)
}

fn script() -> Scripted {
    Scripted::at(at("2026-01-02T09:00:00Z"))
}

fn at(text: &str) -> i64 {
    time::parse(text).unwrap()
}

/// A successful answer around this `data`.
fn success(data: &Value) -> String {
    json!({ "status": "success", "data": data }).to_string()
}

fn error(message: &str) -> String {
    json!({ "status": "error", "timestamp": "2026-01-02T09:00:00.000Z", "path": "/v2/bookings",
        "error": { "code": "BadRequestException", "message": message } })
    .to_string()
}

/// The usual booking, changed.
fn booking(changes: &Value) -> Value {
    let mut booking: Value = serde_json::from_str(include_str!("../fixtures/booking.json")).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        booking[name] = value.clone();
    }
    booking
}
