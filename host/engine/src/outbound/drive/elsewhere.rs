//! Counterparts that are somewhere else than their booking: whose time counts, and what a person is asked.

use berth_model::{
    bookings::{booking::Booking, change::BookingChange},
    mirror::sync::ConflictKind,
    outbound::provider::ExternalBooking,
};
use berth_store::StoreError;

use crate::{
    jobs::queue::JobLease,
    mirror::{Theirs, last_seen},
    outbound::{Outbound, settle::DeliveryOutcome},
};

impl Outbound {
    /// Does what is changed at the provider not count for this booking?
    pub(super) async fn keeps_ours(&self, booking: &Booking) -> Result<bool, StoreError> {
        let Some(connection) = booking.connection else { return Ok(false) };
        Ok(!self.base.store().sync_state(booking.tenant, connection).await?.rules.mode.follows_changes())
    }

    /// The counterpart is at another time than the booking: somebody moved it there before we knew of it. The provider's time counts, where its
    /// changes do; if it is taken here, the booking keeps its own, and its timeline says so.
    pub(super) async fn settle_elsewhere(
        &self,
        booking: &Booking,
        external: ExternalBooking,
        held: JobLease,
    ) -> Result<DeliveryOutcome, StoreError> {
        if self.keeps_ours(booking).await? {
            let change = self.deliveries.delivered(booking, &external).await?;
            let settled = self.deliveries.settle_with(booking, change, Some(external.clone()), held).await?;
            if let DeliveryOutcome::Settled(booking) = &settled {
                self.moved_there(booking, &external).await?;
            }
            return Ok(settled);
        }
        let padded = self.deliveries.padded(booking, external.when).await?;
        let change = BookingChange::ChangedByProvider { external: external.clone(), padded };
        match self.deliveries.settle_with(booking, change, Some(external.clone()), held).await {
            Err(StoreError::Overlap) => {
                let change = self.deliveries.delivered(booking, &external).await?;
                let settled =
                    self.deliveries.settle_with(booking, change, Some(external.clone()), held).await?;
                if let DeliveryOutcome::Settled(booking) = &settled {
                    self.taken_here(booking, &external).await?;
                }
                Ok(settled)
            }
            other => other,
        }
    }

    /// The provider has our booking at a time that is taken here.
    pub(crate) async fn taken_here(
        &self,
        booking: &Booking,
        external: &ExternalBooking,
    ) -> Result<(), StoreError> {
        let kind = if booking.seats > 1 { ConflictKind::Capacity } else { ConflictKind::TimeOverlap };
        self.conflict_with_counterpart(booking, external, kind).await
    }

    /// The provider has our booking elsewhere, which does not count.
    pub(super) async fn moved_there(
        &self,
        booking: &Booking,
        external: &ExternalBooking,
    ) -> Result<(), StoreError> {
        self.conflict_with_counterpart(booking, external, ConflictKind::BothChanged).await
    }

    /// The provider refused what it was told again: to make what it called off, or (`there`) to move what it has elsewhere. A person is asked,
    /// unless what led to it is open still: an end that waited for the provider's answer counted as carried out.
    pub(super) async fn refused_again(
        &self,
        booking: &Booking,
        there: Option<&ExternalBooking>,
    ) -> Result<(), StoreError> {
        let Some(connection) = booking.connection else { return Ok(()) };
        if self.base.store().has_open_conflict(booking.tenant, connection, booking.id).await? {
            return Ok(());
        }
        let connection = self.base.store().connection(booking.tenant, connection).await?;
        let gone = || last_seen(booking, None);
        let (kind, theirs) = there.map_or_else(
            || (ConflictKind::VanishedThere, gone()),
            |counterpart| (ConflictKind::BothChanged, counterpart.clone()),
        );
        self.conflicts.open_for_a_person(&connection, kind, booking, &theirs).await.map(drop)
    }

    async fn conflict_with_counterpart(
        &self,
        booking: &Booking,
        external: &ExternalBooking,
        kind: ConflictKind,
    ) -> Result<(), StoreError> {
        let Some(connection) = booking.connection else { return Ok(()) };
        let connection = self.base.store().connection(booking.tenant, connection).await?;
        self.conflicts
            .conflict(&connection, kind, Some(booking), Some(external), Theirs::Counterpart)
            .await
            .map(drop)
    }
}
