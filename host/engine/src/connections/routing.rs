//! Where a booking goes: request override → listing → tenant default → built-in.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use berth_model::{
    bookings::booking::Booking,
    catalog::listing::ListingRecord,
    connections::connection::{ConnectionRecord, ConnectionState, Stopped},
    id::{ConnectionId, EventTypeId, MemberId},
    plugins::manifest::PluginId,
    problem::{Code, FieldError, Problem},
};
use berth_store::records::{BookingSetup, CurrentSetup};
use serde_json::{Value, json};

use crate::{Caller, Degraded, Outcome, connections::call_context::CallContexts};

/// Connections that a refusal names where several could be meant: as many as somebody chooses among.
const CANDIDATES_SHOWN: usize = 20;

/// A caller's own choice of where a booking goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderChoice {
    /// Berth alone.
    BuiltIn,
    /// Over this connection.
    Connection(ConnectionId),
    /// Over the one connection to the provider of this name that the listing, or else the tenant, has.
    Named(PluginId),
    /// Over this connection, which must be one to the provider of this name.
    Of(ConnectionId, PluginId),
}

/// Everything that bears on booking an event type. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct BookingContext {
    records: Arc<BookingSetup>,
    /// How often the places of each member had changed when this was loaded.
    pub(crate) places: Arc<[(MemberId, i64)]>,
    /// None: the built-in provider.
    pub(crate) connection: Option<Arc<ConnectionRecord>>,
    /// What could not be asked since this was loaded, which is for one request.
    unanswered: Arc<Mutex<Vec<Degraded>>>,
}

impl Deref for BookingContext {
    type Target = BookingSetup;
    fn deref(&self) -> &BookingSetup {
        &self.records
    }
}

impl BookingContext {
    /// With Berth alone.
    pub(crate) fn here(records: Arc<BookingSetup>, places: Vec<(MemberId, i64)>) -> Self {
        Self { records, places: places.into(), connection: None, unanswered: Arc::default() }
    }

    /// Why nothing is offered over its connection, if somebody decided so.
    pub(crate) fn stopped(&self) -> Option<Stopped> {
        self.connection.as_ref().and_then(|connection| connection.state.stopped())
    }

    /// Is it offered to customers?
    fn is_active(&self) -> bool {
        self.listing.active && self.event_type.active
    }

    /// Why this could not be asked a moment ago. It is not asked again in the same request: one refusal would take as long as several
    /// questions, a series as long as one for each booking.
    pub(crate) fn unanswered(&self, connection: ConnectionId, member: Option<MemberId>) -> Option<Degraded> {
        let known = self.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|one| one.connection == connection && one.member == member).cloned()
    }

    /// Note what could not be asked.
    pub(crate) fn note_unanswered(&self, degraded: &[Degraded]) {
        let mut known = self.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        for one in degraded {
            if !known.contains(one) {
                known.push(one.clone());
            }
        }
    }

    /// May something new go over its connection? What somebody decided stops it, whatever the listing does with what cannot be asked.
    pub(crate) fn check_open(&self) -> Outcome<()> {
        self.stopped().map_or(Ok(()), |stopped| Err(Problem::from(stopped)))
    }
}

fn not_connected(provider: &PluginId) -> Problem {
    let mut problem = Problem::new(
        Code::NotConnected,
        format!("Neither the listing nor the tenant has a connection to {provider} that could take it."),
    );
    problem.errors.push(FieldError::new("/provider", "there is no connection to it"));
    problem.extra.insert("candidates".to_owned(), json!([]));
    problem
}

fn not_decided(provider: &PluginId, candidates: &[ConnectionRecord]) -> Problem {
    let count = candidates.len();
    let mut problem =
        Problem::new(Code::ProviderNotDecided, format!("There are {count} connections to {provider}."));
    problem.errors.push(FieldError::new("/provider", "is more than one connection; give connection_id"));
    let shown = candidates.iter().take(CANDIDATES_SHOWN);
    let shown: Vec<Value> =
        shown.map(|c| json!({ "id": c.id, "name": c.name, "listing_id": c.listing })).collect();
    problem.extra.insert("candidates".to_owned(), Value::Array(shown));
    problem
}

fn not_active() -> Problem {
    Problem::new(Code::WrongState, "The listing or event type is not active.")
}

