//! Incremental sync over `updated_at`, in ascending order, so that no change is missed: a booking that changes meanwhile moves
//! to the end of the list and is seen again.
//!
//! Within one run the service's own cursor leads from page to page. A run that is over leaves the last change seen, on the
//! service's clock; the next run begins a little before it.

use berth_sdk::{
    time::{DAY, MINUTE, SECOND},
    types::Instant,
};
use serde::{Deserialize, Serialize};

/// A run begins this much before the last change seen: a change is stamped before it is committed, so one with an earlier stamp
/// may become visible later.
const OVERLAP: i64 = 5 * SECOND;
/// Where nothing was seen, our own clock says where to begin; it may differ from the service's by this much.
const CLOCK_SKEW: i64 = 5 * MINUTE;

/// Where a sync stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// Changes since then; none in the first run, which lists what is not over.
    pub(crate) since: Option<Instant>,
    /// The service's place within this run.
    pub(crate) page: Option<String>,
    /// Last change seen in this run.
    last: Option<Instant>,
    /// When the first run began.
    begun: Instant,
}

impl Cursor {
    /// Begin with what is not over yet.
    pub(crate) const fn begin(now: Instant) -> Self {
        Self { since: None, page: None, last: None, begun: now }
    }

    /// In the first run: bookings from this time on. A day early, for what has begun and is not over.
    pub(crate) fn not_over_at(&self) -> Option<Instant> {
        self.since.is_none().then(|| self.begun.saturating_sub(DAY))
    }

    /// The cursor after a page, whose last change was at `last`; `next` leads to the next one, if there is one.
    pub(crate) fn next(self, next: Option<String>, last: Option<Instant>) -> Self {
        let last = self.last.max(last);
        if next.is_some() {
            return Self { page: next, last, ..self };
        }
        let seen = last.map(|last| last.saturating_sub(OVERLAP));
        let since = seen.max(self.since).unwrap_or_else(|| self.begun.saturating_sub(CLOCK_SKEW));
        Self { since: Some(since), page: None, last: None, begun: self.begun }
    }
}

#[cfg(test)]
mod tests {
    use berth_sdk::{cursor, types::ProviderError};

    use super::*;

    const NOW: Instant = 1_000 * DAY;

    #[test]
    fn a_run_ends_a_little_before_the_last_change_it_saw() {
        let first = Cursor::begin(NOW);
        assert_eq!((first.since, first.not_over_at()), (None, Some(NOW - DAY)));
        let second = first.next(Some("p2".to_owned()), Some(NOW - 7 * SECOND));
        assert_eq!((second.page.as_deref(), second.not_over_at()), (Some("p2"), Some(NOW - DAY)));
        let done = second.next(None, Some(NOW - 6 * SECOND));
        assert_eq!((done.since, done.page.clone()), (Some(NOW - 6 * SECOND - OVERLAP), None));
        assert_eq!(done.not_over_at(), None, "from now on all changes, of bookings that are over too");
        assert_eq!(done.clone().next(None, None).since, done.since, "nothing new: it stays where it is");
    }

    #[test]
    fn it_never_goes_back() {
        let done = Cursor { since: Some(NOW), page: None, last: None, begun: 0 };
        assert_eq!(done.clone().next(None, Some(NOW + SECOND)).since, Some(NOW));
        assert_eq!(done.next(None, Some(NOW + MINUTE)).since, Some(NOW + MINUTE - OVERLAP));
    }

    #[test]
    fn an_empty_first_run_begins_at_our_own_clock() {
        assert_eq!(Cursor::begin(NOW).next(None, None).since, Some(NOW - CLOCK_SKEW));
    }

    #[test]
    fn text_and_back() {
        let cursor = Cursor::begin(7).next(Some("p2".to_owned()), None);
        assert_eq!(cursor::parse::<Cursor>(&cursor::text(&cursor).unwrap()), Ok(cursor));
        assert_eq!(cursor::parse::<Cursor>("junk"), Err(ProviderError::CursorExpired));
    }
}
