//! Among how many processes each rate is shared.

use berth_model::time::Instant;

/// How many there are, and how many there were lately.
#[derive(Debug)]
pub(super) struct Shares {
    replicas: u32,
    /// More than there are now, and until when. Each is fewer and later than the one before, so that these are few.
    before: Vec<(u32, Instant)>,
}

impl Default for Shares {
    fn default() -> Self {
        Self { replicas: 1, before: Vec::new() }
    }
}

impl Shares {
    /// So many there are from now on.
    pub(super) fn change(&mut self, replicas: u32, now: Instant) {
        let (replicas, were) = (replicas.max(1), self.replicas);
        if replicas == were {
            return;
        }
        self.before.retain(|(count, _)| *count > were.max(replicas));
        if were > replicas {
            self.before.push((were, now));
        }
        self.replicas = replicas;
    }

    /// The most that there were at once in so many seconds: what those sent that have gone still counts.
    pub(super) fn replicas(&mut self, seconds: u32, now: Instant) -> u32 {
        for (_, until) in &mut self.before {
            // The clock was set back.
            *until = (*until).min(now);
        }
        let since = now.plus_seconds(-i64::from(seconds));
        let lately = self.before.iter().filter(|(_, until)| *until > since).map(|(count, _)| *count);
        lately.fold(self.replicas, u32::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_have_gone_count_for_as_long_as_the_rate_is() {
        let at = |seconds: i64| Instant::from_seconds(1_900_000_000 + seconds);
        let mut shares = Shares::default();
        shares.change(3, at(0));
        assert_eq!(shares.replicas(60, at(0)), 3, "more count at once");
        shares.change(2, at(10));
        shares.change(1, at(20));
        let mut seen = |seconds, now| shares.replicas(seconds, at(now));
        assert_eq!((seen(60, 20), seen(60, 69), seen(60, 70), seen(60, 79), seen(60, 80)), (3, 3, 2, 2, 1));
        assert_eq!((seen(5, 30), seen(3_600, 80)), (1, 3), "each rate has its own length");
        // There and back again, for ever: what is remembered stays small.
        for n in 0..1_000 {
            shares.change(1 + n % 7, at(100 + i64::from(n)));
        }
        assert!(shares.before.len() <= 7, "{shares:?}");
    }
}
