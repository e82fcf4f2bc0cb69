//! One trait per interface of the contract. What a function must do is written in `wit/`; every function that is not
//! written answers `unsupported`.

use crate::{
    Result,
    types::{
        Account, Block, BlockLookup, BlockRequest, Booking, BookingLink, BusyQuery, BusyTime, CancelRequest,
        ChangePage, ClientPage, CreateRequest, EventType, EventTypePage, LinkRequest, PageRequest,
        ProviderError, QuerySpans, ReassignRequest, ReferenceLookup, RescheduleRequest, Slot, SlotQuery,
        SubscribeRequest, Subscription, UpdateRequest, WebhookOutcome, WebhookRequest,
    },
};

const UNSUPPORTED: ProviderError = ProviderError::Unsupported(None);

/// `berth:provider/connection`: required.
pub trait Connection: Sized {
    /// Read the settings and make the provider. Runs once per call, since nothing in memory outlives a call; make no
    /// request here.
    fn open() -> Result<Self>;
    /// Try the credential with one cheap read.
    fn validate(&self) -> Result<Account>;
}

/// `berth:provider/catalog`.
#[expect(unused_variables, reason = "the names are for those who write them")]
pub trait Catalog: Connection {
    /// One page of event types.
    fn list_event_types(&self, page: PageRequest) -> Result<EventTypePage> {
        Err(UNSUPPORTED)
    }
    /// The event type behind a public link.
    fn resolve_link(&self, url: String) -> Result<EventType> {
        Err(UNSUPPORTED)
    }
}

/// `berth:provider/availability`.
#[expect(unused_variables, reason = "the names are for those who write them")]
pub trait Availability: Connection {
    /// Longest query of each function, in days; 0 for one that is not written.
    fn spans() -> QuerySpans;
    /// Starts that the provider would accept, ascending.
    fn free_slots(&self, query: SlotQuery) -> Result<Vec<Slot>> {
        Err(UNSUPPORTED)
    }
    /// Taken times, ascending.
    fn busy(&self, query: BusyQuery) -> Result<Vec<BusyTime>> {
        Err(UNSUPPORTED)
    }
}

/// `berth:provider/bookings`.
#[expect(unused_variables, reason = "the names are for those who write them")]
pub trait Bookings: Connection {
    /// Make a booking.
    fn create(&self, request: CreateRequest) -> Result<Booking> {
        Err(UNSUPPORTED)
    }
    /// The booking as it stands.
    fn get(&self, id: String) -> Result<Booking> {
        Err(UNSUPPORTED)
    }
    /// Every booking that carries the reference, newest first.
    fn find_by_reference(&self, lookup: ReferenceLookup) -> Result<Vec<Booking>> {
        Err(UNSUPPORTED)
    }
    /// Cancel; a cancelled one is returned as it is.
    fn cancel(&self, request: CancelRequest) -> Result<Booking> {
        Err(UNSUPPORTED)
    }
    /// Move in one step.
    fn reschedule(&self, request: RescheduleRequest) -> Result<Booking> {
        Err(UNSUPPORTED)
    }
    /// What changed since the cursor, oldest first.
    fn list_changes(&self, cursor: Option<String>, limit: u32) -> Result<ChangePage> {
        Err(UNSUPPORTED)
    }
}

/// `berth:provider/links`.
#[expect(unused_variables, reason = "the names are for those who write them")]
pub trait Links: Connection {
    /// Make a link that lets one customer book.
    fn create_booking_link(&self, request: LinkRequest) -> Result<BookingLink> {
        Err(UNSUPPORTED)
    }
}

/// `berth:provider/webhooks`.
#[expect(unused_variables, reason = "the names are for those who write them")]
pub trait Webhooks: Connection {
    /// Make the subscription, or return the one that has this callback.
    fn subscribe(&self, request: SubscribeRequest) -> Result<Subscription> {
        Err(UNSUPPORTED)
    }
    /// Prolong it.
    fn renew(&self, subscription: Subscription, callback_url: String) -> Result<Subscription> {
        Err(UNSUPPORTED)
    }
    /// End it; one that is gone is ended.
    fn unsubscribe(&self, subscription: Subscription) -> Result<()> {
        Err(UNSUPPORTED)
    }
    /// Read a message whose signature Berth has checked.
    fn handle(&self, request: WebhookRequest) -> Result<WebhookOutcome> {
        Err(UNSUPPORTED)
    }
}

/// `berth:provider/clients`.
#[expect(unused_variables, reason = "the names are for those who write them")]
pub trait Clients: Connection {
    /// One page of customers.
    fn list_clients(&self, page: PageRequest) -> Result<ClientPage> {
        Err(UNSUPPORTED)
    }
    /// Pass an erasure request on; one that is gone is erased.
    fn erase_client(&self, id: String) -> Result<()> {
        Err(UNSUPPORTED)
    }
}

/// `berth:provider/blocks`.
#[expect(unused_variables, reason = "the names are for those who write them")]
pub trait Blocks: Connection {
    /// Close a time.
    fn create_block(&self, request: BlockRequest) -> Result<Block> {
        Err(UNSUPPORTED)
    }
    /// Every block that carries the reference and overlaps the time.
    fn find_blocks(&self, lookup: BlockLookup) -> Result<Vec<Block>> {
        Err(UNSUPPORTED)
    }
    /// Open a time again; one that is gone is open.
    fn remove_block(&self, id: String) -> Result<()> {
        Err(UNSUPPORTED)
    }
}

/// `berth:provider/booking-edits`.
#[expect(unused_variables, reason = "the names are for those who write them")]
pub trait BookingEdits: Connection {
    /// Write the changed parts, all or none.
    fn update(&self, request: UpdateRequest) -> Result<Booking> {
        Err(UNSUPPORTED)
    }
    /// Give it to another host at the same time.
    fn reassign(&self, request: ReassignRequest) -> Result<Booking> {
        Err(UNSUPPORTED)
    }
}
