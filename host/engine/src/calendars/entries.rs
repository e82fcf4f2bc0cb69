//! Bookings in members' own calendars: written, moved and removed with the booking. What a calendar shows is remembered with the
//! booking's sequence, so that whatever is behind is found again after any crash.

use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    calendars::calendar::{CalendarEntry, CalendarRecord},
    connections::connection::ConnectionRecord,
    id::{BookingId, CalendarId, ConnectionId, TenantId},
    jobs::kind::JobKind,
    limits,
    outbound::provider::{
        CallContext, CallError, CancelRequest, CreateRequest, ExternalBooking, ProviderConflict,
        ProviderError, ReferenceLookup, RescheduleRequest,
    },
};
use berth_store::StoreError;
use serde_json::json;

use crate::{Outcome, calendars::writer::CalendarWriter, jobs::queue::JobLease};

/// How the trouble of a calendar begins that is not written.
pub(crate) const NOT_WRITTEN: &str = "bookings cannot be written into it";
/// What an entry is marked with that somebody changed in the calendar.
pub(crate) const CHANGED_THERE: i64 = -1;

impl CalendarWriter {
    /// Bring calendars up to date that show a booking in another version. How many bookings. To be called now and then.
    pub async fn begin_calendar_writes(&self) -> Outcome<usize> {
        let most = limits::CALENDAR_WRITES_AT_ONCE;
        let behind = self.base.store().bookings_behind_in_calendars(self.base.now(), most).await?;
        let count = behind.len();
        for (tenant, booking) in behind {
            self.write_calendars_soon(tenant, booking).await?;
        }
        Ok(count)
    }

