//! Where a booking holds Berth's reference.

/// The key of its metadata.
pub(super) const REFERENCE: &str = "berth_reference";
