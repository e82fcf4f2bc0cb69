//! Subscriptions to providers' webhooks, which look after themselves: made, renewed before their end, made anew when the provider ended or
//! lost them, and when its secret was rotated; ended with the connection. What is due is a column of the connection, so that nothing is forgotten over a crash.

use berth_model::{
    connections::connection::ConnectionRecord,
    id::{ConnectionId, TenantId},
    limits,
    outbound::provider::{CallContext, CallError, ProviderError, SubscribeRequest, Subscription},
    problem::Problem,
    time::Instant,
};
use berth_store::StoreError;

use crate::{Outcome, connections::Connections};

/// How looking after a subscription ended.
enum Kept {
    /// It is as it was.
    Same(Subscription),
    /// It is new, or was renewed.
    New(Subscription),
    /// There can be none; the reason for people.
    None(&'static str),
}

impl Connections {
    /// Look after the subscriptions that are due. How many. To be called now and then, by any number of replicas.
    pub async fn keep_subscriptions(&self) -> Outcome<usize> {
        let now = self.base.now();
        let until = now.plus_seconds(limits::SUBSCRIPTION_LEASE_SECONDS);
        let due = self.base.store().claim_subscriptions(now, until, limits::SUBSCRIPTIONS_AT_ONCE).await?;
        let count = due.len();
        for (tenant, id, failures) in due {
            if let Err(error) = self.keep_due(tenant, id, failures).await {
                tracing::warn!(%error, connection = %id, "a subscription was not looked after");
            }
        }
        Ok(count)
    }

    async fn keep_due(&self, tenant: TenantId, id: ConnectionId, failures: i64) -> Result<(), StoreError> {
        let connection = match self.base.store().connection(tenant, id).await {
            Err(StoreError::NotFound(_)) => return Ok(()),
            other => other?,
        };
        let request_id = format!("subscription:{id}");
        let Ok(context) = self.contexts.call_context(&connection, None, &request_id).await else {
            return self.later(&connection, failures, "the plugin is disabled").await;
        };
        self.keep_subscription(&connection, &context, failures).await.map(drop)
    }

    /// Look after one connection's subscription now; the connection as it is then.
    pub(crate) async fn keep_subscription(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        failures: i64,
    ) -> Result<ConnectionRecord, StoreError> {
        let (tenant, id, address) = (connection.tenant, connection.id, connection.webhook_address);
        match self.kept(connection, context).await {
            Ok(Kept::Same(subscription)) => {
                let due = self.due_after(&subscription);
                self.base
                    .store()
                    .subscription_looked_after(tenant, id, address, Some(due), true, None)
                    .await?;
            }
            Ok(Kept::New(subscription)) => {
                let due = self.due_after(&subscription);
                let (audit, made) =
                    (self.base.audit_by("system", &context.request_id), Some(subscription.clone()));
                self.base
                    .store()
                    .set_connection_subscription(tenant, id, address, made, Some(due), audit)
                    .await?;
            }
            Ok(Kept::None(why)) => {
                // Another version of the plugin or another configuration may have them.
                let due = self.base.now().plus_seconds(limits::SUBSCRIPTION_CHECK_SECONDS);
                self.base
                    .store()
                    .subscription_looked_after(tenant, id, address, Some(due), true, Some(why.to_owned()))
                    .await?;
            }
            Err(error) => {
                tracing::warn!(connection = %id, outcome = error.outcome(), "a webhook subscription was not kept");
                self.later(connection, failures, &Problem::from(&error).detail).await?;
                return self.base.store().connection(tenant, id).await;
            }
        }
        let now = self.base.store().connection(tenant, id).await?;
        // Else the secret was rotated in between, and whoever did that goes on.
        if now.webhook_address == address {
            self.end_old_subscriptions(&now, context, failures).await?;
        }
        self.base.store().connection(tenant, id).await
    }

    async fn later(&self, connection: &ConnectionRecord, failures: i64, why: &str) -> Result<(), StoreError> {
        let doublings = u32::try_from(failures.clamp(0, 30)).unwrap_or(0);
        let wait = limits::SUBSCRIPTION_BACKOFF_SECONDS_MIN
            .saturating_mul(1_i64.checked_shl(doublings).unwrap_or(i64::MAX))
            .min(limits::SUBSCRIPTION_BACKOFF_SECONDS_MAX);
        let due = self.base.now().plus_seconds(wait);
        self.base
            .store()
            .subscription_looked_after(
                connection.tenant,
                connection.id,
                connection.webhook_address,
                Some(due),
                false,
                Some(why.to_owned()),
            )
            .await
    }

