//! What one booking of the provider means here.

use berth_model::{
    bookings::booking::Booking,
    connections::connection::ConnectionRecord,
    limits,
    mirror::sync::{ConflictKind, SyncState},
    outbound::provider::{CallContext, CallError, ExternalBooking, ProviderError, WebhookEvent},
    time::Interval,
};
use berth_store::{StoreError, records::BookingFilter};

use super::{
    Theirs, Whose,
    kept::{Services, last_seen},
};
use crate::{fault::Fault, inbound::apply::is_missed, mirror::Mirror};

impl Mirror {
    /// Take one booking of the provider over into the mirror, and follow it as the rules say. A call that failed: try again later.
    pub(super) async fn import(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        state: &SyncState,
        services: &Services,
        external: &ExternalBooking,
    ) -> Result<(), Fault> {
        let before = self.base.store().mirrored(connection.tenant, connection.id, &external.id).await?;
        let news = before.as_ref().is_none_or(|b| b.external != *external);
        let whose = if news {
            self.external_bookings.whose(connection, context, None, external).await?
        } else {
            self.external_bookings.whose_by_record(connection, None, external).await?
        };
        let ours = match whose {
            Whose::Ours(ours) => *ours,
            Whose::Sibling(booking) => {
                self.external_bookings.keep_as(state, external, before, booking).await?;
                return Ok(());
            }
            Whose::Stranger => {
                self.external_bookings.import_external(connection, state, services, external, before).await?;
                return Ok(());
            }
        };
        // Known, and yet not so here: it came while a change of our own was under way, or whoever acted on it died.
        if news || is_missed(&ours, external) {
            self.inbound.apply_event(connection, context, WebhookEvent::Updated(external.clone())).await?;
        }
        // Only now: what is in the mirror is no news.
        self.external_bookings.keep_as(state, external, before, ours.id).await?;
        Ok(())
    }

    /// What a full synchronisation did not see is gone: others' bookings take nobody's time any more; ours are asked for one by one.
    pub(super) async fn vanished(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        state: &SyncState,
        services: &Services,
    ) -> Result<(), Fault> {
        for unseen in self.base.store().unseen_mirrored(connection.tenant, connection.id, state.run).await? {
            let members = unseen.member.into_iter().collect();
            self.base.store().forget_mirrored(unseen).await?;
            self.calendar_writer.times_changed(connection.tenant, members).await?;
        }
        for booking in self.unnamed(connection, state).await? {
            let id = booking.external_id.clone().unwrap_or_default();
            let before = self.base.store().mirrored(connection.tenant, connection.id, &id).await?;
            // Not in the list is not gone: lists have windows.
            let cx = self.contexts.next_call(context);
            match self.providers.get_booking(&cx, id.clone()).await {
                Ok(external) => {
                    Box::pin(self.import(connection, context, state, services, &external)).await?;
                }
                Err(CallError::Provider(ProviderError::NotFound)) => {
                    if let Some(newer) = self.external_bookings.replacement(context, &booking).await? {
                        Box::pin(self.import(connection, context, state, services, &newer)).await?;
                        continue;
                    }
                    let last = last_seen(&booking, before.as_ref());
                    let kind = ConflictKind::VanishedThere;
                    self.conflicts
                        .conflict(connection, kind, Some(&booking), Some(&last), Theirs::Counterpart)
                        .await?;
                    if let Some(before) = before {
                        self.base.store().forget_mirrored(before).await?;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Bookings of ours to come, settled on both sides, that the last full synchronisation did not name.
    async fn unnamed(
        &self,
        connection: &ConnectionRecord,
        state: &SyncState,
    ) -> Result<Vec<Booking>, StoreError> {
        let most = usize::try_from(limits::SYNC_VANISHED_MAX).unwrap_or(usize::MAX);
        let to_come =
            Interval::new(self.base.now(), self.base.now().plus_seconds(limits::SYNC_AHEAD_SECONDS)).ok();
        let (mut found, mut after) = (Vec::new(), None);
        // Ends: each page begins after the last one.
        loop {
            let filter = BookingFilter {
                connection: Some(connection.id),
                within: to_come,
                after,
                ..BookingFilter::default()
            };
            let page =
                self.base.store().list_bookings(connection.tenant, filter, limits::PAGE_ITEMS_MAX).await?;
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
                let known = self.base.store().mirrored(connection.tenant, connection.id, id).await?;
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
