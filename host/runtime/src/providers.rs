//! The port to all providers, fulfilled by components: one line per function of the contract.

use std::sync::Arc;

use berth_model::{
    outbound::provider::{
        Account, BlockLookup, BlockRequest, BookingLink, BusyQuery, CallContext, CancelRequest, ChangePage,
        CreateRequest, ExternalBlock, ExternalBooking, ExternalBusyTime, ExternalClient, ExternalEventType,
        ExternalId, ExternalSlot, LinkRequest, Page, PageRequest, Providers, QuerySpans, ReassignRequest,
        ReferenceLookup, Reply, RescheduleRequest, SlotQuery, SubscribeRequest, Subscription, UpdateRequest,
        WebhookOutcome, WebhookRequest,
    },
    plugins::{
        manifest::{Manifest, PluginId},
        plugin::Capabilities,
    },
};

use crate::{
    Runtime,
    contract::{
        bindings::berth::provider::types::ProviderError,
        incoming::{self, provider_error},
        outgoing,
    },
    egress::Urgency,
    fault::Fault,
    operation::Operation,
};

/// `function!(self, cx, "interface", "name", |guest, store| answer of the guest, reader of the answer)`.
macro_rules! function {
    ($self:ident, $cx:ident, $interface:ident, $name:literal, $($rest:tt)*) => {
        function!($self, $cx, $interface as (stringify!($interface)), concat!(stringify!($interface), ".", $name), $name, $($rest)*)
    };
    ($self:ident, $cx:ident, $interface:ident as ($said:expr), $full:expr, $name:literal, |$guest:ident, $store:ident| $answer:expr, $read:expr) => {
        Box::pin($self.core.call(
            $cx,
            Operation {
                name: $full,
                interface: $said,
                urgency: urgency($said, $name),
            },
            |offers| offers.$interface.as_ref(),
            move |$store, instance, indices| {
                Box::pin(async move {
                    let $guest = indices.load(&mut *$store, instance)?;
                    let answer: Result<_, ProviderError> = $answer;
                    Ok(match answer {
                        Ok(value) => $read(value).map_err(Fault::Breach),
                        Err(error) => Err(Fault::Provider(provider_error(error))),
                    })
                })
            },
        ))
    };
}

/// What waits for a function of the contract.
fn urgency(interface: &str, name: &str) -> Urgency {
    match (interface, name) {
        (_, "list-changes" | "list-event-types" | "list-clients") => Urgency::Bulk,
        ("bookings" | "booking-edits" | "links", _) => Urgency::Booking,
        ("availability", _) => Urgency::Availability,
        _ => Urgency::Upkeep,
    }
}

impl Providers for Runtime {
    fn validate<'a>(&'a self, cx: &'a CallContext) -> Reply<'a, Account> {
        function!(self, cx, connection, "validate", |g, s| g.call_validate(&mut *s).await?, incoming::account)
    }

