//! Whether the provider that a listing is booked over has what its event types stand for: asked when an event type is saved, read with the
//! synchronisation, and known wherever it is offered or booked.

use std::collections::BTreeMap;

use berth_model::{
    catalog::event_type::{CounterpartState, EventTypeRecord},
    connections::connection::ConnectionRecord,
    id::{ConnectionId, ListingId},
    problem::{Code, FieldError, Problem},
};
use berth_store::records::KnownCounterpart;
use serde_json::{Value, json};

use super::at_provider::{FoundThere, named};
use crate::{Caller, Outcome, catalog::Catalog, connections::routing::BookingContext};

/// How an event type stands at its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counterpart {
    /// Over which connection its listing is booked.
    pub connection: ConnectionId,
    /// How it stands there.
    pub state: CounterpartState,
}

fn state_of(known: &KnownCounterpart) -> CounterpartState {
    match (&known.payload, known.read_at) {
        (Some(payload), _) if payload.get("active").and_then(Value::as_bool) == Some(false) => {
            CounterpartState::Inactive
        }
        (Some(_), _) => CounterpartState::Known,
        (None, Some(read_at)) if known.unchecked_since.is_none_or(|since| since <= read_at) => {
            CounterpartState::Unknown
        }
        (None, _) => CounterpartState::Unchecked,
    }
}

impl Catalog {
    /// How event types stand at the providers that their listings are booked over; none where Berth alone is booked.
    pub async fn counterparts_of(
        &self,
        caller: &Caller,
        event_types: &[EventTypeRecord],
    ) -> Outcome<Vec<Option<Counterpart>>> {
        let tenant = self.base.store().tenant(caller.tenant).await?;
        let mut connections: BTreeMap<ListingId, Option<ConnectionRecord>> = BTreeMap::new();
        let mut counterparts = Vec::with_capacity(event_types.len());
        for event_type in event_types {
            let connection = if let Some(known) = connections.get(&event_type.listing) {
                known.clone()
            } else {
                let listing = self.listing(caller, event_type.listing).await?;
                let over = match listing.booking_provider.or(tenant.default_connection) {
                    None => None,
                    Some(id) => Some(self.base.store().connection(caller.tenant, id).await?),
                };
                connections.insert(event_type.listing, over.clone());
                over
            };
            counterparts.push(match connection {
                None => None,
                Some(connection) => {
                    let state =
                        self.counterpart_state(&connection, event_type.external_over(connection.id)).await?;
                    Some(Counterpart { connection: connection.id, state })
                }
            });
        }
        Ok(counterparts)
    }

    pub(crate) async fn counterpart_state(
        &self,
        connection: &ConnectionRecord,
        external_id: Option<&str>,
    ) -> Outcome<CounterpartState> {
        let Some(external_id) = external_id else { return Ok(CounterpartState::Missing) };
        // What does not list anything cannot be asked.
        if !self.providers.capabilities(&connection.plugin).is_some_and(|a| a.catalog) {
            return Ok(CounterpartState::Unchecked);
        }
        let known = self.base.store().known_counterpart(connection.tenant, connection.id, external_id).await;
        Ok(state_of(&known?))
    }

    /// How the event type stands at its provider.
    pub(crate) async fn counterpart_in(&self, ctx: &BookingContext) -> Outcome<CounterpartState> {
        match &ctx.connection {
            None => Ok(CounterpartState::Known),
            Some(connection) => {
                self.counterpart_state(connection, ctx.event_type.external_over(connection.id)).await
            }
        }
    }

    /// Refuse what nothing new can be booked of, whatever is free: its connection is stopped, or its provider does not have it.
    pub(crate) async fn check_bookable(&self, ctx: &BookingContext) -> Outcome<()> {
        ctx.check_open()?;
        let state = self.counterpart_in(ctx).await?;
        if state.is_bookable() {
            return Ok(());
        }
        let mut problem = Problem::new(Code::ProviderRefused, format!("It cannot be booked: {}.", state.detail()))
            .with_hint("Set its external_id to one of /api/booking-providers/{id}/event-types, or book with \"provider\": \"builtin\".");
        problem.extra.insert("reason".to_owned(), json!("event_type"));
        problem.extra.insert("state".to_owned(), json!(state));
        Err(problem)
    }

