//! The body that writes on an event.

use berth_sdk::{
    Result,
    json::set,
    types::{Interval, MeetingPlace, Part, UpdateRequest},
};
use serde_json::{Value, json};

use super::create::create_body;
use crate::settings::Settings;

/// What the parts that changed make of the event; none where only a person can change one of them. The text of an online meeting holds the
/// way into it, which would be lost.
pub(crate) fn update_body(
    request: &UpdateRequest,
    event: &Value,
    when: Interval,
    settings: &Settings,
) -> Result<Option<Value>> {
    let is_online = event.get("isOnlineMeeting").and_then(Value::as_bool) == Some(true);
    let anew = create_body(&request.made_anew("", when), settings)?;
    let mut fields = Vec::new();
    if request.beyond(&[Part::Location]).is_some() {
        if is_online {
            return Ok(None);
        }
        fields.push("body");
    }
    if request.changes(Part::Attendee) {
        fields.push("subject");
    }
    if request.changes(Part::Attendee) || request.changes(Part::Guests) {
        fields.push("attendees");
    }
    let mut body = json!({});
    for field in fields {
        if let Some(value) = anew.get(field) {
            set(&mut body, field, value.clone());
        }
    }
    if request.changes(Part::Location) {
        let place = match &request.location {
            None => String::new(),
            Some(MeetingPlace::Address(text) | MeetingPlace::Link(text)) => text.clone(),
            Some(MeetingPlace::Phone(number)) => {
                number.clone().or_else(|| request.attendee.phone.clone()).unwrap_or_default()
            }
            Some(MeetingPlace::Conferencing) if is_online => String::new(),
            Some(MeetingPlace::Conferencing) => return Ok(None),
        };
        set(&mut body, "location", json!({ "displayName": place }));
    }
    Ok(Some(body))
}
