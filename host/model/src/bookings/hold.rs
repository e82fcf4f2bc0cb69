//! Holds: a place that is kept for somebody while they fill in a form.

use crate::{
    id::{EventTypeId, HoldId, MemberId, TenantId},
    time::{Instant, Interval},
};

/// A hold as it is stored. Over, and blocking nobody, from `expires_at` on, whether or not it was removed by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRecord {
    /// Its id.
    pub id: HoldId,
    /// Whose.
    pub tenant: TenantId,
    /// For what.
    pub event_type: EventTypeId,
    /// With whom: the organiser.
    pub member: MemberId,
    /// Who would take part besides the organiser.
    pub other_members: Vec<MemberId>,
    /// The meeting, without buffers.
    pub when: Interval,
    /// SHA-256 of the holder's token.
    pub token_hash: [u8; 32],
    /// From then on it is over.
    pub expires_at: Instant,
    /// When it was made.
    pub created_at: Instant,
}

impl HoldRecord {
    /// Everyone whose time it takes, the organiser first.
    pub fn members(&self) -> impl Iterator<Item = MemberId> + '_ {
        std::iter::once(self.member).chain(self.other_members.iter().copied())
    }

    /// Is it over? A hold that expires now is.
    #[must_use]
    pub fn is_over(&self, now: Instant) -> bool {
        self.expires_at <= now
    }
}
