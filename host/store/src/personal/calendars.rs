//! Personal data in the tables of `calendars`.

use super::{
    Erased::{Blank, RemoveRow, Stays},
    Exported::{In, Not},
    Found::{Booking, Contents, Member},
    Kept::WithRow,
    Kind::{Contact, Reference, Words},
    Part::Staff,
    Table,
    Why::{Copy, Opaque},
    none, personal,
};

pub(super) const TABLES: &[Table] = &[
    Table {
        name: "calendars",
        holds: "Members' own calendars.",
        columns: &[
            none("tenant_id"),
            none("id"),
            none("member_id"),
            none("connection_id"),
            personal("calendar", Contact, &[Member, Contents], RemoveRow, In(Staff), WithRow),
            none("reads"),
            none("writes"),
            none("created_at"),
            none("updated_at"),
            none("blocks"),
        ],
    },
    Table {
        name: "calendar_entries",
        holds: "What shows a booking in a member's calendar.",
        columns: &[
            none("tenant_id"),
            none("booking_id"),
            none("calendar_id"),
            none("connection_id"),
            personal("external_id", Reference, &[Booking], Stays, Not(Copy), WithRow),
            none("written"),
            none("updated_at"),
            none("starts_at"),
            none("ends_at"),
        ],
    },
    Table {
        name: "calendar_looks",
        holds: "When members' calendars were looked at last.",
        columns: &[
            none("tenant_id"),
            none("calendar_id"),
            none("looked_at"),
            personal("trouble", Words, &[Contents], Blank, Not(Opaque), WithRow),
        ],
    },
    Table {
        name: "calendar_blocks",
        holds: "Times that are closed at providers, because something takes them.",
        columns: &[
            none("tenant_id"),
            none("id"),
            none("calendar_id"),
            none("connection_id"),
            none("starts_at"),
            none("ends_at"),
            none("state"),
            none("external_id"),
            none("updated_at"),
        ],
    },
    Table {
        name: "opened_blocks",
        holds: "Times that were opened again at providers a moment ago.",
        columns: &[none("tenant_id"), none("connection_id"), none("external_id"), none("opened_at")],
    },
    Table {
        name: "feeds",
        holds: "Private calendar feeds of listings and members.",
        columns: &[
            none("tenant_id"),
            none("subject_kind"),
            none("subject_id"),
            none("token_hash"),
            none("created_at"),
        ],
    },
];
