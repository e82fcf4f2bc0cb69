//! The functions of the contract, called with plausible arguments: for cases in which no real provider answers.

use berth_model::{
    outbound::provider::{
        BlockLookup, BlockRequest, BusyQuery, CancelRequest, ExternalSlot, LinkRequest, PageRequest,
        Providers as _, ReferenceLookup, RescheduleRequest, SlotQuery, SubscribeRequest, Subscription,
    },
    plugins::plugin::Capabilities,
    time::Interval,
};

use crate::{
    simulated_provider::Fault,
    subject::{Observed, Subject, call},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Validate,
    ListEventTypes,
    ResolveLink,
    FreeSlots,
    Busy,
    Create,
    Get,
    FindByReference,
    Cancel,
    Reschedule,
    ListChanges,
    CreateBookingLink,
    Subscribe,
    Renew,
    Unsubscribe,
    ListClients,
    EraseClient,
    CreateBlock,
    FindBlocks,
    RemoveBlock,
}

use Function::{
    Busy, Cancel, Create, CreateBlock, CreateBookingLink, EraseClient, FindBlocks, FindByReference,
    FreeSlots, Get, ListChanges, ListClients, ListEventTypes, RemoveBlock, Renew, Reschedule, ResolveLink,
    Subscribe, Unsubscribe, Validate,
};

const ALL: [Function; 20] = [
    Validate,
    ListEventTypes,
    ResolveLink,
    FreeSlots,
    Busy,
    Create,
    Get,
    FindByReference,
    Cancel,
    Reschedule,
    ListChanges,
    CreateBookingLink,
    Subscribe,
    Renew,
    Unsubscribe,
    ListClients,
    EraseClient,
    CreateBlock,
    FindBlocks,
    RemoveBlock,
];

impl Function {
    /// Those that this component offers.
    pub(crate) fn offered(capabilities: Capabilities) -> impl Iterator<Item = Self> {
        ALL.into_iter().filter(move |function| match function {
            Validate => true,
            ListEventTypes | ResolveLink => capabilities.catalog,
            FreeSlots | Busy => capabilities.availability,
            Create | Get | FindByReference | Cancel | Reschedule | ListChanges => capabilities.bookings,
            CreateBookingLink => capabilities.links,
            Subscribe | Renew | Unsubscribe => capabilities.webhooks,
            ListClients | EraseClient => capabilities.clients,
            CreateBlock | FindBlocks | RemoveBlock => capabilities.blocks,
        })
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Validate => "connection.validate",
            ListEventTypes => "catalog.list-event-types",
            ResolveLink => "catalog.resolve-link",
            FreeSlots => "availability.free-slots",
            Busy => "availability.busy",
            Create => "bookings.create",
            Get => "bookings.get",
            FindByReference => "bookings.find-by-reference",
            Cancel => "bookings.cancel",
            Reschedule => "bookings.reschedule",
            ListChanges => "bookings.list-changes",
            CreateBookingLink => "links.create-booking-link",
            Subscribe => "webhooks.subscribe",
            Renew => "webhooks.renew",
            Unsubscribe => "webhooks.unsubscribe",
            ListClients => "clients.list-clients",
            EraseClient => "clients.erase-client",
            CreateBlock => "blocks.create-block",
            FindBlocks => "blocks.find-blocks",
            RemoveBlock => "blocks.remove-block",
        }
    }

    /// Does it change what is booked or closed, so that Berth must know whether it happened?
    pub(crate) const fn changes_bookings(self) -> bool {
        matches!(self, Create | Cancel | Reschedule | CreateBlock | RemoveBlock)
    }

    /// Call it; of the answer it matters only whether there was one.
    pub(crate) async fn call(self, s: &Subject, fault: Fault) -> Observed<()> {
        match self {
            Validate => nothing(call!(s, fault, |p, cx| p.validate(cx))),
            ListEventTypes => nothing(call!(s, fault, |p, cx| p.list_event_types(cx, page()))),
            ResolveLink => nothing(call!(s, fault, |p, cx| p.resolve_link(cx, link(s)))),
            FreeSlots => nothing(call!(s, fault, |p, cx| p.free_slots(cx, slot_query(s)))),
            Busy => nothing(call!(s, fault, |p, cx| p.busy(cx, busy_query(s)))),
            Create => {
                let slot = ExternalSlot { when: hour(s), token: None, seats_left: None };
                let request = s.booking(&event_type(s), &slot, "nobody");
                nothing(call!(s, fault, |p, cx| p.create_booking(cx, request)))
            }
            Get => nothing(call!(s, fault, |p, cx| p.get_booking(cx, "1".to_owned()))),
            FindByReference => nothing(call!(s, fault, |p, cx| p.find_by_reference(cx, lookup(s)))),
            Cancel => nothing(call!(s, fault, |p, cx| p.cancel_booking(cx, cancel(s)))),
            Reschedule => nothing(call!(s, fault, |p, cx| p.reschedule_booking(cx, reschedule(s)))),
            ListChanges => nothing(call!(s, fault, |p, cx| p.list_changes(cx, None, 20))),
            CreateBookingLink => nothing(call!(s, fault, |p, cx| p.create_booking_link(cx, link_request(s)))),
            Subscribe => nothing(call!(s, fault, |p, cx| p.subscribe(cx, subscribe(s)))),
            Renew => {
                let url = subscribe(s).callback_url;
                nothing(call!(s, fault, |p, cx| p.renew(cx, subscription(), url)))
            }
            Unsubscribe => call!(s, fault, |p, cx| p.unsubscribe(cx, subscription())),
            ListClients => nothing(call!(s, fault, |p, cx| p.list_clients(cx, page()))),
            EraseClient => call!(s, fault, |p, cx| p.erase_client(cx, "1".to_owned())),
            CreateBlock => nothing(call!(s, fault, |p, cx| p.create_block(cx, block(s)))),
            FindBlocks => nothing(call!(s, fault, |p, cx| p.find_blocks(cx, block_lookup(s)))),
            RemoveBlock => call!(s, fault, |p, cx| p.remove_block(cx, "1".to_owned())),
        }
    }
}

