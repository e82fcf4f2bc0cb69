//! Personal data in the tables of `customers`.

use super::{
    Erased::{Blank, RemoveRow, Stays},
    Exported::{In, Not},
    Found::{Contents, Customer},
    Kept::WithRow,
    Kind::{Contact, Fact, Reference, Words},
    Part::Contacts,
    Table,
    Why::Copy,
    none, personal,
};

pub(super) const TABLES: &[Table] = &[
    Table {
        name: "customers",
        holds: "People whom bookings are for.",
        columns: &[
            none("tenant_id"),
            none("id"),
            personal("name", Contact, &[Customer, Contents], Blank, In(Contacts), WithRow),
            personal("email", Contact, &[Customer, Contents], Blank, In(Contacts), WithRow),
            personal("phone", Contact, &[Customer, Contents], Blank, In(Contacts), WithRow),
            personal("identity", Reference, &[Customer], Blank, Not(Copy), WithRow),
            none("revision"),
            personal("created_at", Fact, &[Customer], Stays, In(Contacts), WithRow),
            personal("last_seen_at", Fact, &[Customer], Stays, In(Contacts), WithRow),
            personal("language", Fact, &[Customer], Blank, In(Contacts), WithRow),
            personal("notes", Words, &[Customer, Contents], Blank, In(Contacts), WithRow),
            personal("blocked_at", Fact, &[Customer], Stays, In(Contacts), WithRow),
            personal("blocked_reason", Words, &[Customer, Contents], Blank, In(Contacts), WithRow),
            personal("merged_into", Reference, &[Customer], Stays, Not(Copy), WithRow),
            personal("name_key", Contact, &[Customer, Contents], Blank, Not(Copy), WithRow),
            personal("search", Contact, &[Customer, Contents], Blank, Not(Copy), WithRow),
        ],
    },
    Table {
        name: "customer_keys",
        holds: "MACs of the addresses by which customers are found.",
        columns: &[
            none("tenant_id"),
            none("kind"),
            personal("mac", Reference, &[Customer], RemoveRow, Not(Copy), WithRow),
            none("customer_id"),
        ],
    },
    Table {
        name: "customer_tags",
        holds: "The tenant's words for its customers.",
        columns: &[
            none("tenant_id"),
            none("customer_id"),
            personal("tag", Words, &[Customer], RemoveRow, In(Contacts), WithRow),
        ],
    },
    Table {
        name: "customers_apart",
        holds: "Customers of whom somebody said that they are two people.",
        columns: &[none("tenant_id"), none("one_id"), none("other_id"), none("at")],
    },
];
