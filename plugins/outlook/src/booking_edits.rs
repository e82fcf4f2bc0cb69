//! What is written on a booking is fields of its event. Whose calendar it is in, Graph cannot change.

use berth_sdk::{
    BookingEdits, Result,
    types::{Booking, BookingStatus, ProviderError, ReassignRequest, UpdateRequest},
};
use serde_json::Value;

use crate::{Outlook, map};

impl BookingEdits for Outlook {
    fn update(&self, request: UpdateRequest) -> Result<Booking> {
        let event = self.api.event(&request.id)?;
        let booking = map::booking(&event, self.reading())?;
        if booking.status == BookingStatus::Cancelled {
            return Err(ProviderError::wrong_state("The event is cancelled."));
        }
        let Some(body) = map::update_body(&request, &event, booking.when, &self.settings)? else {
            return Err(by_hand(&event));
        };
        let event = self.api.update_event(&request.id, &body)?;
        Ok(Booking { reference: Some(request.reference), ..map::booking(&event, self.reading())? })
    }

    fn reassign(&self, request: ReassignRequest) -> Result<Booking> {
        let event = self.api.event(&request.id)?;
        // What cannot be read is no answer.
        map::booking(&event, self.reading())?;
        Err(by_hand(&event))
    }
}

/// Only a person can do it, where the event is shown.
fn by_hand(event: &Value) -> ProviderError {
    ProviderError::Unsupported(event.get("webLink").and_then(Value::as_str).map(str::to_owned))
}