fn nothing<T>(observed: Observed<T>) -> Observed<()> {
    Observed { outcome: observed.outcome.map(drop), requests: observed.requests, egress: observed.egress }
}

pub(crate) const fn page() -> PageRequest {
    PageRequest { token: None, limit: 20 }
}

fn event_type(s: &Subject) -> String {
    s.setup.event_type.clone().unwrap_or_else(|| "1".to_owned())
}

fn link(s: &Subject) -> String {
    s.setup.link.clone().unwrap_or_else(|| "https://example.com/ada/consultation".to_owned())
}

/// An hour of the next day.
fn hour(s: &Subject) -> Interval {
    Interval::of_minutes(s.now().plus_seconds(86_400), 60)
}

fn slot_query(s: &Subject) -> SlotQuery {
    SlotQuery {
        event_type: event_type(s),
        within: hour(s),
        length_minutes: None,
        time_zone: "Europe/Lisbon".to_owned(),
        rescheduling: None,
    }
}

fn busy_query(s: &Subject) -> BusyQuery {
    BusyQuery { within: hour(s), calendars: Vec::new(), time_zone: "Europe/Lisbon".to_owned() }
}

fn lookup(s: &Subject) -> ReferenceLookup {
    ReferenceLookup {
        reference: s.name("nobody"),
        attendee_email: s.customer().email,
        created_after: s.now().plus_seconds(-86_400),
        when: hour(s),
    }
}

fn block(s: &Subject) -> BlockRequest {
    BlockRequest {
        idempotency_key: s.name("nobody"),
        reference: s.name("nobody"),
        calendar: calendar(s),
        when: hour(s),
        title: "Busy".to_owned(),
    }
}

fn block_lookup(s: &Subject) -> BlockLookup {
    BlockLookup { reference: s.name("nobody"), calendar: calendar(s), when: hour(s) }
}

fn calendar(s: &Subject) -> String {
    s.setup.calendar.clone().unwrap_or_else(|| "1".to_owned())
}

fn cancel(s: &Subject) -> CancelRequest {
    CancelRequest { idempotency_key: s.name("cancel"), id: "1".to_owned(), reason: None }
}

fn reschedule(s: &Subject) -> RescheduleRequest {
    RescheduleRequest {
        idempotency_key: s.name("move"),
        id: "1".to_owned(),
        reference: s.name("nobody"),
        when: hour(s),
        reason: None,
        requested_by: s.customer().email,
        slot_token: None,
    }
}

fn link_request(s: &Subject) -> LinkRequest {
    LinkRequest { idempotency_key: s.name("link"), event_type: event_type(s), max_bookings: 1 }
}

pub(crate) fn subscribe(s: &Subject) -> SubscribeRequest {
    SubscribeRequest {
        idempotency_key: s.name("subscribe"),
        callback_url: "https://booking.example.com/api/webhooks/check/1".to_owned(),
    }
}

fn subscription() -> Subscription {
    Subscription { id: "1".to_owned(), expires_at: None, data: None }
}
