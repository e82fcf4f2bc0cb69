//! The one place where everything that a guest says comes together: log lines, standard output and standard error. Bounded per
//! call; the end of it is kept for the error of a call that failed.

use std::{collections::VecDeque, fmt::Write as _};

use berth_model::{limits, text};

use crate::contract::bindings::berth::provider::log::Level;

/// Longest line, in bytes; what is longer is cut.
const LOG_LINE_BYTES_MAX: usize = 4 * 1024;

/// The target of everything that is logged while a component is tried out: it is meant to fail now and then, so nobody need look.
pub(crate) const TRIAL: &str = "berth_conformance";

/// What one call said.
#[derive(Debug)]
pub(crate) struct GuestLog {
    is_trial: bool,
    lines_left: u32,
    bytes_left: usize,
    dropped: u64,
    /// Was something said that somebody should know, although the call went well?
    warned: bool,
    tail: VecDeque<u8>,
}

impl Default for GuestLog {
    fn default() -> Self {
        Self {
            is_trial: false,
            lines_left: limits::CALL_LOG_LINES_MAX,
            bytes_left: limits::CALL_LOG_BYTES_MAX,
            dropped: 0,
            warned: false,
            tail: VecDeque::new(),
        }
    }
}

impl GuestLog {
    /// One of a component that is tried out.
    pub(crate) fn of_trial() -> Self {
        Self { is_trial: true, ..Self::default() }
    }

    /// Take a line: emit it as an event of the current span, and keep it in the tail. A line over the call's limits is
    /// only counted. An empty line costs a byte.
    pub(crate) fn line(&mut self, level: Level, message: &str) {
        let cost = message.len().clamp(1, LOG_LINE_BYTES_MAX);
        if self.lines_left == 0 || self.bytes_left < cost {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.lines_left -= 1;
        self.bytes_left -= cost;
        self.warned |= matches!(level, Level::Warn | Level::Error);
        let text = clean(message, LOG_LINE_BYTES_MAX);
        match level {
            _ if self.is_trial => tracing::debug!(target: TRIAL, ?level, "{text}"),
            Level::Trace => tracing::trace!(target: "berth::plugin", "{text}"),
            Level::Debug => tracing::debug!(target: "berth::plugin", "{text}"),
            Level::Info => tracing::info!(target: "berth::plugin", "{text}"),
            Level::Warn => tracing::warn!(target: "berth::plugin", "{text}"),
            Level::Error => tracing::error!(target: "berth::plugin", "{text}"),
        }
        self.tail.extend(text.bytes().chain([b'\n']));
        let over = self.tail.len().saturating_sub(limits::CALL_LOG_TAIL_BYTES_MAX);
        self.tail.drain(..over);
    }

    /// Did it say a warning or an error?
    pub(crate) const fn warned(&self) -> bool {
        self.warned
    }

    /// The last lines, and how many were dropped.
    pub(crate) fn tail(&self) -> String {
        let bytes: Vec<u8> = self.tail.iter().copied().collect();
        let mut text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        if self.dropped > 0 {
            // Writing into a string cannot fail.
            let _ = write!(text, "\n({} more lines were dropped)", self.dropped);
        }
        text
    }
}

/// The text, at most so many bytes of it, with control characters replaced: a log must not be able to move a terminal's
/// cursor or to begin a line that it has not written.
pub(crate) fn clean(text: &str, bytes_max: usize) -> String {
    let cut = text.floor_char_boundary(bytes_max);
    text.get(..cut)
        .unwrap_or_default()
        .chars()
        .map(|c| if text::is_forbidden(c) && c != '\t' { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_replaced() {
        assert_eq!(clean("a\u{1b}[2Jb\r\nc\td", 64), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c\td");
        assert_eq!(clean("zażółć", 3), "za");
    }

    #[test]
    fn lines_and_bytes_are_capped() {
        let mut book = GuestLog::default();
        for n in 0..=limits::CALL_LOG_LINES_MAX {
            book.line(Level::Info, &format!("line {n}"));
        }
        assert_eq!(book.dropped, 1);
        let mut book = GuestLog::default();
        let long = "x".repeat(LOG_LINE_BYTES_MAX * 2);
        for _ in 0..20 {
            book.line(Level::Info, &long);
        }
        assert_eq!(book.dropped, 4);
        assert!(book.tail().ends_with("(4 more lines were dropped)"));
    }

    #[test]
    fn tail_is_the_end() {
        let mut book = GuestLog::default();
        for n in 0..100 {
            book.line(Level::Debug, &format!("{n:0>99}"));
        }
        let tail = book.tail();
        assert!(tail.len() <= limits::CALL_LOG_TAIL_BYTES_MAX);
        assert!(tail.ends_with("099"));
    }
}
