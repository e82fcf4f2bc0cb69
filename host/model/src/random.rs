//! Randomness as a parameter, so that a seed reproduces a run.

/// A source of random bytes. The product uses the operating system's; tests and simulations a seeded one.
pub trait Random: Send + Sync {
    /// Fill `bytes`. Must be unpredictable in the product, since keys and tokens are made from it.
    fn fill(&self, bytes: &mut [u8]);
}
