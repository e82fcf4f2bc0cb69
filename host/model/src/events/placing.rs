//! In which order events get their positions.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::id::EventId;

/// An event without a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unplaced {
    /// Its id, which begins with the time at which its writer says that it happened.
    pub id: EventId,
    /// What it is about.
    pub subject: Uuid,
    /// Its number among the events of the subject.
    pub sequence: i64,
}

/// The order in which they are placed: by time, but for each subject by sequence, whatever the clocks of those who wrote them said. One
/// that is written before another of its subject, but says that it happened later, takes the other with it. Any first part of the answer
/// may be placed without the rest, as long as `waiting` has, with each event, all those of its subject that go before it.
#[must_use]
pub fn in_order(mut waiting: Vec<Unplaced>) -> Vec<EventId> {
    waiting.sort_by_key(|event| (event.sequence, event.id));
    let mut latest = BTreeMap::<Uuid, EventId>::new();
    let mut orders: Vec<(EventId, i64, EventId)> = waiting
        .iter()
        .map(|event| {
            let order = latest.entry(event.subject).or_insert(event.id);
            *order = event.id.max(*order);
            (*order, event.sequence, event.id)
        })
        .collect();
    orders.sort_unstable();
    orders.into_iter().map(|(.., id)| id).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unplaced(id: u128, subject: u128, sequence: i64) -> Unplaced {
        Unplaced { id: EventId::from_uuid(Uuid::from_u128(id)), subject: Uuid::from_u128(subject), sequence }
    }

    fn ids(events: &[EventId]) -> Vec<u128> {
        events.iter().map(|id| id.uuid().as_u128()).collect()
    }

    #[test]
    fn by_time_and_each_subject_by_sequence() {
        // Subject 1 was moved by a replica whose clock is behind.
        let waiting = vec![unplaced(5, 1, 0), unplaced(2, 1, 1), unplaced(3, 2, 0), unplaced(9, 2, 1)];
        assert_eq!(ids(&in_order(waiting)), [3, 5, 2, 9]);
        assert_eq!(in_order(Vec::new()), []);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_subject_turns(
            all in prop::collection::btree_map(0_u128..1_000, (0_u128..5, 0_i64..20), 0..40),
        ) {
            let waiting: Vec<Unplaced> =
                all.iter().map(|(id, (subject, sequence))| unplaced(*id, *subject, *sequence)).collect();
            let placed = ids(&in_order(waiting));
            let mut sorted = placed.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, all.keys().copied().collect::<Vec<_>>());
            let mut last = BTreeMap::new();
            for id in &placed {
                let (subject, sequence) = all[id];
                let before = last.insert(subject, sequence);
                prop_assert!(before.is_none_or(|before| before <= sequence), "{placed:?}");
            }
            // Where no clock is wrong, it is the order of ids.
            let right = all.iter().all(|(id, (subject, sequence))| {
                all.iter().all(|(other, (s, q))| s != subject || (id < other) == (sequence < q) || id == other)
            });
            prop_assert!(!right || placed.is_sorted());
        }
    }
}
