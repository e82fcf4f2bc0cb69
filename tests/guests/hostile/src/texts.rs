//! Texts that are long, turn around what is read, run when they are clicked, or climb out of a folder.

use berth_sdk::types::{Account, EventType};

/// An override of direction, a terminal's escape, a bell and a line break: what a name should never have.
const HOSTILE: &str = "\u{202e}gnp.exe\u{1b}[31m\u{7}\nSet-Cookie: a=b\u{2066}";

fn long(bytes: u64) -> String {
    let rest = usize::try_from(bytes).unwrap_or(usize::MAX).saturating_sub(HOSTILE.len());
    format!("{HOSTILE}{}", "n".repeat(rest))
}

/// An account with a name of so many bytes.
pub(crate) fn account(bytes: u64) -> Account {
    Account {
        id: "hostile".to_owned(),
        name: long(bytes),
        email: Some("eve\u{202e}@example.com".to_owned()),
        time_zone: Some("../../etc/passwd".to_owned()),
        raw: r#"{"note":"a\u0000b"}"#.to_owned(),
    }
}

/// An event type whose texts are hostile.
pub(crate) fn event_type(of: EventType) -> EventType {
    EventType {
        title: long(5_000),
        description: Some(long(50_000)),
        booking_url: Some("javascript:alert(document.cookie)".to_owned()),
        ..of
    }
}
