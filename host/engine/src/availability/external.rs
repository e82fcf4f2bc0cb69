//! What a provider says of a stretch of time, asked or cached.

use std::sync::Arc;

use berth_model::{
    bookings::booking::Booking,
    connections::connection::ConnectionRecord,
    id::MemberId,
    outbound::provider::{BusyQuery, CallContext, CallError, ExternalBusyTime, SlotQuery},
    time::{Instant, Interval},
};

use crate::{
    Outcome,
    availability::Availability,
    connections::{
        cache::{RawAvailability, Subject},
        routing::BookingContext,
    },
};

/// What a provider says of a stretch of time, without what we closed there ourselves.
#[derive(Debug)]
pub(crate) enum ProviderAvailability {
    /// Only these starts.
    Starts(Arc<[Instant]>),
    /// Not these times, ascending. Not merged: each must be recognised if it is a booking of ours.
    Busy(Vec<Interval>),
}

/// Provider questions for one answer: a long range over a short span.
const QUESTIONS_MAX: usize = 16;

impl Availability {
    /// What the provider says, from the cache if it is fresh. None if the provider cannot be asked for availability. The inner
    /// error: it could not be asked now.
    pub(super) async fn external_availability(
        &self,
        request_id: &str,
        ctx: &BookingContext,
        connection: &ConnectionRecord,
        within: Interval,
        length_minutes: u32,
        moving: Option<&Booking>,
    ) -> Outcome<Result<Option<ProviderAvailability>, CallError>> {
        let Some(capabilities) = self.providers.capabilities(&connection.plugin) else {
            return Ok(Err(CallError::NotActive(connection.plugin.clone())));
        };
        if !capabilities.availability || !connection.reads_busy {
            return Ok(Ok(None));
        }
        let key = (connection.id, Subject::Meetings(ctx.event_type.id, length_minutes), within);
        let cached = match moving {
            None => self.cache.answer(&key, self.keeps_for(connection), self.base.now()).await,
            Some(_) => None,
        };
        let raw = if let Some(raw) = cached {
            raw
        } else {
            let context = self.contexts.call_context(connection, Some(ctx.listing.id), request_id).await?;
            match self.ask_provider(&context, ctx, within, length_minutes, moving).await {
                Ok(None) => return Ok(Ok(None)),
                Ok(Some(raw)) => {
                    if moving.is_none() {
                        self.cache.put_answer(key, raw.clone(), self.base.now()).await;
                    }
                    raw
                }
                Err(error) => return Ok(Err(error)),
            }
        };
        Ok(Ok(Some(match raw {
            RawAvailability::Starts(starts) => ProviderAvailability::Starts(starts),
            RawAvailability::Busy(busy) => {
                ProviderAvailability::Busy(self.of_others(connection, within, &busy, None).await?)
            }
        })))
    }

    /// For how many seconds an answer of this connection's provider is good, as its manifest says.
    pub(super) fn keeps_for(&self, connection: &ConnectionRecord) -> u32 {
        self.providers.manifest(&connection.plugin).map_or(0, |manifest| manifest.cache.availability_seconds)
    }

    async fn ask_provider(
        &self,
        context: &CallContext,
        ctx: &BookingContext,
        within: Interval,
        length_minutes: u32,
        moving: Option<&Booking>,
    ) -> Result<Option<RawAvailability>, CallError> {
        let spans = self.providers.query_spans(context).await?;
        let time_zone = ctx.listing.time_zone.to_string();
        if let (Some(event_type), days @ 1..) =
            (ctx.event_type.external_over(context.connection), spans.free_slots_days)
        {
            let several = !ctx.event_type.policy.other_lengths_minutes.is_empty();
            let query = SlotQuery {
                event_type: event_type.to_owned(),
                within,
                length_minutes: several.then_some(length_minutes),
                time_zone,
                rescheduling: moving.and_then(|b| b.external_id.clone()),
            };
            return Ok(Some(RawAvailability::Starts(self.ask_slots(context, query, days).await?.into())));
        }
        if spans.busy_days > 0 {
            let query = BusyQuery { within, calendars: Vec::new(), time_zone };
            return Ok(Some(RawAvailability::Busy(self.ask_busy(context, query, spans.busy_days).await?)));
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
            let context = self.contexts.next_call(context);
            let slots =
                self.providers.free_slots(&context, SlotQuery { within: part, ..query.clone() }).await?;
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
            let context = self.contexts.next_call(context);
            busy.extend(self.providers.busy(&context, BusyQuery { within: part, ..query.clone() }).await?);
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
        let writes = self.providers.capabilities(&connection.plugin).is_some_and(|a| a.blocks || a.bookings);
        if !writes || busy.is_empty() {
            return Ok(busy.iter().map(|time| time.when).collect());
        }
        // What is told may reach beyond what was asked for.
        let reach = busy.iter().map(|time| time.when).fold(within, Interval::joined);
        let marks = self.base.store().block_marks(connection.tenant, connection.id, reach).await?;
        let of_others = busy.iter().filter(|time| !marks.recognise(time, member));
        Ok(of_others.map(|time| time.when).collect())
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
