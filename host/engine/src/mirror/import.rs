//! What one booking of the provider means here.

use berth_model::{
    bookings::booking::Booking,
    catalog::event_type::EventTypeRecord,
    connections::connection::ConnectionRecord,
    id::{BookingId, MemberId},
    limits,
    mirror::sync::{ConflictKind, Mirrored, SyncRules, SyncState},
    outbound::provider::{
        CallContext, CallError, ExternalBooking, ExternalStatus, ProviderError, WebhookEvent,
    },
    time::Interval,
};
use berth_store::{StoreError, records::BookingFilter};

use super::{Theirs, Whose};
use crate::{Engine, inbound::apply::is_missed};

/// Event types that are searched for the one that a provider's stands for.
const EVENT_TYPES_MAX: u32 = 1_000;

/// Event types here, some of which stand for the provider's.
pub(super) struct Services(Vec<EventTypeRecord>);

impl Services {
    fn of<'a>(&'a self, twin: &'a ExternalBooking) -> impl Iterator<Item = &'a EventTypeRecord> {
        self.0.iter().filter(|e| e.external_id.is_some() && e.external_id == twin.event_type)
    }

    pub(super) fn know(&self, twin: &ExternalBooking) -> bool {
        self.of(twin).next().is_some()
    }

    /// If none stands for the provider's, the connection is a calendar, whose entries are nobody's services.
    pub(super) fn stand_for_anything(&self) -> bool {
        self.0.iter().any(|e| e.external_id.is_some())
    }

    /// Whose time a booking takes that is not ours: the only member of what it stands for, or whom the rules name.
    pub(super) fn member_of(&self, rules: &SyncRules, twin: &ExternalBooking) -> Option<MemberId> {
        let mut members: Vec<MemberId> = self.of(twin).flat_map(|e| e.members.iter().copied()).collect();
        members.sort_unstable();
        members.dedup();
        match members.as_slice() {
            [only] => Some(*only),
            _ => rules.member,
        }
    }
}

impl Engine {
    /// Take one booking of the provider over into the mirror, and follow it as the rules say. The inner error: try again later.
    pub(super) async fn import(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        state: &SyncState,
        services: &Services,
        twin: &ExternalBooking,
    ) -> Result<Result<(), CallError>, StoreError> {
        let before = self.store().mirrored(connection.tenant, connection.id, &twin.id).await?;
        let news = before.as_ref().is_none_or(|b| b.external != *twin);
        let whose = if news {
            self.whose(connection, context, None, twin).await?
        } else {
            Ok(self.whose_by_record(connection, None, twin).await?)
        };
        let ours = match whose {
            Ok(Whose::Ours(ours)) => *ours,
            Ok(Whose::Sibling(booking)) => {
                self.keep_as(state, twin, before, booking).await?;
                return Ok(Ok(()));
            }
            Ok(Whose::Stranger) => {
                self.import_foreign(connection, state, services, twin, before).await?;
                return Ok(Ok(()));
            }
            Err(error) => return Ok(Err(error)),
        };
        // Known, and yet not so here: it came while a change of our own was under way, or whoever acted on it died.
        if (news || is_missed(&ours, twin))
            && let Err(error) =
                self.apply_event(connection, context, WebhookEvent::Updated(twin.clone())).await?
        {
            return Ok(Err(error));
        }
        // Only now: what is in the mirror is no news.
        self.keep_as(state, twin, before, ours.id).await?;
        Ok(Ok(()))
    }

    /// Keep it as the twin of a booking: its time is the booking's, whatever it was taken for before.
    async fn keep_as(
        &self,
        state: &SyncState,
        twin: &ExternalBooking,
        before: Option<Mirrored>,
        booking: BookingId,
    ) -> Result<(), StoreError> {
        let mirrored = self.mirrored(state, twin, before.as_ref(), Some(booking));
        self.store().put_mirrored(mirrored).await?;
        match before.and_then(|before| before.member) {
            Some(member) => self.times_changed(state.tenant, vec![member]).await,
            None => Ok(()),
        }
    }

    /// Keep what a message told of a booking of ours, unless something newer is known.
    pub(crate) async fn keep_twin(
        &self,
        connection: &ConnectionRecord,
        booking: BookingId,
        twin: &ExternalBooking,
    ) -> Result<(), StoreError> {
        let (tenant, id) = (connection.tenant, connection.id);
        let before = self.store().mirrored(tenant, id, &twin.id).await?;
        if before.as_ref().is_some_and(|b| b.external == *twin || is_older(twin, b)) {
            return Ok(());
        }
        let state = self.store().sync_state(tenant, id).await?;
        self.keep_as(&state, twin, before, booking).await
    }

