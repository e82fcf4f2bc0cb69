//! What happens to a booking after it was made: cancelled, confirmed or declined by the tenant, missed, completed. How it moves is in
//! `moving`.

use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus},
        change::BookingChange,
    },
    id::{BookingId, TenantId},
    limits,
    problem::{Code, Problem},
};
use berth_store::{StoreError, records::ChangeOrder};

use crate::{BookOutcome, Caller, Outcome, bookings::Bookings, validate::Fields};

/// Tries to change a booking that somebody else changes at the same time.
const CHANGE_TRIES: u32 = 5;
/// The reason of bookings that are declined because nobody confirmed them before their start.
const NOT_CONFIRMED_IN_TIME: &str = "not_confirmed_in_time";

/// How to cancel.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CancelBooking {
    pub reason: Option<String>,
    /// Refused as changed if the booking's sequence is another.
    pub expected_sequence: Option<i64>,
    /// Refused when the event type's cut-off for customers has passed.
    pub bound_by_cutoffs: bool,
}

impl Bookings {
    /// Cancel. Cancelling what is cancelled already succeeds and changes nothing.
    pub async fn cancel(
        &self,
        caller: &Caller,
        id: BookingId,
        cancel: CancelBooking,
    ) -> Outcome<BookOutcome> {
        self.may_change(caller, id).await?;
        self.cancel_one(caller, id, cancel, true).await
    }

    /// May a booking be cancelled or moved here? Not where its provider alone changes what it has.
    pub(crate) async fn may_change(&self, caller: &Caller, id: BookingId) -> Outcome<()> {
        let booking = self.booking(caller, id).await?;
        let (Some(connection), Some(_), true) =
            (booking.connection, &booking.external_id, booking.status.is_active())
        else {
            return Ok(());
        };
        let state = self.base.store().sync_state(caller.tenant, connection).await?;
        if state.rules.mode.takes_changes() {
            return Ok(());
        }
        Err(Problem::new(
            Code::ChangedThere,
            "The mode of its connection is `import`: the provider's changes count.",
        ))
    }

    /// May this booking still be cancelled? Not when it is over, nor by customers after the cut-off.
    pub(crate) async fn may_cancel(&self, caller: &Caller, booking: &Booking, is_bound: bool) -> Outcome<()> {
        if !booking.status.is_active() {
            return Err(Problem::new(Code::BookingOver, format!("It is {}.", booking.status.as_str())));
        }
        if is_bound {
            let event_type = self.base.store().event_type(caller.tenant, booking.event_type).await?;
            self.check_cutoff(booking, event_type.policy.cancel_cutoff_minutes, "cancelled")?;
        }
        Ok(())
    }

