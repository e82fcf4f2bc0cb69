//! The providers, as far as their connections may be used, with tokens that are good: renewed before they end, and once when a provider
//! refuses one.

use std::sync::Arc;

use berth_model::{
    outbound::provider::{
        Account, Asked, BlockLookup, BlockRequest, BookingLink, BusyQuery, CallContext, CallError,
        CancelRequest, ChangePage, CreateRequest, ExternalBlock, ExternalBooking, ExternalBusyTime,
        ExternalClient, ExternalEventType, ExternalId, ExternalSlot, LinkRequest, Page, PageRequest,
        ProviderError, Providers, QuerySpans, ReassignRequest, ReferenceLookup, Reply, RescheduleRequest,
        SlotQuery, SubscribeRequest, Subscription, UpdateRequest, WebhookOutcome, WebhookRequest,
    },
    plugins::{
        manifest::{Manifest, PluginId},
        plugin::Capabilities,
    },
};

use berth_store::Store;

use super::Tokens;
use crate::connections::breaker::ConnectionBreakers;

/// Providers whose calls carry good tokens.
pub(crate) struct Authorising {
    pub(crate) inner: Arc<dyn Providers>,
    pub(crate) tokens: Arc<Tokens>,
    /// What keeps a provider from being asked that does not answer.
    pub(crate) breakers: Arc<ConnectionBreakers>,
    /// Knows which connections are paused or over.
    pub(crate) store: Store,
}

impl Authorising {
    /// Nothing goes over a connection of which somebody decided so. This is the one way to every provider.
    async fn check_state(&self, cx: &CallContext) -> Result<(), CallError> {
        if cx.despite_state {
            return Ok(());
        }
        match self.store.stopped(cx.tenant, cx.connection).await {
            Ok(None) => Ok(()),
            Ok(Some(stopped)) => Err(CallError::Stopped(stopped)),
            Err(error) => {
                if error.trouble().is_none() {
                    tracing::error!(%error, connection = %cx.connection, "the state of a connection was not read");
                }
                Err(CallError::Provider(ProviderError::Unavailable { retry_after_ms: None }))
            }
        }
    }
}

macro_rules! authorised {
    ($($name:ident($($arg:ident: $type:ty),*) -> $reply:ty;)*) => {
        $(fn $name<'a>(&'a self, cx: &'a CallContext, $($arg: $type),*) -> Reply<'a, $reply> {
            Box::pin(async move {
                self.check_state(cx).await?;
                let passage = self.breakers.try_acquire(cx.connection, self.tokens.now())?;
                // Each call notes for itself whether it asked the provider.
                let cx = &CallContext { asked: Asked::default(), ..cx.clone() };
                let result = async {
                    let Some(ready) = self.tokens.ready(cx).await? else {
                        return self.inner.$name(cx, $($arg),*).await;
                    };
                    // Refused is definite: nothing was done, so that it may be asked again.
                    match self.inner.$name(&ready.context, $($arg.clone()),*).await {
                        Err(CallError::Provider(ProviderError::Unauthorised)) => {
                            let again = self.tokens.again(cx, &ready).await?;
                            self.inner.$name(&again, $($arg),*).await
                        }
                        other => other,
                    }
                };
                let result = result.await;
                self.breakers.ended(passage, cx, result.as_ref().err(), self.tokens.now()).await;
                result
            })
        })*
    };
}

impl Providers for Authorising {
    authorised! {
        validate() -> Account;
        list_event_types(page: PageRequest) -> Page<ExternalEventType>;
        resolve_link(url: String) -> ExternalEventType;
        query_spans() -> QuerySpans;
        free_slots(query: SlotQuery) -> Vec<ExternalSlot>;
        busy(query: BusyQuery) -> Vec<ExternalBusyTime>;
        create_booking(request: CreateRequest) -> ExternalBooking;
        get_booking(id: ExternalId) -> ExternalBooking;
        find_by_reference(lookup: ReferenceLookup) -> Vec<ExternalBooking>;
        cancel_booking(request: CancelRequest) -> ExternalBooking;
        reschedule_booking(request: RescheduleRequest) -> ExternalBooking;
        update_booking(request: UpdateRequest) -> ExternalBooking;
        reassign_booking(request: ReassignRequest) -> ExternalBooking;
        list_changes(cursor: Option<String>, limit: u32) -> ChangePage;
        create_booking_link(request: LinkRequest) -> BookingLink;
        subscribe(request: SubscribeRequest) -> Subscription;
        renew(subscription: Subscription, callback_url: String) -> Subscription;
        unsubscribe(subscription: Subscription) -> ();
        handle_webhook(request: WebhookRequest) -> WebhookOutcome;
        list_clients(page: PageRequest) -> Page<ExternalClient>;
        erase_client(id: ExternalId) -> ();
        create_block(request: BlockRequest) -> ExternalBlock;
        find_blocks(lookup: BlockLookup) -> Vec<ExternalBlock>;
        remove_block(id: ExternalId) -> ();
    }

    fn capabilities(&self, plugin: &PluginId) -> Option<Capabilities> {
        self.inner.capabilities(plugin)
    }

    fn manifest(&self, plugin: &PluginId) -> Option<Arc<Manifest>> {
        self.inner.manifest(plugin)
    }
}
