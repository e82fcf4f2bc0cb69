//! Personal data in the tables of `inbound`.

use berth_model::limits;

use super::{
    Erased::{Blank, Stays},
    Exported::Not,
    Found::Contents,
    Kept::For,
    Kind::{Payload, Reference, Words},
    Table,
    Why::Copy,
    none, personal,
};

pub(super) const TABLES: &[Table] = &[
    Table {
        name: "inbound_webhooks",
        holds: "Messages from providers, as they came.",
        columns: &[
            none("tenant_id"),
            none("id"),
            none("connection_id"),
            personal(
                "dedup_key",
                Reference,
                &[Contents],
                Stays,
                Not(Copy),
                For(limits::WEBHOOKS_KEPT_SECONDS),
            ),
            none("method"),
            personal("headers", Payload, &[Contents], Blank, Not(Copy), For(limits::WEBHOOKS_KEPT_SECONDS)),
            personal("query", Payload, &[Contents], Blank, Not(Copy), For(limits::WEBHOOKS_KEPT_SECONDS)),
            personal("body", Payload, &[Contents], Blank, Not(Copy), For(limits::WEBHOOKS_KEPT_SECONDS)),
            none("received_at"),
            none("status"),
            personal("detail", Words, &[Contents], Blank, Not(Copy), For(limits::WEBHOOKS_KEPT_SECONDS)),
        ],
    },
    Table {
        name: "webhook_refusals",
        holds: "Messages that were refused, counted.",
        columns: &[
            none("tenant_id"),
            none("connection_id"),
            none("reason"),
            none("refused"),
            none("last_at"),
        ],
    },
];