impl CallContexts {
    /// What a change of a booking needs: where it is, whatever is routed elsewhere or kept for another listing by now. What is over is
    /// nowhere but here.
    ///
    /// A listing or event type that is not active offers nothing to customers; the business may still move what is booked.
    pub(crate) async fn context_of(
        &self,
        caller: &Caller,
        booking: &Booking,
        by_customer: bool,
    ) -> Outcome<BookingContext> {
        let ctx = self.context_here(caller, booking.event_type).await?;
        let ctx = match booking.connection {
            None => ctx,
            Some(id) => {
                let connection = self.base.store().connection(caller.tenant, id).await?;
                match connection.state {
                    ConnectionState::Disconnected => ctx,
                    _ => self.context_over(caller, ctx, connection).await?,
                }
            }
        };
        if by_customer && !ctx.is_active() {
            return Err(not_active().with_hint(
                "Cancel it, or ask the business; a key with the scope bookings:override may still move it.",
            ));
        }
        Ok(ctx)
    }

    /// Load what booking this event type needs, and route it. Refuses what cannot be booked.
    pub(crate) async fn booking_context(
        &self,
        caller: &Caller,
        event_type: EventTypeId,
        choice: Option<ProviderChoice>,
    ) -> Outcome<BookingContext> {
        let mut ctx = self.context_here(caller, event_type).await?;
        let connection = match choice {
            Some(ProviderChoice::BuiltIn) => None,
            Some(ProviderChoice::Named(provider)) => {
                Some(self.one_to(caller, Some(&ctx.listing), provider).await?)
            }
            Some(ProviderChoice::Connection(id)) => {
                Some(self.base.store().connection(caller.tenant, id).await?)
            }
            Some(ProviderChoice::Of(id, provider)) => Some(self.this_to(caller, id, provider).await?),
            None => match ctx.listing.booking_provider.or(ctx.tenant.default_connection) {
                Some(id) => Some(self.base.store().connection(caller.tenant, id).await?),
                None => None,
            },
        };
        if let Some(connection) = connection {
            if connection.listing.is_some_and(|only| only != ctx.listing.id) {
                return Err(Problem::new(
                    Code::ProviderRefused,
                    "The connection is only for another listing.",
                )
                .with_hint("Choose a connection of this listing or of the whole tenant."));
            }
            ctx = self.context_over(caller, ctx, connection).await?;
        }
        if ctx.is_active() {
            return Ok(ctx);
        }
        Err(not_active().with_hint("Set `active` to true on both to take bookings."))
    }

    /// The one connection to a provider that a listing has, or else its tenant. A listing has those that are for it alone, and the one that it
    /// is booked over.
    pub(crate) async fn one_to(
        &self,
        caller: &Caller,
        listing: Option<&ListingRecord>,
        name: PluginId,
    ) -> Outcome<ConnectionRecord> {
        let provider = self.names.resolve(name);
        let mut found = self.base.store().connections_to(caller.tenant, &provider).await?;
        let is_here = |c: &ConnectionRecord| {
            c.listing.is_none_or(|only| listing.is_none_or(|listing| listing.id == only))
        };
        found.retain(is_here);
        let is_its_own = |c: &ConnectionRecord| {
            listing.is_some_and(|listing| c.listing.is_some() || listing.booking_provider == Some(c.id))
        };
        let own = found.iter().filter(|connection| is_its_own(connection)).count();
        match (own, found.len()) {
            (1, _) => found.retain(is_its_own),
            (0, 1) => {}
            (_, 0) => return Err(not_connected(&provider)),
            _ => return Err(not_decided(&provider, &found)),
        }
        found.pop().ok_or_else(|| not_connected(&provider))
    }

    /// This connection, which is one to the provider of this name.
    pub(crate) async fn this_to(
        &self,
        caller: &Caller,
        id: ConnectionId,
        name: PluginId,
    ) -> Outcome<ConnectionRecord> {
        let provider = self.names.resolve(name);
        let connection = self.base.store().connection(caller.tenant, id).await?;
        if connection.plugin == provider {
            return Ok(connection);
        }
        let message = format!("is {provider}, and the connection is one to {}", connection.plugin);
        Err(Problem::invalid(vec![FieldError::new("/provider", message)])
            .with_hint("Name one of both: `connection_id` is enough."))
    }

    /// What an event type is booked with, here alone.
    async fn context_here(&self, caller: &Caller, event_type: EventTypeId) -> Outcome<BookingContext> {
        let CurrentSetup { records, places } =
            self.base.store().booking_setup(caller.tenant, event_type).await?;
        Ok(BookingContext::here(records, places))
    }

    /// The same over a connection. Refused now if its plugin is disabled at any level, not later when nobody waits for it.
    async fn context_over(
        &self,
        caller: &Caller,
        ctx: BookingContext,
        connection: ConnectionRecord,
    ) -> Outcome<BookingContext> {
        self.granted_hosts(&connection.plugin, caller.tenant, Some(ctx.listing.id)).await?;
        Ok(BookingContext { connection: Some(Arc::new(connection)), ..ctx })
    }
}
