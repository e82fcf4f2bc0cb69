//! A provider in memory that stands for the port. It knows no idempotency keys, so that nothing but the engine keeps a booking
//! from being made twice.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use berth_model::{
    boxed::BoxFuture,
    outbound::provider::{
        Account, BlockLookup, BlockRequest, BookingLink, BusyQuery, CallContext, CallError, CancelRequest,
        ChangePage, CreateRequest, ExternalBlock, ExternalBooking, ExternalBusyTime, ExternalClient,
        ExternalEventType, ExternalSlot, ExternalStatus, LinkRequest, Page, PageRequest, ProviderConflict,
        ProviderError, Providers, QuerySpans, ReassignRequest, ReferenceLookup, Reply, RescheduleRequest,
        SlotQuery, SubscribeRequest, Subscription, UpdateRequest, WebhookOutcome, WebhookRequest,
    },
    plugins::{
        manifest::{Manifest, PluginId},
        plugin::Capabilities,
    },
    time::{Instant, Interval},
};
use serde_json::{Value, json};

pub(crate) const MANIFEST: &str = include_str!("acme.toml");

/// What happens in the middle of a call.
pub(crate) type Meanwhile = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// What goes wrong with the next call of a function.
pub(crate) enum Fault {
    /// Refused or lost before anything happened.
    Before(CallError),
    /// It happened; the answer was lost.
    After(CallError),
    /// The process dies before anything happened.
    DiesBefore,
    /// The process dies after it happened.
    DiesAfter,
    /// It happened; before the answer arrives, this happens.
    Meanwhile(Meanwhile),
    /// Refused; before the answer arrives, this happens.
    RefusedMeanwhile(CallError, Meanwhile),
}

pub(crate) const LOST: CallError = CallError::Provider(ProviderError::Unavailable { retry_after_ms: None });

#[derive(Default)]
pub(crate) struct State {
    pub(crate) bookings: Vec<ExternalBooking>,
    /// What was written on bookings, in order.
    pub(crate) updates: Vec<UpdateRequest>,
    /// Closed times by reference, in order.
    pub(crate) blocks: Vec<(String, ExternalBlock)>,
    faults: HashMap<&'static str, VecDeque<Fault>>,
    /// Names of the calls, in order.
    pub(crate) calls: Vec<&'static str>,
    /// Hosts granted to the last call.
    pub(crate) granted: BTreeSet<String>,
    pub(crate) capabilities: Capabilities,
    pub(crate) active: bool,
    pub(crate) spans: Option<QuerySpans>,
    pub(crate) free: Vec<Instant>,
    pub(crate) busy: Vec<Interval>,
    /// Why busy times cannot be read, for as long as they cannot.
    pub(crate) unreadable: Option<CallError>,
    /// Calendars that are not there.
    pub(crate) no_calendars: BTreeSet<String>,
    /// What can be booked.
    pub(crate) catalog: Vec<ExternalEventType>,
    /// Stretches that were asked for.
    pub(crate) asked: Vec<Interval>,
    /// Zones whose days busy times were asked for by.
    pub(crate) zones: BTreeSet<String>,
    /// What messages mean, by body.
    pub(crate) messages: BTreeMap<Vec<u8>, Result<WebhookOutcome, CallError>>,
    /// Bodies of messages, in the order in which they were read.
    pub(crate) handled: Vec<Vec<u8>>,
    pub(crate) subscribed: Vec<String>,
    pub(crate) unsubscribed: Vec<String>,
    /// Webhook secrets that subscriptions were made with, by their ids.
    pub(crate) told: BTreeMap<String, String>,
    /// API keys of the calls, in order.
    pub(crate) keys: Vec<String>,
    /// What changed, in order; none: it does not say. What is before `forgotten` is not told any more.
    pub(crate) changes: Option<Vec<ExternalBooking>>,
    pub(crate) forgotten: usize,
    pub(crate) page_size: Option<usize>,
    /// The subscription that is there, and when the next one ends.
    pub(crate) subscription: Option<String>,
    pub(crate) subscription_ends: Option<Instant>,
    /// Access tokens that were refused by nobody yet; a call with another is refused. None: nobody looks.
    pub(crate) accepted: Option<BTreeSet<String>>,
    /// The account that answers.
    pub(crate) account: Option<String>,
    /// It says that it moved a booking, and did not.
    pub(crate) stubborn: bool,
    made: u32,
}

/// The provider.
pub(crate) struct Fake {
    state: Mutex<State>,
    manifest: Arc<Manifest>,
}

