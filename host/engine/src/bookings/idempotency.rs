//! A request that is repeated because its answer never arrived.

use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    limits,
    problem::{Code, Problem},
};
use berth_store::records::BookingFilter;

use crate::{BookOutcome, Caller, Outcome, SeriesOutcome, bookings::Bookings};

impl Bookings {
    /// The booking that an earlier request with this Idempotency-Key made, if it died before its answer was stored. As the booking
    /// stands now: what happened to it meanwhile did happen.
    pub(crate) async fn replayed(&self, caller: &Caller) -> Outcome<Option<BookOutcome>> {
        let Some(booking) = self.replayed_booking(caller).await? else { return Ok(None) };
        if booking.status == BookingStatus::Failed {
            let reason = booking.reason.unwrap_or_else(|| "The provider refused it.".to_owned());
            return Err(Problem::new(Code::ProviderRefused, reason));
        }
        Ok(Some(booking.into()))
    }

    /// The same for a series: what of it was made.
    pub(crate) async fn replayed_series(&self, caller: &Caller) -> Outcome<Option<SeriesOutcome>> {
        let first = self.replayed_booking(caller).await?;
        let Some(series) = first.and_then(|booking| booking.series) else { return Ok(None) };
        let filter = BookingFilter { series: Some(series), ..BookingFilter::default() };
        let done = self.list_bookings(caller, filter, limits::PAGE_ITEMS_MAX).await?;
        Ok(Some(SeriesOutcome { series, done, refused: Vec::new() }))
    }

    async fn replayed_booking(&self, caller: &Caller) -> Outcome<Option<Booking>> {
        let Some(key) = &caller.idempotency_key else { return Ok(None) };
        let made = self.base.store().booking_of_key(key).await?;
        match made {
            Some(id) => Ok(Some(self.booking(caller, id).await?)),
            None => Ok(None),
        }
    }
}
