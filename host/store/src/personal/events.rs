//! Personal data in the tables of `events`.

use berth_model::limits::EVENTS_KEPT_SECONDS;

use super::{
    Erased::Stays,
    Exported::Not,
    Found::{Contents, Subject},
    Kept::For,
    Kind::{Fact, Reference},
    Table,
    Why::{Copy, Opaque},
    none, personal,
};

pub(super) const TABLES: &[Table] = &[
    Table {
        name: "events",
        holds: "What happened, as readers are told it: ids, times and states, and never a name.",
        columns: &[
            none("tenant_id"),
            none("id"),
            none("position"),
            none("kind"),
            none("subject_kind"),
            none("subject_id"),
            none("sequence"),
            none("occurred_at"),
            personal("actor", Reference, &[Contents], Stays, Not(Opaque), For(EVENTS_KEPT_SECONDS)),
            personal("data", Fact, &[Subject], Stays, Not(Copy), For(EVENTS_KEPT_SECONDS)),
        ],
    },
    Table {
        name: "event_heads",
        holds: "Where a tenant's events begin and end.",
        columns: &[none("tenant_id"), none("epoch"), none("position"), none("first_position")],
    },
];
