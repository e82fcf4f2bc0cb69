//! What keeps this process from doing its work, by name: whoever finds it says so here, and takes it back when it is over.
//!
//! `/readyz` shows it. A check that is asked anew each time (does the database answer?) belongs into `api/health.rs`; what goes on in
//! the background (a task that ends again and again, a component that is not loaded yet) belongs here.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Longest reason that is kept, in characters: it is for people, in an answer that anybody may ask for.
const REASON_CHARS_MAX: usize = 300;

/// The checks of this process that fail. Cheap to clone; clones share what they know.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<String, String>>>);

impl Readiness {
    /// The process is not ready until [`Self::holds`] is said of the same check. The reason is shown to anybody: no secret, no address,
    /// nothing of a tenant.
    pub fn fails(&self, check: &str, reason: &str) {
        let reason = reason.chars().take(REASON_CHARS_MAX).collect();
        self.checks().insert(check.to_owned(), reason);
    }

    /// The check does not fail, or does not any more.
    pub fn holds(&self, check: &str) {
        self.checks().remove(check);
    }

    /// Checks that fail, and why. Empty: nothing stands in the way.
    #[must_use]
    pub fn failing(&self) -> BTreeMap<String, String> {
        self.checks().clone()
    }

    fn checks(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_named_until_it_holds() {
        let readiness = Readiness::default();
        let other = readiness.clone();
        assert!(readiness.failing().is_empty());
        readiness.fails("task worker", "it ended 3 times");
        readiness.fails("plugin acme", &"x".repeat(10_000));
        assert_eq!(other.failing().keys().collect::<Vec<_>>(), ["plugin acme", "task worker"]);
        assert_eq!(other.failing()["plugin acme"].chars().count(), REASON_CHARS_MAX);
        other.holds("plugin acme");
        other.holds("plugin acme");
        readiness.fails("task worker", "it ended 4 times");
        assert_eq!(
            readiness.failing().into_iter().collect::<Vec<_>>(),
            [("task worker".to_owned(), "it ended 4 times".to_owned())]
        );
        readiness.holds("task worker");
        assert!(other.failing().is_empty());
    }
}
