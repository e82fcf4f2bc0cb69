//! What is written on a booking is properties of its event. Whose calendar it lies in, a server cannot change.

use berth_sdk::{
    BookingEdits, Result, time,
    types::{Booking, BookingStatus, MeetingPlace, Part, ProviderError, UpdateRequest},
};

use crate::{
    CalDav,
    bookings::persist,
    dav,
    map::{event::Event, href, write},
};

impl BookingEdits for CalDav {
    fn update(&self, request: UpdateRequest) -> Result<Booking> {
        if request.changes(Part::Location) && request.location == Some(MeetingPlace::Conferencing) {
            // There is none.
            return Err(ProviderError::Unsupported(None));
        }
        persist(|| self.try_update(&self.server.url(&request.id), &request))
    }
}

impl CalDav {
    fn try_update(&self, url: &str, request: &UpdateRequest) -> Result<Booking> {
        let calendar = href::resolve(url, "");
        let event = self.event_at(url)?;
        let booking = self.booking(&event, &calendar)?;
        if booking.status == BookingStatus::Cancelled {
            return Err(ProviderError::wrong_state("The event is cancelled."));
        }
        let text = write::updated(&event, request, booking.when, &self.settings.title, time::now());
        let etag = dav::replace(url, &event, &text)?;
        self.booking(&Event::read(event.id, etag.as_deref(), &text)?, &calendar)
    }
}
