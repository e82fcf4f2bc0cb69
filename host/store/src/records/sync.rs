//! How far a synchronisation is.

use berth_model::{sync::SyncPhase, time::Instant};

/// How far a synchronisation is, to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "see SyncState")]
pub struct SyncProgress {
    pub phase: SyncPhase,
    pub position: Option<String>,
    pub run: i64,
    pub pages: i64,
    pub items: i64,
    pub started_at: Option<Instant>,
    pub finished_at: Option<Instant>,
    pub full_at: Option<Instant>,
    pub due_at: Option<Instant>,
    pub failures: i64,
    pub error: Option<String>,
}
