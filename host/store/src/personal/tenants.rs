//! Personal data in the tables of `tenants`.

use super::{
    Erased::{Cut, Stays},
    Exported::Not,
    Found::{Contents, Subject},
    Kept::Ever,
    Kind::{Reference, Words},
    Table,
    Why::{Copy, Opaque},
    none, personal, setup,
};

pub(super) const TABLES: &[Table] = &[
    Table {
        name: "tenants",
        holds: "Businesses.",
        columns: &[
            none("id"),
            setup("slug"),
            setup("name"),
            none("default_connection"),
            none("created_at"),
            none("setup_version"),
            none("state"),
            none("sealed_mac_key"),
            setup("settings"),
            none("revision"),
        ],
    },
    Table {
        name: "api_keys",
        holds: "Keys to the API.",
        columns: &[
            none("id"),
            none("tenant_id"),
            setup("name"),
            none("prefix"),
            none("hash"),
            none("scopes"),
            none("created_at"),
            none("expires_at"),
            none("revoked_at"),
            none("last_used_at"),
            none("requests_per_minute"),
            setup("sources"),
            none("version"),
        ],
    },
    Table {
        name: "audit_log",
        holds: "Who did what.",
        columns: &[
            none("id"),
            none("tenant_id"),
            none("at"),
            personal("actor", Reference, &[Contents], Stays, Not(Opaque), Ever),
            none("request_id"),
            none("action"),
            none("subject_kind"),
            none("subject_id"),
            personal("data", Words, &[Subject, Contents], Cut, Not(Copy), Ever),
        ],
    },
];
