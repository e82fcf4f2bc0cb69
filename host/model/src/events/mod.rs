//! What happened, as readers are told it: one event for each change of state, in one order per tenant.
//!
//! An event holds ids, times and names of states; no personal data and no text of people. Who needs more asks for the subject. The event of a
//! subject with the highest `sequence` says how it stands now, whatever was missed before it.

mod cursor;
mod kinds;
mod placing;
mod schema;

use serde_json::Value;
use uuid::Uuid;

pub use cursor::{After, Cursor, Head, NoWayOn, PastCursor};
pub use kinds::{EventKind, SubjectKind};
pub use placing::{Unplaced, in_order};
pub use schema::{data_schema, example, schema};

use crate::{
    id::{EventId, TenantId},
    time::Instant,
};

/// An event that is to be written, in the transaction of the change that it tells of.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// What happened.
    pub kind: EventKind,
    /// To what: the id of a thing of the kind's [`EventKind::subject`].
    pub subject: Uuid,
    /// Counts the subject's events, upwards and perhaps with gaps: a booking's own sequence. No two of one subject have the same.
    pub sequence: i64,
    /// When.
    pub occurred_at: Instant,
    /// Who did it, as the audit log has it.
    pub actor: String,
    /// As [`data_schema`] of the kind says.
    pub data: Value,
}

impl NewEvent {
    /// Its id, a UUID version 7 made of what it tells of: the time, then the subject's sequence, then the subject's own random bits. So one
    /// change cannot be told twice, and those of one subject within a millisecond are in order.
    #[must_use]
    pub fn id(&self) -> EventId {
        let millis = u64::try_from(self.occurred_at.micros().div_euclid(1_000)).unwrap_or(0);
        let [.., s0, s1] = self.sequence.to_be_bytes();
        let [.., u0, u1, u2, u3, u4, u5, u6, u7] = self.subject.into_bytes();
        let bytes = [s0, s1, u0, u1, u2, u3, u4, u5, u6, u7];
        EventId::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
    }
}

/// An event as readers get it.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "see NewEvent")]
pub struct Event {
    pub tenant: TenantId,
    pub id: EventId,
    /// Its place among the tenant's events: 1, 2, 3, … without gaps.
    pub position: i64,
    /// Name of its kind. A text, since a later version of this program may have written it.
    pub kind: String,
    pub subject_kind: String,
    pub subject: Uuid,
    pub sequence: i64,
    pub occurred_at: Instant,
    pub actor: String,
    pub data: Value,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(subject: u128, sequence: i64, micros: i64) -> NewEvent {
        NewEvent {
            kind: EventKind::BookingUpdated,
            subject: Uuid::from_u128(subject),
            sequence,
            occurred_at: Instant::from_micros(micros),
            actor: "system".to_owned(),
            data: json!({}),
        }
    }

    #[test]
    fn an_id_says_when_and_is_no_other_events() {
        let one = event(7, 1, 1_700_000_000_123_456);
        let id = one.id().uuid();
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_timestamp().unwrap().to_unix(), (1_700_000_000, 123_000_000));
        assert_eq!(one.id(), one.clone().id());
        assert_ne!(event(8, 1, 1_700_000_000_123_456).id(), one.id(), "another subject");
        // Within one millisecond, by sequence; later, by time.
        assert!(event(7, 2, 1_700_000_000_123_456).id() > one.id());
        assert!(event(7, 0, 1_700_000_000_124_000).id() > one.id());
    }
}
