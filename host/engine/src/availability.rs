//! When something can be booked: opening hours, less what is taken here, less what is taken at the provider.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use berth_model::{
    booking::Booking,
    connection::ConnectionRecord,
    hours,
    id::{ConnectionId, EventTypeId, MemberId},
    intervals::merged,
    limits,
    manifest::CacheTimes,
    member::MemberRecord,
    problem::{Code, Problem},
    provider::{BusyQuery, CallContext, CallError, SlotQuery},
    slots::{SlotRules, offered_starts},
    time::{Instant, Interval, Zone},
};
use berth_store::records::Occupied;
use chrono::Days;
use moka::future::Cache as Moka;

use crate::{Caller, Engine, Outcome, ProviderChoice, problems::of_store, routing::Scene};

/// A question for slots.
#[derive(Debug, Clone)]
pub struct AvailabilityQuery {
    /// Of what.
    pub event_type: EventTypeId,
    /// Slots lie wholly inside; at most `AVAILABILITY_DAYS_MAX` days.
    pub within: Interval,
    /// Zone of the person who looks.
    pub time_zone: Zone,
    /// With this member only.
    pub member: Option<MemberId>,
    /// As if booked there.
    pub provider: Option<ProviderChoice>,
}

/// A start that is offered, and who could take it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct OfferedSlot {
    pub when: Interval,
    pub members: Vec<MemberId>,
}

/// A provider that could not be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Degraded {
    pub connection: ConnectionId,
    pub reason: String,
}

/// The answer: slots in order, and what may be wrong with them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct AvailabilityAnswer {
    pub slots: Vec<OfferedSlot>,
    /// Empty when every provider was asked.
    pub degraded: Vec<Degraded>,
}

/// What a provider says of a stretch of time.
#[derive(Debug)]
pub(crate) enum External {
    /// Only these starts.
    Starts(Vec<Instant>),
    /// Not these times. Merged.
    Busy(Vec<Interval>),
}

type Key = (ConnectionId, EventTypeId, Interval);
/// Answers of providers by question.
pub(crate) type Cache = Moka<Key, (Instant, Arc<External>)>;

/// Answers kept at once; each is a few kilobytes.
const CACHED_MAX: u64 = 10_000;
/// Longest that any answer is kept, in seconds; the manifest's own time is checked on each use.
const CACHED_SECONDS_MAX: u64 = 3_600;
/// Provider questions for one answer: a long range over a short span.
const QUESTIONS_MAX: usize = 16;
/// How far around a wanted start alternatives are looked for, in days.
const AROUND_DAYS: i64 = 7;

pub(crate) fn new_cache() -> Cache {
    Moka::builder()
        .max_capacity(CACHED_MAX)
        .time_to_live(Duration::from_secs(CACHED_SECONDS_MAX))
        .support_invalidation_closures()
        .build()
}

impl Engine {
    /// The slots of an event type.
    pub async fn availability(
        &self,
        caller: &Caller,
        query: AvailabilityQuery,
    ) -> Outcome<AvailabilityAnswer> {
        let longest = limits::AVAILABILITY_DAYS_MAX.saturating_mul(86_400_000_000);
        if query.within.end().micros_since(query.within.start()) > longest {
            return Err(Problem::new(
                Code::MalformedParameter,
                format!("from and to are more than {} days apart.", limits::AVAILABILITY_DAYS_MAX),
            ));
        }
        let scene = self.scene(caller, query.event_type, query.provider).await?;
        self.slots(
            &caller.request_id,
            &scene,
            query.within,
            query.member,
            None,
            scene.listing.offer_when_degraded,
        )
        .await
    }

    /// Members who can take this very start, those with least to do first.
    pub(crate) async fn members_free_at(
        &self,
        caller: &Caller,
        scene: &Scene,
        start: Instant,
        member: Option<MemberId>,
        moving: Option<&Booking>,
    ) -> Outcome<Vec<MemberId>> {
        let meeting = Interval::of_minutes(start, scene.event_type.length_minutes);
        // A provider that cannot be asked does not stop a booking: it decides when it is told, and until then it is pending.
        let answer = self.slots(&caller.request_id, scene, meeting, member, moving, true).await?;
        let mut free = answer
            .slots
            .into_iter()
            .find(|slot| slot.when.start() == start)
            .map_or_else(Vec::new, |slot| slot.members);
        if free.len() > 1 {
            let mut load =
                self.store().upcoming_counts(caller.tenant, &free, self.now()).await.map_err(of_store)?;
            load.sort_by_key(|(member, count, last)| (*count, *last, *member));
            free = load.into_iter().map(|(member, ..)| member).collect();
        }
        Ok(free)
    }

