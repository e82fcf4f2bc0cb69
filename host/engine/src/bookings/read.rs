//! Bookings as they are.

use berth_model::{
    bookings::booking::Booking,
    id::BookingId,
    limits,
    plugins::manifest::PluginId,
    problem::{FieldError, Problem},
};
use berth_store::records::{BookedOver, BookingFilter};

use crate::{Caller, Outcome, bookings::Bookings};

/// What the built-in provider is called.
const BUILT_IN: &str = "builtin";

impl Bookings {
    /// A booking.
    pub async fn booking(&self, caller: &Caller, id: BookingId) -> Outcome<Booking> {
        Ok(self.base.store().booking(caller.tenant, id).await?)
    }

    /// Bookings in the order that is asked for.
    pub async fn list_bookings(
        &self,
        caller: &Caller,
        filter: BookingFilter,
        limit: u32,
    ) -> Outcome<Vec<Booking>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        Ok(self.base.store().list_bookings(caller.tenant, filter, limit).await?)
    }

    /// Where bookings go that go to a provider of this name. One that the tenant never had is refused with those that it has.
    pub async fn booked_over(&self, caller: &Caller, provider: &str) -> Outcome<BookedOver> {
        if provider == BUILT_IN {
            return Ok(BookedOver::BuiltIn);
        }
        let connected = self.base.store().connected_providers(caller.tenant).await?;
        // Of one that was removed since, the name is in no list of aliases.
        let meant = provider.parse::<PluginId>().ok().map(|name| self.contexts.names.resolve(name));
        let known = meant.filter(|meant| connected.iter().any(|name| name == meant.as_str()));
        known.map(BookedOver::Provider).ok_or_else(|| {
            let all: Vec<&str> = [BUILT_IN].into_iter().chain(connected.iter().map(String::as_str)).collect();
            let why = format!("{provider:?} is not known here; one of: {}", all.join(", "));
            parameter("provider", &why)
        })
    }

    /// Make bookings findable that were made before they could be searched, as many as there are.
    pub async fn fill_booking_words(&self) -> Outcome<()> {
        // Ends: what was filled is not found again.
        while self.base.store().fill_booking_words().await? >= limits::SEARCHABLE_AT_ONCE {}
        Ok(())
    }
}

fn parameter(name: &str, why: &str) -> Problem {
    Problem::parameter(FieldError::new(name, why))
}
