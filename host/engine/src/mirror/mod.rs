//! Keeping connections in step with their providers: everything is read once, then what changed, from where the last reading ended; what
//! is not ours takes its member's time; and where both sides disagree a conflict is opened, with both versions.

mod conflicts;
mod endings;
mod external;
mod identity;
mod import;
mod kept;
mod reconcile;
mod resolve;
mod run;
mod soon;
mod views;

pub(crate) use conflicts::Theirs;
pub(crate) use identity::{Standing, Whose};
pub(crate) use kept::last_seen;
pub(crate) use soon::sync_key;

pub use reconcile::{Difference, Reconciliation};
pub use views::SyncStatus;
