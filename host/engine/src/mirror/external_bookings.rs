//! The lower floor of the mirror, which outbound and inbound use. Whose a booking is says `identity.rs`; what is kept of it, `kept.rs`; what
//! others' do to ours, `external.rs`.

use std::sync::Arc;

use berth_model::outbound::provider::Providers;

use crate::{
    base::Base, calendars::writer::CalendarWriter, connections::call_context::CallContexts,
    mirror::conflicts::Conflicts, outbound::deliveries::Deliveries,
};

/// Bookings at providers as they are known here: whose each is, and what is kept of it.
pub(crate) struct ExternalBookings {
    pub(crate) base: Base,
    pub(crate) calendar_writer: Arc<CalendarWriter>,
    pub(crate) conflicts: Arc<Conflicts>,
    pub(crate) contexts: Arc<CallContexts>,
    pub(crate) deliveries: Arc<Deliveries>,
    pub(crate) providers: Arc<dyn Providers>,
}
