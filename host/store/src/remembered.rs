//! What a process remembers of members' places. Reading thousands of rows again for each viewer of a month costs more than all
//! the rest of the answer, and most members' places did not change in between.
//!
//! Every change of a member's places raises the member's `places_version` in the same transaction. The version is read before
//! the places, so what is remembered is never older than its version says; whatever process made the change, the next reader
//! sees another version and reads again.

use std::sync::Arc;

use berth_model::{
    id::{MemberId, TenantId},
    limits,
    time::{Instant, Interval},
};
use moka::sync::Cache;
use uuid::Uuid;

use crate::records::{TakenOf, TakenPlace};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// A place as it is in the database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) blocked: Interval,
    pub(crate) when: Interval,
    pub(crate) owner: Uuid,
    pub(crate) event_type: Option<Uuid>,
    /// For holds.
    pub(crate) expires_at: Option<Instant>,
}

impl Place {
    /// As the asker sees it; none if it is over, or their own.
    pub(crate) fn seen_by(&self, of: &TakenOf) -> Option<TakenPlace> {
        let over = self.expires_at.is_some_and(|end| end <= of.now);
        let theirs = of.own == Some(self.owner);
        (!over && !theirs).then(|| TakenPlace {
            blocked: self.blocked,
            when: self.when,
            hold: self.expires_at.is_some(),
            same_event_type: self.event_type == Some(of.event_type.uuid()),
        })
    }
}

/// The places of one member in a stretch of time, and which version they are.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) version: i64,
    pub(crate) places: Arc<[Place]>,
}

/// Remembered places, by whose they are and when.
#[derive(Clone)]
pub(crate) struct Remembered(pub(crate) Cache<(TenantId, MemberId, Interval), Known>);

impl Remembered {
    pub(crate) fn new() -> Self {
        let weight =
            |_: &_, known: &Known| u32::try_from(known.places.len()).unwrap_or(u32::MAX).saturating_add(1);
        Self(Cache::builder().max_capacity(limits::PLACES_REMEMBERED_MAX).weigher(weight).build())
    }
}

/// Whole days around it (UTC), so that viewers in different zones ask for the same.
pub(crate) fn whole_days(within: Interval) -> Interval {
    let start = within.start().micros().div_euclid(DAY).saturating_mul(DAY);
    let end = within.end().micros().saturating_add(DAY - 1).div_euclid(DAY).saturating_mul(DAY);
    let start = Instant::from_micros(start).max(Instant::MIN);
    let end = Instant::from_micros(end).min(Instant::MAX);
    Interval::new(start, end).unwrap_or(within)
}
