//! Sets of time as sorted lists of half-open intervals. Every function is linear in its input, after one sort.

use crate::time::Interval;

/// Sort, drop empty ones, and join those that overlap or touch.
#[must_use]
pub fn merged(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.retain(|i| !i.is_empty());
    intervals.sort_unstable();
    let mut out: Vec<Interval> = Vec::with_capacity(intervals.len());
    for next in intervals {
        match out.last_mut() {
            Some(last) if next.start() <= last.end() => *last = last.joined(next),
            _ => out.push(next),
        }
    }
    out
}

/// What lies in both. Both lists must be merged; so is the answer.
#[must_use]
pub fn intersection(a: &[Interval], b: &[Interval]) -> Vec<Interval> {
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    let mut out = Vec::new();
    while let (Some(x), Some(y)) = (a.peek().copied(), b.peek().copied()) {
        out.extend(x.intersection(y));
        if x.end() <= y.end() {
            a.next()
        } else {
            b.next()
        };
    }
    out
}

/// What lies in the first and not in the second. Both lists must be merged; so is the answer.
#[must_use]
pub fn subtraction(from: &[Interval], taken: &[Interval]) -> Vec<Interval> {
    let mut taken = taken.iter().copied().peekable();
    let mut out = Vec::new();
    for whole in from {
        let mut start = whole.start();
        while taken.next_if(|t| t.end() <= start).is_some() {}
        while let Some(next) = taken.peek().copied().filter(|t| t.start() < whole.end()) {
            out.extend(Interval::new(start, next.start()).ok().filter(|free| !free.is_empty()));
            start = start.max(next.end());
            if next.end() > whole.end() {
                break;
            }
            taken.next();
        }
        out.extend(Interval::new(start, whole.end()).ok().filter(|free| !free.is_empty()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;
    use proptest::prelude::*;

    fn at(minute: i64) -> Instant {
        Instant::from_seconds(minute * 60)
    }
    fn spans() -> impl Strategy<Value = Vec<Interval>> {
        prop::collection::vec((0_i64..200, 0_i64..30), 0..20).prop_map(|spans| {
            spans
                .into_iter()
                .map(|(start, length)| Interval::new(at(start), at(start + length)).unwrap())
                .collect()
        })
    }
    fn holds(set: &[Interval], minute: i64) -> bool {
        set.iter().any(|i| i.start() <= at(minute) && at(minute) < i.end())
    }

    proptest! {
        #[test]
        fn an_instant_is_left_if_it_is_in_the_first_alone(a in spans(), b in spans()) {
            let (a, b) = (merged(a), merged(b));
            let left = subtraction(&a, &b);
            for minute in 0..240 {
                prop_assert_eq!(holds(&left, minute), holds(&a, minute) && !holds(&b, minute));
            }
            prop_assert_eq!(merged(left.clone()), left);
        }

        #[test]
        fn merging_keeps_every_instant_and_leaves_gaps(input in spans()) {
            let set = merged(input.clone());
            for minute in 0..240 {
                prop_assert_eq!(holds(&input, minute), holds(&set, minute));
            }
            prop_assert!(set.windows(2).all(|w| w[0].end() < w[1].start()));
        }

        #[test]
        fn an_instant_is_in_the_intersection_if_it_is_in_both(a in spans(), b in spans()) {
            let (a, b) = (merged(a), merged(b));
            let both = intersection(&a, &b);
            for minute in 0..240 {
                prop_assert_eq!(holds(&both, minute), holds(&a, minute) && holds(&b, minute));
            }
        }
    }
}
