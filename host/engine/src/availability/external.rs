//! What a provider says of a stretch of time, asked or remembered.

use std::{sync::Arc, time::Duration};

use berth_model::{
    booking::Booking,
    connection::ConnectionRecord,
    id::{ConnectionId, EventTypeId},
    manifest::CacheTimes,
    provider::{BusyQuery, CallContext, CallError, SlotQuery},
    time::{Instant, Interval},
};
use moka::future::Cache as Moka;

use crate::{Engine, Outcome, routing::Scene};

/// What a provider says of a stretch of time.
#[derive(Debug)]
pub(crate) enum External {
    /// Only these starts.
    Starts(Vec<Instant>),
    /// Not these times, ascending. Not merged: each must be recognised if it is a booking of ours.
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
            busy.sort_unstable();
            busy.dedup();
            return Ok(Some(External::Busy(busy)));
        }
        Ok(None)
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
pub(super) fn parts(within: Interval, days: u32) -> Result<Vec<Interval>, CallError> {
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
