//! What a provider says of a stretch of time, asked or remembered.

use std::{sync::Arc, time::Duration};

use berth_model::{
    bookings::booking::Booking,
    connections::connection::ConnectionRecord,
    id::{ConnectionId, EventTypeId, MemberId},
    limits,
    outbound::provider::{BusyQuery, CallContext, CallError, ExternalBusyTime, ExternalId, SlotQuery},
    plugins::manifest::CacheTimes,
    time::{Instant, Interval},
    zone::Zone,
};
use moka::future::Cache as Moka;

use crate::{Engine, Outcome, connections::routing::Scene};

/// What a provider says of a stretch of time, without what we closed there ourselves.
#[derive(Debug)]
pub(crate) enum External {
    /// Only these starts.
    Starts(Arc<[Instant]>),
    /// Not these times, ascending. Not merged: each must be recognised if it is a booking of ours.
    Busy(Vec<Interval>),
}

/// The same, as it was told: whether a time is our own closing is looked up when it is used, since that is noted meanwhile.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    Starts(Arc<[Instant]>),
    Busy(Arc<[ExternalBusyTime]>),
}

/// What a question is about, besides its stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// Meetings of so many minutes.
    Meetings(EventTypeId, u32),
    /// The busy times of these calendars, whose days are days in this zone.
    Calendars(Vec<ExternalId>, Zone),
}

type Key = (ConnectionId, Subject, Interval);
/// Answers of providers by question.
pub(crate) type Cache = Moka<Key, (Instant, Told)>;

/// Answers kept at once; each is a few kilobytes.
const CACHED_MAX: u64 = 10_000;
/// Provider questions for one answer: a long range over a short span.
const QUESTIONS_MAX: usize = 16;

pub(crate) fn new_cache() -> Cache {
    Moka::builder()
        .max_capacity(CACHED_MAX)
        // The manifest's own time is checked on each use.
        .time_to_live(Duration::from_secs(limits::AVAILABILITY_REMEMBERED_SECONDS_MAX.unsigned_abs()))
        .support_invalidation_closures()
        .build()
}

impl Engine {
    /// What the provider says, from the cache if it is fresh. None if the provider cannot be asked for availability. The inner
    /// error: it could not be asked now.
    pub(super) async fn external_availability(
        &self,
        request_id: &str,
        scene: &Scene,
        connection: &ConnectionRecord,
        within: Interval,
        length_minutes: u32,
        moving: Option<&Booking>,
    ) -> Outcome<Result<Option<External>, CallError>> {
        let Some(abilities) = self.providers().abilities(&connection.plugin) else {
            return Ok(Err(CallError::NotActive(connection.plugin.clone())));
        };
        if !abilities.availability {
            return Ok(Ok(None));
        }
        let key = (connection.id, Subject::Meetings(scene.event_type.id, length_minutes), within);
        let remembered = match moving {
            None => self.remembered(connection, &key).await,
            Some(_) => None,
        };
        let told = if let Some(told) = remembered {
            told
        } else {
            let context = self.call_context(connection, Some(scene.listing.id), request_id).await?;
            match self.ask_provider(&context, scene, within, length_minutes, moving).await {
                Ok(None) => return Ok(Ok(None)),
                Ok(Some(told)) => {
                    if moving.is_none() {
                        self.remember(key, told.clone()).await;
                    }
                    told
                }
                Err(error) => return Ok(Err(error)),
            }
        };
        Ok(Ok(Some(match told {
            Told::Starts(starts) => External::Starts(starts),
            Told::Busy(busy) => External::Busy(self.of_others(connection, within, &busy, None).await?),
        })))
    }

    /// An answer that its provider's manifest says is still good.
    pub(super) async fn remembered(&self, connection: &ConnectionRecord, key: &Key) -> Option<Told> {
        let keeps = self.providers().manifest(&connection.plugin).map_or(CacheTimes::default(), |m| m.cache);
        let fresh_from = self.now().plus_seconds(-i64::from(keeps.availability_seconds));
        let (asked_at, answer) = self.inner.cache.get(key).await?;
        (keeps.availability_seconds > 0 && asked_at >= fresh_from).then_some(answer)
    }

