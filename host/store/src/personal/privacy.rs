//! Personal data in the tables of `privacy`.

use super::{
    Erased::{Blank, Stays},
    Exported::{In, Not},
    Found::{Contents, Customer},
    Kept::WithRow,
    Kind::{Fact, Reference, Words},
    Part::Consents,
    Table,
    Why::Copy,
    none, personal, setup,
};

pub(super) const TABLES: &[Table] = &[
    Table {
        name: "consent_texts",
        holds: "Texts that people consent to.",
        columns: &[
            none("tenant_id"),
            none("id"),
            none("purpose"),
            none("language"),
            none("version"),
            setup("text"),
            none("sha256"),
            none("published_at"),
        ],
    },
    Table {
        name: "consents",
        holds: "What customers agreed to or took back: the proof of it stays, without the person.",
        columns: &[
            none("tenant_id"),
            none("id"),
            none("customer_id"),
            personal("purpose", Fact, &[Customer], Stays, In(Consents), WithRow),
            none("ordinal"),
            personal("given", Fact, &[Customer], Stays, In(Consents), WithRow),
            personal("text_id", Fact, &[Customer], Stays, In(Consents), WithRow),
            personal("source", Words, &[Customer, Contents], Blank, In(Consents), WithRow),
            personal("ip_mac", Reference, &[Customer], Blank, Not(Copy), WithRow),
            personal("ip_truncated", Reference, &[Customer], Blank, In(Consents), WithRow),
            personal("user_agent", Words, &[Customer], Blank, In(Consents), WithRow),
            personal("expires_at", Fact, &[Customer], Stays, In(Consents), WithRow),
            personal("at", Fact, &[Customer], Stays, In(Consents), WithRow),
        ],
    },
];
