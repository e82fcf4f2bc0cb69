//! How many slots each of many strangers holds at the same time.

use std::{collections::HashMap, hash::Hash};

use crate::{id::HoldId, time::Instant};

/// Who holds what, and until when. In bounded memory: where there is no room for another, nobody else holds anything until some are over.
#[derive(Debug)]
pub struct LiveHolds<K> {
    of: HashMap<K, Vec<Held>>,
    keys_max: usize,
    each_max: usize,
    next: u64,
}

/// A place among those that somebody may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u64);

#[derive(Debug)]
struct Held {
    ticket: u64,
    /// None while it is made.
    hold: Option<HoldId>,
    until: Instant,
}

impl<K: Hash + Eq> LiveHolds<K> {
    /// Room for so many keys, each with so many holds.
    #[must_use]
    pub fn new(keys_max: usize, each_max: usize) -> Self {
        Self { of: HashMap::new(), keys_max, each_max, next: 0 }
    }

    /// A place for one more, until then at the latest.
    ///
    /// # Errors
    /// In how many seconds the first of those that are there is over.
    pub fn reserve(&mut self, key: K, now: Instant, until: Instant) -> Result<Ticket, u64> {
        if self.of.len() >= self.keys_max && !self.of.contains_key(&key) {
            self.forget_over(now);
            if self.of.len() >= self.keys_max {
                return Err(1);
            }
        }
        let held = self.of.entry(key).or_default();
        held.retain(|held| held.until > now);
        if held.len() >= self.each_max {
            let first = held.iter().map(|held| held.until).min().unwrap_or(now);
            return Err(u64::try_from(first.micros_since(now)).unwrap_or(0).div_ceil(1_000_000).max(1));
        }
        let ticket = self.next;
        self.next = self.next.wrapping_add(1);
        held.push(Held { ticket, hold: None, until });
        Ok(Ticket(ticket))
    }

    /// What became of a reserved place: a hold, or nothing.
    pub fn settle(&mut self, key: &K, ticket: Ticket, hold: Option<HoldId>) {
        if let Some(held) = self.of.get_mut(key) {
            match (hold, held.iter_mut().find(|held| held.ticket == ticket.0)) {
                (Some(hold), Some(place)) => place.hold = Some(hold),
                _ => held.retain(|held| held.ticket != ticket.0),
            }
        }
    }

    /// It was extended.
    pub fn extend(&mut self, key: &K, hold: HoldId, until: Instant) {
        if let Some(held) = self.of.get_mut(key).into_iter().flatten().find(|held| held.hold == Some(hold)) {
            held.until = until;
        }
    }

    /// It was given back, or booked.
    pub fn end(&mut self, key: &K, hold: HoldId) {
        if let Some(held) = self.of.get_mut(key) {
            held.retain(|held| held.hold != Some(hold));
            if held.is_empty() {
                self.of.remove(key);
            }
        }
    }

    /// Forget what is over.
    pub fn forget_over(&mut self, now: Instant) {
        self.of.retain(|_, held| {
            held.retain(|held| held.until > now);
            !held.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> Instant {
        "2026-11-30T12:00:00Z".parse::<Instant>().unwrap().plus_seconds(seconds)
    }

    #[test]
    fn each_holds_so_many_at_a_time() {
        let id = |n: u128| HoldId::from_uuid(Uuid::from_u128(n));
        let mut holds = LiveHolds::new(2, 2);
        let first = holds.reserve("a", at(0), at(300)).unwrap();
        holds.settle(&"a", first, Some(id(1)));
        let failed = holds.reserve("a", at(0), at(300)).unwrap();
        holds.settle(&"a", failed, None);
        let second = holds.reserve("a", at(10), at(310)).unwrap();
        assert_eq!(holds.reserve("a", at(10), at(310)), Err(290), "one that is being made counts, too");
        holds.settle(&"a", second, Some(id(2)));
        holds.extend(&"a", id(1), at(600));
        assert_eq!(holds.reserve("a", at(20), at(320)), Err(290));
        assert!(holds.reserve("b", at(20), at(320)).is_ok());
        assert_eq!(holds.reserve("c", at(20), at(320)), Err(1), "there is no room for another");
        holds.end(&"a", id(2));
        assert!(holds.reserve("a", at(20), at(320)).is_ok());
        holds.end(&"b", id(9));
        assert!(holds.reserve("c", at(700), at(900)).is_ok(), "all are over");
    }
}
