//! Bookings and the places they hold.

pub(crate) mod bulk;
pub(crate) mod clocks;
pub(crate) mod holds;
pub(crate) mod idempotency;

use berth_model::{
    bookings::{
        booking::Booking,
        change::BookingChange,
        lists::{Day, DayCount},
    },
    id::{BookingId, ConnectionId, CustomerId, EventTypeId, JobId, MemberId, TenantId},
    outbound::provider::ExternalBooking,
    time::{Instant, Interval},
};

use crate::{
    Store, StoreError,
    records::{Assigned, Audit, AuditEntry, BookingFilter, ChangeOrder, Counted, NewBooking, Occupied},
};

impl Store {
    /// Takes the places and inserts booking, job and audit row in one transaction; `Overlap` if a place is taken or no seat is
    /// left, `LimitReached`, `NotFound` if the hold that it would take over is over by `audit.at`. Whom it is for: the attendee, as a customer
    /// who is known or made with it. None if the vault does not open the tenant's key; it is made up for in the background.
    pub async fn create_booking(
        &self,
        mut new: NewBooking,
        audit: Audit,
    ) -> Result<Option<CustomerId>, StoreError> {
        let known = self.known(new.booking.tenant, &new.booking.attendee, audit.at).await?;
        for consent in &mut new.consents {
            if let Some(address) = consent.address {
                consent.ip_mac = Some(self.address_mac(new.booking.tenant, address).await?);
            }
        }
        write_tx!(self, [new, known, audit], |q, conn| async move {
            // Whom it was for at the provider, it is for here.
            let who = match (new.adopts.as_ref().and_then(|adopted| adopted.customer), known.as_ref()) {
                (Some(customer), _) => q::bookings::Who::Is(customer),
                (None, Some(known)) => q::bookings::Who::Known(known),
                (None, None) => q::bookings::Who::Unknown,
            };
            q::bookings::create(conn, &new, who, &audit).await
        })
    }

    /// Several bookings in one transaction, in the order of their starts: all are made, or the error is that of the first that
    /// could not be. Whom each is for.
    pub async fn create_bookings(
        &self,
        all: Vec<(NewBooking, Audit)>,
    ) -> Result<Vec<Option<CustomerId>>, StoreError> {
        let mut known = Vec::with_capacity(all.len());
        for (new, audit) in &all {
            known.push(self.known(new.booking.tenant, &new.booking.attendee, audit.at).await?);
        }
        write_tx!(self, [all, known], |q, conn| q::bookings::create_all(conn, &all, &known))
    }

    /// One booking.
    pub async fn booking(&self, tenant: TenantId, booking: BookingId) -> Result<Booking, StoreError> {
        read!(self, |q, conn| q::bookings::get(conn, tenant, booking))
    }

    /// Bookings whose counterpart has or had this id, over any connection of the tenant: first those over this one, the latest first.
    pub async fn bookings_of_counterpart(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        external_id: &str,
    ) -> Result<Vec<Booking>, StoreError> {
        let external_id = external_id.to_owned();
        read!(self, |q, conn| q::bookings::counterparts::of(conn, tenant, connection, &external_id))
    }

    /// The provider says that this is our booking's counterpart, whatever id the booking knows: remember it for good.
    pub async fn note_counterpart(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        booking: BookingId,
        external_id: String,
    ) -> Result<(), StoreError> {
        write_tx!(self, [external_id], |q, conn| q::bookings::counterparts::note(
            conn,
            tenant,
            connection,
            booking,
            &external_id
        ))
    }

    /// A page of bookings in the order that is asked for.
    pub async fn list_bookings(
        &self,
        tenant: TenantId,
        filter: BookingFilter,
        limit: u32,
    ) -> Result<Vec<Booking>, StoreError> {
        read!(self, |q, conn| q::bookings::list::list(conn, tenant, &filter, limit))
    }

    /// How many bookings there are, whatever their order.
    pub async fn how_many_bookings(
        &self,
        tenant: TenantId,
        filter: BookingFilter,
    ) -> Result<i64, StoreError> {
        read!(self, |q, conn| q::bookings::list::how_many(conn, tenant, &filter))
    }

    /// How many bookings start on each of these days, by status. The filter's `within`, `order` and `after` do not count.
    pub async fn count_bookings(
        &self,
        tenant: TenantId,
        filter: BookingFilter,
        days: Vec<Day>,
    ) -> Result<Vec<DayCount>, StoreError> {
        read!(self, |q, conn| q::bookings::list::counts(conn, tenant, &filter, &days))
    }

    /// The statement by which such a list is read, for whoever looks at its plan.
    #[must_use]
    pub fn list_statement(&self, tenant: TenantId, filter: &BookingFilter) -> String {
        match &self.engine {
            crate::Engine::Sqlite(_) => crate::sqlite::queries::bookings::list::statement(tenant, filter),
            crate::Engine::Postgres(_) => crate::postgres::queries::bookings::list::statement(tenant, filter),
        }
    }