    /// A booking changed: the calendars of whoever takes part are brought up to date soon.
    pub(crate) async fn booking_changed(&self, booking: &Booking) {
        let soon = async {
            let members = booking.members().collect();
            let calendars = self.base.store().calendars_of(booking.tenant, members).await?;
            for closed in calendars.iter().filter(|c| c.writes && c.blocks) {
                self.write_blocks_soon(booking.tenant, closed.id).await?;
            }
            if calendars.iter().any(|c| c.writes && !c.blocks) {
                self.write_calendars_soon(booking.tenant, booking.id).await?;
            }
            if booking.sequence > 0 && calendars.iter().any(|c| c.reads) {
                self.look_after(booking).await?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = soon.await {
            // What is behind is found again.
            tracing::warn!(%error, booking = %booking.id, "calendars are not up to date yet");
        }
    }

    pub(crate) async fn write_calendars_soon(
        &self,
        tenant: TenantId,
        booking: BookingId,
    ) -> Result<(), StoreError> {
        let key = format!("calendars:{booking}");
        let job = self.queue.job(tenant, JobKind::WriteCalendars, json!({ "booking": booking }), key);
        self.queue.enqueue(job).await
    }

    /// Bring the calendars of whoever takes part in a booking to what the booking is.
    pub(crate) async fn write_calendars(
        &self,
        tenant: TenantId,
        id: BookingId,
        held: JobLease,
        request_id: &str,
    ) -> Result<(), StoreError> {
        let booking = self.base.store().booking(tenant, id).await?;
        let mut calendars = self.base.store().calendars_of(tenant, booking.members().collect()).await?;
        // Whoever does not take part any more may have it in theirs.
        let showing = self.base.store().calendars_showing(tenant, id).await?;
        calendars.extend(showing.into_iter().filter(|c| booking.members().all(|member| member != c.member)));
        let mut stopped = None;
        let written = |c: &CalendarRecord| c.writes && !c.blocks && booking.connection != Some(c.connection);
        let mut failed = None;
        for calendar in calendars.into_iter().filter(written) {
            let connection = self.base.store().connection(tenant, calendar.connection).await?;
            if !connection.writes_busy {
                continue;
            }
            let written = match self.contexts.background_context(&connection, request_id).await {
                Ok(context) => self.write_one(&context, &booking, &calendar).await?,
                Err(_) => Err(CallError::NotActive(connection.plugin.clone())),
            };
            self.cache.invalidate(calendar.connection);
            match written {
                Ok(()) => self.calendar_works(&calendar, NOT_WRITTEN).await?,
                Err(CallError::Stopped(why)) => stopped = stopped.or(Some((calendar.connection, why))),
                // The calendars of the others are written all the same.
                Err(error) => {
                    if error.is_definite() {
                        self.calendar_trouble(&calendar, Some(format!("{NOT_WRITTEN}: {error}"))).await?;
                    }
                    failed = failed.or(Some((connection, error)));
                }
            }
        }
        if let Some((connection, error)) = failed {
            return self.queue.postpone(held, &connection, &error).await;
        }
        if let Some((connection, why)) = stopped {
            return self.queue.park(held, connection, why).await;
        }
        self.queue.done(held).await
    }

    async fn write_one(
        &self,
        context: &CallContext,
        booking: &Booking,
        calendar: &CalendarRecord,
    ) -> Result<Result<(), CallError>, StoreError> {
        let entry = self.base.store().calendar_entry(booking.tenant, booking.id, calendar.id).await?;
        let known = entry.and_then(|e| e.external_id);
        let external_id = match self.bring(context, booking, calendar, known).await {
            Ok(external_id) => external_id,
            Err(error) => return Ok(Err(error)),
        };
        let entry = CalendarEntry {
            tenant: booking.tenant,
            booking: booking.id,
            calendar: calendar.id,
            connection: calendar.connection,
            when: external_id.is_some().then_some(booking.when),
            external_id,
            written: booking.sequence,
            updated_at: self.base.now(),
        };
        self.base.store().put_calendar_entry(entry).await?;
        Ok(Ok(()))
    }

    /// Bring one calendar to what the booking is; the id of its entry from now on.
    async fn bring(
        &self,
        context: &CallContext,
        booking: &Booking,
        calendar: &CalendarRecord,
        known: Option<String>,
    ) -> Result<Option<String>, CallError> {
        let next = || self.contexts.next_call(context);
        let belongs = match booking.status {
            BookingStatus::Confirmed => booking.members().any(|member| member == calendar.member),
            BookingStatus::Pending | BookingStatus::Cancelled | BookingStatus::Failed => false,
            // What took place stays as it is.
            BookingStatus::Completed | BookingStatus::NoShow => return Ok(known),
        };
        let current = match &known {
            Some(id) => match self.providers.get_booking(&next(), id.clone()).await {
                Ok(entry) => Some(entry).filter(|e| e.status.is_active()),
                Err(CallError::Provider(ProviderError::NotFound)) => None,
                Err(error) => return Err(error),
            },
            // A try whose answer was lost may have written it.
            None => self.find_entry(context, booking, calendar).await?,
        };
        match (belongs, current) {
            (false, None) => Ok(None),
            (false, Some(entry)) => {
                let request = CancelRequest {
                    idempotency_key: format!(
                        "{}-calendar-{}-{}-gone",
                        booking.id, calendar.id, booking.sequence
                    ),
                    id: entry.id,
                    reason: booking.reason.clone(),
                };
                match self.providers.cancel_booking(&next(), request).await {
                    Ok(_)
                    | Err(CallError::Provider(
                        ProviderError::NotFound | ProviderError::Conflict(ProviderConflict::WrongState(_)),
                    )) => Ok(None),
                    Err(error) => Err(error),
                }
            }
            (true, Some(entry)) if entry.when.start() == booking.when.start() => Ok(Some(entry.id)),
            (true, Some(entry)) => {
                let request = RescheduleRequest {
                    idempotency_key: entry_key(booking, calendar.id, "move"),
                    id: entry.id,
                    reference: booking.id.to_string(),
                    when: booking.when,
                    reason: None,
                    requested_by: None,
                    slot_token: None,
                };
                let moved = self.providers.reschedule_booking(&next(), request).await?;
                Ok(Some(moved.id))
            }
            (true, None) => {
                let request = CreateRequest {
                    // Another key for an entry that somebody removed: ids once used stay used at some providers.
                    idempotency_key: entry_key(booking, calendar.id, "make"),
                    reference: booking.id.to_string(),
                    event_type: calendar.calendar.clone(),
                    when: booking.when,
                    attendee: booking.attendee.clone(),
                    guests: booking.guests.clone(),
                    answers: Vec::new(),
                    notes: booking.notes.clone(),
                    slot_token: None,
                };
                let made = self.providers.create_booking(&next(), request).await?;
                Ok(Some(made.id))
            }
        }
    }

    async fn find_entry(
        &self,
        context: &CallContext,
        booking: &Booking,
        calendar: &CalendarRecord,
    ) -> Result<Option<ExternalBooking>, CallError> {
        let lookup = ReferenceLookup {
            reference: booking.id.to_string(),
            attendee_email: booking.attendee.email.clone(),
            created_after: booking.created_at.plus_seconds(-600),
            when: booking.when,
        };
        let cx = self.contexts.next_call(context);
        let found = self.providers.find_by_reference(&cx, lookup).await?;
        // A booking may have entries in several calendars of one account.
        let here =
            |entry: &ExternalBooking| entry.event_type.as_ref().is_none_or(|id| *id == calendar.calendar);
        Ok(found.into_iter().find(|entry| entry.status.is_active() && here(entry)))
    }

    /// Is this an entry that we wrote? If somebody changed it in the calendar, it is brought back: the booking is what counts.
    pub(crate) async fn is_own_entry(
        &self,
        connection: &ConnectionRecord,
        external: &ExternalBooking,
    ) -> Result<bool, StoreError> {
        let entry = self
            .base
            .store()
            .calendar_entry_by_external(connection.tenant, connection.id, &external.id)
            .await?;
        let Some(entry) = entry else { return self.shows_a_booking(connection, external).await };
        let booking = self.base.store().booking(connection.tenant, entry.booking).await?;
        let calendar = self.base.store().calendar(connection.tenant, entry.calendar).await?;
        let takes_part = booking.members().any(|member| member == calendar.member);
        let belongs = booking.status == BookingStatus::Confirmed && takes_part;
        let agrees = external.status.is_active() == belongs
            && (!belongs || external.when.start() == booking.when.start());
        if !agrees && entry.written == booking.sequence {
            let changed = CalendarEntry { written: CHANGED_THERE, updated_at: self.base.now(), ..entry };
            self.base.store().put_calendar_entry(changed).await?;
            self.write_calendars_soon(booking.tenant, booking.id).await?;
        }
        Ok(true)
    }

    /// Does it show the booking whose reference it carries, in a calendar of one of its members? Its news may come before we have noted its id,
    /// and over another connection to the same account.
    pub(crate) async fn shows_a_booking(
        &self,
        connection: &ConnectionRecord,
        external: &ExternalBooking,
    ) -> Result<bool, StoreError> {
        let Some(reference) = external.reference.as_ref().and_then(|r| r.parse::<BookingId>().ok()) else {
            return Ok(false);
        };
        let booking = match self.base.store().booking(connection.tenant, reference).await {
            Ok(booking) => booking,
            Err(StoreError::NotFound(_)) => return Ok(false),
            Err(error) => return Err(error),
        };
        let entries = self.base.store().calendar_entries_of_booking(booking.tenant, booking.id).await?;
        if entries.iter().any(|entry| entry.external_id.as_ref() == Some(&external.id)) {
            return Ok(true);
        }
        for calendar in self.base.store().calendars_of(booking.tenant, booking.members().collect()).await? {
            if !calendar.writes || calendar.blocks || !self.shows_in(connection, calendar.connection).await? {
                continue;
            }
            let entry = entries.iter().find(|entry| entry.calendar == calendar.id);
            match entry.and_then(|entry| entry.external_id.as_ref()) {
                None => return Ok(true),
                Some(known) if Some(known) == external.rescheduled_from.as_ref() => return Ok(true),
                // Somebody copied it.
                Some(_) => {}
            }
        }
        Ok(false)
    }

    /// May what is written over a connection be read over this one: the same, or another to the same provider?
    async fn shows_in(&self, reading: &ConnectionRecord, written: ConnectionId) -> Result<bool, StoreError> {
        if reading.id == written {
            return Ok(true);
        }
        Ok(self.base.store().connection(reading.tenant, written).await?.plugin == reading.plugin)
    }
}

/// The same for every try of this change of this entry, in the 64 bytes that the contract allows: a booking's entries are told apart by the
/// random end of their calendars' ids.
pub(crate) fn entry_key(booking: &Booking, calendar: CalendarId, change: &str) -> String {
    let end = calendar.uuid().as_u128() & 0xffff_ffff;
    format!("{}-{end:08x}-{}-{change}", booking.id, booking.sequence)
}
