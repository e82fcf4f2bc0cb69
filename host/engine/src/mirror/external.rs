//! Bookings of the provider that are not ours: they take their member's time here and, where times can be closed, everywhere.

use std::collections::BTreeSet;

use berth_model::{
    bookings::booking::Booking,
    connections::connection::ConnectionRecord,
    id::{BookingId, MemberId},
    mirror::sync::{ConflictKind, Mirrored, SyncRules, SyncState},
    outbound::provider::{ExternalBooking, ExternalStatus},
    time::Interval,
};
use berth_store::{StoreError, records::BookingFilter};

use super::{
    Theirs,
    kept::{Services, is_older},
};
use crate::mirror::external_bookings::ExternalBookings;

/// Our bookings that are looked at in one time of the provider's.
const OVERLAPS_MAX: u32 = 20;

impl ExternalBookings {
    /// A message told of a booking that is not ours: it takes its time at once, not only when all is read again.
    pub(crate) async fn external_news(
        &self,
        connection: &ConnectionRecord,
        old_id: Option<&str>,
        external: &ExternalBooking,
    ) -> Result<(), StoreError> {
        let (tenant, id) = (connection.tenant, connection.id);
        let state = self.base.store().sync_state(tenant, id).await?;
        let before = self.base.store().mirrored(tenant, id, &external.id).await?;
        if before.as_ref().is_some_and(|before| is_older(external, before)) {
            return Ok(());
        }
        let services = self.services(connection).await?;
        self.import_external(connection, &state, &services, external, before).await?;
        // What it replaced takes no time any more, whether or not a message says so.
        for old in [old_id, external.rescheduled_from.as_deref()]
            .into_iter()
            .flatten()
            .filter(|old| *old != external.id)
        {
            self.external_gone(connection, old).await?;
        }
        Ok(())
    }

    /// A booking of the provider is gone there. If it was not ours, it takes nobody's time any more.
    pub(crate) async fn external_gone(
        &self,
        connection: &ConnectionRecord,
        id: &str,
    ) -> Result<(), StoreError> {
        let Some(old) = self.base.store().mirrored(connection.tenant, connection.id, id).await? else {
            return Ok(());
        };
        if old.booking.is_some() || !old.external.status.is_active() {
            return Ok(());
        }
        let members = old.member.into_iter().collect();
        let external = ExternalBooking { status: ExternalStatus::Cancelled, ..old.external };
        self.no_more_in_the_way(connection, id, &BTreeSet::new()).await?;
        self.base.store().put_mirrored(Mirrored { external, member: None, ..old }).await?;
        self.calendar_writer.times_changed(connection.tenant, members).await
    }

    /// Take a booking that is not ours over into the mirror, as it was there `before`.
    pub(super) async fn import_external(
        &self,
        connection: &ConnectionRecord,
        state: &SyncState,
        services: &Services,
        external: &ExternalBooking,
        before: Option<Mirrored>,
    ) -> Result<(), StoreError> {
        let mut mirrored = self.mirrored(state, external, before.as_ref(), None);
        if self.calendar_writer.is_own_entry(connection, external).await? {
            mirrored.booking = external.reference.as_ref().and_then(|r| r.parse().ok());
            return self.base.store().put_mirrored(mirrored).await;
        }
        // A stub of something that is over says neither when nor whose it was.
        let now = self.base.now();
        let comes = external.status.is_active() && external.when.end() > now;
        let buffers = state.rules.takes_time(external.when.start(), now).filter(|_| comes);
        if let Some((before, after)) = buffers {
            mirrored.member = services.member_of(&state.rules, external);
            mirrored.padded = external.when.widened(before, after);
        }
        let news = before.as_ref().is_none_or(|b| b.external != *external);
        let taken = |of: &Mirrored| of.member.map(|member| (member, of.padded));
        let (was, is) = (before.as_ref().and_then(taken), taken(&mirrored));
        // What begins to take time is in somebody's way, too, although it is no news.
        if (news || was != is) && buffers.is_some() {
            let standing =
                self.look_for_conflicts(connection, &state.rules, services, &mirrored, external).await?;
            self.no_more_in_the_way(connection, &external.id, &standing).await?;
        } else if news && !external.status.is_active() {
            self.no_more_in_the_way(connection, &external.id, &BTreeSet::new()).await?;
        }
        self.base.store().put_mirrored(mirrored).await?;
        if was != is {
            let members = [was, is].into_iter().flatten().map(|(member, _)| member).collect();
            self.calendar_writer.times_changed(connection.tenant, members).await?;
        }
        Ok(())
    }

    /// Of what was open about a booking that is not ours, only this stands.
    async fn no_more_in_the_way(
        &self,
        connection: &ConnectionRecord,
        external_id: &str,
        standing: &BTreeSet<(ConflictKind, Option<BookingId>)>,
    ) -> Result<(), StoreError> {
        let tenant = connection.tenant;
        for open in self.base.store().conflicts_with_stranger(tenant, connection.id, external_id).await? {
            if !standing.contains(&(open.kind, open.booking)) {
                self.base.store().conflict_settled(tenant, open.dedup_key(), self.base.now()).await?;
            }
        }
        Ok(())
    }

    /// Open a conflict with everything of ours that it is in the way of, and say which these are.
    async fn look_for_conflicts(
        &self,
        connection: &ConnectionRecord,
        rules: &SyncRules,
        services: &Services,
        mirrored: &Mirrored,
        external: &ExternalBooking,
    ) -> Result<BTreeSet<(ConflictKind, Option<BookingId>)>, StoreError> {
        let mut found = BTreeSet::new();
        if let Some(member) = mirrored.member {
            for booking in self.bookings_in(connection, &external.id, member, mirrored.padded).await? {
                let kind = if !booking.when.overlaps(external.when) {
                    ConflictKind::Buffer
                } else if booking.seats > 1 {
                    ConflictKind::Capacity
                } else {
                    ConflictKind::TimeOverlap
                };
                self.conflicts
                    .conflict(connection, kind, Some(&booking), Some(external), Theirs::Another)
                    .await?;
                found.insert((kind, Some(booking.id)));
            }
            if external.attendees.is_empty() && external.event_type.is_some() && rules.member.is_none() {
                found.insert((ConflictKind::UnknownClient, None));
            }
        } else if external.event_type.is_some() && services.stand_for_anything() && !services.know(external) {
            found.insert((ConflictKind::UnknownService, None));
        }
        for (kind, _) in found.iter().filter(|(_, booking)| booking.is_none()) {
            self.conflicts.conflict(connection, *kind, None, Some(external), Theirs::Another).await?;
        }
        Ok(found)
    }

    /// Our bookings of a member that are in the way of a stretch of time; not the one whose counterpart has this id, which was adopted meanwhile.
    async fn bookings_in(
        &self,
        connection: &ConnectionRecord,
        id: &str,
        member: MemberId,
        when: Interval,
    ) -> Result<Vec<Booking>, StoreError> {
        let filter = BookingFilter { member: Some(member), within: Some(when), ..BookingFilter::default() };
        let found = self.base.store().list_bookings(connection.tenant, filter, OVERLAPS_MAX).await?;
        let is_it = |b: &Booking| b.connection == Some(connection.id) && b.external_id.as_deref() == Some(id);
        Ok(found.into_iter().filter(|b| b.status.is_active() && !is_it(b)).collect())
    }
}
