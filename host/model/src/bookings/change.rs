//! What can happen to a booking. What each makes of it is decided in `transition`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{booking::ProviderTask, edit::Edit, occupancy::Occupancy, role::Role};
use crate::{id::MemberId, outbound::provider::ExternalBooking, time::Interval};

/// Who takes part in a booking, and why they.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "see Booking")]
pub struct Hosts {
    pub member: MemberId,
    pub other_members: Vec<MemberId>,
    pub assignment: Option<Value>,
}

impl Hosts {
    /// All of them.
    pub fn members(&self) -> impl Iterator<Item = MemberId> + '_ {
        std::iter::once(self.member).chain(self.other_members.iter().copied())
    }
}

/// A change of a booking. Every one raises `sequence` and sets `updated_at`.
///
/// Where the booking has a provider, what people ask is dispatched: `provider_task` says what, and a job does it. Where it has none, it is
/// so at once.
#[derive(Debug, Clone, PartialEq)]
pub enum BookingChange {
    /// Called off by us or the customer. The place stays taken until the provider knows.
    Cancel {
        /// For people.
        reason: Option<String>,
    },
    /// Moved by us or the customer. Where a provider is to be told, both places stay taken (their hull, if they overlap) and the old time goes
    /// to `previous_when`.
    Reschedule {
        /// From now on.
        occupancy: Occupancy,
        /// Who takes part from now on; none: whoever does. A refusal brings the others back.
        hosts: Option<Hosts>,
    },
    /// What is written on it was changed. Where it has a counterpart, its provider is told, unless it is for here alone (`local_only`).
    Edit(Box<Edit>),
    /// Given to others at the same time. The same holds for its provider; until that has agreed, the places of both stay taken.
    Reassign {
        /// Its place from now on.
        occupancy: Occupancy,
        /// Who takes part from now on.
        hosts: Hosts,
        /// Here alone, although its provider has it with others.
        local_only: bool,
    },
    /// The tenant confirmed what waited for it.
    Confirm,
    /// The tenant declined what waited for it: `cancelled`, place released. The provider never knew of it.
    Decline {
        /// For people.
        reason: Option<String>,
    },
    /// It took place.
    Complete,
    /// The attendee did not come.
    NoShow,
    /// The provider lost it or has it elsewhere, and our version counts: `create` or `reschedule` once more.
    Redeliver(ProviderTask),
    /// The provider has it (after create or reschedule): `confirmed`, task done, only this place stays taken.
    Delivered {
        /// As the provider has it.
        external: ExternalBooking,
        /// From now on.
        padded: Interval,
    },
    /// The provider refused to make it: `failed`, place released. One that was delivered once more stands as it is.
    Refused {
        /// For people.
        reason: String,
    },
    /// The provider refused to move it: back to where it was, `confirmed`, the new place released.
    RescheduleRefused {
        /// For people.
        reason: String,
        /// Where it is from now on: at `previous_when`, or where the provider has it.
        occupancy: Occupancy,
        /// As the provider has it, if it was seen.
        external: Option<ExternalBooking>,
    },
    /// The provider refused to write on it what was written here, or to give it to others: it is as it was before.
    EditRefused {
        /// For people.
        reason: String,
        /// Where it stands.
        occupancy: Occupancy,
        /// As the provider has it, if it was seen.
        external: Option<ExternalBooking>,
    },
    /// The provider knows of the cancellation (or never had it): task done, place released.
    CancelDelivered {
        /// As the provider has it, if it does.
        external: Option<ExternalBooking>,
    },
    /// The provider refused to cancel it, so it stands as it does there, with the task done. What is not known to be there stays cancelled,
    /// and its place is released.
    CancelRefused {
        /// For people.
        reason: String,
        /// What stands there, if it was seen.
        external: Option<ExternalBooking>,
        /// Its place from now on, with buffers.
        padded: Interval,
    },
    /// The provider told us that it was cancelled there: `cancelled`, place released, no task.
    CancelledByProvider {
        /// As the provider has it.
        external: ExternalBooking,
    },
    /// The provider told us that it was moved or otherwise changed there.
    ChangedByProvider {
        /// As the provider has it (its id may be new).
        external: ExternalBooking,
        /// Its place from now on, with buffers.
        padded: Interval,
    },
    /// Its connection is over, so that nobody can be told of what was asked here: it is so, with the task done.
    SettledHere {
        /// Its place from now on, with buffers.
        padded: Interval,
    },
}

impl BookingChange {
    /// Is it what the provider answered or told, and not what somebody asks?
    #[must_use]
    pub const fn is_news(&self) -> bool {
        matches!(
            self,
            Self::Delivered { .. }
                | Self::Refused { .. }
                | Self::RescheduleRefused { .. }
                | Self::EditRefused { .. }
                | Self::CancelDelivered { .. }
                | Self::CancelRefused { .. }
                | Self::CancelledByProvider { .. }
                | Self::ChangedByProvider { .. }
        )
    }

    /// In whose name it happens, when this role brings it about. None: this role may not. News happens in the provider's name, whoever asked
    /// the provider; a customer never does.
    #[must_use]
    pub const fn by(&self, role: Role) -> Option<Role> {
        let may = match self {
            Self::Cancel { .. } | Self::Reschedule { .. } => true,
            Self::Confirm | Self::NoShow => matches!(role, Role::Tenant),
            Self::Decline { .. } | Self::Redeliver(_) | Self::Edit(_) | Self::Reassign { .. } => {
                matches!(role, Role::Tenant | Role::System)
            }
            Self::Complete | Self::SettledHere { .. } => matches!(role, Role::System),
            _ => !matches!(role, Role::Customer),
        };
        match (may, self.is_news()) {
            (true, true) => Some(Role::Provider),
            (true, false) => Some(role),
            (false, _) => None,
        }
    }
}
