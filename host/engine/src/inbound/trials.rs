//! Messages that say neither for which connection they are nor for which account: tried against the secrets of a few connections. Anybody may
//! send them, so what they cost is bounded: in secrets for each, in how many at a time, and in how many a sender may get wrong in a minute.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use berth_model::{
    id::InboundWebhookId,
    inbound::webhook,
    limits,
    outbound::provider::{WebhookReply, WebhookRequest},
    plugins::manifest::{PluginId, WebhookSpec},
    problem::{Code, Problem},
    time::Instant,
};
use berth_store::records::InboundWebhook;
use tokio::sync::Semaphore;

use super::message::{Message, is_long, stored_reply};
use crate::{
    Outcome, beside,
    inbound::Inbound,
    networks::{is_from, one_sender},
};

/// Length of the window in which wrong tries are counted, in seconds.
const WINDOW_SECONDS: i64 = 60;

/// What strangers may cost.
pub(crate) struct Trials {
    /// Tried at the same time.
    room: Semaphore,
    wrong: Mutex<Wrong>,
}

impl Default for Trials {
    fn default() -> Self {
        Self { room: Semaphore::new(limits::WEBHOOK_TRIALS_AT_ONCE), wrong: Mutex::default() }
    }
}

/// Who was wrong lately: since when, and how often. Nobody knows whom `None` is, and those for whom there is no room share it.
type Wrong = HashMap<Option<IpAddr>, (Instant, u32)>;

/// Under whom a sender is counted.
fn counted_as(wrong: &Wrong, source: Option<IpAddr>) -> Option<IpAddr> {
    let sender = source.map(one_sender);
    if wrong.len() < limits::WEBHOOK_TRIAL_SENDERS_MAX || wrong.contains_key(&sender) { sender } else { None }
}

/// When the minute of one who was wrong is over.
fn ends(since: Instant) -> Instant {
    since.plus_seconds(WINDOW_SECONDS)
}

impl Trials {
    /// May this sender try once more? Else, in how many seconds.
    fn check(&self, source: Option<IpAddr>, now: Instant) -> Result<(), u64> {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((since, count)) = wrong.get(&counted_as(&wrong, source)) else { return Ok(()) };
        let ends = ends(*since);
        if now >= ends || *count < limits::WEBHOOK_WRONG_TRIALS_PER_MINUTE_MAX {
            return Ok(());
        }
        Err(u64::try_from(ends.micros().saturating_sub(now.micros()) / 1_000_000)
            .unwrap_or(0)
            .saturating_add(1))
    }

    /// This sender was wrong.
    fn count(&self, source: Option<IpAddr>, now: Instant) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() >= limits::WEBHOOK_TRIAL_SENDERS_MAX {
            wrong.retain(|_, (since, _)| now < ends(*since));
        }
        let sender = counted_as(&wrong, source);
        let entry = wrong.entry(sender).or_insert((now, 0));
        if now >= ends(entry.0) {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
    }
}

fn nobodys() -> Problem {
    Problem::new(Code::NotFound, "No connection takes this message.").with_hint(
        "Have the provider send it to the address of its connection, /api/webhooks/{provider}/{connection}: see `webhooks.address` of \
         GET /api/booking-providers/{id}. Messages without a connection are tried against the secrets of few.",
    )
}

impl Inbound {
    /// Take a message for each connection to the provider whose secret proves it.
    pub(super) async fn receive_unaddressed(
        &self,
        plugin: &PluginId,
        spec: &WebhookSpec,
        request: WebhookRequest,
        source: Option<IpAddr>,
        request_id: &str,
    ) -> Outcome<WebhookReply> {
        // A key that all connections share proves nothing of whose message it is; without a signature nobody has to be asked.
        if spec.secret.is_none() || !webhook::is_signed(spec, &request.headers) {
            return Err(nobodys());
        }
        let now = self.base.now();
        self.trials.check(source, now).map_err(|seconds| {
            Problem::new(Code::RateLimited, "Too many messages from there were for nobody.")
                .with_retry_after_seconds(seconds)
        })?;
        let _room = self.trials.room.try_acquire().map_err(|_| {
            Problem::new(Code::Busy, "As many messages without a connection are tried as may be at a time.")
                .with_retry_after_seconds(1)
        })?;
        let mut stored = 0_u32;
        let mut secrets_left = limits::WEBHOOK_SECRETS_TRIED_MAX;
        let most = limits::WEBHOOK_SECRETS_TRIED_MAX;
        let connections = self.base.store().connections_to_be_tried(plugin, most).await?;
        for connection in connections {
            if secrets_left == 0 {
                break;
            }
            let mut accepted = self.accepted(&connection).await?;
            accepted.truncate(secrets_left);
            secrets_left = secrets_left.saturating_sub(accepted.len());
            if connection.webhook_sources.as_ref().is_some_and(|allowed| !is_from(allowed, source)) {
                continue;
            }
            let spec = spec.under(&connection.settings);
            let message = Message { spec, accepted, request: request.clone() };
            let id: InboundWebhookId = self.base.new_id();
            let (tenant, of) = (connection.tenant, connection.id);
            let long = is_long(&request.body);
            let verified: Result<InboundWebhook, _> =
                beside(long, move || message.verified(id, tenant, of)).await?;
            if let Ok(verified) = verified {
                self.keep(&connection, verified).await?;
                stored = stored.saturating_add(1);
            }
        }
        if stored > 0 {
            return Ok(stored_reply());
        }
        self.trials.count(source, now);
        metrics::counter!("berth_webhooks_refused_total", "reason" => "nobodys").increment(1);
        tracing::info!(%plugin, request_id, "a message without a connection was for nobody");
        Err(nobodys())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn a_sender_who_is_wrong_too_often_waits() {
        let (trials, now) = (Trials::default(), Instant::from_seconds(1_000));
        for _ in 0..limits::WEBHOOK_WRONG_TRIALS_PER_MINUTE_MAX {
            assert_eq!(trials.check(ip("2001:db8::1"), now), Ok(()));
            trials.count(ip("2001:db8::1"), now);
        }
        assert_eq!(trials.check(ip("2001:db8::2"), now), Err(61), "its neighbours are the same sender");
        assert_eq!(trials.check(ip("2001:db8:0:1::1"), now), Ok(()));
        assert_eq!(trials.check(ip("192.0.2.1"), now), Ok(()));
        assert_eq!(trials.check(ip("2001:db8::1"), now.plus_seconds(60)), Ok(()));
    }

    #[test]
    fn so_many_senders_share_what_one_may() {
        let (trials, now) = (Trials::default(), Instant::from_seconds(1_000));
        let many = u32::try_from(limits::WEBHOOK_TRIAL_SENDERS_MAX).unwrap() + 100;
        for n in 0..many {
            trials.count(Some(IpAddr::V4(std::net::Ipv4Addr::from_bits(n))), now);
        }
        assert!(trials.wrong.lock().unwrap().len() <= limits::WEBHOOK_TRIAL_SENDERS_MAX + 1);
        assert!(trials.check(None, now).is_err());
        assert_eq!(
            trials.check(ip("2001:db8::7"), now),
            Err(61),
            "who comes now has no more than they share"
        );
        // They are forgotten when their minute is over.
        trials.count(ip("2001:db8::1"), now.plus_seconds(60));
        assert!(trials.wrong.lock().unwrap().len() <= 2);
    }
}
