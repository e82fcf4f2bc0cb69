//! What is written of the catalog in one transaction.

use berth_model::catalog::{event_type::EventTypeRecord, member::MemberRecord};

use super::Audit;

/// Somebody who joins.
#[derive(Debug, Clone)]
pub struct MemberJoin {
    /// As they are to be.
    pub member: MemberRecord,
    /// As they were; none if they were not there.
    pub expected_revision: Option<i64>,
    /// Differs from what is there?
    pub is_changed: bool,
    /// Event types with them in, each in the revision that it had without them.
    pub event_types: Vec<(EventTypeRecord, Audit)>,
}