    pub(super) async fn remember(&self, key: Key, answer: Told) {
        self.inner.cache.insert(key, (self.now(), answer)).await;
    }

    async fn ask_provider(
        &self,
        context: &CallContext,
        scene: &Scene,
        within: Interval,
        length_minutes: u32,
        moving: Option<&Booking>,
    ) -> Result<Option<Told>, CallError> {
        let spans = self.providers().query_spans(context).await?;
        let time_zone = scene.listing.time_zone.to_string();
        if let (Some(event_type), days @ 1..) = (&scene.event_type.external_id, spans.free_slots_days) {
            let several = !scene.event_type.policy.other_lengths_minutes.is_empty();
            let query = SlotQuery {
                event_type: event_type.clone(),
                within,
                length_minutes: several.then_some(length_minutes),
                time_zone,
                rescheduling: moving.and_then(|b| b.external_id.clone()),
            };
            return Ok(Some(Told::Starts(self.ask_slots(context, query, days).await?.into())));
        }
        if spans.busy_days > 0 {
            let query = BusyQuery { within, calendars: Vec::new(), time_zone };
            return Ok(Some(Told::Busy(self.ask_busy(context, query, spans.busy_days).await?)));
        }
        Ok(None)
    }

    async fn ask_slots(
        &self,
        context: &CallContext,
        query: SlotQuery,
        days: u32,
    ) -> Result<Vec<Instant>, CallError> {
        let mut starts = Vec::new();
        for part in parts(query.within, days)? {
            let context = self.next_call(context);
            let slots =
                self.providers().free_slots(&context, SlotQuery { within: part, ..query.clone() }).await?;
            starts.extend(slots.into_iter().map(|slot| slot.when.start()));
        }
        starts.sort_unstable();
        starts.dedup();
        Ok(starts)
    }

    /// Busy times as they are told, ascending.
    pub(crate) async fn ask_busy(
        &self,
        context: &CallContext,
        query: BusyQuery,
        days: u32,
    ) -> Result<Arc<[ExternalBusyTime]>, CallError> {
        let mut busy = Vec::new();
        for part in parts(query.within, days)? {
            let context = self.next_call(context);
            busy.extend(self.providers().busy(&context, BusyQuery { within: part, ..query.clone() }).await?);
        }
        busy.sort_unstable_by(|a, b| (a.when, &a.source).cmp(&(b.when, &b.source)));
        busy.dedup();
        Ok(busy.into())
    }

    /// Busy times without those that we closed ourselves: what takes the time says better for whom and why. Looked up after they were told,
    /// so that nothing that was closed before is missing.
    pub(crate) async fn of_others(
        &self,
        connection: &ConnectionRecord,
        within: Interval,
        busy: &[ExternalBusyTime],
        member: Option<MemberId>,
    ) -> Outcome<Vec<Interval>> {
        let writes = self.providers().abilities(&connection.plugin).is_some_and(|a| a.blocks || a.bookings);
        if !writes || busy.is_empty() {
            return Ok(busy.iter().map(|time| time.when).collect());
        }
        // What is told may reach beyond what was asked for.
        let told = busy.iter().map(|time| time.when).fold(within, Interval::joined);
        let marks = self.store().block_marks(connection.tenant, connection.id, told).await?;
        let of_others = busy.iter().filter(|time| !marks.recognise(time, member));
        Ok(of_others.map(|time| time.when).collect())
    }

    /// What was kept of this connection's availability is no longer true.
    pub(crate) fn forget_availability(&self, connection: ConnectionId) {
        // Refused only when the cache was built without the support for it.
        let _ = self.inner.cache.invalidate_entries_if(move |key, _| key.0 == connection);
        let _ = self.inner.catalog.invalidate_entries_if(move |key, _| key.0 == connection);
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
