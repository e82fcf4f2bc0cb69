//! Booking, cancelling, moving.
//!
//! Each change is one transaction here, then one try at the provider inside the request, by the very function that the job runs. The
//! work goes on when the caller goes away.

use berth_model::{
    booking::{Booking, BookingStatus, ProviderTask},
    connection::ConnectionRecord,
    id::{BookingId, EventTypeId, JobId, MemberId, TenantId},
    limits,
    problem::{Code, Problem},
    provider::Attendee,
    time::{Instant, Interval},
};
use berth_store::{
    StoreError,
    records::{AuditEntry, BookingChange, BookingFilter, NewBooking, NewJob},
};
use serde_json::{Map, Value, json};

use crate::{
    Caller, Engine, Outcome, ProviderChoice, answers,
    availability::{Choice, Wanted, length},
    jobs::SYNC_BOOKING,
    problems::{of_call, of_store},
    routing::Scene,
    sync::{Held, Synced},
    validate::Fields,
};

/// Guests besides the attendee.
const GUESTS_MAX: usize = 20;
/// Bytes of all answers as JSON.
const ANSWERS_BYTES_MAX: usize = 16 * 1024;
/// Alternatives named when a time is not available.
const ALTERNATIVES: usize = 5;
/// Tries to cancel a booking that changes at the same time.
const CANCEL_TRIES: u32 = 5;
/// Bookings run before jobs that nobody waits for.
const PRIORITY: i64 = 10;

/// A booking to be made.
#[derive(Debug, Clone)]
pub struct BookRequest {
    /// What.
    pub event_type: EventTypeId,
    /// When it starts.
    pub start: Instant,
    /// How long; the event type's own length if none.
    pub length_minutes: Option<u32>,
    /// With whom; none: the event type's strategy chooses among those who are free.
    pub member: Option<MemberId>,
    /// Where it goes, if not where the listing says.
    pub provider: Option<ProviderChoice>,
    /// The customer.
    pub attendee: Attendee,
    /// E-mail addresses of further guests.
    pub guests: Vec<String>,
    /// Answers to questions by name.
    pub answers: Map<String, Value>,
    /// Free text.
    pub notes: Option<String>,
}

/// A booking and whether the provider still has to be told.
#[derive(Debug, Clone)]
pub struct BookOutcome {
    /// As it stands.
    pub booking: Booking,
    /// True: accepted and safe, the provider has not answered yet.
    pub pending: bool,
}

impl From<Booking> for BookOutcome {
    fn from(booking: Booking) -> Self {
        Self { pending: booking.provider_task.is_some(), booking }
    }
}

/// How to cancel.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CancelBooking {
    pub reason: Option<String>,
    /// Refused as changed if the booking's sequence is another.
    pub expected_sequence: Option<i64>,
}

/// How to move.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RescheduleBooking {
    pub start: Instant,
    /// See [`CancelBooking`].
    pub expected_sequence: Option<i64>,
}

impl BookRequest {
    fn check(&self) -> Outcome<()> {
        let mut fields = Fields::default();
        fields.attendee(&self.attendee);
        if self.guests.len() > GUESTS_MAX {
            fields.bad("/guests", format!("at most {GUESTS_MAX}"));
        }
        for (i, guest) in self.guests.iter().enumerate() {
            fields.email(&format!("/guests/{i}"), guest);
        }
        if serde_json::to_string(&self.answers).map_or(0, |text| text.len()) > ANSWERS_BYTES_MAX {
            fields.bad("/answers", format!("at most {ANSWERS_BYTES_MAX} bytes of JSON"));
        }
        if let Some(notes) = &self.notes {
            fields.long_text("/notes", notes, 4_000);
        }
        fields.finish()
    }
}

impl Engine {
    /// Book. The slot is computed again from current data, then the database decides.
    pub async fn book(&self, caller: &Caller, mut request: BookRequest) -> Outcome<BookOutcome> {
        request.check()?;
        let scene = self.scene(caller, request.event_type, request.provider).await?;
        request.answers = answers::checked(&scene.event_type, &request.answers)?;
        if scene.connection.is_some() && scene.event_type.external_id.is_none() {
            return Err(Problem::new(
                Code::ProviderRefused,
                "The event type names no event type of the provider.",
            )
            .with_hint("Set its external_id to one of /api/booking-providers/{id}/event-types, or book with \"provider\": \"builtin\"."));
        }
        let length_minutes = length(&scene, request.length_minutes)?;
        let wanted = Wanted { length_minutes, member: request.member, moving: None, hold: None };
        let when = Interval::of_minutes(request.start, length_minutes);
        for choice in self.choices_at(caller, &scene, when.start(), wanted).await? {
            let Some((new, held)) = self.new_booking(caller, &request, &scene, choice, when) else {
                continue;
            };
            let booking = new.booking.clone();
            match self.store().create_booking(new, self.audit(caller)).await {
                Ok(()) => return self.tell_provider(caller, booking, held).await,
                // Somebody was faster with this member; the next one may still be free.
                Err(StoreError::Overlap) => {}
                Err(error) => return Err(of_store(error)),
            }
        }
        Err(self.not_available(caller, &scene, when.start(), wanted).await)
    }

