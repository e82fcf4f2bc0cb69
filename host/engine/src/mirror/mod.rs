//! Keeping connections in step with their providers: everything is read once, then what changed, from where the last reading ended; what
//! is not ours takes its member's time; and where both sides disagree a conflict is opened, with both versions.

mod adopt;
pub(crate) mod conflicts;
mod endings;
mod external;
pub(crate) mod external_bookings;
mod identity;
mod import;
mod imports;
mod kept;
mod listed;
mod reconcile;
mod resolve;
mod run;
mod soon;
mod views;

pub(crate) use conflicts::Theirs;
pub(crate) use identity::{Standing, Whose};
pub(crate) use kept::last_seen;
pub(crate) use soon::{sync_key, sync_soon};

pub use adopt::AdoptRequest;
pub use imports::{ImportReport, ImportRequest, ImportedItem};
pub use listed::{Listed, TheirBooking};
pub use reconcile::{Difference, Reconciliation};
use std::sync::Arc;
pub use views::SyncStatus;

use berth_model::outbound::provider::Providers;

use crate::{
    base::Base,
    bookings::Bookings,
    calendars::writer::CalendarWriter,
    catalog::Catalog,
    computing::Computing,
    connections::{Connections, cache::ProviderCache, call_context::CallContexts},
    inbound::Inbound,
    jobs::queue::Queue,
    mirror::{conflicts::Conflicts, external_bookings::ExternalBookings},
    outbound::{Outbound, deliveries::Deliveries},
};

/// Both sides of a connection, compared and brought together.
pub struct Mirror {
    pub(crate) base: Base,
    pub(crate) bookings: Arc<Bookings>,
    pub(crate) cache: Arc<ProviderCache>,
    pub(crate) calendar_writer: Arc<CalendarWriter>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) computing: Arc<Computing>,
    pub(crate) conflicts: Arc<Conflicts>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) contexts: Arc<CallContexts>,
    pub(crate) deliveries: Arc<Deliveries>,
    pub(crate) external_bookings: Arc<ExternalBookings>,
    pub(crate) inbound: Arc<Inbound>,
    pub(crate) outbound: Arc<Outbound>,
    pub(crate) providers: Arc<dyn Providers>,
    pub(crate) queue: Arc<Queue>,
}
