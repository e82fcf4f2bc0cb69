//! Personal data in the tables of `plugins`.

use super::{Table, none};

pub(super) const TABLES: &[Table] = &[
    Table {
        name: "plugin_versions",
        holds: "Components that were installed.",
        columns: &[
            none("id"),
            none("plugin"),
            none("version"),
            none("digest"),
            none("manifest"),
            none("abilities"),
            none("bytes"),
            none("state"),
            none("reason"),
            none("installed_at"),
            none("activated_at"),
            none("component"),
            none("conformance"),
        ],
    },
    Table {
        name: "plugin_generation",
        holds: "Counts changes of what is installed.",
        columns: &[none("one"), none("generation")],
    },
    Table {
        name: "plugin_grants",
        holds: "Which hosts components may reach, and for whom.",
        columns: &[
            none("plugin"),
            none("level"),
            none("tenant_id"),
            none("listing_id"),
            none("hosts"),
            none("enabled"),
        ],
    },
    Table {
        name: "plugin_installations",
        holds: "Components on their way in.",
        columns: &[
            none("id"),
            none("state"),
            none("bytes"),
            none("digest"),
            none("problem"),
            none("created_at"),
            none("seen_at"),
        ],
    },
];
