//! Changes of what is written on bookings, and of whom they are with. A booking keeps all of it as JSON in its raw text.

use berth_sdk::{
    BookingEdits, Result,
    types::{Booking, MeetingPlace, Part, ProviderError, ReassignRequest, UpdateRequest},
};
use serde_json::{Map, Value, json};

use crate::{Reference, store};

/// Where a person changes a booking.
const PAGE: &str = "https://reference.example/bookings";
/// The one who has no time, ever.
const BUSY_HOST: &str = "busy";

impl BookingEdits for Reference {
    fn update(&self, request: UpdateRequest) -> Result<Booking> {
        self.run("update", || {
            let mut booking = standing(&request.id)?;
            if request.changes(Part::Attendee) && request.attendee.name.trim().is_empty() {
                return Err(ProviderError::invalid("attendee.name", "must not be empty"));
            }
            if request.changes(Part::Notes) && request.notes.as_deref() == Some("not by API") {
                return Err(ProviderError::Unsupported(Some(format!("{PAGE}/{}", booking.id))));
            }
            if request.changes(Part::Attendee) {
                booking.attendees = vec![request.attendee.clone()];
            }
            if request.changes(Part::Location) {
                booking.location = Some(match &request.location {
                    None => "1 Reference Street".to_owned(),
                    Some(MeetingPlace::Address(address)) => address.clone(),
                    Some(MeetingPlace::Phone(phone)) => phone.clone().unwrap_or_default(),
                    Some(MeetingPlace::Link(url)) => url.clone(),
                    Some(MeetingPlace::Conferencing) => {
                        format!("https://meet.reference.example/{}", booking.id)
                    }
                });
            }
            let answers: Map<String, Value> = request
                .answers
                .iter()
                .map(|answer| {
                    (answer.question.clone(), serde_json::from_str(&answer.value).unwrap_or_default())
                })
                .collect();
            for (part, name, value) in [
                (Part::Guests, "guests", json!(request.guests)),
                (Part::Answers, "answers", json!(answers)),
                (Part::Notes, "notes", json!(request.notes)),
            ] {
                if request.changes(part) {
                    booking.raw = with(&booking.raw, name, value);
                }
            }
            store::put(booking)
        })
    }

    fn reassign(&self, request: ReassignRequest) -> Result<Booking> {
        self.run("reassign", || {
            let booking = standing(&request.id)?;
            if request.host == BUSY_HOST {
                return Err(ProviderError::slot_taken());
            }
            let raw = with(&booking.raw, "host", json!(request.host));
            store::put(Booking { raw, ..booking })
        })
    }
}

fn standing(id: &str) -> Result<Booking> {
    let booking = store::get(id)?;
    if booking.status.is_active() {
        Ok(booking)
    } else {
        Err(ProviderError::wrong_state("only a booking that takes place can be changed"))
    }
}

/// The raw text with this member in it.
fn with(raw: &str, name: &str, value: Value) -> String {
    let mut fields: Map<String, Value> = serde_json::from_str(raw).unwrap_or_default();
    fields.insert(name.to_owned(), value);
    Value::Object(fields).to_string()
}
