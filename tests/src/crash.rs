//! A process that ends in the middle of its work, as by `kill -9`: where it looks at its clock, which it does around all that it writes,
//! or where it asks a provider, before that is asked or once it has answered. What was being done never goes on. Where it ends is a number
//! of such steps, so that a seed repeats it.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

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
    time::{Clock, Instant},
};
use futures_util::FutureExt;

/// How long a process lives.
#[derive(Clone)]
pub struct CrashAfter(Arc<AtomicI64>);

impl CrashAfter {
    /// So many steps, at least one.
    pub fn of(steps: i64) -> Self {
        Self(Arc::new(AtomicI64::new(steps)))
    }

    /// Is it over?
    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::SeqCst) <= 0
    }

    /// The last one ends whichever task takes it, and so does every later one, for tasks that are still there. It is no panic: nobody is
    /// told, and nobody could prevent it.
    fn step(&self) {
        if self.0.fetch_sub(1, Ordering::SeqCst) <= 1 {
            resume_unwind(Box::new("the process ended"));
        }
    }

    /// Do this for as long as the process lives; none if it ended before.
    pub async fn live<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match AssertUnwindSafe(work).catch_unwind().await {
            // A task of its own may have ended, and this one not noticed it yet.
            Ok(done) => (!self.is_over()).then_some(done),
            Err(_) if self.is_over() => None,
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// What such a process sees of the world.
pub struct CrashingPorts<T: ?Sized> {
    pub inner: Arc<T>,
    pub crash: CrashAfter,
}

impl<T: Clock + ?Sized> Clock for CrashingPorts<T> {
    fn now(&self) -> Instant {
        self.crash.step();
        self.inner.now()
    }
}

macro_rules! mortal {
    ($($name:ident($($arg:ident: $type:ty),*) -> $reply:ty;)*) => {
        $(fn $name<'a>(&'a self, cx: &'a CallContext, $($arg: $type),*) -> Reply<'a, $reply> {
            Box::pin(async move {
                self.crash.step();
                let reply = self.inner.$name(cx, $($arg),*).await;
                self.crash.step();
                reply
            })
        })*
    };
}

impl<T: Providers + ?Sized> Providers for CrashingPorts<T> {
    mortal! {
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
