//! From a provider to a component: [`Export`] fulfils the generated traits with the SDK's, and `export!` writes the exports
//! down.

use std::marker::PhantomData;

use crate::{
    Result, bindings, provider,
    types::{
        Account, Block, BlockLookup, BlockRequest, Booking, BookingLink, BusyQuery, BusyTime, CancelRequest,
        ChangePage, ClientPage, CreateRequest, EventType, EventTypePage, LinkRequest, PageRequest,
        QuerySpans, ReassignRequest, ReferenceLookup, RescheduleRequest, Slot, SlotQuery, SubscribeRequest,
        Subscription, UpdateRequest, WebhookOutcome, WebhookRequest,
    },
};

/// A provider as the generated bindings want it: functions without a receiver, each opening the provider anew.
pub struct Export<P>(PhantomData<P>);

/// `interface: Trait { function(argument: Type) -> Answer }`, each passed on to an opened provider.
macro_rules! pass_on {
    ($($interface:ident: $name:ident {
        $($function:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*
    })*) => { $(
        impl<P: provider::$name> bindings::$interface::exports::berth::provider::$interface::Guest for Export<P> {
            $(fn $function($($argument: $kind),*) -> Result<$answer> {
                P::open()?.$function($($argument),*)
            })*
        }
    )* };
}

pass_on! {
    connection: Connection {
        validate() -> Account;
    }
    catalog: Catalog {
        list_event_types(page: PageRequest) -> EventTypePage;
        resolve_link(url: String) -> EventType;
    }
    bookings: Bookings {
        create(request: CreateRequest) -> Booking;
        get(id: String) -> Booking;
        find_by_reference(lookup: ReferenceLookup) -> Vec<Booking>;
        cancel(request: CancelRequest) -> Booking;
        reschedule(request: RescheduleRequest) -> Booking;
        list_changes(cursor: Option<String>, limit: u32) -> ChangePage;
    }
    links: Links {
        create_booking_link(request: LinkRequest) -> BookingLink;
    }
    webhooks: Webhooks {
        subscribe(request: SubscribeRequest) -> Subscription;
        renew(subscription: Subscription, callback_url: String) -> Subscription;
        unsubscribe(subscription: Subscription) -> ();
        handle(request: WebhookRequest) -> WebhookOutcome;
    }
    clients: Clients {
        list_clients(page: PageRequest) -> ClientPage;
        erase_client(id: String) -> ();
    }
    blocks: Blocks {
        create_block(request: BlockRequest) -> Block;
        find_blocks(lookup: BlockLookup) -> Vec<Block>;
        remove_block(id: String) -> ();
    }
    booking_edits: BookingEdits {
        update(request: UpdateRequest) -> Booking;
        reassign(request: ReassignRequest) -> Booking;
    }
}

// Apart from the rest because `spans` is pure and cannot fail: it must not open the provider.
impl<P: provider::Availability> bindings::availability::exports::berth::provider::availability::Guest
    for Export<P>
{
    fn spans() -> QuerySpans {
        P::spans()
    }
    fn free_slots(query: SlotQuery) -> Result<Vec<Slot>> {
        P::open()?.free_slots(query)
    }
    fn busy(query: BusyQuery) -> Result<Vec<BusyTime>> {
        P::open()?.busy(query)
    }
}

/// Make a component of a provider: `export!(Acme: catalog, bookings; manifest = "plugin.toml")`.
///
/// Exports `connection` and the interfaces that are named, no others, and embeds the manifest (a path from the crate's
/// folder). The crate must be a `cdylib`. In a native build it only checks that the traits are there.
#[macro_export]
macro_rules! export {
    ($provider:ty: $($interface:ident),* $(,)?; manifest = $manifest:literal) => {
        const _: () = {
            $crate::check::connection::<$provider>();
            $($crate::check::$interface::<$provider>();)*
        };
        const _: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $manifest));

        #[cfg(target_arch = "wasm32")]
        #[expect(unsafe_code, reason = "a custom section needs a link section, an export a fixed name")]
        const _: () = {
            const MANIFEST: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $manifest));
            #[used]
            #[unsafe(link_section = "berth:manifest")]
            static SECTION: [u8; MANIFEST.len()] = *include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $manifest));

            type Exported = $crate::Export<$provider>;
            $crate::bindings::connection::export!(Exported with_types_in $crate::bindings::connection);
            $($crate::bindings::$interface::export!(Exported with_types_in $crate::bindings::$interface);)*
        };
    };
}
