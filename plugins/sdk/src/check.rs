//! Does a provider implement what it exports? One function per interface, called by `export!` on every target, so that a
//! forgotten trait is an ordinary compile error also in a native build.

use crate::provider;

macro_rules! check {
    ($($interface:ident: $name:ident),*) => {
        $(#[expect(missing_docs, reason = "see the module")]
        pub const fn $interface<P: provider::$name>() {})*
    };
}

check!(
    connection: Connection, catalog: Catalog, availability: Availability, bookings: Bookings, links: Links,
    webhooks: Webhooks, clients: Clients, blocks: Blocks, booking_edits: BookingEdits
);