    fn list_event_types<'a>(
        &'a self,
        cx: &'a CallContext,
        page: PageRequest,
    ) -> Reply<'a, Page<ExternalEventType>> {
        let page = outgoing::page(page);
        function!(
            self,
            cx,
            catalog,
            "list-event-types",
            |g, s| g.call_list_event_types(&mut *s, &page).await?,
            incoming::event_types
        )
    }

    fn resolve_link<'a>(&'a self, cx: &'a CallContext, url: String) -> Reply<'a, ExternalEventType> {
        function!(
            self,
            cx,
            catalog,
            "resolve-link",
            |g, s| g.call_resolve_link(&mut *s, &url).await?,
            incoming::event_type
        )
    }

    fn query_spans<'a>(&'a self, cx: &'a CallContext) -> Reply<'a, QuerySpans> {
        function!(self, cx, availability, "spans", |g, s| Ok(g.call_spans(&mut *s).await?), |spans| Ok(
            incoming::spans(spans)
        ))
    }

    fn free_slots<'a>(&'a self, cx: &'a CallContext, query: SlotQuery) -> Reply<'a, Vec<ExternalSlot>> {
        let query = outgoing::slot_query(query);
        function!(
            self,
            cx,
            availability,
            "free-slots",
            |g, s| g.call_free_slots(&mut *s, &query).await?,
            incoming::slots
        )
    }

    fn busy<'a>(&'a self, cx: &'a CallContext, query: BusyQuery) -> Reply<'a, Vec<ExternalBusyTime>> {
        let query = outgoing::busy_query(query);
        function!(
            self,
            cx,
            availability,
            "busy",
            |g, s| g.call_busy(&mut *s, &query).await?,
            incoming::busy_times
        )
    }

    fn create_booking<'a>(
        &'a self,
        cx: &'a CallContext,
        request: CreateRequest,
    ) -> Reply<'a, ExternalBooking> {
        let request = outgoing::create(request);
        function!(
            self,
            cx,
            bookings,
            "create",
            |g, s| g.call_create(&mut *s, &request).await?,
            incoming::booking
        )
    }

    fn get_booking<'a>(&'a self, cx: &'a CallContext, id: ExternalId) -> Reply<'a, ExternalBooking> {
        function!(self, cx, bookings, "get", |g, s| g.call_get(&mut *s, &id).await?, incoming::booking)
    }

    fn find_by_reference<'a>(
        &'a self,
        cx: &'a CallContext,
        lookup: ReferenceLookup,
    ) -> Reply<'a, Vec<ExternalBooking>> {
        let lookup = outgoing::lookup(lookup);
        function!(
            self,
            cx,
            bookings,
            "find-by-reference",
            |g, s| g.call_find_by_reference(&mut *s, &lookup).await?,
            incoming::found_bookings
        )
    }

    fn cancel_booking<'a>(
        &'a self,
        cx: &'a CallContext,
        request: CancelRequest,
    ) -> Reply<'a, ExternalBooking> {
        let request = outgoing::cancel(request);
        function!(
            self,
            cx,
            bookings,
            "cancel",
            |g, s| g.call_cancel(&mut *s, &request).await?,
            incoming::booking
        )
    }

    fn reschedule_booking<'a>(
        &'a self,
        cx: &'a CallContext,
        request: RescheduleRequest,
    ) -> Reply<'a, ExternalBooking> {
        let request = outgoing::reschedule(request);
        function!(
            self,
            cx,
            bookings,
            "reschedule",
            |g, s| g.call_reschedule(&mut *s, &request).await?,
            incoming::booking
        )
    }

    fn update_booking<'a>(
        &'a self,
        cx: &'a CallContext,
        request: UpdateRequest,
    ) -> Reply<'a, ExternalBooking> {
        let request = outgoing::update(request);
        function!(
            self,
            cx,
            booking_edits as ("booking-edits"),
            "booking-edits.update",
            "update",
            |g, s| g.call_update(&mut *s, &request).await?,
            incoming::booking
        )
    }

    fn reassign_booking<'a>(
        &'a self,
        cx: &'a CallContext,
        request: ReassignRequest,
    ) -> Reply<'a, ExternalBooking> {
        let request = outgoing::reassign(request);
        function!(
            self,
            cx,
            booking_edits as ("booking-edits"),
            "booking-edits.reassign",
            "reassign",
            |g, s| g.call_reassign(&mut *s, &request).await?,
            incoming::booking
        )
    }

    fn list_changes<'a>(
        &'a self,
        cx: &'a CallContext,
        cursor: Option<String>,
        limit: u32,
    ) -> Reply<'a, ChangePage> {
        function!(
            self,
            cx,
            bookings,
            "list-changes",
            |g, s| g.call_list_changes(&mut *s, cursor.as_deref(), limit).await?,
            incoming::changes
        )
    }

    fn create_booking_link<'a>(
        &'a self,
        cx: &'a CallContext,
        request: LinkRequest,
    ) -> Reply<'a, BookingLink> {
        let request = outgoing::link(request);
        function!(
            self,
            cx,
            links,
            "create-booking-link",
            |g, s| g.call_create_booking_link(&mut *s, &request).await?,
            incoming::booking_link
        )
    }

    fn subscribe<'a>(&'a self, cx: &'a CallContext, request: SubscribeRequest) -> Reply<'a, Subscription> {
        let request = outgoing::subscribe(request);
        function!(
            self,
            cx,
            webhooks,
            "subscribe",
            |g, s| g.call_subscribe(&mut *s, &request).await?,
            incoming::subscription
        )
    }

    fn renew<'a>(
        &'a self,
        cx: &'a CallContext,
        subscription: Subscription,
        callback_url: String,
    ) -> Reply<'a, Subscription> {
        let subscription = outgoing::subscription(subscription);
        function!(
            self,
            cx,
            webhooks,
            "renew",
            |g, s| g.call_renew(&mut *s, &subscription, &callback_url).await?,
            incoming::subscription
        )
    }

    fn unsubscribe<'a>(&'a self, cx: &'a CallContext, subscription: Subscription) -> Reply<'a, ()> {
        let subscription = outgoing::subscription(subscription);
        function!(
            self,
            cx,
            webhooks,
            "unsubscribe",
            |g, s| g.call_unsubscribe(&mut *s, &subscription).await?,
            Ok
        )
    }

    fn handle_webhook<'a>(
        &'a self,
        cx: &'a CallContext,
        request: WebhookRequest,
    ) -> Reply<'a, WebhookOutcome> {
        let request = outgoing::webhook(request);
        function!(
            self,
            cx,
            webhooks,
            "handle",
            |g, s| g.call_handle(&mut *s, &request).await?,
            incoming::webhook_outcome
        )
    }

    fn list_clients<'a>(&'a self, cx: &'a CallContext, page: PageRequest) -> Reply<'a, Page<ExternalClient>> {
        let page = outgoing::page(page);
        function!(
            self,
            cx,
            clients,
            "list-clients",
            |g, s| g.call_list_clients(&mut *s, &page).await?,
            incoming::client_page
        )
    }

    fn erase_client<'a>(&'a self, cx: &'a CallContext, id: ExternalId) -> Reply<'a, ()> {
        function!(self, cx, clients, "erase-client", |g, s| g.call_erase_client(&mut *s, &id).await?, Ok)
    }

    fn create_block<'a>(&'a self, cx: &'a CallContext, request: BlockRequest) -> Reply<'a, ExternalBlock> {
        let request = outgoing::block(request);
        function!(
            self,
            cx,
            blocks,
            "create-block",
            |g, s| g.call_create_block(&mut *s, &request).await?,
            incoming::block
        )
    }

    fn find_blocks<'a>(&'a self, cx: &'a CallContext, lookup: BlockLookup) -> Reply<'a, Vec<ExternalBlock>> {
        let lookup = outgoing::block_lookup(lookup);
        function!(
            self,
            cx,
            blocks,
            "find-blocks",
            |g, s| g.call_find_blocks(&mut *s, &lookup).await?,
            incoming::found_blocks
        )
    }

    fn remove_block<'a>(&'a self, cx: &'a CallContext, id: ExternalId) -> Reply<'a, ()> {
        function!(self, cx, blocks, "remove-block", |g, s| g.call_remove_block(&mut *s, &id).await?, Ok)
    }

    fn capabilities(&self, plugin: &PluginId) -> Option<Capabilities> {
        self.core.registry.serving(plugin).map(|serving| serving.version.report.capabilities)
    }

    fn manifest(&self, plugin: &PluginId) -> Option<Arc<Manifest>> {
        self.core.registry.serving(plugin).map(|serving| Arc::clone(&serving.version.manifest))
    }
}
