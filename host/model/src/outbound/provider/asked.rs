//! Whether a call got as far as the provider.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Was the provider asked? Shared by all copies of one call's context: whoever sends a request notes it here, and whoever counts the
/// provider's failures looks. A call that asked nobody says nothing about the provider.
#[derive(Debug, Clone, Default)]
pub struct Asked(Arc<AtomicBool>);

impl Asked {
    /// A request leaves now.
    pub fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Did one leave?
    #[must_use]
    pub fn is_noted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
