//! What is kept here of a booking at its provider, and what event types it may stand for.

use berth_model::{
    bookings::booking::Booking,
    catalog::event_type::EventTypeRecord,
    connections::connection::ConnectionRecord,
    id::{BookingId, ConnectionId, MemberId},
    mirror::sync::{Mirrored, SyncRules, SyncState},
    outbound::provider::{ExternalBooking, ExternalStatus},
};
use berth_store::StoreError;

use crate::mirror::external_bookings::ExternalBookings;

/// Event types that are searched for the one that a provider's stands for.
pub(super) const EVENT_TYPES_MAX: u32 = 1_000;

/// A connection, and event types here, some of which stand for its provider's.
pub(super) struct Services(ConnectionId, Vec<EventTypeRecord>);

impl Services {
    fn of<'a>(&'a self, external: &'a ExternalBooking) -> impl Iterator<Item = &'a EventTypeRecord> {
        let theirs = external.event_type.as_deref();
        self.1.iter().filter(move |e| theirs.is_some() && e.external_over(self.0) == theirs)
    }

    pub(super) fn know(&self, external: &ExternalBooking) -> bool {
        self.of(external).next().is_some()
    }

    /// If none stands for the provider's, the connection is a calendar, whose entries are nobody's services.
    pub(super) fn stand_for_anything(&self) -> bool {
        self.1.iter().any(|e| e.external_over(self.0).is_some())
    }

    /// Whose time a booking takes that is not ours: the only member of what it stands for, or whom the rules name.
    pub(super) fn member_of(&self, rules: &SyncRules, external: &ExternalBooking) -> Option<MemberId> {
        let mut members: Vec<MemberId> = self.of(external).flat_map(|e| e.members.iter().copied()).collect();
        members.sort_unstable();
        members.dedup();
        match members.as_slice() {
            [only] => Some(*only),
            _ => rules.member,
        }
    }
}

impl ExternalBookings {
    /// Keep it as the counterpart of a booking: its time is the booking's, whatever it was taken for before.
    pub(crate) async fn keep_as(
        &self,
        state: &SyncState,
        external: &ExternalBooking,
        before: Option<Mirrored>,
        booking: BookingId,
    ) -> Result<(), StoreError> {
        let mirrored = self.mirrored(state, external, before.as_ref(), Some(booking));
        self.base.store().put_mirrored(mirrored).await?;
        match before.and_then(|before| before.member) {
            Some(member) => self.calendar_writer.times_changed(state.tenant, vec![member]).await,
            None => Ok(()),
        }
    }

    /// Keep what a message told of a booking of ours, unless something newer is known.
    pub(crate) async fn keep_counterpart(
        &self,
        connection: &ConnectionRecord,
        booking: BookingId,
        external: &ExternalBooking,
    ) -> Result<(), StoreError> {
        let (tenant, id) = (connection.tenant, connection.id);
        let before = self.base.store().mirrored(tenant, id, &external.id).await?;
        if before.as_ref().is_some_and(|b| b.external == *external || is_older(external, b)) {
            return Ok(());
        }
        let state = self.base.store().sync_state(tenant, id).await?;
        self.keep_as(&state, external, before, booking).await
    }

    /// A booking of the provider as it is kept here, so far taking nobody's time.
    pub(super) fn mirrored(
        &self,
        state: &SyncState,
        external: &ExternalBooking,
        before: Option<&Mirrored>,
        booking: Option<BookingId>,
    ) -> Mirrored {
        Mirrored {
            id: before.map_or_else(|| self.base.new_id(), |b| b.id),
            tenant: state.tenant,
            connection: state.connection,
            booking,
            customer: None,
            member: None,
            external: external.clone(),
            padded: external.when,
            run: state.run,
            last_synced_at: self.base.now(),
        }
    }

    /// The event types here, for as long as some pages are read.
    pub(super) async fn services(&self, connection: &ConnectionRecord) -> Result<Services, StoreError> {
        let all =
            self.base.store().list_event_types(connection.tenant, None, true, None, EVENT_TYPES_MAX).await?;
        Ok(Services(connection.id, all.into_iter().filter(|e| e.active).collect()))
    }
}

/// Is this older news than what is kept?
pub(super) fn is_older(external: &ExternalBooking, kept: &Mirrored) -> bool {
    matches!((external.updated_at, kept.external.updated_at), (Some(new), Some(known)) if new < known)
}

/// What the provider had before it had nothing.
pub(crate) fn last_seen(booking: &Booking, mirrored: Option<&Mirrored>) -> ExternalBooking {
    if let Some(mirrored) = mirrored {
        return ExternalBooking { status: ExternalStatus::Cancelled, ..mirrored.external.clone() };
    }
    ExternalBooking {
        id: booking.external_id.clone().unwrap_or_default(),
        reference: Some(booking.id.to_string()),
        status: ExternalStatus::Cancelled,
        when: booking.when,
        event_type: None,
        title: None,
        attendees: vec![booking.attendee.clone()],
        location: None,
        cancellation_reason: None,
        rescheduled_from: None,
        rescheduled_to: None,
        updated_at: None,
        raw: booking.external.clone().unwrap_or_default(),
    }
}