    /// Cancel. Cancelling what is cancelled already succeeds and changes nothing.
    pub async fn cancel(
        &self,
        caller: &Caller,
        id: BookingId,
        cancel: CancelBooking,
    ) -> Outcome<BookOutcome> {
        let mut fields = Fields::default();
        if let Some(reason) = &cancel.reason {
            fields.long_text("/reason", reason, 1_000);
        }
        fields.finish()?;
        for _ in 0..CANCEL_TRIES {
            let booking = self.booking_at(caller, id, cancel.expected_sequence).await?;
            if booking.status == BookingStatus::Cancelled {
                return Ok(booking.into());
            }
            // A booking whose job another one holds is cancelled by that job in its turn.
            let ours = booking.provider_task.is_none();
            let (job, held) = self.job_of(&booking, ours);
            let change = BookingChange::Cancel { reason: cancel.reason.clone(), job };
            let audit = self.audit(caller);
            match self.store().change_booking(caller.tenant, id, booking.sequence, change, None, audit).await
            {
                Ok(changed) => return self.tell_provider(caller, changed, held.filter(|_| ours)).await,
                // Its job settled it in this moment. Who named no sequence wants it cancelled whatever it is.
                Err(StoreError::Stale) if cancel.expected_sequence.is_none() => {}
                Err(error) => return Err(of_store(error)),
            }
        }
        Err(of_store(StoreError::Busy))
    }

    /// Move in one step: the new time is taken and the old one released, or nothing changes.
    pub async fn reschedule(
        &self,
        caller: &Caller,
        id: BookingId,
        reschedule: RescheduleBooking,
    ) -> Outcome<BookOutcome> {
        let booking = self.booking_at(caller, id, reschedule.expected_sequence).await?;
        if booking.status != BookingStatus::Confirmed || booking.provider_task.is_some() {
            return Err(Problem::new(
                Code::WrongState,
                "Only a confirmed booking without a change under way can be moved.",
            ));
        }
        if booking.when.start() == reschedule.start {
            return Ok(booking.into());
        }
        let choice = booking.connection.map_or(ProviderChoice::BuiltIn, ProviderChoice::Connection);
        let scene = self.scene(caller, booking.event_type, Some(choice)).await?;
        let length_minutes =
            u32::try_from(booking.when.end().micros_since(booking.when.start()) / 60_000_000)
                .unwrap_or(scene.event_type.length_minutes);
        let when = Interval::of_minutes(reschedule.start, length_minutes);
        let wanted =
            Wanted { length_minutes, member: Some(booking.member), moving: Some(&booking), hold: None };
        if self.choices_at(caller, &scene, when.start(), wanted).await?.is_empty() {
            return Err(self.not_available(caller, &scene, when.start(), wanted).await);
        }
        let (job, held) = self.job_of(&booking, true);
        let blocked =
            when.widened(scene.event_type.buffer_before_minutes, scene.event_type.buffer_after_minutes);
        let change = BookingChange::Reschedule { when, blocked, job };
        let audit = self.audit(caller);
        match self.store().change_booking(caller.tenant, id, booking.sequence, change, None, audit).await {
            Ok(changed) => self.tell_provider(caller, changed, held).await,
            Err(StoreError::Overlap) => Err(self.not_available(caller, &scene, when.start(), wanted).await),
            Err(error) => Err(of_store(error)),
        }
    }

    /// A booking.
    pub async fn booking(&self, caller: &Caller, id: BookingId) -> Outcome<Booking> {
        self.store().booking(caller.tenant, id).await.map_err(of_store)
    }

