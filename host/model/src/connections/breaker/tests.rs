use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::*;

const POLICY: BreakerPolicy =
    BreakerPolicy { failures_max: 3, open_ms_min: 500, open_ms_max: 4_000, probe_ms_max: 2_000 };

fn at(millis: i64) -> Instant {
    Instant::from_seconds(1_900_000_000).plus_millis(millis)
}

fn call(breaker: &mut Breaker, how: Ended, now: Instant) -> Option<Change> {
    let permit = breaker.try_acquire(now).expect("passes");
    breaker.ended(permit, how, now)
}

fn opened(policy: BreakerPolicy) -> Breaker {
    let mut breaker = Breaker::new(policy);
    for n in 1..=policy.failures_max {
        let change = call(&mut breaker, Ended::Failed, at(0));
        assert_eq!(change.is_some(), n == policy.failures_max);
    }
    breaker
}

#[test]
fn opens_after_failures_in_a_row_and_doubles_with_each_failed_probe() {
    let mut breaker = opened(POLICY);
    assert_eq!(breaker.try_acquire(at(0)).unwrap_err(), 500);
    assert_eq!((breaker.try_acquire(at(499)).unwrap_err(), breaker.state(at(499))), (1, BreakerState::Open));
    assert_eq!(breaker.state(at(500)), BreakerState::HalfOpen);
    let mut now = 500;
    for for_ms in [1_000, 2_000, 4_000, 4_000] {
        assert_eq!(call(&mut breaker, Ended::Failed, at(now)), Some(Change::Opened { for_ms }));
        now += i64::try_from(for_ms).unwrap();
    }
    assert_eq!(call(&mut breaker, Ended::Succeeded, at(now)), Some(Change::Closed));
    assert_eq!(call(&mut breaker, Ended::Failed, at(now)), None, "one failure is not enough any more");
    assert_eq!(breaker.state(at(now)), BreakerState::Closed);
}

/// Fifteen calls that fail together opened it for the longest time at once.
#[test]
fn calls_that_were_under_way_do_not_lengthen_it() {
    let mut breaker = Breaker::new(POLICY);
    let under_way: Vec<_> = (0..18).map(|_| breaker.try_acquire(at(0)).unwrap()).collect();
    let changes: Vec<_> = under_way.into_iter().map(|p| breaker.ended(p, Ended::Failed, at(10))).collect();
    let opened: Vec<_> = changes.into_iter().flatten().collect();
    assert_eq!(opened, [Change::Opened { for_ms: 500 }]);
    assert_eq!(breaker.try_acquire(at(10)).unwrap_err(), 500);
}

#[test]
fn an_answer_from_before_does_not_close_it() {
    let mut breaker = Breaker::new(POLICY);
    let slow = breaker.try_acquire(at(0)).unwrap();
    let slower = breaker.try_acquire(at(0)).unwrap();
    for _ in 0..3 {
        call(&mut breaker, Ended::Failed, at(0));
    }
    assert_eq!(breaker.ended(slow, Ended::Succeeded, at(1)), None);
    assert_eq!(breaker.state(at(1)), BreakerState::Open);
    let probe = breaker.try_acquire(at(500)).unwrap();
    assert_eq!(breaker.ended(slower, Ended::Succeeded, at(501)), None, "it is no probe");
    assert!(breaker.try_acquire(at(501)).is_err());
    assert_eq!(breaker.ended(probe, Ended::Succeeded, at(502)), Some(Change::Closed));
}

#[test]
fn what_says_nothing_counts_as_nothing() {
    let mut breaker = Breaker::new(POLICY);
    for how in [Ended::Failed, Ended::Unknown, Ended::Failed, Ended::Unknown] {
        assert_eq!(call(&mut breaker, how, at(0)), None);
    }
    assert!(call(&mut breaker, Ended::Failed, at(0)).is_some(), "they are still in a row");
    // A probe that found nothing out: the next one tries.
    assert_eq!(call(&mut breaker, Ended::Unknown, at(500)), None);
    assert_eq!(call(&mut breaker, Ended::Succeeded, at(500)), Some(Change::Closed));
}

#[test]
fn a_lost_probe_does_not_block_for_ever() {
    let mut breaker = opened(POLICY);
    let lost = breaker.try_acquire(at(500)).unwrap();
    assert_eq!(breaker.try_acquire(at(500)).unwrap_err(), 500);
    assert_eq!(breaker.try_acquire(at(2_499)).unwrap_err(), 1);
    let next = breaker.try_acquire(at(2_500)).unwrap();
    assert_eq!(breaker.ended(lost, Ended::Failed, at(2_501)), None, "too late");
    assert_eq!(breaker.ended(next, Ended::Succeeded, at(2_502)), Some(Change::Closed));
}