    /// Look for an event type's counterpart as it is saved. Refused where the provider says that there is none; the connection and id to be noted as
    /// not checked where it cannot be asked now. What was as it is before is not asked for again.
    pub(crate) async fn check_counterpart(
        &self,
        caller: &Caller,
        event_type: &EventTypeRecord,
        before: Option<&EventTypeRecord>,
    ) -> Outcome<Option<(ConnectionId, String)>> {
        let same = |before: &EventTypeRecord| {
            before.active
                && before.external_id == event_type.external_id
                && before.external == event_type.external
        };
        if !event_type.active || before.is_some_and(same) {
            return Ok(None);
        }
        let Some(id) = self.own_connection(caller, event_type.listing).await? else { return Ok(None) };
        let connection = self.base.store().connection(caller.tenant, id).await?;
        let refused = |message: String| Err(Problem::invalid(vec![FieldError::new("/external_id", message)]));
        let see = format!("see GET /api/booking-providers/{id}/event-types");
        let Some(external_id) = event_type.external_over(id) else {
            // Whoever takes it away takes it off the provider, and sees so in the answer.
            if before.is_some_and(|before| before.active) {
                return Ok(None);
            }
            return refused(format!("is needed: the listing is booked over a provider; {see}"));
        };
        if !self.providers.capabilities(&connection.plugin).is_some_and(|a| a.catalog) {
            return Ok(None);
        }
        match self.find_there(caller, &connection, external_id).await {
            Ok(FoundThere::Active) => Ok(None),
            Ok(FoundThere::Inactive(others)) => {
                refused(format!("cannot be booked at the provider now; it has {}; {see}", named(&others)))
            }
            Ok(FoundThere::Missing(others)) => {
                let now = self.base.now();
                self.base.store().note_catalog_read(caller.tenant, id, now).await?;
                refused(format!("the provider has none with this id; it has {}; {see}", named(&others)))
            }
            Err(error) => {
                tracing::info!(outcome = error.outcome(), connection = %id, "an event type is saved without its counterpart being looked for");
                Ok(Some((id, external_id.to_owned())))
            }
        }
    }

    /// Note that a counterpart is still to be looked for.
    pub(crate) async fn counterpart_is_unchecked(
        &self,
        event_type: &EventTypeRecord,
        unchecked: Option<(ConnectionId, String)>,
    ) -> Outcome<()> {
        let Some((connection, external_id)) = unchecked else { return Ok(()) };
        let (tenant, now) = (event_type.tenant, self.base.now());
        self.base
            .store()
            .note_unchecked_counterpart(tenant, event_type.id, connection, external_id, now)
            .await
            .map_err(Problem::from)
    }
}

#[cfg(test)]
mod tests {
    use berth_model::time::Instant;

    use super::*;

    #[test]
    fn what_is_not_on_a_list_that_was_read_is_not_there() {
        let at = |seconds: i64| Some(Instant::from_seconds(seconds));
        let item = |active: bool| Some(json!({ "active": active }));
        for (payload, read_at, unchecked_since, state) in [
            (None, None, None, CounterpartState::Unchecked),
            (None, at(5), None, CounterpartState::Unknown),
            (None, at(5), at(4), CounterpartState::Unknown),
            (None, at(5), at(6), CounterpartState::Unchecked),
            (item(true), None, None, CounterpartState::Known),
            (item(true), at(5), at(6), CounterpartState::Known),
            (item(false), at(5), None, CounterpartState::Inactive),
        ] {
            assert_eq!(state_of(&KnownCounterpart { payload, read_at, unchecked_since }), state);
        }
    }
}
