//! What Cal.com lets others change of a booking: another location, and more guests, ten at a time. The rest is for people. Whom it is with it
//! changes by its own ids of users, which nobody here knows.

use berth_sdk::{
    BookingEdits, Result,
    types::{Booking, MeetingPlace, Part, ProviderError, ReassignRequest, UpdateRequest},
};
use serde_json::{Value, json};

use crate::{
    CalCom,
    map::{self, one_or_many, split_id},
};

/// Guests in one request.
const GUESTS_AT_ONCE_MAX: usize = 10;

impl BookingEdits for CalCom {
    fn update(&self, request: UpdateRequest) -> Result<Booking> {
        let (uid, seat) = split_id(&request.id);
        let answer = match request.changed.as_slice() {
            _ if seat.is_some() => return Err(by_hand(uid)),
            // Two parts would be two requests, of which the second may be refused.
            [Part::Location] => {
                let location = location(&request).ok_or_else(|| by_hand(uid))?;
                self.api.set_location(uid, &location)?
            }
            [Part::Guests] => {
                let data = one_or_many(self.api.booking(uid)?);
                let there = guests(data.first().ok_or(ProviderError::NotFound)?);
                let is_there = |guest: &str| there.iter().any(|known| known.eq_ignore_ascii_case(guest));
                let new: Vec<&String> = request.guests.iter().filter(|guest| !is_there(guest)).collect();
                let is_asked = |guest: &str| request.guests.iter().any(|g| g.eq_ignore_ascii_case(guest));
                if new.len() > GUESTS_AT_ONCE_MAX || !there.iter().all(|guest| is_asked(guest)) {
                    return Err(by_hand(uid));
                }
                if new.is_empty() {
                    return map::pick_booking(&data, Some(&request.id));
                }
                self.api.add_guests(uid, &new)?
            }
            _ => return Err(by_hand(uid)),
        };
        map::pick_booking(&one_or_many(answer), Some(&request.id))
    }

    fn reassign(&self, request: ReassignRequest) -> Result<Booking> {
        Err(by_hand(split_id(&request.id).0))
    }
}

/// Where a person can do it.
fn by_hand(uid: &str) -> ProviderError {
    ProviderError::Unsupported(Some(format!("https://app.cal.com/booking/{uid}")))
}

/// The guests of a booking: their addresses.
fn guests(item: &Value) -> Vec<&str> {
    let list = item.get("guests").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|guest| guest.as_str().or_else(|| guest.get("email")?.as_str()))
        .collect()
}

/// The location in Cal.com's words; none where it has none for it.
fn location(request: &UpdateRequest) -> Option<Value> {
    Some(match request.location.as_ref()? {
        MeetingPlace::Address(address) => json!({ "type": "address", "address": address }),
        MeetingPlace::Link(link) => json!({ "type": "link", "link": link }),
        MeetingPlace::Phone(Some(phone)) => json!({ "type": "phone", "phone": phone }),
        MeetingPlace::Phone(None) => {
            json!({ "type": "attendeePhone", "phone": request.attendee.phone.as_deref()? })
        }
        MeetingPlace::Conferencing => return None,
    })
}
