//! What is written on a booking is fields of its event. Whose calendar it is in, Google changes for people only.

use berth_sdk::{
    BookingEdits, Result,
    types::{Booking, BookingStatus, Conflict, ProviderError, ReassignRequest, UpdateRequest},
};
use serde_json::Value;

use crate::{GoogleCalendar, bookings::CHANGE_TRIES, map};

impl BookingEdits for GoogleCalendar {
    fn update(&self, request: UpdateRequest) -> Result<Booking> {
        for _ in 0..CHANGE_TRIES {
            match self.try_update(&request) {
                Err(ProviderError::Conflict(Conflict::Changed)) => {}
                other => return other,
            }
        }
        Err(ProviderError::Conflict(Conflict::Changed))
    }

    fn reassign(&self, request: ReassignRequest) -> Result<Booking> {
        let event = self.api.event(&request.id)?;
        // What cannot be read is no answer.
        self.booking(&event)?;
        Err(by_hand(&event))
    }
}

impl GoogleCalendar {
    fn try_update(&self, request: &UpdateRequest) -> Result<Booking> {
        let event = self.api.event(&request.id)?;
        let booking = self.booking(&event)?;
        if booking.status == BookingStatus::Cancelled {
            return Err(ProviderError::wrong_state("The event is deleted."));
        }
        let Some(changes) = map::update_body(request, &event, booking.when, &self.settings.title) else {
            return Err(by_hand(&event));
        };
        self.booking(&self.api.patch(&request.id, map::etag(&event), &changes)?)
    }
}

/// Only a person can do it, where the event is shown.
fn by_hand(event: &Value) -> ProviderError {
    ProviderError::Unsupported(event.get("htmlLink").and_then(Value::as_str).map(str::to_owned))
}
