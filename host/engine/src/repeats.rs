//! A request that is repeated because its answer never arrived.

use berth_model::{
    booking::BookingStatus,
    problem::{Code, Problem},
};

use crate::{BookOutcome, Caller, Engine, Outcome, problems::of_store};

impl Engine {
    /// The booking that an earlier request with this Idempotency-Key made, if it died before its answer was stored. As the booking
    /// stands now: what happened to it meanwhile did happen.
    pub(crate) async fn made_before(&self, caller: &Caller) -> Outcome<Option<BookOutcome>> {
        let Some(key) = &caller.idempotency_key else { return Ok(None) };
        let made = self.store().booking_of_key(caller.tenant.uuid(), key).await.map_err(of_store)?;
        let Some(id) = made else { return Ok(None) };
        let booking = self.booking(caller, id).await?;
        if booking.status == BookingStatus::Failed {
            let reason = booking.reason.unwrap_or_else(|| "The provider refused it.".to_owned());
            return Err(Problem::new(Code::ProviderRefused, reason));
        }
        Ok(Some(booking.into()))
    }
}
