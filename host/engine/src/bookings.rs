//! Booking and reading bookings. What happens to them afterwards is in `lifecycle`.
//!
//! A booking is one transaction here, then one try at the provider inside the request, by the very function that the job runs. The
//! work goes on when the caller goes away.

use berth_model::{
    booking::{Booking, BookingStatus, ProviderTask},
    connection::ConnectionRecord,
    event_type::Confirmation,
    id::{BookingId, EventTypeId, HoldId, MemberId, SeriesId},
    limits,
    problem::{Code, FieldError, Problem},
    provider::Attendee,
    secret::Secret,
    time::{Instant, Interval},
};
use berth_store::{
    StoreError,
    records::{Allowance, AuditEntry, BookingFilter, NewBooking},
};
use serde_json::{Map, Value, json};

use crate::{
    Caller, Engine, Outcome, ProviderChoice,
    problems::of_store,
    routing::Scene,
    sync::Held,
    teams::{Team, assignment, teams},
    validate::Fields,
};

/// Guests besides the attendee.
const GUESTS_MAX: usize = 20;
/// Bytes of all answers as JSON.
const ANSWERS_BYTES_MAX: usize = 16 * 1024;
/// Alternatives named when a time is not available.
const ALTERNATIVES: usize = 5;

/// A booking to be made.
#[derive(Debug, Clone)]
pub struct BookRequest {
    /// What.
    pub event_type: EventTypeId,
    /// When it starts.
    pub start: Instant,
    /// One of the event type's lengths; none: its first.
    pub length_minutes: Option<u32>,
    /// With whom; none: whoever is free and has least to do.
    pub member: Option<MemberId>,
    /// Where it goes, if not where the listing says.
    pub provider: Option<ProviderChoice>,
    /// The caller's own hold, which the booking takes over; its members and length are taken from it.
    pub hold: Option<HoldClaim>,
    /// The customer.
    pub attendee: Attendee,
    /// E-mail addresses of further guests.
    pub guests: Vec<String>,
    /// Answers to questions by name.
    pub answers: Map<String, Value>,
    /// Free text.
    pub notes: Option<String>,
}

