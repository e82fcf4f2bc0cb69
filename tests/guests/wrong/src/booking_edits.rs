//! Misdeeds with what is written on bookings.

use berth_sdk::{
    BookingEdits, Bookings, Result,
    types::{Booking, Interval, ProviderError, ReassignRequest, UpdateRequest},
};
use serde_json::json;

use crate::{Wrong, map};

const HOUR: i64 = 3_600_000_000;

impl BookingEdits for Wrong {
    fn update(&self, request: UpdateRequest) -> Result<Booking> {
        if self.does("writes_nothing") {
            return self.get(request.id);
        }
        let members = map::changed(&request).ok_or(ProviderError::Unsupported(None))?;
        let answer = self.api.write_appointment(&request.id, &members).map_err(|error| match error {
            ProviderError::Unavailable(_) if self.does("gives_writing_up") => {
                ProviderError::invalid("notes", "refused")
            }
            other => other,
        })?;
        let mut booking = map::appointment(&answer)?;
        if self.does("moves_what_it_writes_on") {
            let Interval { start, end } = booking.when;
            let later = Interval { start: start + 5 * HOUR, end: end + 5 * HOUR };
            booking = map::appointment(&self.api.move_appointment("", &request.id, later)?)?;
        }
        Ok(booking)
    }

    fn reassign(&self, request: ReassignRequest) -> Result<Booking> {
        map::appointment(&self.api.write_appointment(&request.id, &json!({ "who": request.host }))?)
    }
}
