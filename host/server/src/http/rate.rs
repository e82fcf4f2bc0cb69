//! How often a key, or the link of a booking, may ask, and the headers that say so: `RateLimit-Policy` and `RateLimit` as structured fields, in the form of
//! draft-ietf-httpapi-ratelimit-headers-10 of the IETF.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use berth_model::{
    id::Id,
    problem::{Code, Problem},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use uuid::Uuid;

static POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
static STANDING: HeaderName = HeaderName::from_static("ratelimit");
/// Length of the window that limits are given for, in seconds.
const WINDOW_SECONDS: u64 = 60;

type Limiter = RateLimiter<Uuid, DefaultKeyedStateStore<Uuid>, DefaultClock, StateInformationMiddleware>;

/// A token bucket per key: as many tokens as the key may ask in a minute, refilled evenly. Keys that do not ask are forgotten.
pub(crate) struct Rate {
    /// One limiter per limit: its keys share their quota's size, not their tokens.
    limiters: Mutex<HashMap<NonZeroU32, Arc<Limiter>>>,
    default: NonZeroU32,
}

/// Where a key stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    limit: u32,
    remaining: u32,
    /// Until the next token, where none is left.
    wait_seconds: Option<u64>,
}

impl Rate {
    /// Limits, with this one for keys that have none of their own.
    pub(crate) fn new(per_minute: u32) -> Self {
        let default = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        Self { limiters: Mutex::default(), default }
    }

    /// Take a token of this key (or booking), which may ask so often in a minute.
    pub(crate) fn take<T>(&self, key: Id<T>, per_minute: Option<u32>) -> Standing {
        let limit = per_minute.and_then(NonZeroU32::new).unwrap_or(self.default);
        let (remaining, wait_seconds) = match self.limiter(limit).check_key(&key.uuid()) {
            Ok(snapshot) => (snapshot.remaining_burst_capacity(), None),
            Err(until) => {
                let wait = until.wait_time_from(DefaultClock::default().now());
                (0, Some(wait.as_secs().saturating_add(1)))
            }
        };
        Standing { limit: limit.get(), remaining, wait_seconds }
    }

    fn limiter(&self, limit: NonZeroU32) -> Arc<Limiter> {
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(RateLimiter::keyed(Quota::per_minute(limit)).with_middleware());
        Arc::clone(limiters.entry(limit).or_insert_with(new))
    }

    /// Forget keys that are idle, and limits that no key has any more.
    pub(crate) fn forget_idle(&self) {
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        limiters.retain(|_, limiter| {
            limiter.retain_recent();
            !limiter.is_empty()
        });
    }
}

impl Standing {
    /// May the request go on?
    pub(crate) fn check(self) -> Result<(), Problem> {
        let Some(seconds) = self.wait_seconds else { return Ok(()) };
        Err(Problem::new(Code::RateLimited, format!("You may ask {} times a minute.", self.limit))
            .with_retry_after_seconds(seconds))
    }

    /// Say it in an answer's headers: the policy (`q` requests in `w` seconds), what remains (`r`), and in how many seconds the
    /// bucket is full again (`t`).
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let limit = u64::from(self.limit);
        let missing = limit.saturating_sub(u64::from(self.remaining));
        let full_in = missing.saturating_mul(WINDOW_SECONDS).div_ceil(limit.max(1));
        let policy = format!("\"key\";q={limit};w={WINDOW_SECONDS}");
        let standing = format!("\"key\";r={};t={full_in}", self.remaining);
        for (name, value) in [(&POLICY, policy), (&STANDING, standing)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name.clone(), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use berth_model::id::ApiKeyId;

    use super::*;

    fn key(n: u128) -> ApiKeyId {
        ApiKeyId::from_uuid(Uuid::from_u128(n))
    }

    fn told(standing: Standing) -> (String, String) {
        let mut headers = HeaderMap::new();
        standing.tell(&mut headers);
        let text = |name: &HeaderName| headers[name].to_str().unwrap().to_owned();
        (text(&POLICY), text(&STANDING))
    }

    #[test]
    fn a_key_is_told_its_policy_and_what_remains() {
        let rate = Rate::new(3);
        let told_as = |standing| ("\"key\";q=3;w=60".to_owned(), format!("\"key\";{standing}"));
        assert_eq!(told(rate.take(key(1), None)), told_as("r=2;t=20"));
        assert_eq!(told(rate.take(key(1), None)), told_as("r=1;t=40"));
        assert_eq!(told(rate.take(key(1), None)), told_as("r=0;t=60"));
        let refused = rate.take(key(1), None);
        assert_eq!(told(refused), told_as("r=0;t=60"));
        let problem = refused.check().unwrap_err();
        assert_eq!(problem.code, Code::RateLimited);
        assert!((1..=20).contains(&problem.retry_after_seconds.unwrap()), "{problem:?}");
        assert!(rate.take(key(2), None).check().is_ok(), "another key has a bucket of its own");
    }

    #[test]
    fn a_key_may_have_a_limit_of_its_own() {
        let rate = Rate::new(3);
        assert!(rate.take(key(1), Some(1)).check().is_ok());
        assert!(rate.take(key(1), Some(1)).check().is_err());
        assert_eq!(told(rate.take(key(2), Some(600))).0, "\"key\";q=600;w=60");
        rate.forget_idle();
        assert!(rate.take(key(1), Some(1)).check().is_err(), "a key that asked is not forgotten");
    }
}
