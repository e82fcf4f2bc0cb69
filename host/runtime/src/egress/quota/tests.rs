use std::sync::atomic::AtomicI64;

use berth_model::{id::Id, time::Instant};

use super::*;

/// A clock that stands still until it is moved.
#[derive(Default)]
struct Hands(AtomicI64);
impl Clock for Hands {
    fn now(&self) -> Instant {
        Instant::from_seconds(1_767_607_200).plus_micros(self.0.load(Ordering::Relaxed))
    }
}
fn connection(n: u128) -> ConnectionId {
    Id::from_uuid(uuid::Uuid::from_u128(n))
}
fn limiters(kept: usize) -> (Arc<Hands>, RateLimiters) {
    let hands = Arc::new(Hands::default());
    let limits = EgressLimits { rate_limiters: kept, ..EgressLimits::default() };
    (Arc::clone(&hands), RateLimiters::new(hands, &limits))
}
const TWO_PER_MINUTE: RateLimit = RateLimit { requests: 2, per_seconds: 60 };

#[test]
fn a_connection_has_its_rate() {
    let (hands, limiters) = limiters(10);
    let try_enter = |n| limiters.try_enter(connection(n), TWO_PER_MINUTE);
    assert_eq!((try_enter(1), try_enter(1)), (Ok(()), Ok(())));
    assert_eq!(try_enter(1), Err(Duration::from_secs(30)));
    assert_eq!(try_enter(2), Ok(()), "another connection is not slowed");
    hands.0.store(30_000_000, Ordering::Relaxed);
    assert_eq!(try_enter(1), Ok(()));
    assert_eq!(try_enter(1), Err(Duration::from_secs(30)));
}

#[test]
fn a_clock_set_back_does_not_lock_a_connection() {
    let (hands, limiters) = limiters(10);
    for _ in 0..2 {
        assert_eq!(limiters.try_enter(connection(1), TWO_PER_MINUTE), Ok(()));
    }
    hands.0.store(-3_600_000_000, Ordering::Relaxed);
    assert_eq!(limiters.try_enter(connection(1), TWO_PER_MINUTE), Err(Duration::from_secs(30)));
    assert_eq!(limiters.try_enter(connection(1), TWO_PER_MINUTE), Ok(()));
}

#[test]
fn limiters_are_bounded_and_the_least_used_goes() {
    let (_, limiters) = limiters(2);
    for n in [1, 2, 1, 3] {
        assert_eq!(limiters.try_enter(connection(n), TWO_PER_MINUTE), Ok(()));
    }
    let table = limiters.table.lock().unwrap();
    let mut kept: Vec<_> = table.by_connection.keys().copied().collect();
    kept.sort();
    assert_eq!(kept, [connection(1), connection(3)]);
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_refused_at_once() {
    let (_, limiters) = limiters(2);
    let enter = || limiters.enter(connection(1), TWO_PER_MINUTE, Duration::from_secs(29));
    assert_eq!((enter().await, enter().await), (Ok(()), Ok(())));
    assert_eq!(enter().await, Err(Duration::from_secs(30)));
}

#[tokio::test]
async fn a_short_wait_is_waited() {
    let (hands, limiters) = limiters(2);
    let rate = RateLimit { requests: 100, per_seconds: 1 };
    for _ in 0..100 {
        assert_eq!(limiters.try_enter(connection(1), rate), Ok(()));
    }
    let waiting = limiters.enter(connection(1), rate, Duration::from_secs(1));
    // Polled after it has been refused and waits.
    let passing = async { hands.0.store(10_000, Ordering::Relaxed) };
    let (entered, ()) = tokio::join!(biased; waiting, passing);
    assert_eq!(entered, Ok(()));
    assert_eq!(limiters.try_enter(connection(1), rate), Err(Duration::from_millis(10)));
}

#[tokio::test]
async fn a_call_has_its_requests_and_bytes() {
    let quota =
        CallQuota::new(&EgressLimits { requests: 2, call_body_in_bytes: 10, ..EgressLimits::default() });
    let first = quota.enter().await.unwrap();
    drop(quota.enter().await.unwrap());
    drop(first);
    assert_eq!(quota.enter().await.err(), Some(Failure::TooManyRequests));
    assert_eq!((quota.take_body_in(6), quota.take_body_in(4)), (Ok(()), Ok(())));
    assert_eq!(quota.take_body_in(1), Err(Failure::CallBodyInExhausted));
}

#[test]
fn all_parts_of_a_rate_are_never_more_than_the_whole() {
    for requests in [1_u32, 2, 7, 60, 600] {
        for replicas in 0..=20_u32 {
            let whole = RateLimit { requests, per_seconds: 60 };
            let part = part(whole, replicas);
            assert!(part.requests >= 1);
            let (n, all) = (u64::from(replicas.max(1)), u64::from(requests));
            let together = n * u64::from(part.requests) * 60;
            assert!(together <= all * u64::from(part.per_seconds), "{whole:?} among {replicas}: {part:?}");
        }
    }
}

#[tokio::test]
async fn a_rate_is_shared_with_the_other_replicas() {
    let (_, limiters) = limiters(2);
    let rate = RateLimit { requests: 6, per_seconds: 60 };
    limiters.share_with(3);
    let mut passed = 0;
    while limiters.enter(connection(1), rate, Duration::ZERO).await.is_ok() {
        passed += 1;
    }
    assert_eq!(passed, 2);
}
