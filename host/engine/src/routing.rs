//! Where a booking goes: request override → listing → tenant default → built-in.

use berth_model::{
    connection::ConnectionRecord,
    event_type::EventTypeRecord,
    id::{ConnectionId, EventTypeId},
    listing::{ListingRecord, TenantRecord},
    member::MemberRecord,
    problem::{Code, Problem},
};

use crate::{Caller, Engine, Outcome, problems::of_store};

/// A caller's own choice of where a booking goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderChoice {
    /// Berth alone.
    BuiltIn,
    /// Over this connection.
    Connection(ConnectionId),
}

/// Everything that bears on booking an event type.
pub(crate) struct Scene {
    pub(crate) listing: ListingRecord,
    pub(crate) event_type: EventTypeRecord,
    pub(crate) members: Vec<MemberRecord>,
    /// None: the built-in provider.
    pub(crate) connection: Option<ConnectionRecord>,
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
        let (tenant, listing, event_type, members) =
            self.store().booking_scene(caller.tenant, event_type).await.map_err(of_store)?;
        if !listing.active || !event_type.active {
            return Err(Problem::new(Code::WrongState, "The listing or event type is not active.")
                .with_hint("Set `active` to true on both to take bookings."));
        }
        let connection = match route(choice, &listing, &tenant) {
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
                Some(connection)
            }
        };
        Ok(Scene { listing, event_type, members, connection })
    }
}