/// A hold and the token that proves whose it is.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names say it")]
pub struct HoldClaim {
    pub id: HoldId,
    pub token: Secret,
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

/// What is settled before the database decides: the scene with the chosen length, the time, and who could take it.
pub(crate) struct Plan {
    pub(crate) scene: Scene,
    pub(crate) when: Interval,
    /// Best first.
    pub(crate) teams: Vec<Team>,
    /// Did the best team join a session that others are in already?
    joined: bool,
    pub(crate) hold: Option<HoldId>,
}

impl BookRequest {
    pub(crate) fn check(&self) -> Outcome<()> {
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

impl Scene {
    /// The same with the length that the customer chose.
    pub(crate) fn with_length(mut self, minutes: Option<u32>) -> Outcome<Self> {
        let Some(minutes) = minutes else { return Ok(self) };
        if !self.event_type.offers_length(minutes) {
            let own = self.event_type.length_minutes;
            let offered: Vec<String> = std::iter::once(own)
                .chain(self.event_type.policy.other_lengths_minutes.iter().copied())
                .map(|minutes| minutes.to_string())
                .collect();
            let message = format!("must be one of {}", offered.join(", "));
            return Err(Problem::invalid(vec![FieldError::new("/length_minutes", message)]));
        }
        self.event_type.length_minutes = minutes;
        Ok(self)
    }

    /// The meeting at a start, and what it blocks.
    pub(crate) fn place_at(&self, start: Instant) -> (Interval, Interval) {
        let when = Interval::of_minutes(start, self.event_type.length_minutes);
        (when, when.widened(self.event_type.buffer_before_minutes, self.event_type.buffer_after_minutes))
    }

    /// The limits that must leave room for a meeting of these members at this start.
    pub(crate) fn allowances(
        &self,
        members: impl Iterator<Item = MemberId>,
        start: Instant,
    ) -> Vec<Allowance> {
        let zone = |id: MemberId| {
            self.members.iter().find(|m| m.id == id).map_or(self.listing.time_zone, |m| m.time_zone)
        };
        let limits = &self.event_type.policy.limits;
        members
            .flat_map(|member| limits.iter().map(move |limit| (member, *limit)))
            .map(|(member, limit)| Allowance { member, limit, period: limit.period_of(zone(member), start) })
            .collect()
    }
}

impl Engine {
    /// Book. The slot is computed again from current data, then the database decides.
    pub async fn book(&self, caller: &Caller, request: BookRequest) -> Outcome<BookOutcome> {
        request.check()?;
        let plan = self.plan(caller, &request).await?;
        let mut why = "taken";
        for team in &plan.teams {
            let (new, held) = self.new_booking(caller, &request, &plan, team, None);
            let booking = new.booking.clone();
            match self.store().create_booking(new, self.audit(caller)).await {
                Ok(()) => return self.tell_provider(caller, booking, held).await,
                // Somebody was faster with this team; the next one may still be free.
                Err(StoreError::Overlap) => why = "taken",
                Err(StoreError::LimitReached(_)) => why = "limit",
                Err(StoreError::NotFound("hold")) => return Err(hold_over()),
                Err(error) => return Err(of_store(error)),
            }
        }
        Err(self.not_available(caller, &plan.scene, request.start, request.member, why).await)
    }

    /// Everything that is settled before the database decides.
    pub(crate) async fn plan(&self, caller: &Caller, request: &BookRequest) -> Outcome<Plan> {
        let scene = self.scene(caller, request.event_type, request.provider).await?;
        bookable_there(&scene)?;
        if let Some(claim) = &request.hold {
            return self.plan_of_hold(caller, request, scene, claim).await;
        }
        let scene = scene.with_length(request.length_minutes)?;
        let (teams, joined) = self.teams_free_at(caller, &scene, request.start, request.member, None).await?;
        let (when, _) = scene.place_at(request.start);
        Ok(Plan { scene, when, teams, joined, hold: None })
    }

    /// The time is the holder's own: what was free then is kept for them now.
    async fn plan_of_hold(
        &self,
        caller: &Caller,
        request: &BookRequest,
        mut scene: Scene,
        claim: &HoldClaim,
    ) -> Outcome<Plan> {
        let hold = self.own_hold(caller, claim).await?;
        let mut fields = Fields::default();
        if hold.event_type != request.event_type {
            fields.bad("/hold/id", "is for another event type");
        }
        if hold.when.start() != request.start {
            fields.bad("/start", format!("must be the start that the hold keeps, {}", hold.when.start()));
        }
        if request.member.is_some_and(|wanted| hold.members().all(|member| member != wanted)) {
            fields.bad("/member", "must be a member whose time the hold keeps, or absent");
        }
        let length = hold.when.end().micros_since(hold.when.start()) / 60_000_000;
        if request.length_minutes.is_some_and(|wanted| i64::from(wanted) != length) {
            fields.bad("/length_minutes", format!("must be {length}, as the hold keeps it, or absent"));
        }
        fields.finish()?;
        scene.event_type.length_minutes = u32::try_from(length).unwrap_or(scene.event_type.length_minutes);
        let team = Team { organiser: hold.member, others: hold.other_members };
        Ok(Plan { scene, when: hold.when, teams: vec![team], joined: false, hold: Some(hold.id) })
    }

    /// Teams that can take this very start, best first, and whether the best one joins a running session.
    pub(crate) async fn teams_free_at(
        &self,
        caller: &Caller,
        scene: &Scene,
        start: Instant,
        member: Option<MemberId>,
        moving: Option<&Booking>,
    ) -> Outcome<(Vec<Team>, bool)> {
        use berth_model::scheduling::rules::TeamMode;
        let only = member.filter(|_| scene.event_type.policy.team_mode == TeamMode::Single);
        let free = self.members_free_at(caller, scene, start, only, moving).await?;
        let all: Vec<MemberId> = scene.members.iter().map(|m| m.id).collect();
        if member.is_some_and(|wanted| !all.contains(&wanted)) {
            return Err(Problem::not_found("member of this event type"));
        }
        let mut teams = teams(&scene.event_type, &all, &free, member);
        if scene.event_type.policy.seats <= 1 || teams.is_empty() {
            return Ok((teams, false));
        }
        // Who joins a running session takes a place there before a new one is opened.
        let (when, _) = scene.place_at(start);
        let taken = self.store().occupied(caller.tenant, &all, when, self.now()).await.map_err(of_store)?;
        let in_session = |member: MemberId| {
            taken
                .iter()
                .any(|o| o.member == member && o.event_type == Some(scene.event_type.id) && o.when == when)
        };
        teams.sort_by_key(|team| !team.members().all(in_session));
        let joined = teams.first().is_some_and(|team| team.members().all(in_session));
        Ok((teams, joined))
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

    /// The booking of a plan with this team, and the lease of its job if this request is to tell the provider.
    pub(crate) fn new_booking(
        &self,
        caller: &Caller,
        request: &BookRequest,
        plan: &Plan,
        team: &Team,
        series: Option<SeriesId>,
    ) -> (NewBooking, Option<Held>) {
        let now = self.now();
        let event_type = &plan.scene.event_type;
        let policy = &event_type.policy;
        let waits = policy.confirmation == Confirmation::Manual;
        let external = plan.scene.connection.is_some();
        let booking = Booking {
            id: self.new_id(),
            tenant: caller.tenant,
            listing: plan.scene.listing.id,
            event_type: event_type.id,
            member: team.organiser,
            other_members: team.others.clone(),
            seats: policy.seats.max(1),
            series,
            assignment: Some(assignment(
                policy.team_mode,
                policy.strategy,
                request.member,
                plan.teams.len(),
                plan.joined,
            )),
            connection: plan.scene.connection.as_ref().map(|c: &ConnectionRecord| c.id),
            status: if external || waits { BookingStatus::Pending } else { BookingStatus::Confirmed },
            provider_task: (external && !waits).then_some(ProviderTask::Create),
            when: plan.when,
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
        // Nobody waits for a series: its jobs are for the worker.
        let (job, held) = if waits { (None, None) } else { self.job_of(&booking, series.is_none()) };
        let (_, blocked) = plan.scene.place_at(plan.when.start());
        let allowances = plan.scene.allowances(team.members(), plan.when.start());
        let held = held.filter(|_| series.is_none());
        (NewBooking { booking, blocked, job, allowances, hold: plan.hold }, held)
    }

    /// The refusal, with its reason and the nearest times that are still offered.
    pub(crate) async fn not_available(
        &self,
        caller: &Caller,
        scene: &Scene,
        start: Instant,
        member: Option<MemberId>,
        reason: &str,
    ) -> Problem {
        let mut problem = Problem::new(Code::SlotTaken, format!("{start} is not available."));
        problem.extra.insert("reason".to_owned(), json!(reason));
        if let Ok(mut starts) = self.starts_around(caller, scene, start, member).await {
            starts.sort_by_key(|s| (s.micros_since(start).unsigned_abs(), *s));
            starts.truncate(ALTERNATIVES);
            problem.extra.insert("alternatives".to_owned(), json!(starts));
        }
        problem
    }
}

/// Refuse an event type that its provider does not know.
fn bookable_there(scene: &Scene) -> Outcome<()> {
    if scene.connection.is_some() && scene.event_type.external_id.is_none() {
        return Err(Problem::new(
            Code::ProviderRefused,
            "The event type names no event type of the provider.",
        )
        .with_hint("Set its external_id to one of /api/booking-providers/{id}/event-types, or book with \"provider\": \"builtin\"."));
    }
    Ok(())
}

/// The refusal of a hold that is over, is not there, or is somebody else's: all look the same.
pub(crate) fn hold_over() -> Problem {
    Problem::new(Code::HoldOver, "There is no such hold, it is over, or the token is not its holder's.")
}