    /// Bookings in the order of (start, id).
    pub async fn list_bookings(
        &self,
        caller: &Caller,
        filter: BookingFilter,
        limit: u32,
    ) -> Outcome<Vec<Booking>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        self.store().list_bookings(caller.tenant, filter, limit).await.map_err(of_store)
    }

    /// Every step of a booking's life, oldest first.
    pub async fn timeline(&self, caller: &Caller, id: BookingId) -> Outcome<Vec<AuditEntry>> {
        self.booking(caller, id).await?;
        self.store().timeline(caller.tenant, "booking", id.uuid()).await.map_err(of_store)
    }

    async fn booking_at(&self, caller: &Caller, id: BookingId, sequence: Option<i64>) -> Outcome<Booking> {
        let booking = self.booking(caller, id).await?;
        if sequence.is_some_and(|expected| expected != booking.sequence) {
            return Err(of_store(StoreError::Stale));
        }
        Ok(booking)
    }

    fn new_booking(
        &self,
        caller: &Caller,
        request: &BookRequest,
        scene: &Scene,
        choice: Choice,
        when: Interval,
    ) -> Option<(NewBooking, Option<Held>)> {
        let (member, other_members) = choice.members.split_first()?;
        let now = self.now();
        let external = scene.connection.is_some();
        let booking = Booking {
            id: self.new_id(),
            tenant: caller.tenant,
            listing: scene.listing.id,
            event_type: scene.event_type.id,
            member: *member,
            other_members: other_members.to_vec(),
            seats: scene.event_type.policy.seats.max(1),
            series: None,
            assignment: Some(choice.assignment),
            connection: scene.connection.as_ref().map(|c: &ConnectionRecord| c.id),
            status: if external { BookingStatus::Pending } else { BookingStatus::Confirmed },
            provider_task: external.then_some(ProviderTask::Create),
            when,
            previous_when: None,
            attendee: request.attendee.clone(),
            guests: request.guests.clone(),
            answers: request.answers.clone(),
            notes: request.notes.clone(),
            reason: None,
            external_id: None,
            external: None,
            external_updated_at: None,
            sequence: 0,
            created_at: now,
            updated_at: now,
        };
        let (job, held) = self.job_of(&booking, true);
        let event_type = &scene.event_type;
        let blocked = when.widened(event_type.buffer_before_minutes, event_type.buffer_after_minutes);
        Some((NewBooking { booking, blocked, job, hold: None }, held))
    }

    /// The job that tells the provider of a booking, leased to this request if `ours`; none for the built-in provider.
    fn job_of(&self, booking: &Booking, ours: bool) -> (Option<NewJob>, Option<Held>) {
        if booking.connection.is_none() {
            return (None, None);
        }
        let now = self.now();
        let id: JobId = self.new_id();
        let lease = now.plus_millis(i64::try_from(limits::JOB_LEASE_MS).unwrap_or(i64::MAX));
        let job = NewJob {
            id,
            tenant: booking.tenant,
            kind: SYNC_BOOKING.to_owned(),
            payload: json!({ "booking": booking.id }),
            priority: PRIORITY,
            due_at: now,
            dedup_key: format!("booking:{}", booking.id),
            leased_until: ours.then_some(lease),
        };
        (Some(job), Some(Held { job: id, attempt: 1 }))
    }

    /// One try at the provider, if this request holds the job; else the job is on its way.
    async fn tell_provider(
        &self,
        caller: &Caller,
        booking: Booking,
        held: Option<Held>,
    ) -> Outcome<BookOutcome> {
        self.forget_availability_of(&booking);
        let Some(held) = held else {
            self.ring();
            return Ok(booking.into());
        };
        let (engine, request_id) = (self.clone(), caller.request_id.clone());
        let (tenant, id): (TenantId, BookingId) = (booking.tenant, booking.id);
        // A task of its own: a caller who hangs up does not stop it half-way. The call's wall limit bounds it.
        let task = tokio::spawn(async move { engine.sync_booking(tenant, id, held, &request_id).await });
        match task.await {
            Ok(Ok(Synced::Settled(booking))) => Ok((*booking).into()),
            Ok(Ok(Synced::Refused(error))) => Err(of_call(&error)),
            Ok(Ok(Synced::Later | Synced::Overtaken)) => {
                self.ring();
                Ok(self.booking(caller, id).await?.into())
            }
            // The booking is safe and its job will be taken again when the lease runs out.
            Ok(Err(error)) => {
                tracing::error!(%error, booking = %id, "the provider was not told yet");
                Ok(booking.into())
            }
            Err(error) => {
                tracing::error!(%error, booking = %id, "the provider was not told yet");
                Ok(booking.into())
            }
        }
    }

    /// The refusal, with the nearest times that are still offered.
    async fn not_available(
        &self,
        caller: &Caller,
        scene: &Scene,
        start: Instant,
        wanted: Wanted<'_>,
    ) -> Problem {
        let mut problem = Problem::new(Code::SlotTaken, format!("{start} is not available."));
        if let Ok(mut starts) = self.starts_around(caller, scene, start, wanted).await {
            starts.sort_by_key(|s| (s.micros_since(start).unsigned_abs(), *s));
            starts.truncate(ALTERNATIVES);
            problem.extra.insert("alternatives".to_owned(), json!(starts));
        }
        problem
    }
}
