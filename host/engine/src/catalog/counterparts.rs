//! What event types are at the providers of several connections: given as a list, or as the one of the listing's own connection.

use berth_model::{
    catalog::event_type::{EventTypeCounterpart, EventTypeRecord},
    connections::connection::ConnectionState,
    id::{ConnectionId, ListingId},
    problem::{FieldError, Problem},
};
use berth_store::StoreError;

use super::at_provider::{FoundThere, named};
use crate::{Caller, Outcome, catalog::Catalog};

impl Catalog {
    /// The connection that a listing is booked over, if it is there.
    pub(crate) async fn own_connection(
        &self,
        caller: &Caller,
        listing: ListingId,
    ) -> Outcome<Option<ConnectionId>> {
        // A listing that is not there is refused by the store, by its field.
        let Ok(listing) = self.base.store().listing(caller.tenant, listing).await else { return Ok(None) };
        let tenant = self.base.store().tenant(caller.tenant).await?;
        Ok(listing.booking_provider.or(tenant.default_connection))
    }

    /// Give an event type the counterparts that somebody names: all of them, or that over its listing's own connection.
    #[expect(clippy::option_option, reason = "absent and null mean different things in a patch")]
    pub(crate) async fn give_counterparts(
        &self,
        caller: &Caller,
        event_type: &mut EventTypeRecord,
        all: Option<Vec<EventTypeCounterpart>>,
        own_id: Option<Option<String>>,
    ) -> Outcome<()> {
        if all.is_none() && own_id.is_none() {
            return Ok(());
        }
        let own = self.own_connection(caller, event_type.listing).await?;
        let Some(all) = all else {
            event_type.set_own_counterpart(own_id.flatten(), own);
            return Ok(());
        };
        let before = std::mem::take(&mut event_type.external);
        event_type.set_counterparts(all, own);
        if let Some(Some(id)) = own_id {
            if own.is_some()
                && !event_type.external.is_empty()
                && event_type.external_id.as_ref() != Some(&id)
            {
                let other = "says otherwise than the entry of external for the listing's own connection";
                return Err(Problem::invalid(vec![FieldError::new("/external_id", other)]));
            }
            event_type.external_id = Some(id);
        }
        event_type.check()?;
        self.check_others(caller, event_type, own, &before).await
    }

    /// Are the connections there, and have those that the listing is not booked over what is named? What was so before is not asked for again.
    async fn check_others(
        &self,
        caller: &Caller,
        event_type: &EventTypeRecord,
        own: Option<ConnectionId>,
        before: &[EventTypeCounterpart],
    ) -> Outcome<()> {
        let mut errors = Vec::new();
        for (i, entry) in event_type.external.iter().enumerate() {
            if before.contains(entry) {
                continue;
            }
            let mut bad = |field: &str, message: String| {
                errors.push(FieldError::new(format!("/external/{i}/{field}"), message));
            };
            let connection = match self.base.store().connection(caller.tenant, entry.connection_id).await {
                Ok(connection) if connection.state == ConnectionState::Disconnected => {
                    bad("connection_id", "this connection is disconnected".to_owned());
                    continue;
                }
                Ok(connection) => connection,
                Err(StoreError::NotFound(_)) => {
                    bad("connection_id", "no such connection".to_owned());
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let lists = self.providers.capabilities(&connection.plugin).is_some_and(|a| a.catalog);
            // The listing's own is looked for with everything else that is checked as it is saved.
            if own == Some(connection.id) || !lists {
                continue;
            }
            match self.find_there(caller, &connection, &entry.external_id).await {
                Ok(FoundThere::Active) => {}
                Ok(FoundThere::Inactive(others)) => {
                    bad(
                        "external_id",
                        format!("cannot be booked at the provider now; it has {}", named(&others)),
                    );
                }
                Ok(FoundThere::Missing(others)) => {
                    bad(
                        "external_id",
                        format!("the provider has none with this id; it has {}", named(&others)),
                    );
                }
                Err(error) => {
                    tracing::info!(outcome = error.outcome(), connection = %connection.id, "a counterpart is saved without being looked for");
                }
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
    }
}