impl Fake {
    pub(crate) fn new() -> Self {
        let state = State {
            active: true,
            capabilities: Capabilities { bookings: true, webhooks: true, ..Capabilities::default() },
            ..State::default()
        };
        Self { state: Mutex::new(state), manifest: Arc::new(Manifest::parse(MANIFEST).unwrap()) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The next call of this function goes wrong so.
    pub(crate) fn next(&self, function: &'static str, fault: Fault) {
        self.state().faults.entry(function).or_default().push_back(fault);
    }

    /// How often a function was called.
    pub(crate) fn count(&self, function: &str) -> usize {
        self.state().calls.iter().filter(|c| **c == function).count()
    }

    /// Counterparts that take their time.
    pub(crate) fn active(&self) -> Vec<ExternalBooking> {
        self.state().bookings.iter().filter(|t| t.status.is_active()).cloned().collect()
    }

    /// Change a counterpart behind the engine's back.
    pub(crate) fn edit(&self, id: &str, change: impl FnOnce(&mut ExternalBooking)) -> ExternalBooking {
        let mut state = self.state();
        let external = state.bookings.iter_mut().find(|t| t.id == id).unwrap();
        change(external);
        external.clone()
    }

    /// Move a counterpart as providers do: a new one with a new id replaces it.
    pub(crate) fn move_booking(&self, id: &str, when: Interval) -> ExternalBooking {
        self.state().replace(id, when).unwrap()
    }

    fn call<'a, T: Send + 'a>(
        &'a self,
        cx: &'a CallContext,
        function: &'static str,
        work: impl FnOnce(&mut State) -> Result<T, CallError> + Send + 'a,
    ) -> Reply<'a, T> {
        Box::pin(async move {
            // The only function of the contract that asks nobody.
            if function != "query_spans" {
                cx.asked.note();
            }
            let fault = {
                let mut state = self.state();
                state.calls.push(function);
                state.granted.clone_from(&cx.granted_hosts);
                state.keys.extend(cx.credentials.get("api-key").map(|key| key.expose().to_owned()));
                let refused =
                    ["oauth", "machine"].iter().filter_map(|name| cx.credentials.get(*name)).any(|token| {
                        state.accepted.as_ref().is_some_and(|accepted| !accepted.contains(token.expose()))
                    });
                if refused {
                    return Err(CallError::Provider(ProviderError::Unauthorised));
                }
                state.faults.get_mut(function).and_then(VecDeque::pop_front)
            };
            match fault {
                Some(Fault::Before(error)) => return Err(error),
                Some(Fault::RefusedMeanwhile(error, meanwhile)) => {
                    meanwhile().await;
                    return Err(error);
                }
                Some(Fault::DiesBefore) => panic!("scripted: the process dies"),
                _ => {}
            }
            let result = work(&mut self.state());
            match fault {
                Some(Fault::After(error)) => return Err(error),
                Some(Fault::DiesAfter) => panic!("scripted: the process dies"),
                Some(Fault::Meanwhile(meanwhile)) => meanwhile().await,
                _ => {}
            }
            result
        })
    }
}

impl State {
    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    fn new_id(&mut self) -> String {
        self.made += 1;
        format!("x{}", self.made)
    }

    fn find(&mut self, id: &str) -> Result<&mut ExternalBooking, CallError> {
        self.bookings.iter_mut().find(|t| t.id == id).ok_or(CallError::Provider(ProviderError::NotFound))
    }

