//! Where a booking goes: request override → listing → tenant default → built-in.

use std::{ops::Deref, sync::Arc};

use berth_model::{
    connection::ConnectionRecord,
    id::{ConnectionId, EventTypeId, MemberId},
    listing::{ListingRecord, TenantRecord},
    problem::{Code, Problem},
};
use berth_store::records::{SceneNow, SceneRecords};

use crate::{Caller, Engine, Outcome, problems::of_store};

/// A caller's own choice of where a booking goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderChoice {
    /// Berth alone.
    BuiltIn,
    /// Over this connection.
    Connection(ConnectionId),
}

/// Everything that bears on booking an event type. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    records: Arc<SceneRecords>,
    /// How often the places of each member had changed when this was loaded.
    pub(crate) places: Arc<[(MemberId, i64)]>,
    /// None: the built-in provider.
    pub(crate) connection: Option<Arc<ConnectionRecord>>,
}

impl Deref for Scene {
    type Target = SceneRecords;
    fn deref(&self) -> &SceneRecords {
        &self.records
    }
}

fn route(
    choice: Option<ProviderChoice>,
    listing: &ListingRecord,
    tenant: &TenantRecord,
) -> Option<ConnectionId> {
    match choice {
        Some(ProviderChoice::BuiltIn) => None,
        Some(ProviderChoice::Connection(connection)) => Some(connection),
        None => listing.booking_provider.or(tenant.default_connection),
    }
}

impl Engine {
    /// Load what booking this event type needs, and route it. Refuses what cannot be booked.
    pub(crate) async fn scene(
        &self,
        caller: &Caller,
        event_type: EventTypeId,
        choice: Option<ProviderChoice>,
    ) -> Outcome<Scene> {
        let SceneNow { records, places } =
            self.store().scene(caller.tenant, event_type).await.map_err(of_store)?;
        let SceneRecords { tenant, listing, event_type, .. } = records.as_ref();
        if !listing.active || !event_type.active {
            return Err(Problem::new(Code::WrongState, "The listing or event type is not active.")
                .with_hint("Set `active` to true on both to take bookings."));
        }
        let connection = match route(choice, listing, tenant) {
            None => None,
            Some(id) => {
                let connection = self.store().connection(caller.tenant, id).await.map_err(of_store)?;
                if connection.listing.is_some_and(|only| only != listing.id) {
                    return Err(Problem::new(
                        Code::ProviderRefused,
                        "The connection is only for another listing.",
                    )
                    .with_hint("Choose a connection of this listing or of the whole tenant."));
                }
                // Refused now if the plugin is disabled at any level, not later when nobody waits for it.
                self.granted_hosts(&connection.plugin, caller.tenant, Some(listing.id)).await?;
                Some(Arc::new(connection))
            }
        };
        Ok(Scene { records, places: places.into(), connection })
    }
}
