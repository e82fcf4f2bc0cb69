//! What a process caches of a tenant's setup and of members' places. Reading thousands of rows again for each viewer of a month
//! costs more than all the rest of the answer, and most of it did not change in between.
//!
//! Every change of a member's places raises the member's `places_version` in the same transaction, and every change of what an
//! event type is booked with the tenant's `setup_version` (migration `0028`). A version is read before what it counts, so what is
//! cached is never older than its version says; whatever process made the change, the next reader sees another version. Of
//! places it then reads again what was touched in between (`place_changes`), of the setup everything.

use std::sync::Arc;

use berth_model::{
    id::{EventTypeId, MemberId, TenantId},
    limits,
    scheduling::rule::RuleRecord,
    time::{Instant, Interval},
};
use moka::sync::Cache;
use uuid::Uuid;

use crate::records::{BookingSetup, OccupancyQuery, RulesOf, SeenOccupancy};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// A place as it is in the database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredOccupancy {
    pub(crate) padded: Interval,
    pub(crate) when: Interval,
    pub(crate) owner: Uuid,
    pub(crate) event_type: Option<Uuid>,
    /// For holds.
    pub(crate) expires_at: Option<Instant>,
}

impl StoredOccupancy {
    /// As the asker sees it; none if it is over, or their own.
    pub(crate) fn seen_by(&self, of: &OccupancyQuery) -> Option<SeenOccupancy> {
        let over = self.expires_at.is_some_and(|end| end <= of.now);
        let theirs = of.own == Some(self.owner);
        (!over && !theirs).then(|| SeenOccupancy {
            padded: self.padded,
            when: self.when,
            hold: self.expires_at.is_some(),
            same_event_type: self.event_type == Some(of.event_type.uuid()),
        })
    }
}

/// The places of one member in a stretch of time, and which version they are.
#[derive(Debug, Clone)]
pub(crate) struct CachedOccupancies {
    pub(crate) version: i64,
    pub(crate) places: Arc<[StoredOccupancy]>,
}

impl CachedOccupancies {
    /// The same at a later version: what overlaps these stretches is as it was read now.
    pub(crate) fn brought_up(&self, version: i64, touched: &[Interval], now: Vec<StoredOccupancy>) -> Self {
        let stays = |place: &&StoredOccupancy| touched.iter().all(|stretch| !stretch.overlaps(place.padded));
        let mut places: Vec<StoredOccupancy> = self.places.iter().filter(stays).copied().collect();
        places.extend(now);
        Self { version, places: places.into() }
    }
}

/// The rules that bear on a question, and the setup that they are of.
#[derive(Debug, Clone)]
pub(crate) struct CachedRules {
    pub(crate) setup: i64,
    pub(crate) rules: Arc<[RuleRecord]>,
}

/// What is cached, by whose it is and when.
#[derive(Clone)]
pub(crate) struct ReadCache {
    pub(crate) places: Cache<(TenantId, MemberId, Interval), CachedOccupancies>,
    pub(crate) setups: Cache<(TenantId, EventTypeId), Arc<BookingSetup>>,
    pub(crate) rules: Cache<(TenantId, Arc<RulesOf>, Interval), CachedRules>,
}

/// One, and so many more.
fn weight(more: usize) -> u32 {
    u32::try_from(more).unwrap_or(u32::MAX).saturating_add(1)
}

impl ReadCache {
    pub(crate) fn new() -> Self {
        let of_places = |_: &_, known: &CachedOccupancies| weight(known.places.len());
        let of_setup = |_: &_, setup: &Arc<BookingSetup>| {
            weight(setup.members.len().saturating_add(setup.calendars.len()))
        };
        let of_rules = |_: &_, known: &CachedRules| {
            weight(known.rules.iter().map(|rule| rule.rule.parts()).fold(0, usize::saturating_add))
        };
        Self {
            places: Cache::builder().max_capacity(limits::PLACES_CACHED_MAX).weigher(of_places).build(),
            setups: Cache::builder().max_capacity(limits::SETUPS_CACHED_MAX).weigher(of_setup).build(),
            rules: Cache::builder().max_capacity(limits::RULES_CACHED_MAX).weigher(of_rules).build(),
        }
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
