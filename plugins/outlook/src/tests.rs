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

use crate::Outlook;

/// A provider with default settings but for these, before this script.
fn provider_with(settings: &Value, script: Scripted) -> (Outlook, Rc<Scripted>) {
    let script = testing::play(script);
    let manifest = Manifest::parse(include_str!("../plugin.toml")).unwrap();
    testing::set_settings(&berth_settings::check(&manifest, settings).unwrap().to_string());
    (Outlook::open().unwrap(), script)
}

fn provider(script: Scripted) -> (Outlook, Rc<Scripted>) {
    provider_with(&json!({}), script)
}

fn script() -> Scripted {
    Scripted::at(at("2026-01-02T09:00:00Z"))
}

fn at(text: &str) -> i64 {
    time::parse(text).unwrap()
}

fn error(code: &str) -> String {
    json!({"error": {"code": code, "message": "no", "innerError": {"date": "2026-01-02T09:00:00", "request-id": "r"}}})
        .to_string()
}

fn list(items: &[Value]) -> String {
    json!({ "value": items }).to_string()
}

/// The usual event, changed.
fn event(changes: &Value) -> Value {
    let mut event = json!({
        "id": "AAMk1", "subject": "Ada Nowak", "isCancelled": false, "isOrganizer": true, "showAs": "busy",
        "transactionId": "berth-b-1-create", "lastModifiedDateTime": "2026-01-02T09:00:00Z",
        "createdDateTime": "2026-01-02T09:00:00Z",
        "start": {"dateTime": "2026-01-05T09:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-01-05T09:30:00.0000000", "timeZone": "UTC"},
        "attendees": [{"type": "required", "emailAddress": {"name": "Ada Nowak", "address": "ada@example.com"}}],
    });
    event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    event
}