    /// The same as [`Self::cancel`], waiting for the provider or leaving it to the worker, and whatever the mode.
    pub(crate) async fn cancel_one(
        &self,
        caller: &Caller,
        id: BookingId,
        cancel: CancelBooking,
        wait: bool,
    ) -> Outcome<BookOutcome> {
        check_reason(cancel.reason.as_ref())?;
        for _ in 0..CHANGE_TRIES {
            let booking = self.booking_at(caller, id, cancel.expected_sequence).await?;
            if booking.status == BookingStatus::Cancelled {
                return Ok(booking.into());
            }
            if cancel.bound_by_cutoffs && booking.status.is_active() {
                let event_type = self.base.store().event_type(caller.tenant, booking.event_type).await;
                let cutoff = event_type?.policy.cancel_cutoff_minutes;
                self.check_cutoff(&booking, cutoff, "cancelled")?;
            }
            // A booking whose job another one holds is cancelled by that job in its turn. One that waits for the tenant has no
            // counterpart.
            let ours = wait && booking.provider_task.is_none();
            let (job, held) = if booking.awaits_confirmation() {
                (None, None)
            } else {
                self.outbound.job_of(&booking, ours)
            };
            let change = BookingChange::Cancel { reason: cancel.reason.clone() };
            let change = ChangeOrder { job, ..change.into() };
            match self.change_here(caller, &booking, change).await {
                Ok(changed) => {
                    return self.outbound.dispatch_now(caller, changed, held.filter(|_| ours)).await;
                }
                // Its job settled it in this moment. Who named no sequence wants it cancelled whatever it is.
                Err(StoreError::Stale) if cancel.expected_sequence.is_none() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::from(StoreError::Busy))
    }

    /// Confirm what waits for the tenant. Confirming what is confirmed already changes nothing.
    pub async fn confirm(
        &self,
        caller: &Caller,
        id: BookingId,
        expected_sequence: Option<i64>,
    ) -> Outcome<BookOutcome> {
        for _ in 0..CHANGE_TRIES {
            let booking = self.booking_at(caller, id, expected_sequence).await?;
            if booking.status == BookingStatus::Confirmed {
                return Ok(booking.into());
            }
            require_waiting(&booking)?;
            let (job, held) = self.outbound.job_of(&booking, true);
            let change = ChangeOrder { job, ..BookingChange::Confirm.into() };
            match self.change_here(caller, &booking, change).await {
                Ok(changed) => return self.outbound.dispatch_now(caller, changed, held).await,
                Err(StoreError::Stale) if expected_sequence.is_none() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::from(StoreError::Busy))
    }

    /// Decline what waits for the tenant: cancelled, its time is free again.
    pub async fn decline(
        &self,
        caller: &Caller,
        id: BookingId,
        reason: Option<String>,
        expected_sequence: Option<i64>,
    ) -> Outcome<Booking> {
        check_reason(reason.as_ref())?;
        for _ in 0..CHANGE_TRIES {
            let booking = self.booking_at(caller, id, expected_sequence).await?;
            require_waiting(&booking)?;
            let change = BookingChange::Decline { reason: reason.clone() };
            match self.change_here(caller, &booking, change).await {
                Err(StoreError::Stale) if expected_sequence.is_none() => {}
                result => return Ok(result?),
            }
        }
        Err(Problem::from(StoreError::Busy))
    }

    /// The attendee did not come. From the start of the meeting on, also after it was completed.
    pub async fn no_show(
        &self,
        caller: &Caller,
        id: BookingId,
        expected_sequence: Option<i64>,
    ) -> Outcome<Booking> {
        for _ in 0..CHANGE_TRIES {
            let booking = self.booking_at(caller, id, expected_sequence).await?;
            if booking.status == BookingStatus::NoShow {
                return Ok(booking);
            }
            if self.base.now() < booking.when.start() {
                return Err(Problem::new(Code::WrongState, "The meeting has not begun yet.")
                    .with_hint("Cancel it, or wait for its start."));
            }
            let change = BookingChange::NoShow;
            match self.change_here(caller, &booking, change).await {
                Err(StoreError::Stale) if expected_sequence.is_none() => {}
                result => return Ok(result?),
            }
        }
        Err(Problem::from(StoreError::Busy))
    }

    /// Complete bookings of all tenants that ended [`limits::COMPLETION_GRACE_SECONDS`] ago, the longest ended first. How many; at
    /// most [`limits::COMPLETION_ROWS_MAX`]. For a sweep that goes on for as long as there are that many.
    pub async fn complete_ended(&self) -> Outcome<u32> {
        let until = self.base.now().plus_seconds(-limits::COMPLETION_GRACE_SECONDS);
        let ended = self.base.store().ended_bookings(until, limits::COMPLETION_ROWS_MAX).await?;
        self.change_all(ended, BookingChange::Complete, "completion").await
    }

    /// Decline bookings of all tenants that nobody confirmed before their start; as [`Self::complete_ended`].
    pub async fn decline_unanswered(&self) -> Outcome<u32> {
        let waiting =
            self.base.store().unanswered_bookings(self.base.now(), limits::COMPLETION_ROWS_MAX).await;
        let change = BookingChange::Decline { reason: Some(NOT_CONFIRMED_IN_TIME.to_owned()) };
        self.change_all(waiting?, change, "confirmation").await
    }

    /// The same change of many, in the name of the system. How many were changed.
    async fn change_all(
        &self,
        bookings: Vec<(TenantId, BookingId, i64)>,
        change: BookingChange,
        request_id: &str,
    ) -> Outcome<u32> {
        let mut changed = 0_u32;
        for (tenant, id, sequence) in bookings {
            let audit = self.base.audit_by("system", request_id);
            match self.base.store().change_booking(tenant, id, sequence, change.clone(), None, audit).await {
                Ok(_) => changed = changed.saturating_add(1),
                // Somebody changed it in this moment, another replica's sweep perhaps.
                Err(StoreError::Stale | StoreError::WrongState | StoreError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(changed)
    }

    /// May a customer still do this? Until so many minutes before the start, that minute included.
    pub(crate) fn check_cutoff(
        &self,
        booking: &Booking,
        cutoff_minutes: Option<u32>,
        done: &str,
    ) -> Outcome<()> {
        let minutes = cutoff_minutes.unwrap_or(0);
        let last = booking.when.start().plus_minutes(-i64::from(minutes));
        if self.base.now() <= last {
            return Ok(());
        }
        let mut problem = Problem::new(Code::TooLate, format!("It could be {done} until {last}."));
        problem.extra.insert("until".to_owned(), serde_json::json!(last));
        Err(problem)
    }

    pub(crate) async fn change_here(
        &self,
        caller: &Caller,
        booking: &Booking,
        change: impl Into<ChangeOrder> + Send,
    ) -> Result<Booking, StoreError> {
        let audit = self.base.audit(caller);
        self.base
            .store()
            .change_booking(caller.tenant, booking.id, booking.sequence, change, None, audit)
            .await
    }

    pub(crate) async fn booking_at(
        &self,
        caller: &Caller,
        id: BookingId,
        sequence: Option<i64>,
    ) -> Outcome<Booking> {
        let booking = self.booking(caller, id).await?;
        if sequence.is_some_and(|expected| expected != booking.sequence) {
            return Err(Problem::from(StoreError::Stale));
        }
        Ok(booking)
    }
}

fn check_reason(reason: Option<&String>) -> Outcome<()> {
    let mut fields = Fields::default();
    if let Some(reason) = reason {
        fields.long_text("/reason", reason, 1_000);
    }
    fields.finish()
}

fn require_waiting(booking: &Booking) -> Outcome<()> {
    if booking.awaits_confirmation() {
        return Ok(());
    }
    Err(Problem::new(
        Code::WrongState,
        format!("It is {} and does not wait to be confirmed.", booking.status.as_str()),
    ))
}
