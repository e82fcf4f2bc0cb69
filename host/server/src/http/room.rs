//! Room in memory for bodies, in all and for each sender.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use berth_model::{
    limits,
    problem::{Code, Problem},
};
use uuid::Uuid;

/// Bytes of bodies that this process holds, in all and for each who sent them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Room(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    all: usize,
    of: HashMap<Uuid, usize>,
}

/// What one request holds; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    room: Room,
    holder: Uuid,
    bytes: usize,
}

impl Room {
    pub(crate) fn share_of(&self, holder: Uuid) -> Share {
        Share { room: self.clone(), holder, bytes: 0 }
    }
}

impl Share {
    /// Take more; refused if there is no room.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Problem> {
        let mut held = self.room.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = held.of.get(&self.holder).copied().unwrap_or_default().saturating_add(bytes);
        let all = held.all.saturating_add(bytes);
        if all > limits::BODIES_BYTES_MAX || ours > limits::BODIES_BYTES_PER_SENDER_MAX {
            let busy = Problem::new(Code::Busy, "Too many large requests are under way.");
            return Err(busy.with_retry_after_seconds(1));
        }
        held.all = all;
        held.of.insert(self.holder, ours);
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.room.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.all = held.all.saturating_sub(self.bytes);
        let left = held.of.get(&self.holder).copied().unwrap_or_default().saturating_sub(self.bytes);
        if left == 0 {
            held.of.remove(&self.holder);
        } else {
            held.of.insert(self.holder, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_shared_and_given_back() {
        let room = Room::default();
        let one = Uuid::from_u128(1);
        let mut first = room.share_of(one);
        first.take(limits::BODIES_BYTES_PER_SENDER_MAX).unwrap();
        let refused = room.share_of(one).take(1).unwrap_err();
        assert_eq!((refused.code, refused.retry_after_seconds), (Code::Busy, Some(1)));
        let mut others = Vec::new();
        let mut free = limits::BODIES_BYTES_MAX - limits::BODIES_BYTES_PER_SENDER_MAX;
        for n in 2.. {
            let mut share = room.share_of(Uuid::from_u128(n));
            let part = free.min(limits::BODIES_BYTES_PER_SENDER_MAX);
            if part == 0 {
                assert!(share.take(1).is_err(), "everything is taken");
                break;
            }
            share.take(part).unwrap();
            free -= part;
            others.push(share);
        }
        assert!(others.len() >= 2, "one sender leaves room for two more at least");
        drop((first, others));
        let held = room.0.lock().unwrap();
        assert!(held.all == 0 && held.of.is_empty(), "{held:?}");
    }
}
