//! Incremental sync over `updatedAt`, in ascending order, so that no change is missed.
//!
//! The next page begins one millisecond before the last change seen, not behind so many items: a booking that changes
//! meanwhile moves to the end, and would shift all others under an offset. Only where a whole page lies on one
//! millisecond an offset is used, and it advances by half a page, so that half a page may go away meanwhile. What is seen
//! twice does no harm.

use berth_sdk::{
    time::{MILLISECOND, SECOND},
    types::Instant,
};
use serde::{Deserialize, Serialize};

/// A finished sync begins again this much earlier: a change is stamped before it is committed, so one with an earlier
/// stamp may become visible later.
const OVERLAP: i64 = 5 * SECOND;

/// Where a sync stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// Changes after this; none for all.
    pub(crate) after: Option<Instant>,
    /// Items to skip, all on one millisecond.
    pub(crate) skip: u32,
    /// Set during the first sync, which lists only bookings that are not over: when it began.
    pub(crate) first_since: Option<Instant>,
}

impl Cursor {
    /// Begin with what is not over yet.
    pub(crate) const fn begin(now: Instant) -> Self {
        Self { after: None, skip: 0, first_since: Some(now) }
    }

    /// The cursor after a page with so many items, the last of them changed at `last`.
    pub(crate) fn next(&self, items: u32, last: Option<Instant>, has_next: bool) -> Self {
        if !has_next {
            // Changes that happened during the first sync belong to the second.
            let seen = self.first_since.or(last);
            let after = seen.map(|seen| seen - OVERLAP).or(self.after);
            return Self { after, skip: 0, first_since: None };
        }
        match last.map(|last| last - MILLISECOND) {
            Some(after) if self.after.is_none_or(|before| before < after) => {
                Self { after: Some(after), skip: 0, ..self.clone() }
            }
            _ => Self { skip: self.skip + (items / 2).max(1), ..self.clone() },
        }
    }
}

#[cfg(test)]
mod tests {
    use berth_sdk::{cursor, types::ProviderError};

    use super::*;

    /// A provider's list: (change, id) in order, changed under our hands by `between`.
    fn run(
        mut list: Vec<(Instant, u32)>,
        take: u32,
        mut between: impl FnMut(&mut Vec<(Instant, u32)>),
    ) -> Vec<u32> {
        let mut cursor = Cursor { after: Some(0), skip: 0, first_since: None };
        let mut seen = Vec::new();
        for _ in 0..10_000 {
            list.sort_unstable();
            let after = cursor.after.unwrap();
            let matching: Vec<_> =
                list.iter().filter(|(at, _)| *at > after).skip(cursor.skip as usize).collect();
            let page: Vec<_> = matching.iter().take(take as usize).copied().copied().collect();
            let has_next = matching.len() > page.len();
            seen.extend(page.iter().map(|(_, id)| *id));
            cursor = cursor.next(page.len().try_into().unwrap(), page.last().map(|(at, _)| *at), has_next);
            if !has_next {
                seen.sort_unstable();
                seen.dedup();
                return seen;
            }
            between(&mut list);
        }
        panic!("the sync never ends");
    }

    #[test]
    fn equal_times_are_all_seen_with_any_page_size() {
        let list: Vec<_> = (0..50).map(|id| (Instant::from(id / 20 + 1) * SECOND, id)).collect();
        for take in [1, 2, 3, 7, 20, 21, 100] {
            assert_eq!(run(list.clone(), take, |_| {}), (0..50).collect::<Vec<_>>(), "{take}");
        }
    }

    #[test]
    fn changes_during_the_sync_hide_nothing() {
        // Half of the bookings lie on one millisecond; every page sees the first of the list move to the end.
        let list: Vec<_> =
            (0..40).map(|id| (if id < 20 { SECOND } else { Instant::from(id) * SECOND }, id)).collect();
        let mut now = 100 * SECOND;
        let mut moves = 30;
        let seen = run(list, 4, |list| {
            if moves > 0 {
                moves -= 1;
                now += SECOND;
                list[0].0 = now;
            }
        });
        assert_eq!(seen, (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn the_first_sync_hands_over_to_changes_since_it_began() {
        let begun = 1_000 * SECOND;
        let cursor = Cursor::begin(begun).next(100, Some(900 * SECOND), true);
        assert_eq!((cursor.first_since, cursor.after), (Some(begun), Some(900 * SECOND - MILLISECOND)));
        let done = cursor.next(3, Some(950 * SECOND), false);
        assert_eq!(done, Cursor { after: Some(begun - OVERLAP), skip: 0, first_since: None });
        assert_eq!(done.next(0, None, false), done, "nothing new: it stays where it is");
    }

    #[test]
    fn text_and_back() {
        let cursor = Cursor::begin(7);
        assert_eq!(cursor::parse::<Cursor>(&cursor::text(&cursor).unwrap()), Ok(cursor));
        assert_eq!(cursor::parse::<Cursor>("junk"), Err(ProviderError::CursorExpired));
    }
}
