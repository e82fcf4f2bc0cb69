//! Misdeeds with bookings.

use berth_sdk::{
    Bookings, Result, state,
    types::{
        Booking, BookingStatus, CancelRequest, ChangePage, Conflict, CreateRequest, Interval, ProviderError,
        ReferenceLookup, RescheduleRequest,
    },
};

use crate::{Wrong, after_the_change, map};

const HOUR: i64 = 3_600_000_000;

fn next(name: &str) -> u32 {
    let count: u32 = state::get_json(name).ok().flatten().unwrap_or(0) + 1;
    let _ = state::set_json(name, &count);
    count
}

impl Bookings for Wrong {
    fn create(&self, mut request: CreateRequest) -> Result<Booking> {
        if self.does("forgets_the_reference") {
            request.reference = String::new();
        }
        if self.does("makes_two") {
            // A key of its own, and the next hours when the time is taken.
            let count = next("tries");
            let later = i64::from(count - 1) * HOUR * 3;
            let Interval { start, end } = request.when;
            request.when = Interval { start: start + later, end: end + later };
            request.idempotency_key = format!("{}-{count}", request.idempotency_key);
        }
        let body = map::new_appointment(&request);
        let answer =
            self.api.create_appointment(&request.idempotency_key, &body).map_err(|error| match error {
                ProviderError::Conflict(Conflict::SlotTaken) if self.does("takes_taken_for_invalid") => {
                    ProviderError::invalid("start", "taken")
                }
                ProviderError::Unavailable(_) if self.does("is_sure_of_nothing") => {
                    ProviderError::slot_taken()
                }
                other => other,
            })?;
        match map::appointment(&answer) {
            Err(_) if self.does("takes_nonsense_for_a_refusal") => {
                Err(ProviderError::invalid("start", "refused"))
            }
            other => other,
        }
    }

    fn get(&self, id: String) -> Result<Booking> {
        let answer = self.api.appointment(&id).map_err(|error| match error {
            ProviderError::NotFound if self.does("knows_everything") => ProviderError::Unavailable(None),
            other => other,
        })?;
        let mut booking = map::appointment(&answer)?;
        if self.does("is_an_hour_late") && after_the_change(booking.when.start) {
            booking.when = Interval { start: booking.when.start + HOUR, end: booking.when.end + HOUR };
        }
        Ok(booking)
    }

    fn find_by_reference(&self, lookup: ReferenceLookup) -> Result<Vec<Booking>> {
        let found = map::appointments(&self.api.appointments_with(&lookup.reference)?)?.items;
        if found.is_empty() && self.does("finds_what_is_not_there") {
            let mut others = map::appointments(&self.api.changes(None, 1)?)?.items;
            others.truncate(1);
            return Ok(others
                .into_iter()
                .map(|b| Booking { status: BookingStatus::Confirmed, ..b })
                .collect());
        }
        Ok(found)
    }

    fn cancel(&self, request: CancelRequest) -> Result<Booking> {
        match self.api.cancel_appointment(&request.id, request.reason.as_deref()) {
            Err(ProviderError::Conflict(_)) if !self.does("cancels_once") => self.get(request.id),
            Err(ProviderError::Unavailable(_)) if self.does("gives_cancelling_up") => {
                Err(ProviderError::NotFound)
            }
            answer => map::appointment(&answer?),
        }
    }

    fn reschedule(&self, request: RescheduleRequest) -> Result<Booking> {
        if self.does("does_not_move") {
            return self.get(request.id);
        }
        let answer = self.api.move_appointment(&request.idempotency_key, &request.id, request.when);
        let answer = answer.map_err(|error| match error {
            ProviderError::Conflict(Conflict::SlotTaken) if self.does("cancels_what_it_cannot_move") => {
                drop(self.api.cancel_appointment(&request.id, None));
                error
            }
            ProviderError::Unavailable(_) if self.does("gives_moving_up") => ProviderError::slot_taken(),
            other => other,
        })?;
        map::appointment(&answer)
    }

    fn list_changes(&self, cursor: Option<String>, limit: u32) -> Result<ChangePage> {
        if cursor.as_deref() == Some("expired") && !self.does("takes_old_cursors") {
            return Err(ProviderError::CursorExpired);
        }
        let mut page = map::appointments(&self.api.changes(cursor.as_deref(), limit)?)?;
        if self.does("hides_cancellations") {
            page.items.retain(|b| b.status != BookingStatus::Cancelled);
        }
        if self.does("ends_early") {
            page.more = false;
        }
        Ok(page)
    }
}
