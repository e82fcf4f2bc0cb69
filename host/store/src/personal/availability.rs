//! Personal data in the tables of `availability`.

use super::{
    Erased::RemoveRow,
    Exported::{In, Not},
    Found::{Contents, Member},
    Kept::WithRow,
    Kind::{Reference, Words},
    Part::Staff,
    Table,
    Why::Opaque,
    none, personal,
};

pub(super) const TABLES: &[Table] = &[
    Table {
        name: "rules",
        holds: "Hours, days off, holidays, travel.",
        columns: &[
            none("tenant_id"),
            none("id"),
            none("kind"),
            none("member_id"),
            none("listing_id"),
            none("event_type_id"),
            none("reach_start"),
            none("reach_end"),
            personal("rule", Words, &[Member, Contents], RemoveRow, In(Staff), WithRow),
            none("revision"),
            none("created_at"),
            none("updated_at"),
            personal("origin", Reference, &[Contents], RemoveRow, Not(Opaque), WithRow),
        ],
    },
    Table {
        name: "place_changes",
        holds: "The last changes of members' places.",
        columns: &[none("tenant_id"), none("member_id"), none("version"), none("starts_at"), none("ends_at")],
    },
];
