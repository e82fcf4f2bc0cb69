//! The functions of the contract, by name.

use berth_model::outbound::provider::CallContext;

use crate::egress::Urgency;

/// A function of the contract.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    /// `bookings.create`.
    pub(crate) name: &'static str,
    /// `bookings`.
    pub(crate) interface: &'static str,
    /// What waits for it.
    pub(crate) urgency: Urgency,
}

impl Operation {
    /// What waits for this call of it.
    pub(crate) fn urgency_for(self, cx: &CallContext) -> Urgency {
        if cx.in_background { self.urgency.max(Urgency::Upkeep) } else { self.urgency }
    }
}
