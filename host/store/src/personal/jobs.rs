//! Personal data in the tables of `jobs`.

use super::{
    Erased::Blank, Exported::Not, Found::Contents, Kept::WithRow, Kind::Words, Table, Why::Opaque, none,
    personal,
};

pub(super) const TABLES: &[Table] = &[
    Table {
        name: "jobs",
        holds: "Work that is done later: ids, and never a name.",
        columns: &[
            none("id"),
            none("tenant_id"),
            none("kind"),
            none("queue"),
            none("payload"),
            none("priority"),
            none("due_at"),
            none("dedup_key"),
            none("attempt"),
            none("leased_until"),
            none("rerun_at"),
            none("dead"),
            personal("last_error", Words, &[Contents], Blank, Not(Opaque), WithRow),
            none("created_at"),
            none("crashes"),
            none("waits_for"),
        ],
    },
    Table {
        name: "replicas",
        holds: "Processes that work on this database.",
        columns: &[none("id"), none("seen_at")],
    },
];