    /// Names of the providers that a tenant has or had connections to.
    pub async fn connected_providers(&self, tenant: TenantId) -> Result<Vec<String>, StoreError> {
        read!(self, |q, conn| q::bookings::list::providers(conn, tenant))
    }

    /// Make some bookings findable that were made before they could be searched, of all tenants. How many, fewer than `SEARCHABLE_AT_ONCE`
    /// if none is left.
    pub async fn fill_booking_words(&self) -> Result<i64, StoreError> {
        write_tx!(self, [], |q, conn| q::bookings::words::fill(conn))
    }

    /// Confirmed bookings of all tenants that ended by `until` and have nothing left to be delivered, with their sequences. For the
    /// sweep that completes them.
    pub async fn ended_bookings(
        &self,
        until: Instant,
        limit: u32,
    ) -> Result<Vec<(TenantId, BookingId, i64)>, StoreError> {
        read!(self, |q, conn| q::bookings::ended(conn, until, limit))
    }

    /// Bookings of all tenants that wait to be confirmed although they began by `until`, with their sequences. For the sweep that declines
    /// them.
    pub async fn unanswered_bookings(
        &self,
        until: Instant,
        limit: u32,
    ) -> Result<Vec<(TenantId, BookingId, i64)>, StoreError> {
        read!(self, |q, conn| q::bookings::unanswered(conn, until, limit))
    }

    /// One transaction: check `sequence`, change, place, audit row, and the end of the job that did it, if one did. `Stale` when
    /// the sequence differs (nothing is changed then, the job included), `Overlap` when the new place is taken, `LimitReached`, `WrongState`
    /// when its state does not allow the change. A job that somebody else holds by now is left to them.
    pub async fn change_booking(
        &self,
        tenant: TenantId,
        booking: BookingId,
        expected_sequence: i64,
        order: impl Into<ChangeOrder> + Send,
        job_done: Option<(JobId, i64)>,
        audit: Audit,
    ) -> Result<Booking, StoreError> {
        let job_done =
            job_done.map(|(job, attempt)| (job, attempt, JobId::new(audit.at, self.random.as_ref())));
        let change: ChangeOrder = order.into();
        let known = match &change.change {
            BookingChange::Edit(edit) => self.known(tenant, &edit.contents.attendee, audit.at).await?,
            _ => None,
        };
        write_tx!(self, [change, known, audit], |q, conn| {
            let (change, known) = (&change, known.as_ref());
            let order =
                q::bookings::change::Order { tenant, booking, expected_sequence, change, known, job_done };
            q::bookings::change::change(conn, order, &audit)
        })
    }

    /// Remember a counterpart's id on a booking whose sequence moved on while the provider was asked; no state changes.
    pub async fn note_external_id(
        &self,
        tenant: TenantId,
        booking: BookingId,
        external: ExternalBooking,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [external, audit], |q, conn| q::bookings::change::note_external(
            conn, tenant, booking, &external, &audit
        ))
    }

    /// Write a line into a booking's timeline without changing the booking. `action` is `booking.` and what happened; `data`
    /// never holds a secret.
    pub async fn note_on_booking(
        &self,
        tenant: TenantId,
        booking: BookingId,
        action: &'static str,
        data: serde_json::Value,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [data, audit], |q, conn| q::tenants::audit::append(
            conn,
            &audit,
            Some(tenant),
            action,
            booking.uuid(),
            data
        ))
    }

    /// What of these members' time is taken within an interval, by start. Holds that are over by `now` are left out.
    pub async fn busy_times(
        &self,
        tenant: TenantId,
        members: &[MemberId],
        within: Interval,
        now: Instant,
    ) -> Result<Vec<Occupied>, StoreError> {
        let members = members.to_owned();
        read!(self, |q, conn| q::bookings::occupancy::busy_times(conn, tenant, &members, within, now))
    }

    /// What these members were given of an event type's bookings: for choosing whom to give the next one. In the order of `members`.
    pub async fn assigned(
        &self,
        tenant: TenantId,
        event_type: EventTypeId,
        members: &[MemberId],
        counted: Counted,
        now: Instant,
    ) -> Result<Vec<Assigned>, StoreError> {
        let members = members.to_owned();
        read!(self, |q, conn| q::bookings::assignments::assigned(
            conn, tenant, event_type, &members, counted, now
        ))
    }

    /// The audit rows of one thing, in their order (at most `LIST_ROWS_MAX`).
    pub async fn timeline(
        &self,
        tenant: TenantId,
        subject_kind: &str,
        subject: uuid::Uuid,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let subject_kind = subject_kind.to_owned();
        read!(self, |q, conn| q::tenants::audit::list(conn, tenant, &subject_kind, subject))
    }
}
