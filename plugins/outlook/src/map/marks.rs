//! What tells events of ours from others.

/// How the `transactionId` of every event of ours begins. Other apps give some as well, Outlook on the web to what people enter.
pub(crate) const TRANSACTION: &str = "berth-";
/// Extended property of an event that holds Berth's reference.
pub(crate) const REFERENCE: &str = "String {7c2f3c8e-54a1-4c1b-9d0e-6a8f2b1d3e95} Name berth_reference";
