//! What a provider says of a stretch of time, asked or remembered.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use berth_model::{
    booking::Booking,
    connection::ConnectionRecord,
    id::{ConnectionId, EventTypeId},
    manifest::CacheTimes,
    provider::{BusyQuery, CallContext, CallError, ExternalId, SlotQuery},
    time::{Instant, Interval},
};
use moka::future::Cache as Moka;

use crate::{Engine, Outcome, problems::of_store, routing::Scene};

/// What a provider says of a stretch of time.
#[derive(Debug)]
pub(crate) enum External {
    /// Only these starts.
    Starts(Vec<Instant>),
    /// Not these times, ascending. Not merged: each must be recognised if it is a booking of ours.
    Busy(Vec<Interval>),
}

/// What a question is about, besides its stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// Meetings of so many minutes.
    Meetings(EventTypeId, u32),
    /// The busy times of these calendars.
    Calendars(Vec<ExternalId>),
}

type Key = (ConnectionId, Subject, Interval);
/// Answers of providers by question.
pub(crate) type Cache = Moka<Key, (Instant, Arc<External>)>;

/// Answers kept at once; each is a few kilobytes.
const CACHED_MAX: u64 = 10_000;
/// Longest that any answer is kept, in seconds; the manifest's own time is checked on each use.
const CACHED_SECONDS_MAX: u64 = 3_600;
/// Provider questions for one answer: a long range over a short span.
const QUESTIONS_MAX: usize = 16;

pub(crate) fn new_cache() -> Cache {
    Moka::builder()
        .max_capacity(CACHED_MAX)
        .time_to_live(Duration::from_secs(CACHED_SECONDS_MAX))
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
    ) -> Outcome<Result<Option<Arc<External>>, CallError>> {
        let Some(abilities) = self.providers().abilities(&connection.plugin) else {
            return Ok(Err(CallError::NotActive(connection.plugin.clone())));
        };
        if !abilities.availability {
            return Ok(Ok(None));
        }
        let key = (connection.id, Subject::Meetings(scene.event_type.id, length_minutes), within);
        if moving.is_none()
            && let Some(answer) = self.remembered(connection, &key).await
        {
            return Ok(Ok(Some(answer)));
        }
        let context = self.call_context(connection, Some(scene.listing.id), request_id).await?;
        match self.ask_provider(&context, scene, within, length_minutes, moving).await? {
            Ok(answer) => {
                let answer = answer.map(Arc::new);
                if let (None, Some(answer)) = (moving, &answer) {
                    self.remember(key, answer.clone()).await;
                }
                Ok(Ok(answer))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    /// An answer that its provider's manifest says is still good.
    pub(super) async fn remembered(&self, connection: &ConnectionRecord, key: &Key) -> Option<Arc<External>> {
        let keeps = self.providers().manifest(&connection.plugin).map_or(CacheTimes::default(), |m| m.cache);
        let fresh_from = self.now().plus_seconds(-i64::from(keeps.availability_seconds));
        let (asked_at, answer) = self.inner.cache.get(key).await?;
        (keeps.availability_seconds > 0 && asked_at >= fresh_from).then_some(answer)
    }

    pub(super) async fn remember(&self, key: Key, answer: Arc<External>) {
        self.inner.cache.insert(key, (self.now(), answer)).await;
    }

    async fn ask_provider(
        &self,
        context: &CallContext,
        scene: &Scene,
        within: Interval,
        length_minutes: u32,
        moving: Option<&Booking>,
    ) -> Outcome<Result<Option<External>, CallError>> {
        let spans = match self.providers().query_spans(context).await {
            Ok(spans) => spans,
            Err(error) => return Ok(Err(error)),
        };
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
            return Ok(self
                .ask_slots(context, query, days)
                .await
                .map(|starts| Some(External::Starts(starts))));
        }
        if spans.busy_days > 0 {
            let query = BusyQuery { within, calendars: Vec::new(), time_zone };
            let busy = self.ask_busy(context, query, spans.busy_days).await?;
            return Ok(busy.map(|busy| Some(External::Busy(busy))));
        }
        Ok(Ok(None))
    }

    async fn ask_slots(
        &self,
        context: &CallContext,
        query: SlotQuery,
        days: u32,
    ) -> Result<Vec<Instant>, CallError> {
        let mut starts = Vec::new();
        for part in parts(query.within, days)? {
            let context = CallContext { call: self.new_id(), ..context.clone() };
            let slots =
                self.providers().free_slots(&context, SlotQuery { within: part, ..query.clone() }).await?;
            starts.extend(slots.into_iter().map(|slot| slot.when.start()));
        }
        starts.sort_unstable();
        starts.dedup();
        Ok(starts)
    }

    /// Busy times, without those that we closed ourselves: what takes the time says better for whom and why.
    pub(super) async fn ask_busy(
        &self,
        context: &CallContext,
        query: BusyQuery,
        days: u32,
    ) -> Outcome<Result<Vec<Interval>, CallError>> {
        let parts = match parts(query.within, days) {
            Ok(parts) => parts,
            Err(error) => return Ok(Err(error)),
        };
        let ours = self.store().block_sources(context.tenant, context.connection, query.within).await;
        let ours: BTreeSet<String> = ours.map_err(of_store)?.into_iter().collect();
        let mut busy = Vec::new();
        for part in parts {
            let context = CallContext { call: self.new_id(), ..context.clone() };
            match self.providers().busy(&context, BusyQuery { within: part, ..query.clone() }).await {
                Ok(times) => busy.extend(times),
                Err(error) => return Ok(Err(error)),
            }
        }
        busy.retain(|time| time.source.as_ref().is_none_or(|source| !ours.contains(source)));
        let mut busy: Vec<Interval> = busy.into_iter().map(|time| time.when).collect();
        busy.sort_unstable();
        busy.dedup();
        Ok(Ok(busy))
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