    fn replace(&mut self, id: &str, when: Interval) -> Result<ExternalBooking, CallError> {
        let next = self.new_id();
        let old = self.find(id)?;
        let new =
            ExternalBooking { id: next.clone(), when, rescheduled_from: Some(old.id.clone()), ..old.clone() };
        old.status = ExternalStatus::Cancelled;
        old.rescheduled_to = Some(next);
        self.bookings.push(new.clone());
        Ok(new)
    }
}

fn not_offered<'a, T: 'a + Send>(what: &'static str) -> Reply<'a, T> {
    Box::pin(async move { Err(CallError::NotOffered(what)) })
}

impl Providers for Fake {
    fn validate<'a>(&'a self, cx: &'a CallContext) -> Reply<'a, Account> {
        self.call(cx, "validate", |s| {
            Ok(Account {
                id: s.account.clone().unwrap_or_else(|| "acc-1".into()),
                name: "Quay".into(),
                email: None,
                time_zone: None,
                raw: Value::Null,
            })
        })
    }
    fn list_event_types<'a>(
        &'a self,
        cx: &'a CallContext,
        _: PageRequest,
    ) -> Reply<'a, Page<ExternalEventType>> {
        self.call(cx, "list_event_types", |s| Ok(Page { items: s.catalog.clone(), next: None }))
    }
    fn resolve_link<'a>(&'a self, _: &'a CallContext, _: String) -> Reply<'a, ExternalEventType> {
        not_offered("catalog")
    }
    fn query_spans<'a>(&'a self, cx: &'a CallContext) -> Reply<'a, QuerySpans> {
        self.call(cx, "query_spans", |s| s.spans.ok_or(CallError::NotOffered("availability")))
    }
    fn free_slots<'a>(&'a self, cx: &'a CallContext, query: SlotQuery) -> Reply<'a, Vec<ExternalSlot>> {
        self.call(cx, "free_slots", move |s| {
            s.asked.push(query.within);
            let slots = s.free.iter().map(|start| Interval::of_minutes(*start, 30));
            let slots = slots.filter(|when| query.within.contains(*when));
            Ok(slots.map(|when| ExternalSlot { when, token: None, seats_left: None }).collect())
        })
    }
    fn busy<'a>(&'a self, cx: &'a CallContext, query: BusyQuery) -> Reply<'a, Vec<ExternalBusyTime>> {
        self.call(cx, "busy", move |s| {
            s.asked.push(query.within);
            s.zones.insert(query.time_zone);
            if let Some(error) = &s.unreadable {
                return Err(error.clone());
            }
            if query.calendars.iter().any(|id| s.no_calendars.contains(id)) {
                return Err(CallError::Provider(ProviderError::NotFound));
            }
            let busy = s.busy.iter().map(|when| ExternalBusyTime { when: *when, source: None });
            let closed = s
                .blocks
                .iter()
                .map(|(_, block)| ExternalBusyTime { when: block.when, source: Some(block.id.clone()) });
            Ok(busy.chain(closed).filter(|time| time.when.overlaps(query.within)).collect())
        })
    }
    fn create_booking<'a>(
        &'a self,
        cx: &'a CallContext,
        request: CreateRequest,
    ) -> Reply<'a, ExternalBooking> {
        self.call(cx, "create", move |s| {
            let external = ExternalBooking {
                id: s.new_id(),
                reference: Some(request.reference),
                status: ExternalStatus::Confirmed,
                when: request.when,
                event_type: Some(request.event_type),
                title: None,
                attendees: vec![request.attendee],
                location: None,
                cancellation_reason: None,
                rescheduled_from: None,
                rescheduled_to: None,
                updated_at: None,
                raw: Value::Null,
            };
            s.bookings.push(external.clone());
            Ok(external)
        })
    }
    fn get_booking<'a>(&'a self, cx: &'a CallContext, id: String) -> Reply<'a, ExternalBooking> {
        self.call(cx, "get", move |s| s.find(&id).cloned())
    }
    fn find_by_reference<'a>(
        &'a self,
        cx: &'a CallContext,
        lookup: ReferenceLookup,
    ) -> Reply<'a, Vec<ExternalBooking>> {
        self.call(cx, "find_by_reference", move |s| {
            let ours = |t: &&ExternalBooking| t.reference.as_deref() == Some(&lookup.reference);
            Ok(s.bookings.iter().rev().filter(ours).cloned().collect())
        })
    }
    fn cancel_booking<'a>(
        &'a self,
        cx: &'a CallContext,
        request: CancelRequest,
    ) -> Reply<'a, ExternalBooking> {
        self.call(cx, "cancel", move |s| {
            let external = s.find(&request.id)?;
            external.status = ExternalStatus::Cancelled;
            Ok(external.clone())
        })
    }
    fn reschedule_booking<'a>(
        &'a self,
        cx: &'a CallContext,
        request: RescheduleRequest,
    ) -> Reply<'a, ExternalBooking> {
        self.call(cx, "reschedule", move |s| {
            if s.stubborn { s.find(&request.id).cloned() } else { s.replace(&request.id, request.when) }
        })
    }
    fn update_booking<'a>(
        &'a self,
        cx: &'a CallContext,
        request: UpdateRequest,
    ) -> Reply<'a, ExternalBooking> {
        self.call(cx, "update", move |s| {
            let external = s.find(&request.id)?;
            external.attendees = vec![request.attendee.clone()];
            external.raw = json!({ "notes": request.notes });
            let external = external.clone();
            s.updates.push(request);
            Ok(external)
        })
    }
    fn reassign_booking<'a>(
        &'a self,
        cx: &'a CallContext,
        request: ReassignRequest,
    ) -> Reply<'a, ExternalBooking> {
        self.call(cx, "reassign", move |s| {
            let external = s.find(&request.id)?;
            external.raw = json!({ "host": request.host });
            Ok(external.clone())
        })
    }
    fn list_changes<'a>(
        &'a self,
        cx: &'a CallContext,
        cursor: Option<String>,
        limit: u32,
    ) -> Reply<'a, ChangePage> {
        self.call(cx, "list_changes", move |s| {
            let Some(log) = &s.changes else { return Err(CallError::NotOffered("bookings.list-changes")) };
            let from: usize = cursor.map_or(0, |c| c.parse().unwrap());
            if from < s.forgotten && from > 0 {
                return Err(CallError::Provider(ProviderError::CursorExpired));
            }
            // From the beginning: everything that is there; then what changed.
            let limit = usize::min(limit as usize, s.page_size.unwrap_or(100));
            let items: Vec<ExternalBooking> =
                log.iter().skip(from.max(s.forgotten)).take(limit).cloned().collect();
            let next = from.max(s.forgotten) + items.len();
            Ok(ChangePage { items, cursor: next.to_string(), more: next < log.len() })
        })
    }
    fn create_booking_link<'a>(&'a self, _: &'a CallContext, _: LinkRequest) -> Reply<'a, BookingLink> {
        not_offered("links")
    }
    fn subscribe<'a>(&'a self, cx: &'a CallContext, request: SubscribeRequest) -> Reply<'a, Subscription> {
        self.call(cx, "subscribe", move |s| {
            // One per address, as the contract wants it.
            let same = s.subscribed.last() == Some(&request.callback_url);
            let known = s.subscription.clone().filter(|_| same);
            let id = known.unwrap_or_else(|| format!("sub-of-{}", request.idempotency_key));
            s.subscribed.push(request.callback_url);
            s.subscription = Some(id.clone());
            s.told.entry(id.clone()).or_insert_with(|| cx.credentials["webhook-secret"].expose().to_owned());
            Ok(Subscription { id, expires_at: s.subscription_ends, data: None })
        })
    }
    fn renew<'a>(
        &'a self,
        cx: &'a CallContext,
        subscription: Subscription,
        _: String,
    ) -> Reply<'a, Subscription> {
        self.call(cx, "renew", move |s| {
            if s.subscription.as_ref() != Some(&subscription.id) {
                return Err(CallError::Provider(ProviderError::NotFound));
            }
            Ok(Subscription { expires_at: s.subscription_ends, ..subscription })
        })
    }
    fn unsubscribe<'a>(&'a self, cx: &'a CallContext, subscription: Subscription) -> Reply<'a, ()> {
        self.call(cx, "unsubscribe", move |s| {
            s.subscription = s.subscription.take().filter(|id| *id != subscription.id);
            s.unsubscribed.push(subscription.id);
            Ok(())
        })
    }
    fn handle_webhook<'a>(
        &'a self,
        cx: &'a CallContext,
        request: WebhookRequest,
    ) -> Reply<'a, WebhookOutcome> {
        self.state().handled.push(request.body.clone());
        self.call(cx, "handle", move |s| {
            let nothing = Ok(WebhookOutcome { events: Vec::new(), reply: None });
            s.messages.get(&request.body).cloned().unwrap_or(nothing)
        })
    }
    fn list_clients<'a>(&'a self, _: &'a CallContext, _: PageRequest) -> Reply<'a, Page<ExternalClient>> {
        not_offered("clients")
    }
    fn erase_client<'a>(&'a self, _: &'a CallContext, _: String) -> Reply<'a, ()> {
        not_offered("clients")
    }
    fn create_block<'a>(&'a self, cx: &'a CallContext, request: BlockRequest) -> Reply<'a, ExternalBlock> {
        self.call(cx, "create_block", move |s| {
            let taken = |t: &ExternalBooking| t.status.is_active() && t.when.overlaps(request.when);
            if s.bookings.iter().any(taken) {
                return Err(CallError::Provider(ProviderError::Conflict(ProviderConflict::SlotTaken)));
            }
            let id = s.new_id();
            let block =
                ExternalBlock { id, calendar: request.calendar, when: request.when, raw: Value::Null };
            s.blocks.push((request.reference, block.clone()));
            Ok(block)
        })
    }
    fn find_blocks<'a>(&'a self, cx: &'a CallContext, lookup: BlockLookup) -> Reply<'a, Vec<ExternalBlock>> {
        self.call(cx, "find_blocks", move |s| {
            let ours = s.blocks.iter().filter(|(reference, block)| {
                *reference == lookup.reference
                    && block.calendar == lookup.calendar
                    && block.when.overlaps(lookup.when)
            });
            Ok(ours.map(|(_, block)| block.clone()).collect())
        })
    }
    fn remove_block<'a>(&'a self, cx: &'a CallContext, id: String) -> Reply<'a, ()> {
        self.call(cx, "remove_block", move |s| {
            s.blocks.retain(|(_, block)| block.id != id);
            Ok(())
        })
    }
    fn capabilities(&self, plugin: &PluginId) -> Option<Capabilities> {
        let state = self.state();
        (state.active && *plugin == self.manifest.id).then_some(state.capabilities)
    }
    fn manifest(&self, plugin: &PluginId) -> Option<Arc<Manifest>> {
        (self.state().active && *plugin == self.manifest.id).then(|| self.manifest.clone())
    }
}
