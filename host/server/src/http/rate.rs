//! How often a key, or the link of a booking, may ask.

use std::num::NonZeroU32;

use berth_model::{
    id::Id,
    problem::{Code, Problem},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::DefaultKeyedStateStore,
};
use uuid::Uuid;

/// A token bucket per key. Keys that do not ask are forgotten.
pub(crate) struct Rate {
    limiter: RateLimiter<Uuid, DefaultKeyedStateStore<Uuid>, DefaultClock>,
    per_minute: u32,
}

impl Rate {
    pub(crate) fn new(per_minute: u32) -> Self {
        let per_minute = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        Self { limiter: RateLimiter::keyed(Quota::per_minute(per_minute)), per_minute: per_minute.get() }
    }

    pub(crate) fn check<T>(&self, key: Id<T>) -> Result<(), Problem> {
        self.limiter.check_key(&key.uuid()).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            Problem::new(Code::RateLimited, format!("You may ask {} times a minute.", self.per_minute))
                .with_retry_after_seconds(wait.as_secs().saturating_add(1))
        })
    }

    /// Forget keys that are idle.
    pub(crate) fn forget_idle(&self) {
        self.limiter.retain_recent();
    }
}
