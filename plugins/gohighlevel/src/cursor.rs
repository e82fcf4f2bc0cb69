//! Incremental sync without the provider's help: every page reads the window anew and compares `dateUpdated`.
//!
//! Within a round the pages go by (time of change, id), so that what changes meanwhile moves behind the place where the
//! round stands. The next round begins a little before the newest change that the first page of this one saw. What is
//! seen twice does no harm.

use berth_sdk::{
    time::MINUTE,
    types::{Booking, Instant},
};
use serde::{Deserialize, Serialize};

/// A round begins again this much earlier: a change may become visible later than its stamp says.
const OVERLAP: i64 = MINUTE;

/// Where a sync stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// Changes from here on; none during the first round, which gives what is not over.
    since: Option<Instant>,
    /// Newest change when the round began.
    newest: Option<Instant>,
    /// The last booking that was given in this round.
    after: Option<(Instant, String)>,
    /// When this round began, by our clock; none between two rounds.
    begun: Option<Instant>,
    /// When the last round began that is over.
    seen_until: Option<Instant>,
}

impl Cursor {
    /// What is over since then may have changed unseen; none where nothing was seen yet.
    pub(crate) const fn seen_until(&self) -> Option<Instant> {
        self.seen_until
    }

    /// The next page of these bookings, the cursor behind it, and whether more is left.
    pub(crate) fn page(self, bookings: Vec<Booking>, now: Instant, limit: u32) -> (Vec<Booking>, Self, bool) {
        let begun = self.begun.or(Some(now));
        let newest = self.newest.or_else(|| bookings.iter().filter_map(|booking| booking.updated_at).max());
        let mut due: Vec<Booking> = bookings
            .into_iter()
            .filter(|booking| match self.since {
                Some(since) => changed_at(booking) >= since,
                None => booking.when.end > now && booking.status.is_active(),
            })
            .filter(|booking| {
                self.after
                    .as_ref()
                    .is_none_or(|(at, id)| (changed_at(booking), booking.id.as_str()) > (*at, id.as_str()))
            })
            .collect();
        due.sort_by(|a, b| (changed_at(a), &a.id).cmp(&(changed_at(b), &b.id)));
        let more = due.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = if more {
            let after = due.last().map(|last| (changed_at(last), last.id.clone()));
            Self { newest, after, begun, ..self }
        } else {
            // Where nothing is there yet, everything that will be is a change.
            let since = newest.map(|newest| newest - OVERLAP).or(self.since).unwrap_or(0);
            Self {
                since: Some(self.since.map_or(since, |before| before.max(since))),
                newest: None,
                after: None,
                begun: None,
                seen_until: begun,
            }
        };
        (due, next, more)
    }
}

/// When a booking changed; one that does not say counts as always changed.
fn changed_at(booking: &Booking) -> Instant {
    booking.updated_at.unwrap_or(Instant::MAX)
}

#[cfg(test)]
mod tests {
    use berth_sdk::{
        cursor,
        time::{DAY, SECOND},
        types::{BookingStatus, Interval, ProviderError},
    };

    use super::*;

    const NOW: Instant = 1_000 * DAY;

    fn booking(id: u32, updated_at: Instant, status: BookingStatus) -> Booking {
        Booking {
            id: format!("ap_{id:03}"),
            reference: None,
            status,
            when: Interval { start: NOW + DAY, end: NOW + DAY + 30 * MINUTE },
            event_type: None,
            title: None,
            attendees: Vec::new(),
            location: None,
            cancellation_reason: None,
            rescheduled_from: None,
            rescheduled_to: None,
            updated_at: Some(updated_at),
            raw: String::new(),
        }
    }

    /// All ids of a round, and the cursor after it.
    fn round(
        mut cursor: Cursor,
        list: &mut [Booking],
        limit: u32,
        mut between: impl FnMut(&mut [Booking]),
    ) -> (Vec<String>, Cursor) {
        let mut seen = Vec::new();
        for _ in 0..1_000 {
            let text = cursor::text(&cursor).unwrap();
            let (items, next, more) = cursor::parse::<Cursor>(&text).unwrap().page(list.to_vec(), NOW, limit);
            seen.extend(items.into_iter().map(|b| b.id));
            cursor = next;
            if !more {
                return (seen, cursor);
            }
            between(list);
        }
        panic!("the round never ends");
    }

    #[test]
    fn every_booking_is_seen_once_with_any_page_size() {
        for limit in [1, 2, 7, 100] {
            // Many on one instant.
            let mut list: Vec<_> = (0..30)
                .map(|id| booking(id, NOW - i64::from(id / 10) * SECOND, BookingStatus::Confirmed))
                .collect();
            let (mut seen, _) = round(Cursor::default(), &mut list, limit, |_| {});
            seen.sort();
            let all: Vec<_> = list.iter().map(|b| b.id.clone()).collect();
            assert_eq!(seen, all, "{limit}");
        }
    }

    #[test]
    fn the_first_round_gives_what_is_not_over_and_the_next_what_changed() {
        let mut list = vec![
            booking(1, NOW - DAY, BookingStatus::Confirmed),
            booking(2, NOW - DAY, BookingStatus::Cancelled),
            booking(3, NOW - 2 * DAY, BookingStatus::Confirmed),
        ];
        list[2].when = Interval { start: NOW - DAY, end: NOW - DAY + MINUTE };
        let (seen, cursor) = round(Cursor::default(), &mut list, 10, |_| {});
        assert_eq!(seen, ["ap_001"]);
        list[0] = booking(1, NOW, BookingStatus::Cancelled);
        let (seen, cursor) = round(cursor, &mut list, 10, |_| {});
        assert_eq!(seen, ["ap_002", "ap_001"], "the newest of before comes again, and the change");
        let (seen, after) = round(cursor.clone(), &mut list, 10, |_| {});
        assert_eq!((seen.len(), after), (1, cursor), "nothing new: it stays where it is");
    }

    #[test]
    fn changes_during_a_round_hide_nothing() {
        let mut list: Vec<_> =
            (0..20).map(|id| booking(id, NOW + i64::from(id), BookingStatus::Confirmed)).collect();
        let mut time = NOW + SECOND;
        let (seen, cursor) = round(Cursor::default(), &mut list, 3, |list| {
            // The first of the list is cancelled while the round goes on.
            time += 10 * MINUTE;
            if let Some(first) = list.iter_mut().find(|b| b.status.is_active()) {
                *first =
                    Booking { status: BookingStatus::Cancelled, updated_at: Some(time), ..first.clone() };
            }
        });
        assert!(seen.contains(&"ap_019".to_owned()));
        let cancelled: Vec<_> = list.iter().filter(|b| !b.status.is_active()).map(|b| b.id.clone()).collect();
        let (news, _) = round(cursor, &mut list, 3, |_| {});
        assert!(!cancelled.is_empty() && cancelled.iter().all(|id| news.contains(id)), "{news:?}");
    }

    #[test]
    fn an_empty_account_misses_nothing_later() {
        let (_, cursor) = round(Cursor::default(), &mut [], 10, |_| {});
        let mut list = [booking(1, NOW, BookingStatus::Confirmed)];
        assert_eq!(round(cursor, &mut list, 10, |_| {}).0, ["ap_001"]);
    }

    #[test]
    fn junk_is_an_old_cursor() {
        assert_eq!(cursor::parse::<Cursor>("junk"), Err(ProviderError::CursorExpired));
    }
}