#[test]
fn a_clock_set_back_does_not_lengthen_it() {
    let mut breaker = opened(POLICY);
    assert_eq!(breaker.try_acquire(at(-3_600_000)).unwrap_err(), 500);
    assert!(breaker.try_acquire(at(-3_600_000 + 500)).is_ok());
}

#[test]
fn one_or_two_parties_open_nothing_for_others_and_three_within_a_minute_do() {
    let mut shared = SharedBreaker::new(POLICY, 3, 60);
    let trap = |shared: &mut SharedBreaker<u8>, party, now| {
        let permit = shared.try_acquire(at(now)).expect("passes");
        shared.ended(party, permit, Ended::Failed, at(now))
    };
    for n in 0..100 {
        assert_eq!(trap(&mut shared, u8::from(n % 2 == 0), n), None);
    }
    assert_eq!(trap(&mut shared, 2, 60_099), None, "those traps are too long ago");
    assert_eq!(trap(&mut shared, 3, 60_100), None);
    assert_eq!(trap(&mut shared, 4, 60_101), Some(Change::Opened { for_ms: 500 }));
    assert_eq!(shared.try_acquire(at(60_101)).unwrap_err(), 500);
    let probe = shared.try_acquire(at(60_601)).unwrap();
    assert!(shared.try_acquire(at(60_601)).is_err(), "one probe");
    assert_eq!(shared.ended(9, probe, Ended::Succeeded, at(60_602)), Some(Change::Closed));
}