    /// Starts within a week of this one.
    pub(crate) async fn starts_around(
        &self,
        caller: &Caller,
        scene: &Scene,
        start: Instant,
        member: Option<MemberId>,
    ) -> Outcome<Vec<Instant>> {
        let reach = AROUND_DAYS.saturating_mul(86_400);
        let within = Interval::new(start.plus_seconds(-reach), start.plus_seconds(reach))
            .map_err(|e| Problem::new(Code::MalformedParameter, e.to_string()))?;
        let answer = self
            .slots(&caller.request_id, scene, within, member, None, scene.listing.offer_when_degraded)
            .await?;
        Ok(answer.slots.into_iter().map(|slot| slot.when.start()).collect())
    }

    async fn slots(
        &self,
        request_id: &str,
        scene: &Scene,
        within: Interval,
        only: Option<MemberId>,
        moving: Option<&Booking>,
        offer_when_degraded: bool,
    ) -> Outcome<AvailabilityAnswer> {
        let members: Vec<&MemberRecord> =
            scene.members.iter().filter(|m| only.is_none_or(|id| id == m.id)).collect();
        if members.is_empty() && only.is_some() {
            return Err(Problem::not_found("member of this event type"));
        }
        let ids: Vec<MemberId> = members.iter().map(|m| m.id).collect();
        let tenant = scene.listing.tenant;
        let occupied = self
            .store()
            .occupied(tenant, &ids, within.widened(1_440, 1_440), self.now())
            .await
            .map_err(of_store)?;

        let mut degraded = Vec::new();
        let external = match &scene.connection {
            None => None,
            Some(connection) => {
                match self.external_availability(request_id, scene, connection, within, moving).await? {
                    Ok(external) => external,
                    Err(error) => {
                        degraded.push(Degraded { connection: connection.id, reason: error.to_string() });
                        if !offer_when_degraded {
                            return Ok(AvailabilityAnswer { slots: Vec::new(), degraded });
                        }
                        None
                    }
                }
            }
        };

        let mut slots: BTreeMap<Instant, Vec<MemberId>> = BTreeMap::new();
        for member in members {
            for start in starts_of(scene, member, within, &occupied, external.as_deref(), moving, self.now())
            {
                slots.entry(start).or_default().push(member.id);
            }
        }
        let length = scene.event_type.length_minutes;
        let slots = slots
            .into_iter()
            .take(limits::SLOTS_MAX)
            .map(|(start, members)| OfferedSlot { when: Interval::of_minutes(start, length), members })
            .collect();
        Ok(AvailabilityAnswer { slots, degraded })
    }

