//! What providers have, how far each synchronisation is, and where both sides disagree.

use berth_model::{
    bookings::lists::{Day, DayCount},
    id::{BookingId, ConflictId, ConnectionId, MemberId, MirroredId, TenantId},
    limits,
    mirror::sync::{Conflict, ItemKind, Mirrored, MirroredItem, Resolution, SyncRules, SyncState},
    outbound::provider::Attendee,
    time::{Instant, Interval},
};

use crate::{
    Store, StoreError,
    macs::attendee_of,
    records::{Audit, BookingFilter, ExternalKinds, ListedExternal, NewJob, Opened},
};

impl Store {
    /// How a connection's synchronisation stands.
    pub async fn sync_state(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<SyncState, StoreError> {
        read!(self, |q, conn| q::mirror::external::state(conn, tenant, connection))
    }

    /// Replace the rules of a connection; it is synchronised soon, from the beginning where other rules are about other bookings. Members whose
    /// time the provider's bookings take no longer.
    pub async fn set_sync_rules(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        rules: SyncRules,
        audit: Audit,
    ) -> Result<Vec<MemberId>, StoreError> {
        write_tx!(self, [rules, audit], |q, conn| q::mirror::external::set_rules(
            conn, tenant, connection, &rules, &audit
        ))
    }

    /// Write how far a synchronisation is. Its rules stay as they are: somebody may have changed them meanwhile.
    pub async fn set_sync_progress(&self, state: SyncState) -> Result<(), StoreError> {
        write_tx!(self, [state], |q, conn| q::mirror::external::progress(conn, &state))
    }

    /// Take connections whose synchronisation is due: each is given to one caller.
    pub async fn claim_due_syncs(&self, now: Instant) -> Result<Vec<(TenantId, ConnectionId)>, StoreError> {
        write_tx!(self, [], |q, conn| q::mirror::external::claim(conn, now, limits::SYNCS_AT_ONCE))
    }

    /// Write what the provider says of a booking. Whoever's time it takes is not offered in it from then on, and whom it is for is a customer.
    pub async fn put_mirrored(&self, mirrored: Mirrored) -> Result<(), StoreError> {
        let known = match attendee_of(&mirrored.external).filter(|_| mirrored.booking.is_none()) {
            Some(attendee) => self.known(mirrored.tenant, attendee, mirrored.last_synced_at).await?,
            None => None,
        };
        write_tx!(self, [mirrored, known], |q, conn| q::mirror::external::put(
            conn,
            &mirrored,
            known.as_ref()
        ))
    }

    /// What the provider last said of a booking.
    pub async fn mirrored(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        external_id: &str,
    ) -> Result<Option<Mirrored>, StoreError> {
        let external_id = external_id.to_owned();
        read!(self, |q, conn| q::mirror::external::get(conn, tenant, connection, &external_id))
    }

    /// A booking that was made at a provider, by its id here.
    pub async fn external_booking(
        &self,
        tenant: TenantId,
        id: MirroredId,
    ) -> Result<ListedExternal, StoreError> {
        read!(self, |q, conn| q::mirror::listed::one(conn, tenant, id))
    }

    /// Bookings that were made at providers, narrowed and in order as ours are (`list_bookings`).
    pub async fn list_external_bookings(
        &self,
        tenant: TenantId,
        filter: BookingFilter,
        kinds: Option<ExternalKinds>,
        limit: u32,
    ) -> Result<Vec<ListedExternal>, StoreError> {
        read!(self, |q, conn| q::mirror::listed::list(conn, tenant, &filter, kinds.as_ref(), limit))
    }

    /// How many of them begin on each of these days, by status (`count_bookings`).
    pub async fn count_external_bookings(
        &self,
        tenant: TenantId,
        filter: BookingFilter,
        kinds: Option<ExternalKinds>,
        days: Vec<Day>,
    ) -> Result<Vec<DayCount>, StoreError> {
        read!(self, |q, conn| q::mirror::listed::count(conn, tenant, &filter, kinds.as_ref(), &days))
    }

    /// Make some of them findable that were read before they could be searched (`fill_booking_words`).
    pub async fn fill_external_words(&self) -> Result<i64, StoreError> {
        write_tx!(self, [], |q, conn| q::mirror::words::fill(conn))
    }

    /// Bookings of the provider that begin within a period, by start (at most `RECONCILIATION_ROWS_MAX`).
    pub async fn mirrored_within(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        within: Interval,
    ) -> Result<Vec<Mirrored>, StoreError> {
        let limit = limits::RECONCILIATION_ROWS_MAX;
        read!(self, |q, conn| q::mirror::external::within(conn, tenant, connection, within, limit))
    }

    /// What the full synchronisation with this number did not see, but for bookings over this connection (at most `SYNC_VANISHED_MAX`).
    pub async fn unseen_mirrored(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        run: i64,
    ) -> Result<Vec<Mirrored>, StoreError> {
        read!(self, |q, conn| q::mirror::external::unseen(conn, tenant, connection, run))
    }

    /// The provider does not have it any more.
    pub async fn forget_mirrored(&self, mirrored: Mirrored) -> Result<(), StoreError> {
        write_tx!(self, [mirrored], |q, conn| q::mirror::external::forget(conn, &mirrored))
    }

    /// Write a page of event types or clients. Clients are found by their addresses as customers are.
    pub async fn put_mirrored_items(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        kind: ItemKind,
        items: Vec<MirroredItem>,
        run: i64,
    ) -> Result<(), StoreError> {
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            let person = match kind {
                ItemKind::Client => item.payload.get("person").cloned(),
                ItemKind::EventType => None,
            };
            let person = person.and_then(|person| serde_json::from_value::<Attendee>(person).ok());
            let known = match &person {
                Some(person) => self.known(tenant, person, item.last_synced_at).await?,
                None => None,
            };
            found.push((item, known));
        }
        write_tx!(self, [found], |q, conn| q::mirror::items::put_items(
            conn, tenant, connection, kind, &found, run
        ))
    }

