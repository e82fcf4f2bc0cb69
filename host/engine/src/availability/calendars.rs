//! Busy times of members' own calendars. Each counts for its member alone.

use std::collections::{BTreeMap, BTreeSet};

use berth_model::{
    calendars::calendar::{CalendarRecord, joined_of},
    connections::connection::ConnectionRecord,
    id::{ConnectionId, MemberId},
    intervals::merged,
    limits,
    outbound::provider::{BusyQuery, CallError, ExternalBusyTime, ExternalId},
    time::Interval,
};
use berth_store::records::SeenOccupancy;
use futures_util::{StreamExt as _, stream};

use super::Degraded;
use crate::{
    Outcome,
    availability::Availability,
    beside,
    connections::{
        cache::{RawAvailability, Subject},
        routing::BookingContext,
    },
};

/// Connections that are asked at the same time for one answer.
const ASKED_AT_ONCE: usize = 4;

/// What members' calendars say.
#[derive(Debug, Default)]
pub(super) struct CalendarTimes {
    /// Busy times by member, ascending.
    pub(super) busy: BTreeMap<MemberId, Vec<Interval>>,
    /// Calendars that could not be asked.
    pub(super) degraded: Vec<Degraded>,
}

/// The calendars that are asked together: of one member over one connection.
type Asked = ((MemberId, ConnectionId), Vec<CalendarRecord>);

impl Availability {
    /// What these members' calendars say of a stretch of time. The booking context's own connection is asked elsewhere.
    pub(super) async fn calendar_times(
        &self,
        request_id: &str,
        ctx: &BookingContext,
        members: &[MemberId],
        within: Interval,
        places: &[(MemberId, Vec<SeenOccupancy>)],
    ) -> Outcome<CalendarTimes> {
        let read = ctx.calendars.iter().filter(|c| c.reads && members.contains(&c.member)).cloned();
        let mut times = CalendarTimes::default();
        let mut questions: BTreeMap<(MemberId, ConnectionId), Vec<CalendarRecord>> = BTreeMap::new();
        for calendar in read {
            questions.entry((calendar.member, calendar.connection)).or_default().push(calendar);
        }
        questions.retain(|(member, connection), _| {
            let known = ctx.unanswered(*connection, Some(*member));
            times.degraded.extend(known.clone());
            known.is_none()
        });
        let asked = questions.into_iter().map(|asked| async move {
            let busy = self.busy_of(request_id, ctx, &asked, within).await;
            (asked, busy)
        });
        let mut answers = stream::iter(asked).buffer_unordered(ASKED_AT_ONCE);
        while let Some((asked, busy)) = answers.next().await {
            let ((member, connection), _) = asked;
            match busy? {
                Ok(busy) => {
                    if is_over_a_meeting(&busy, member, places) {
                        self.calendar_writer.look_soon(&asked.1).await?;
                    }
                    times.busy.entry(member).or_default().extend(busy);
                }
                Err(reason) => {
                    times.degraded.push(Degraded { connection, member: Some(member), reason });
                }
            }
        }
        for busy in times.busy.values_mut() {
            *busy = ordered(std::mem::take(busy)).await?;
        }
        Ok(times)
    }

    /// The inner error: why they cannot be asked.
    async fn busy_of(
        &self,
        request_id: &str,
        ctx: &BookingContext,
        ((member, connection), calendars): &Asked,
        within: Interval,
    ) -> Outcome<Result<Vec<Interval>, String>> {
        let tenant = ctx.listing.tenant;
        let connection = self.base.store().connection(tenant, *connection).await?;
        if !connection.reads_busy {
            return Ok(Ok(Vec::new()));
        }
        let ids = ids(calendars);
        // A day off is a day where its member is.
        let own = ctx.members.iter().find(|other| other.id == *member);
        let zone = own.map_or(ctx.listing.time_zone, |own| own.time_zone);
        // A calendar of several members is asked once for all who share a clock.
        let key = (connection.id, Subject::Calendars(ids.clone(), zone), within);
        let kept = self.cache.answer(&key, self.keeps_for(&connection), self.base.now()).await;
        let raw = if let Some(RawAvailability::Busy(raw)) = kept {
            raw
        } else {
            match self.read_calendars(request_id, &connection, ids, within, zone.to_string(), false).await {
                Ok(raw) => {
                    self.cache.put_answer(key, RawAvailability::Busy(raw.clone()), self.base.now()).await;
                    raw
                }
                Err(error) => {
                    if error.is_definite() {
                        // Which of them it is, and that a person is needed, is found out and noted.
                        self.calendar_writer.look_soon(calendars).await?;
                    }
                    return Ok(Err(error.to_string()));
                }
            }
        };
        self.of_others(&connection, within, &raw, Some(*member)).await.map(Ok)
    }

    /// Ask these calendars of a connection.
    pub(crate) async fn read_calendars(
        &self,
        request_id: &str,
        connection: &ConnectionRecord,
        calendars: Vec<ExternalId>,
        within: Interval,
        time_zone: String,
        in_background: bool,
    ) -> Result<std::sync::Arc<[ExternalBusyTime]>, CallError> {
        // A plugin that is disabled cannot be asked, like one that does not answer.
        let context = self.contexts.call_context(connection, None, request_id).await;
        let mut context = context.map_err(|_| CallError::NotActive(connection.plugin.clone()))?;
        context.in_background = in_background;
        let days = match self.providers.query_spans(&context).await? {
            spans if spans.busy_days > 0 => spans.busy_days,
            _ => return Err(CallError::NotOffered("busy times")),
        };
        self.ask_busy(&context, BusyQuery { within, calendars, time_zone }, days).await
    }
}

/// The ids that are asked for; none: those that the connection's settings name.
pub(crate) fn ids(calendars: &[CalendarRecord]) -> Vec<ExternalId> {
    let ids: BTreeSet<ExternalId> =
        calendars.iter().map(|c| c.calendar.clone()).filter(|id| !id.is_empty()).collect();
    ids.into_iter().collect()
}

/// Is something of it over a meeting of this member, and no entry of such a meeting? Then somebody has to look.
fn is_over_a_meeting(busy: &[Interval], member: MemberId, places: &[(MemberId, Vec<SeenOccupancy>)]) -> bool {
    let own = places.iter().filter(|(id, _)| *id == member).flat_map(|(_, places)| places);
    let mut own: Vec<Interval> = own.filter(|place| !place.hold).map(|place| place.when).collect();
    own.sort_unstable();
    own.dedup();
    if own.is_empty() {
        return false;
    }
    let taken = merged(own.clone());
    let overlaps = |busy: Interval| {
        let next = taken.partition_point(|when| when.end() <= busy.start());
        taken.get(next).is_some_and(|when| when.start() < busy.end())
    };
    busy.iter().any(|busy| overlaps(*busy) && !joined_of(&own, *busy))
}

/// These once each, in order.
async fn ordered(mut busy: Vec<Interval>) -> Outcome<Vec<Interval>> {
    beside(busy.len() > limits::COMPUTE_INLINE_ITEMS_MAX, move || {
        busy.sort_unstable();
        busy.dedup();
        busy
    })
    .await
}
