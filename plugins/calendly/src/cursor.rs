//! Where a sync stands. Calendly lists events by their start and not by their last change, so each sync passes over all events that
//! may have changed, in the order of their starts, and picks those that did. An event never gets another start (a move makes a new
//! event), so a pass goes on behind the last start that it has seen, whatever is booked or cancelled meanwhile.

use berth_sdk::{
    Result, cursor,
    time::{DAY, MINUTE},
    types::{Instant, ProviderError},
};
use serde::{Deserialize, Serialize};

/// A sync looks at changes from so long before the last one began: the clocks may differ, and a change is stamped before it is seen.
const OVERLAP: i64 = 5 * MINUTE;
/// Events are looked at for so long after their start: the longest meeting, and a day to note who did not come.
const PAST: i64 = 2 * DAY;

/// Where a sync stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cursor {
    /// Changes from this on; none for everything that is not over.
    pub(crate) since: Option<Instant>,
    /// The pass under way.
    pass: Option<Pass>,
}

/// One pass over the events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pass {
    begun: Instant,
    /// Everything that starts before this is done.
    start: Instant,
    /// Events at `start` that are done.
    done: Vec<String>,
}

impl Cursor {
    /// From the text that was made of it; none for the beginning. A pass begins if none is under way.
    pub(crate) fn parse(text: Option<&str>, now: Instant) -> Result<Self> {
        let mut cursor = match text {
            Some(text) => cursor::parse(text)?,
            None => Self { since: None, pass: None },
        };
        if text.is_some() && cursor.since.is_none() && cursor.pass.is_none() {
            return Err(ProviderError::CursorExpired);
        }
        if cursor.pass.is_none() {
            let start = cursor.since.map_or(now, |since| since.min(now)).saturating_sub(PAST);
            cursor.pass = Some(Pass { begun: now, start, done: Vec::new() });
        }
        Ok(cursor)
    }

    /// Where this pass goes on.
    pub(crate) fn start(&self) -> Instant {
        self.pass.as_ref().map_or(Instant::MIN, |pass| pass.start)
    }

    /// Was this event passed already?
    pub(crate) fn has_passed(&self, start: Instant, id: &str) -> bool {
        self.pass.as_ref().is_some_and(|pass| {
            start < pass.start || (start == pass.start && pass.done.iter().any(|done| done == id))
        })
    }

    /// This event is done, and so is everything before it.
    pub(crate) fn pass(&mut self, start: Instant, id: &str) {
        let Some(pass) = &mut self.pass else { return };
        if start > pass.start {
            pass.start = start;
            pass.done.clear();
        }
        pass.done.push(id.to_owned());
    }

    /// The pass is over: the next one looks at what changed since this one began.
    pub(crate) fn finish(&mut self) {
        if let Some(pass) = self.pass.take() {
            self.since = Some(pass.begun.saturating_sub(OVERLAP));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_goes_on_behind_what_it_has_seen() {
        let now = 10 * DAY;
        let mut cursor = Cursor::parse(None, now).unwrap();
        assert_eq!((cursor.since, cursor.start()), (None, now - PAST));
        cursor.pass(now, "a");
        cursor.pass(now, "b");
        let cursor = Cursor::parse(Some(&cursor::text(&cursor).unwrap()), now + MINUTE).unwrap();
        assert!(
            cursor.has_passed(now, "a") && cursor.has_passed(now, "b") && cursor.has_passed(now - 1, "x")
        );
        assert!(!cursor.has_passed(now, "c") && !cursor.has_passed(now + 1, "a"));
    }

    #[test]
    fn changes_during_a_pass_belong_to_the_next() {
        let now = 10 * DAY;
        let mut first = Cursor::parse(None, now).unwrap();
        first.pass(now + DAY, "a");
        first.finish();
        let later = now + 20 * DAY;
        let next = Cursor::parse(Some(&cursor::text(&first).unwrap()), later).unwrap();
        assert_eq!(next.since, Some(now - OVERLAP), "from when the first began");
        assert_eq!(
            next.start(),
            now - OVERLAP - PAST,
            "events that began since then may have changed before"
        );
        assert!(!next.has_passed(now + DAY, "a"));
    }

    #[test]
    fn junk_is_an_expired_cursor() {
        for text in ["junk", "{\"since\":\"x\"}", "{\"page\":7}", "{}", "[]"] {
            assert_eq!(Cursor::parse(Some(text), 0), Err(ProviderError::CursorExpired), "{text}");
        }
    }
}
