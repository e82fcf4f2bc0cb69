//! Busy times of members' own calendars. Each counts for its member alone.

use std::collections::BTreeMap;

use berth_model::{
    calendar::CalendarRecord,
    connection::ConnectionRecord,
    id::{ConnectionId, EventTypeId, MemberId, TenantId},
    manifest::CacheTimes,
    provider::{BusyQuery, CallContext, CallError},
    time::Interval,
};
use futures_util::{StreamExt as _, stream};

use super::{
    Degraded,
    external::{External, parts},
};
use crate::{Engine, Outcome, problems::of_store, routing::Scene};

/// Connections that are asked at the same time for one answer.
const ASKED_AT_ONCE: usize = 4;

/// Busy times by member, and who could not be asked.
pub(super) type CalendarTimes = (BTreeMap<MemberId, Vec<Interval>>, Vec<Degraded>);

impl Engine {
    /// What these members' calendars say of a stretch of time. The scene's own connection is asked elsewhere.
    pub(super) async fn calendar_times(
        &self,
        request_id: &str,
        scene: &Scene,
        members: &[MemberId],
        within: Interval,
    ) -> Outcome<CalendarTimes> {
        let tenant = scene.listing.tenant;
        let calendars = self.store().calendars_of(tenant, members.to_vec()).await.map_err(of_store)?;
        let read = calendars.into_iter().filter(|c| c.reads);
        // One question per member and connection, with all calendars of it.
        let mut questions: BTreeMap<(MemberId, ConnectionId), Vec<CalendarRecord>> = BTreeMap::new();
        for calendar in read {
            questions.entry((calendar.member, calendar.connection)).or_default().push(calendar);
        }
        let asked = questions.into_iter().map(|((member, connection), calendars)| async move {
            let busy = self.busy_of(request_id, scene, tenant, connection, &calendars, within).await;
            (member, connection, busy)
        });
        let (mut times, mut degraded) = (BTreeMap::<MemberId, Vec<Interval>>::new(), Vec::new());
        let mut answers = stream::iter(asked).buffer_unordered(ASKED_AT_ONCE);
        while let Some((member, connection, busy)) = answers.next().await {
            match busy? {
                Ok(busy) => times.entry(member).or_default().extend(busy),
                Err(error) => degraded.push(Degraded { connection, reason: error.to_string() }),
            }
        }
        for busy in times.values_mut() {
            busy.sort_unstable();
            busy.dedup();
        }
        Ok((times, degraded))
    }

    async fn busy_of(
        &self,
        request_id: &str,
        scene: &Scene,
        tenant: TenantId,
        connection: ConnectionId,
        calendars: &[CalendarRecord],
        within: Interval,
    ) -> Outcome<Result<Vec<Interval>, CallError>> {
        let connection: ConnectionRecord =
            self.store().connection(tenant, connection).await.map_err(of_store)?;
        let keeps = self.providers().manifest(&connection.plugin).map_or(CacheTimes::default(), |m| m.cache);
        // A calendar of several members is asked once for all of them: its first id stands for the question.
        let first = calendars.iter().map(|c| c.id.uuid()).min().unwrap_or_default();
        let key = (connection.id, EventTypeId::from_uuid(first), within);
        let fresh_from = self.now().plus_seconds(-i64::from(keeps.availability_seconds));
        if keeps.availability_seconds > 0
            && let Some((asked_at, answer)) = self.inner.cache.get(&key).await
            && asked_at >= fresh_from
            && let External::Busy(busy) = answer.as_ref()
        {
            return Ok(Ok(busy.clone()));
        }
        let context = self.call_context(&connection, None, request_id).await?;
        let ids: Vec<String> =
            calendars.iter().map(|c| c.calendar.clone()).filter(|id| !id.is_empty()).collect();
        let busy = self.ask_busy(&context, &ids, &scene.listing.time_zone.to_string(), within).await;
        if let Ok(busy) = &busy {
            let answer = std::sync::Arc::new(External::Busy(busy.clone()));
            self.inner.cache.insert(key, (self.now(), answer)).await;
        }
        Ok(busy)
    }

    async fn ask_busy(
        &self,
        context: &CallContext,
        calendars: &[String],
        time_zone: &str,
        within: Interval,
    ) -> Result<Vec<Interval>, CallError> {
        let spans = self.providers().query_spans(context).await?;
        if spans.busy_days == 0 {
            return Err(CallError::NotOffered("busy times"));
        }
        let mut busy = Vec::new();
        for part in parts(within, spans.busy_days)? {
            let query =
                BusyQuery { within: part, calendars: calendars.to_vec(), time_zone: time_zone.to_owned() };
            let context = CallContext { call: self.new_id(), ..context.clone() };
            busy.extend(self.providers().busy(&context, query).await?.into_iter().map(|b| b.when));
        }
        Ok(busy)
    }
}
