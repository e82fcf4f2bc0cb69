//! Lines of iCalendar: escaping (section 3.3.11), parameters (3.2), folding (3.1).

use crate::{text::is_forbidden, time::Instant};

/// Most octets of a line, its end not counted.
const OCTETS_MAX: usize = 75;

/// Append a line, folded so that no character is cut.
pub(super) fn line(out: &mut String, text: &str) {
    let mut length = 0;
    for c in text.chars() {
        if length + c.len_utf8() > OCTETS_MAX {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(c);
        length += c.len_utf8();
    }
    out.push_str("\r\n");
}

/// Text as the value of a property.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' | '\r' => out.push_str("\\n"),
            c if is_forbidden(c) && c != '\t' => {}
            c => out.push(c),
        }
    }
    out
}

/// Text as the value of a parameter, quotes written as RFC 6868 has them.
pub(super) fn quoted(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !is_forbidden(*c)).collect();
    format!("\"{}\"", plain.replace('^', "^^").replace('"', "^'"))
}

/// An instant in UTC, cut to seconds.
pub(super) fn utc(at: Instant) -> String {
    at.to_chrono().format("%Y%m%dT%H%M%SZ").to_string()
}
