//! Round robin: which of the free people is booked.

use std::cmp::Ordering;

use super::rules::Strategy;
use crate::time::Instant;

/// What is known of somebody who could be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Bookings given to them in the period that counts.
    pub bookings: u32,
    /// Bookings credited to them.
    pub calibration: u32,
    /// Their share.
    pub weight: u32,
    /// Who goes first among equals.
    pub priority: u32,
    /// When they were last given a booking; never is the longest ago.
    pub last_assigned_at: Option<Instant>,
    /// Bookings ahead of them.
    pub upcoming: u32,
}

/// Order two candidates by how much they are due: `Less` goes first.
///
/// `least_recently_assigned`; `fewest_upcoming`, then the former; `priority_then_lru`: highest first;
/// `weighted_shortfall_then_priority_then_lru`: shortfall = (all bookings + all calibration) × weight / all weights − (own bookings
/// + own calibration), compared exactly as whole numbers; largest first, then largest weight, then highest priority.
fn order(strategy: Strategy, totals: Totals, a: &Candidate, b: &Candidate) -> Ordering {
    let lru = || a.last_assigned_at.cmp(&b.last_assigned_at);
    let priority = || b.priority.cmp(&a.priority);
    match strategy {
        Strategy::LeastRecentlyAssigned => lru(),
        Strategy::FewestUpcoming => a.upcoming.cmp(&b.upcoming).then_with(lru),
        Strategy::PriorityThenLru => priority().then_with(lru),
        Strategy::WeightedShortfallThenPriorityThenLru => totals
            .shortfall(b)
            .cmp(&totals.shortfall(a))
            .then_with(|| b.weight.cmp(&a.weight))
            .then_with(priority)
            .then_with(lru),
    }
}

/// Sums over all candidates.
#[derive(Debug, Clone, Copy)]
struct Totals {
    given: i128,
    weights: i128,
}

impl Totals {
    fn of(candidates: &[Candidate]) -> Self {
        let sum = |f: fn(&Candidate) -> i128| candidates.iter().map(f).fold(0_i128, i128::saturating_add);
        Self { given: sum(given), weights: sum(|c| i128::from(c.weight)).max(1) }
    }

    /// The shortfall times the sum of all weights: a whole number.
    fn shortfall(self, c: &Candidate) -> i128 {
        let due = self.given.saturating_mul(i128::from(c.weight));
        due.saturating_sub(given(c).saturating_mul(self.weights))
    }
}

fn given(c: &Candidate) -> i128 {
    i128::from(c.bookings).saturating_add(i128::from(c.calibration))
}

/// Positions of the candidates, whoever is most due first. Equals keep the order they came in.
#[must_use]
pub fn ranked(strategy: Strategy, candidates: &[Candidate]) -> Vec<usize> {
    let totals = Totals::of(candidates);
    let mut ranked: Vec<(usize, &Candidate)> = candidates.iter().enumerate().collect();
    ranked.sort_by(|(_, a), (_, b)| order(strategy, totals, a, b));
    ranked.into_iter().map(|(i, _)| i).collect()
}

/// The one who is most due; none if there is nobody.
#[must_use]
pub fn chosen(strategy: Strategy, candidates: &[Candidate]) -> Option<usize> {
    let totals = Totals::of(candidates);
    let first = candidates.iter().enumerate().min_by(|(_, a), (_, b)| order(strategy, totals, a, b));
    first.map(|(i, _)| i)
}

#[cfg(test)]
mod tests {
    use super::{super::rules::Strategy, *};
    use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

    const NEW: Candidate = Candidate {
        bookings: 0,
        calibration: 0,
        weight: 100,
        priority: 2,
        last_assigned_at: None,
        upcoming: 0,
    };

    fn at(hour: i64) -> Instant {
        Instant::from_seconds(hour * 3_600)
    }

    #[test]
    fn nobody_is_chosen_from_nobody() {
        assert_eq!(chosen(Strategy::FewestUpcoming, &[]), None);
    }

    #[test]
    fn never_assigned_counts_as_longest_ago() {
        let team = [
            Candidate { last_assigned_at: Some(at(1)), ..NEW },
            NEW,
            Candidate { last_assigned_at: Some(at(0)), ..NEW },
        ];
        assert_eq!(ranked(Strategy::LeastRecentlyAssigned, &team), [1, 2, 0]);
    }

    #[test]
    fn each_strategy_has_its_order() {
        let team = [
            Candidate { upcoming: 3, priority: 4, last_assigned_at: Some(at(5)), ..NEW },
            Candidate { upcoming: 1, priority: 1, last_assigned_at: Some(at(9)), ..NEW },
            Candidate { upcoming: 1, priority: 4, last_assigned_at: Some(at(3)), ..NEW },
        ];
        assert_eq!(ranked(Strategy::FewestUpcoming, &team), [2, 1, 0]);
        assert_eq!(ranked(Strategy::PriorityThenLru, &team), [2, 0, 1]);
    }