    /// One event type or client of the provider.
    pub async fn mirrored_item(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        kind: ItemKind,
        external_id: &str,
    ) -> Result<Option<MirroredItem>, StoreError> {
        let external_id = external_id.to_owned();
        read!(self, |q, conn| q::mirror::items::one(conn, tenant, connection, kind, &external_id))
    }

    /// Forget event types or clients that the full synchronisation with this number did not see.
    pub async fn forget_mirrored_items(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        kind: ItemKind,
        run: i64,
    ) -> Result<(), StoreError> {
        write_tx!(self, [], |q, conn| q::mirror::items::forget_items(conn, tenant, connection, kind, run))
    }

    /// Event types or clients of the provider in the order of their ids, after this one.
    pub async fn mirrored_items(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        kind: ItemKind,
        after: &str,
        limit: u32,
    ) -> Result<Vec<MirroredItem>, StoreError> {
        let after = after.to_owned();
        read!(self, |q, conn| q::mirror::items::items(conn, tenant, connection, kind, &after, limit))
    }

    /// Open a conflict, or bring the one that is open for the same up to date. `end` is the job that ends it without a person; what it is
    /// about is filled in here.
    pub async fn open_conflict(
        &self,
        conflict: Conflict,
        end: Option<NewJob>,
        audit: Audit,
    ) -> Result<Opened, StoreError> {
        write_tx!(self, [conflict, end, audit], |q, conn| q::mirror::conflicts::open(
            conn,
            &conflict,
            end.as_ref(),
            &audit
        ))
    }