    /// What the provider says, from the cache if it is fresh. None if the provider cannot be asked for availability. The inner
    /// error: it could not be asked now.
    async fn external_availability(
        &self,
        request_id: &str,
        scene: &Scene,
        connection: &ConnectionRecord,
        within: Interval,
        moving: Option<&Booking>,
    ) -> Outcome<Result<Option<Arc<External>>, CallError>> {
        let Some(abilities) = self.providers().abilities(&connection.plugin) else {
            return Ok(Err(CallError::NotActive(connection.plugin.clone())));
        };
        if !abilities.availability {
            return Ok(Ok(None));
        }
        let cache_times =
            self.providers().manifest(&connection.plugin).map_or(CacheTimes::default(), |m| m.cache);
        let key = (connection.id, scene.event_type.id, within);
        let fresh_from = self.now().plus_seconds(-i64::from(cache_times.availability_seconds));
        if moving.is_none()
            && cache_times.availability_seconds > 0
            && let Some((asked_at, answer)) = self.inner.cache.get(&key).await
            && asked_at >= fresh_from
        {
            return Ok(Ok(Some(answer)));
        }
        let context = self.call_context(connection, Some(scene.listing.id), request_id).await?;
        match self.ask_provider(&context, scene, within, moving).await {
            Ok(answer) => {
                let answer = answer.map(Arc::new);
                if let (None, Some(answer)) = (moving, &answer) {
                    self.inner.cache.insert(key, (self.now(), answer.clone())).await;
                }
                Ok(Ok(answer))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    async fn ask_provider(
        &self,
        context: &CallContext,
        scene: &Scene,
        within: Interval,
        moving: Option<&Booking>,
    ) -> Result<Option<External>, CallError> {
        let spans = self.providers().query_spans(context).await?;
        let time_zone = scene.listing.time_zone.to_string();
        if let (Some(event_type), days @ 1..) = (&scene.event_type.external_id, spans.free_slots_days) {
            let mut starts = Vec::new();
            for part in parts(within, days)? {
                let query = SlotQuery {
                    event_type: event_type.clone(),
                    within: part,
                    length_minutes: None,
                    time_zone: time_zone.clone(),
                    rescheduling: moving.and_then(|b| b.external_id.clone()),
                };
                let context = CallContext { call: self.new_id(), ..context.clone() };
                let slots = self.providers().free_slots(&context, query).await?;
                starts.extend(slots.into_iter().map(|slot| slot.when.start()));
            }
            starts.sort_unstable();
            starts.dedup();
            return Ok(Some(External::Starts(starts)));
        }
        if spans.busy_days > 0 {
            let mut busy = Vec::new();
            for part in parts(within, spans.busy_days)? {
                let query = BusyQuery { within: part, calendars: Vec::new(), time_zone: time_zone.clone() };
                let context = CallContext { call: self.new_id(), ..context.clone() };
                busy.extend(self.providers().busy(&context, query).await?.into_iter().map(|b| b.when));
            }
            return Ok(Some(External::Busy(merged(busy))));
        }
        Ok(None)
    }

    /// What was kept of this connection's availability is no longer true.
    pub(crate) fn forget_availability(&self, connection: ConnectionId) {
        // Refused only when the cache was built without the support for it.
        let _ = self.inner.cache.invalidate_entries_if(move |key, _| key.0 == connection);
    }

    pub(crate) fn forget_availability_of(&self, booking: &Booking) {
        if let Some(connection) = booking.connection {
            self.forget_availability(connection);
        }
    }
}

/// A range in pieces of at most so many days.
fn parts(within: Interval, days: u32) -> Result<Vec<Interval>, CallError> {
    let length = i64::from(days).saturating_mul(86_400);
    let mut parts = Vec::new();
    let mut start = within.start();
    while start < within.end() {
        if parts.len() >= QUESTIONS_MAX {
            return Err(CallError::NotOffered("availability over so long a range"));
        }
        let end = start.plus_seconds(length).min(within.end());
        if let Ok(part) = Interval::new(start, end) {
            parts.push(part);
        }
        start = end;
    }
    Ok(parts)
}

/// Starts that one member can take.
fn starts_of(
    scene: &Scene,
    member: &MemberRecord,
    within: Interval,
    occupied: &[Occupied],
    external: Option<&External>,
    moving: Option<&Booking>,
    now: Instant,
) -> Vec<Instant> {
    let event_type = &scene.event_type;
    // Windows are seen from the start of a day well before the range, so that the grid does not depend on where the question
    // begins, round-the-clock hours included.
    let zone = member.time_zone;
    let first = hours::civil_day(zone, within.start()).checked_sub_days(Days::new(2));
    let seen_from = first.map_or(within.start(), |day| hours::day_start(zone, day));
    let Ok(seen) = Interval::new(seen_from, within.end().plus_minutes(2_880)) else { return Vec::new() };
    let windows = hours::open_windows(&member.weekly_hours, zone, seen);
    let mut taken: Vec<Interval> = occupied
        .iter()
        .filter(|o| o.member == member.id && (o.booking.is_none() || o.booking != moving.map(|b| b.id)))
        .map(|o| o.blocked)
        .collect();
    if let Some(External::Busy(busy)) = external {
        // When a booking moves, its own time at the provider is not in its way.
        taken.extend(busy.iter().copied().filter(|b| moving.is_none_or(|m| m.when != *b)));
    }
    let today = hours::civil_day(zone, now);
    let last = today.checked_add_days(Days::new(u64::from(event_type.booking_window_days).saturating_add(1)));
    let rules = SlotRules {
        length_minutes: event_type.length_minutes,
        interval_minutes: event_type.slot_interval_minutes.unwrap_or(event_type.length_minutes),
        buffer_before_minutes: event_type.buffer_before_minutes,
        buffer_after_minutes: event_type.buffer_after_minutes,
        not_before: now.plus_minutes(i64::from(event_type.minimum_notice_minutes)),
        before: last.map_or(Instant::MAX, |day| hours::day_start(zone, day)),
    };
    let mut starts = offered_starts(&rules, &windows, &merged(taken));
    starts.retain(|start| within.contains(Interval::of_minutes(*start, event_type.length_minutes)));
    if let Some(External::Starts(offered)) = external {
        starts.retain(|start| offered.binary_search(start).is_ok());
    }
    starts
}
