//! Busy times of members' own calendars. Each counts for its member alone.

use std::{collections::BTreeMap, sync::Arc};

use berth_model::{
    calendar::CalendarRecord,
    connection::ConnectionRecord,
    id::{ConnectionId, MemberId, TenantId},
    provider::{BusyQuery, CallError, ExternalId},
    time::Interval,
};
use futures_util::{StreamExt as _, stream};

use super::{
    Degraded,
    external::{External, Subject},
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
        let read = scene.calendars.iter().filter(|c| c.reads && members.contains(&c.member)).cloned();
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
        let mut ids: Vec<ExternalId> =
            calendars.iter().map(|c| c.calendar.clone()).filter(|id| !id.is_empty()).collect();
        ids.sort_unstable();
        // A calendar of several members is asked once for all of them.
        let key = (connection.id, Subject::Calendars(ids.clone()), within);
        if let Some(answer) = self.remembered(&connection, &key).await
            && let External::Busy(busy) = answer.as_ref()
        {
            return Ok(Ok(busy.clone()));
        }
        let context = self.call_context(&connection, None, request_id).await?;
        let days = match self.providers().query_spans(&context).await {
            Ok(spans) if spans.busy_days > 0 => spans.busy_days,
            Ok(_) => return Ok(Err(CallError::NotOffered("busy times"))),
            Err(error) => return Ok(Err(error)),
        };
        let time_zone = scene.listing.time_zone.to_string();
        let busy = self.ask_busy(&context, BusyQuery { within, calendars: ids, time_zone }, days).await?;
        if let Ok(busy) = &busy {
            self.remember(key, Arc::new(External::Busy(busy.clone()))).await;
        }
        Ok(busy)
    }
}