    /// Have a conflict alone for some time, to end it, or (`again`) to end it another way. False if somebody else has it, or its state is
    /// another one.
    pub async fn hold_conflict(
        &self,
        conflict: Conflict,
        again: bool,
        now: Instant,
        until: Instant,
    ) -> Result<bool, StoreError> {
        write_tx!(self, [conflict], |q, conn| q::mirror::conflicts::hold(conn, &conflict, again, now, until))
    }

    /// It was not ended after all.
    pub async fn let_go_of_conflict(&self, tenant: TenantId, conflict: ConflictId) -> Result<(), StoreError> {
        write_tx!(self, [], |q, conn| q::mirror::conflicts::let_go(conn, tenant, conflict))
    }

    /// Count one more end of an open conflict that no person chose. False if it is not open any more, or if there were `most` since then,
    /// for this conflict and others about the same.
    pub async fn try_conflict_end(
        &self,
        conflict: Conflict,
        since: Instant,
        now: Instant,
        most: i64,
    ) -> Result<bool, StoreError> {
        write_tx!(self, [conflict], |q, conn| q::mirror::conflicts::try_end(
            conn, &conflict, since, now, most
        ))
    }

    /// An end that could not be carried out for now does not count.
    pub async fn conflict_end_not_tried(
        &self,
        tenant: TenantId,
        conflict: ConflictId,
    ) -> Result<(), StoreError> {
        write_tx!(self, [], |q, conn| q::mirror::conflicts::end_not_tried(conn, tenant, conflict))
    }

    /// One conflict.
    pub async fn conflict(&self, tenant: TenantId, conflict: ConflictId) -> Result<Conflict, StoreError> {
        read!(self, |q, conn| q::mirror::conflicts::get(conn, tenant, conflict))
    }

    /// Conflicts of a connection before this one, the latest first; open ones only, or all.
    pub async fn list_conflicts(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        before: Option<ConflictId>,
        all: bool,
        limit: u32,
    ) -> Result<Vec<Conflict>, StoreError> {
        read!(self, |q, conn| q::mirror::conflicts::list(conn, tenant, connection, before, all, limit))
    }

    /// How many conflicts of a connection are open.
    pub async fn open_conflicts(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<i64, StoreError> {
        read!(self, |q, conn| q::mirror::conflicts::open_of(conn, tenant, connection))
    }

    /// Is a conflict about a booking and its own counterpart open?
    pub async fn has_open_conflict(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        booking: BookingId,
    ) -> Result<bool, StoreError> {
        read!(self, |q, conn| q::mirror::conflicts::is_open(conn, tenant, connection, booking))
    }

    /// Write how a conflict ended. `WrongState` if it is not open, or was found again since it was read; for `again` (another end), if it
    /// is open.
    pub async fn resolve_conflict(
        &self,
        conflict: Conflict,
        resolution: Resolution,
        again: bool,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [conflict, audit], |q, conn| q::mirror::conflicts::resolve(
            conn, &conflict, resolution, again, &audit
        ))
    }

    /// What was disagreed about under this key is over.
    pub async fn conflict_settled(
        &self,
        tenant: TenantId,
        dedup_key: String,
        now: Instant,
    ) -> Result<(), StoreError> {
        write_tx!(self, [dedup_key], |q, conn| q::mirror::conflicts::settled(conn, tenant, &dedup_key, now))
    }

    /// A booking and its counterpart agree again by themselves; with `others`, the booking is out of the way of others, too.
    pub async fn booking_agrees(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        booking: BookingId,
        now: Instant,
        others: bool,
    ) -> Result<(), StoreError> {
        write_tx!(self, [], |q, conn| q::mirror::conflicts::agrees(
            conn, tenant, connection, booking, now, others
        ))
    }

    /// The open conflicts about a booking at the provider that is not ours.
    pub async fn conflicts_with_stranger(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        external_id: &str,
    ) -> Result<Vec<Conflict>, StoreError> {
        let external_id = external_id.to_owned();
        read!(self, |q, conn| q::mirror::conflicts::of_stranger(conn, tenant, connection, &external_id))
    }
}