#[test]
fn what_is_kept_is_bounded_and_an_open_one_stays() {
    let mut breakers = Breakers::new(BreakerPolicy { failures_max: 1, ..POLICY }, 4);
    let mut fail = |key: u32, now| {
        let permit = breakers.try_acquire(&key, at(now)).unwrap();
        breakers.ended(&key, permit, Ended::Failed, at(now));
        breakers.len()
    };
    fail(0, 0);
    for key in 1..4 {
        fail(key, 1);
    }
    // All are open: the one that would be half-open first goes.
    assert_eq!(fail(4, 2), 4);
    let open: Vec<u32> = (0..5).filter(|key| breakers.state(key, at(2)) == BreakerState::Open).collect();
    assert_eq!(open, [1, 2, 3, 4]);
    // One has closed: it goes before any that is open.
    let probe = breakers.try_acquire(&2, at(502)).unwrap();
    breakers.ended(&2, probe, Ended::Succeeded, at(502));
    let permit = breakers.try_acquire(&5, at(502)).unwrap();
    breakers.ended(&5, permit, Ended::Failed, at(502));
    assert_eq!((breakers.len(), breakers.open_count(at(502))), (4, 4));
    assert_eq!(breakers.state(&2, at(502)), BreakerState::Closed);
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// A call wants to begin, for this key.
    Begin(u8),
    /// One of those that are under way ends so.
    End(usize, Ended),
    /// One of them is never heard of again.
    Lose(usize),
    /// Time passes, in milliseconds.
    Pass(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let how = prop_oneof![
        1 => Just(Ended::Succeeded),
        4 => Just(Ended::Failed),
        1 => Just(Ended::Unknown),
    ];
    let step = prop_oneof![
        4 => (0_u8..3).prop_map(Step::Begin),
        4 => (any::<usize>(), how).prop_map(|(n, how)| Step::End(n, how)),
        1 => any::<usize>().prop_map(Step::Lose),
        2 => (0_i64..3_000).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..300)
}

/// What a reader of the module's first lines would expect, kept as a log of what happened to one breaker.
#[derive(Default)]
struct Oracle {
    /// Ends that count since it closed last, in order.
    ends: Vec<Ended>,
    /// Since when it is open, and for how long.
    open: Option<(Instant, u64)>,
    /// The call that probes, and since when.
    probe: Option<(usize, Instant)>,
    /// Calls that began since it last opened or closed.
    current: Vec<usize>,
}

impl Oracle {
    fn begin(&mut self, call: usize, now: Instant) -> bool {
        let Some((since, for_ms)) = self.open else {
            self.current.push(call);
            return true;
        };
        let over = |since: Instant, ms: u64| now >= since.plus_millis(i64::try_from(ms).unwrap());
        let probing = self.probe.is_some_and(|(_, began)| !over(began, POLICY.probe_ms_max));
        let passes = over(since, for_ms) && !probing;
        if passes {
            self.probe = Some((call, now));
        }
        passes
    }

    fn end(&mut self, call: usize, how: Ended, now: Instant) -> Option<Change> {
        let Some((_, for_ms)) = self.open else {
            if self.current.contains(&call) && how != Ended::Unknown {
                self.ends.push(how);
            }
            let last: Vec<_> = self.ends.iter().rev().take(3).collect();
            let opens = last.len() == 3 && last.iter().all(|how| **how == Ended::Failed);
            return opens.then(|| self.opens(POLICY.open_ms_min, now));
        };
        if self.probe.is_none_or(|(probe, _)| probe != call) {
            return None;
        }
        self.probe = None;
        match how {
            Ended::Unknown => None,
            Ended::Failed => Some(self.opens((for_ms * 2).min(POLICY.open_ms_max), now)),
            Ended::Succeeded => {
                *self = Self::default();
                Some(Change::Closed)
            }
        }
    }

    fn opens(&mut self, for_ms: u64, now: Instant) -> Change {
        *self = Self { open: Some((now, for_ms)), ..Self::default() };
        Change::Opened { for_ms }
    }
}

proptest! {
    /// Whatever begins and ends when: each breaker does what the oracle says, whatever the others do, and who is refused is told a time
    /// that is neither zero nor longer than the longest.
    #[test]
    fn breakers_do_what_is_said_of_them(steps in steps()) {
        let mut breakers = Breakers::new(POLICY, 10);
        let mut oracles: Vec<Oracle> = (0..3).map(|_| Oracle::default()).collect();
        let (mut now, mut calls) = (at(0), 0);
        let mut under_way: Vec<(usize, u8, Permit)> = Vec::new();
        for step in steps {
            match step {
                Step::Pass(ms) => now = now.plus_millis(ms),
                Step::Begin(key) => {
                    let passes = breakers.try_acquire(&key, now);
                    prop_assert_eq!(passes.is_ok(), oracles[usize::from(key)].begin(calls, now));
                    match passes {
                        Ok(permit) => under_way.push((calls, key, permit)),
                        Err(wait) => prop_assert!((1..=POLICY.open_ms_max).contains(&wait)),
                    }
                    calls += 1;
                }
                Step::Lose(n) if !under_way.is_empty() => drop(under_way.remove(n % under_way.len())),
                Step::End(n, how) if !under_way.is_empty() => {
                    let (call, key, permit) = under_way.remove(n % under_way.len());
                    let change = breakers.ended(&key, permit, how, now);
                    prop_assert_eq!(change, oracles[usize::from(key)].end(call, how, now));
                }
                Step::Lose(_) | Step::End(..) => {}
            }
            for (key, oracle) in (0_u8..).zip(&oracles) {
                let closed = breakers.state(&key, now) == BreakerState::Closed;
                prop_assert_eq!(closed, oracle.open.is_none());
            }
        }
        // Nothing blocks for ever: after the longest time, and that of a probe that was lost, a call passes.
        now = now.plus_millis(i64::try_from(POLICY.open_ms_max.max(POLICY.probe_ms_max)).unwrap());
        for key in 0..3 {
            prop_assert!(breakers.try_acquire(&key, now).is_ok());
        }
    }

    /// Two parties never open it for a third, whatever they do.
    #[test]
    fn two_parties_open_nothing(steps in steps()) {
        let mut shared = SharedBreaker::new(POLICY, 3, 60);
        let (mut now, mut under_way) = (at(0), Vec::new());
        for step in steps {
            match step {
                Step::Pass(ms) => now = now.plus_millis(ms),
                Step::Begin(party) => under_way.push((party % 2, shared.try_acquire(now).expect("closed"))),
                Step::Lose(n) if !under_way.is_empty() => drop(under_way.remove(n % under_way.len())),
                Step::End(n, how) if !under_way.is_empty() => {
                    let (party, permit) = under_way.remove(n % under_way.len());
                    prop_assert_eq!(shared.ended(party, permit, how, now), None);
                }
                Step::Lose(_) | Step::End(..) => {}
            }
        }
    }

    /// However many keys fail: what is kept stays within its bound.
    #[test]
    fn memory_is_bounded(keys in prop::collection::vec((0_u16..500, 0_i64..600), 1..400)) {
        let mut breakers = Breakers::new(POLICY, 20);
        let mut now = at(0);
        for (key, later) in keys {
            now = now.plus_millis(later);
            if let Ok(permit) = breakers.try_acquire(&key, now) {
                breakers.ended(&key, permit, Ended::Failed, now);
            }
            prop_assert!(breakers.len() <= 20);
        }
    }
}