    #[test]
    fn the_largest_shortfall_goes_first_and_calibration_counts_as_given() {
        let strategy = Strategy::WeightedShortfallThenPriorityThenLru;
        // 9 given in all, weights 100 and 200: due 3 and 6, given 4 and 5.
        let team =
            [Candidate { bookings: 4, weight: 100, ..NEW }, Candidate { bookings: 5, weight: 200, ..NEW }];
        assert_eq!(chosen(strategy, &team), Some(1));
        // A newcomer credited with what the others have is not flooded.
        let team = [Candidate { bookings: 10, ..NEW }, Candidate { calibration: 10, priority: 1, ..NEW }];
        assert_eq!(chosen(strategy, &team), Some(0));
    }

    #[test]
    fn equals_are_told_apart_in_the_order_that_is_promised() {
        let strategy = Strategy::WeightedShortfallThenPriorityThenLru;
        // Nobody has anything: no shortfall, whatever the weight. The heaviest first, then the highest priority, then who waits longest.
        let light = Candidate { weight: 50, priority: 4, ..NEW };
        let heavy = Candidate { weight: 200, priority: 1, last_assigned_at: Some(at(9)), ..NEW };
        assert_eq!(ranked(strategy, &[light, heavy]), [1, 0]);
        let urgent = Candidate { priority: 3, last_assigned_at: Some(at(9)), ..NEW };
        assert_eq!(ranked(strategy, &[NEW, urgent]), [1, 0]);
        let long_ago = Candidate { last_assigned_at: Some(at(1)), ..NEW };
        let lately = Candidate { last_assigned_at: Some(at(2)), ..NEW };
        assert_eq!(ranked(strategy, &[lately, long_ago]), [1, 0]);
        assert_eq!(ranked(strategy, &[NEW, NEW, NEW]), [0, 1, 2], "and else as they came");
    }

    /// Any candidate, with few values for each so that ties are common.
    fn candidate() -> impl proptest::strategy::Strategy<Value = Candidate> {
        use proptest::strategy::Strategy as _;
        (0_u32..3, 0_u32..2, 1_u32..3, 0_u32..3, 0_i64..3, 0_u32..2).prop_map(
            |(bookings, calibration, weight, priority, last, upcoming)| Candidate {
                bookings,
                calibration,
                weight: weight * 100,
                priority,
                last_assigned_at: (last > 0).then(|| at(last)),
                upcoming,
            },
        )
    }

    proptest! {
        #[test]
        fn who_is_due_is_what_the_words_say(team in prop::collection::vec(candidate(), 1..6)) {
            let all: i64 = team.iter().map(|c| i64::from(c.bookings + c.calibration)).sum();
            let weights: i64 = team.iter().map(|c| i64::from(c.weight)).sum();
            let short = |c: &Candidate| all * i64::from(c.weight) - i64::from(c.bookings + c.calibration) * weights;
            let lru = |c: &Candidate| c.last_assigned_at.map_or(i64::MIN, Instant::micros);
            // As tuples, the smallest first: what counts first stands first.
            let key = |strategy: Strategy, c: &Candidate| match strategy {
                Strategy::LeastRecentlyAssigned => (lru(c), 0, 0, 0),
                Strategy::FewestUpcoming => (i64::from(c.upcoming), lru(c), 0, 0),
                Strategy::PriorityThenLru => (-i64::from(c.priority), lru(c), 0, 0),
                Strategy::WeightedShortfallThenPriorityThenLru => {
                    (-short(c), -i64::from(c.weight), -i64::from(c.priority), lru(c))
                }
            };
            for strategy in [
                Strategy::LeastRecentlyAssigned,
                Strategy::FewestUpcoming,
                Strategy::PriorityThenLru,
                Strategy::WeightedShortfallThenPriorityThenLru,
            ] {
                let mut expected: Vec<usize> = (0..team.len()).collect();
                expected.sort_by_key(|i| (key(strategy, &team[*i]), *i));
                prop_assert_eq!(&ranked(strategy, &team), &expected);
                prop_assert_eq!(chosen(strategy, &team), expected.first().copied());
            }
        }

        #[test]
        fn shares_converge_to_the_weights(weights in prop::collection::vec(1_u32..500, 1..8)) {
            let mut team: Vec<Candidate> = weights.iter().map(|w| Candidate { weight: *w, ..NEW }).collect();
            let rounds = 2_000_u32;
            for round in 0..rounds {
                let i = chosen(Strategy::WeightedShortfallThenPriorityThenLru, &team).unwrap();
                team[i].bookings += 1;
                team[i].last_assigned_at = Some(at(i64::from(round)));
            }
            let all: u32 = weights.iter().sum();
            for member in team {
                let due = f64::from(rounds) * f64::from(member.weight) / f64::from(all);
                // Never further from their share than one booking per member.
                prop_assert!((f64::from(member.bookings) - due).abs() <= 8.0);
            }
        }
    }
}
