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

/// The checks of this process that fail, and what should be known although it stops nothing. Cheap to clone; clones share what they know.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    failing: BTreeMap<String, String>,
    remarks: BTreeMap<String, String>,
}

/// As much of a reason as is kept.
fn kept(reason: &str) -> String {
    reason.chars().take(REASON_CHARS_MAX).collect()
}

impl Readiness {
    /// The process is not ready until [`Self::holds`] is said of the same check. The reason is shown to anybody: no secret, no address,
    /// nothing of a tenant.
    pub fn fails(&self, check: &str, reason: &str) {
        self.known().failing.insert(check.to_owned(), kept(reason));
    }

    /// The check does not fail, or does not any more.
    pub fn holds(&self, check: &str) {
        self.known().failing.remove(check);
    }

    /// Checks that fail, and why. Empty: nothing stands in the way.
    #[must_use]
    pub fn failing(&self) -> BTreeMap<String, String> {
        self.known().failing.clone()
    }

    /// Something that should be known, and keeps nothing from being done. For anybody, as above.
    pub fn remarks(&self, on: &str, remark: &str) {
        self.known().remarks.insert(on.to_owned(), kept(remark));
    }

    /// There is nothing to remark, or nothing any more.
    pub fn unremarked(&self, on: &str) {
        self.known().remarks.remove(on);
    }

    /// All remarks.
    #[must_use]
    pub fn all_remarks(&self) -> BTreeMap<String, String> {
        self.known().remarks.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
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
        readiness.remarks("time zones", &"x".repeat(10_000));
        assert!(other.failing().is_empty());
        assert_eq!(other.all_remarks()["time zones"].chars().count(), REASON_CHARS_MAX);
        other.unremarked("time zones");
        assert!(readiness.all_remarks().is_empty());
    }
}
