//! Personal data in the tables of `outbound`.

use berth_model::limits;

use super::{
    Erased::Blank, Exported::Not, Found::Contents, Kept::For, Kind::Words, Table, Why::Opaque, none, personal,
};

pub(super) const TABLES: &[Table] = &[Table {
    name: "provider_calls",
    holds: "Calls into components.",
    columns: &[
        none("id"),
        none("tenant_id"),
        none("connection_id"),
        none("started_at"),
        personal("data", Words, &[Contents], Blank, Not(Opaque), For(limits::CALLS_KEPT_SECONDS)),
    ],
}];