    /// End the subscriptions that the current one took the place of; what does not answer is asked again later. Whatever else the provider
    /// says, nothing more can be done: their messages are refused when their secret is over.
    async fn end_old_subscriptions(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        failures: i64,
    ) -> Result<(), StoreError> {
        let (tenant, id) = (connection.tenant, connection.id);
        for old in self.base.store().old_subscriptions(tenant, id).await? {
            // A provider that gave back the same one must not lose it.
            if connection.subscription.as_ref().is_none_or(|current| current.id != old.id) {
                let context = self.contexts.next_call(context);
                match self.providers.unsubscribe(&context, old.clone()).await {
                    Ok(()) => {}
                    Err(error) if error.is_definite() => {
                        tracing::warn!(connection = %id, outcome = error.outcome(), "an old webhook subscription was not ended");
                    }
                    Err(error) => {
                        let why = format!(
                            "The subscription before was not ended: {}",
                            Problem::from(&error).detail
                        );
                        return self.later(connection, failures, &why).await;
                    }
                }
            }
            self.base.store().remove_old_subscription(tenant, id, old.id).await?;
        }
        Ok(())
    }

    /// Where the provider shall send messages for a connection; none if this engine does not know its own address.
    #[must_use]
    pub fn webhook_address(&self, connection: &ConnectionRecord) -> Option<String> {
        let public_url = self.public_url.as_ref()?;
        // Nobody reads the number: it makes another address.
        let version = match connection.webhook_address {
            0 => String::new(),
            number => format!("?v={number}"),
        };
        let (plugin, id) = (&connection.plugin, connection.id);
        Some(format!("{}/api/webhooks/{plugin}/{id}{version}", public_url.trim_end_matches('/')))
    }

    /// The address to enter at the provider by hand: where it sends messages, but takes no subscriptions by API, or has not taken one.
    #[must_use]
    pub fn webhook_address_to_enter(&self, connection: &ConnectionRecord) -> Option<String> {
        if connection.subscription.is_some() {
            return None;
        }
        let manifest = self.providers.manifest(&connection.plugin)?;
        // An app has one address for all its accounts.
        if manifest.webhook.as_ref()?.account.is_some() {
            let public_url = self.public_url.as_ref()?;
            return Some(format!("{}/api/webhooks/{}", public_url.trim_end_matches('/'), connection.plugin));
        }
        self.webhook_address(connection)
    }

    async fn kept(&self, connection: &ConnectionRecord, context: &CallContext) -> Result<Kept, CallError> {
        let Some(callback_url) = self.webhook_address(connection) else {
            return Ok(Kept::None("this engine does not know its own address (public-url)"));
        };
        if !self.providers.capabilities(&connection.plugin).is_some_and(|a| a.webhooks) {
            return Ok(Kept::None("the provider has no webhooks"));
        }
        let context = self.contexts.next_call(context);
        if let Some(subscription) = &connection.subscription
            && subscription.expires_at.is_some()
        {
            match self.providers.renew(&context, subscription.clone(), callback_url.clone()).await {
                Ok(renewed) => return Ok(Kept::New(renewed)),
                // Over already, or not to be prolonged: another one then.
                Err(
                    CallError::NotOffered(_)
                    | CallError::Provider(ProviderError::NotFound | ProviderError::Unsupported { .. }),
                ) => {}
                Err(error) => return Err(error),
            }
        }
        // The same for every try at this subscription, and another for the next one. If one with this address is there, the
        // component gives that back: so this is also how it is found out that somebody removed it.
        let request = SubscribeRequest {
            idempotency_key: format!("{}-subscribe-{}", connection.id, connection.revision),
            callback_url,
        };
        let context = self.contexts.next_call(&context);
        match self.providers.subscribe(&context, request).await {
            Ok(made) if connection.subscription.as_ref().is_some_and(|known| known.id == made.id) => {
                Ok(Kept::Same(made))
            }
            Ok(made) => Ok(Kept::New(made)),
            Err(CallError::NotOffered(_) | CallError::Provider(ProviderError::Unsupported { .. })) => {
                Ok(Kept::None("the provider takes no subscriptions by API; enter the address there by hand"))
            }
            Err(error) => Err(error),
        }
    }

    /// When a subscription is looked after next: well before its end, and for short ones after half of what is left.
    fn due_after(&self, subscription: &Subscription) -> Instant {
        let now = self.base.now();
        let Some(end) = subscription.expires_at else {
            return now.plus_seconds(limits::SUBSCRIPTION_CHECK_SECONDS);
        };
        let half = end.micros_since(now).max(0) / 2_000_000;
        end.plus_seconds(-limits::SUBSCRIPTION_MARGIN_SECONDS).max(now.plus_seconds(half))
    }

    /// The provider says that the subscription is over: make another one soon.
    pub(crate) async fn subscription_ended(&self, connection: &ConnectionRecord) -> Result<(), StoreError> {
        let audit = self.base.audit_by(&format!("provider:{}", connection.plugin), "webhook");
        self.base
            .store()
            .set_connection_subscription(
                connection.tenant,
                connection.id,
                connection.webhook_address,
                None,
                Some(self.base.now()),
                audit,
            )
            .await
    }
}