    /// A booking of the provider as it is kept here, so far taking nobody's time.
    pub(super) fn mirrored(
        &self,
        state: &SyncState,
        twin: &ExternalBooking,
        before: Option<&Mirrored>,
        booking: Option<BookingId>,
    ) -> Mirrored {
        Mirrored {
            id: before.map_or_else(|| self.new_id(), |b| b.id),
            tenant: state.tenant,
            connection: state.connection,
            booking,
            member: None,
            external: twin.clone(),
            blocked: twin.when,
            run: state.run,
            last_synced_at: self.now(),
        }
    }

    /// The event types here, for as long as some pages are read.
    pub(super) async fn services(&self, connection: &ConnectionRecord) -> Result<Services, StoreError> {
        let all = self.store().list_event_types(connection.tenant, None, true, None, EVENT_TYPES_MAX).await?;
        Ok(Services(all.into_iter().filter(|e| e.active).collect()))
    }

    /// What a full synchronisation did not see is gone: others' bookings take nobody's time any more; ours are asked for one by one.
    pub(super) async fn vanished(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        state: &SyncState,
        services: &Services,
    ) -> Result<Result<(), CallError>, StoreError> {
        for unseen in self.store().unseen_mirrored(connection.tenant, connection.id, state.run).await? {
            let members = unseen.member.into_iter().collect();
            self.store().forget_mirrored(unseen).await?;
            self.times_changed(connection.tenant, members).await?;
        }
        for booking in self.unnamed(connection, state).await? {
            let id = booking.external_id.clone().unwrap_or_default();
            let before = self.store().mirrored(connection.tenant, connection.id, &id).await?;
            // Not in the list is not gone: lists have windows.
            let cx = CallContext { call: self.new_id(), ..context.clone() };
            match self.providers().get_booking(&cx, id.clone()).await {
                Ok(twin) => {
                    if let Err(error) =
                        Box::pin(self.import(connection, context, state, services, &twin)).await?
                    {
                        return Ok(Err(error));
                    }
                }
                Err(CallError::Provider(ProviderError::NotFound)) => {
                    match self.replacement(context, &booking).await {
                        Ok(Some(newer)) => {
                            if let Err(error) =
                                Box::pin(self.import(connection, context, state, services, &newer)).await?
                            {
                                return Ok(Err(error));
                            }
                            continue;
                        }
                        Ok(None) => {}
                        Err(error) => return Ok(Err(error)),
                    }
                    let last = last_seen(&booking, before.as_ref());
                    let kind = ConflictKind::VanishedThere;
                    self.conflict(connection, kind, Some(&booking), Some(&last), Theirs::OwnTwin).await?;
                    if let Some(before) = before {
                        self.store().forget_mirrored(before).await?;
                    }
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(()))
    }

    /// Bookings of ours to come, settled on both sides, that the last full synchronisation did not name.
    async fn unnamed(
        &self,
        connection: &ConnectionRecord,
        state: &SyncState,
    ) -> Result<Vec<Booking>, StoreError> {
        let most = usize::try_from(limits::SYNC_VANISHED_MAX).unwrap_or(usize::MAX);
        let to_come = Interval::new(self.now(), self.now().plus_seconds(limits::SYNC_AHEAD_SECONDS)).ok();
        let (mut found, mut after) = (Vec::new(), None);
        // Ends: each page begins after the last one.
        loop {
            let filter = BookingFilter {
                connection: Some(connection.id),
                within: to_come,
                after,
                ..BookingFilter::default()
            };
            let page = self.store().list_bookings(connection.tenant, filter, limits::PAGE_ITEMS_MAX).await?;
            let Some(last) = page.last() else { return Ok(found) };
            let position = Some((last.when.start(), last.id));
            // What was stored beyond the years that are known is cut to them when it is read, and would be found again and again.
            if position == after {
                return Ok(found);
            }
            after = position;
            for booking in page {
                let Some(id) = booking.external_id.as_deref() else { continue };
                if !booking.status.is_active() || booking.provider_task.is_some() {
                    continue;
                }
                let known = self.store().mirrored(connection.tenant, connection.id, id).await?;
                if known.is_none_or(|m| m.run < state.run) {
                    found.push(booking);
                }
                if found.len() >= most {
                    return Ok(found);
                }
            }
        }
    }
}

/// Is this older news than what is kept?
pub(super) fn is_older(twin: &ExternalBooking, kept: &Mirrored) -> bool {
    matches!((twin.updated_at, kept.external.updated_at), (Some(new), Some(known)) if new < known)
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
