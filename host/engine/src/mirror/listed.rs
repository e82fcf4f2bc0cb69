//! Lists of bookings with those that were made at providers: one order and one cursor for both, and what each of theirs stands for here.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, btree_map::Entry},
};

use berth_model::{
    bookings::{
        booking::Booking,
        lists::{DayCount, Origin, days},
    },
    catalog::event_type::EventTypeRecord,
    connections::connection::ConnectionRecord,
    id::{BookingId, ConnectionId, EventTypeId, ListingId, MirroredId},
    limits,
    plugins::manifest::PluginId,
    problem::{FieldError, Problem},
    time::Instant,
    zone::Zone,
};
use berth_store::{
    StoreError,
    records::{BookingFilter, ExternalKinds, ListedExternal},
};
use chrono::NaiveDate;
use uuid::Uuid;

use super::kept::EVENT_TYPES_MAX;
use crate::{Caller, Outcome, mirror::Mirror};

/// A booking that was made at a provider, and what it stands for here.
#[derive(Debug)]
pub struct TheirBooking {
    /// What is kept of it.
    pub listed: ListedExternal,
    /// Which provider has it.
    pub provider: PluginId,
    /// The event type here that its own stands for; none if there is none, or several.
    pub event_type: Option<EventTypeId>,
    /// The listing of that event type, or else the one that the connection is for.
    pub listing: Option<ListingId>,
}

/// What is in a list.
#[derive(Debug)]
pub enum Listed {
    /// A booking of ours.
    Ours(Box<Booking>),
    /// One that was made at a provider.
    Theirs(Box<TheirBooking>),
}

impl Listed {
    /// Its place in this order.
    #[must_use]
    pub fn place(&self, filter: &BookingFilter) -> (Instant, BookingId) {
        let (at, id) = self.at(filter);
        (at, BookingId::from_uuid(id))
    }

    fn at(&self, filter: &BookingFilter) -> (Instant, Uuid) {
        match self {
            Self::Ours(booking) => (filter.order.time_of(booking), booking.id.uuid()),
            Self::Theirs(theirs) => theirs.listed.place(filter.order),
        }
    }
}

impl Mirror {
    /// Bookings in the order that is asked for, of whichever side.
    pub async fn list_of(
        &self,
        caller: &Caller,
        origin: Origin,
        filter: &BookingFilter,
        limit: u32,
    ) -> Outcome<Vec<Listed>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        let mut all = Vec::new();
        if origin.has_ours() {
            let ours = self.bookings.list_bookings(caller, filter.clone(), limit).await?;
            all.extend(ours.into_iter().map(|booking| Listed::Ours(Box::new(booking))));
        }
        if origin.has_theirs() {
            let theirs = self.external_bookings_of(caller, filter, limit).await?;
            all.extend(theirs.into_iter().map(|theirs| Listed::Theirs(Box::new(theirs))));
        }
        let before = |a: &Listed, b: &Listed| -> Ordering {
            let order = a.at(filter).cmp(&b.at(filter));
            if filter.order.descending { order.reverse() } else { order }
        };
        all.sort_by(before);
        all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(all)
    }

    /// Bookings that were made at providers.
    async fn external_bookings_of(
        &self,
        caller: &Caller,
        filter: &BookingFilter,
        limit: u32,
    ) -> Outcome<Vec<TheirBooking>> {
        let event_types = self.event_types_there(caller).await?;
        let kinds = kinds(filter, &event_types);
        let store = self.base.store();
        let rows = store.list_external_bookings(caller.tenant, filter.clone(), kinds, limit).await?;
        self.standing_for(caller, &event_types, rows).await
    }

    /// One of them, by its id here. One that became the counterpart of a booking is that booking's.
    pub async fn external_booking(&self, caller: &Caller, id: MirroredId) -> Outcome<TheirBooking> {
        let listed = self.base.store().external_booking(caller.tenant, id).await?;
        let event_types = self.event_types_there(caller).await?;
        let found = self.standing_for(caller, &event_types, vec![listed]).await?.pop();
        found.ok_or_else(|| Problem::not_found("external booking"))
    }

    /// How many bookings begin on each day of this zone, both ends included, by status.
    pub async fn count_of(
        &self,
        caller: &Caller,
        origin: Origin,
        filter: BookingFilter,
        (first, last, zone): (NaiveDate, NaiveDate, Zone),
    ) -> Outcome<Vec<DayCount>> {
        if last < first {
            return Err(Problem::parameter(FieldError::new("to", "must not be before from")));
        }
        let most = limits::COUNTED_DAYS_MAX;
        let days = days(zone, first, last, most).ok_or_else(|| {
            let why = format!("at most {most} days may be counted at once");
            Problem::parameter(FieldError::new("to", why))
        })?;
        let store = self.base.store();
        if !origin.has_theirs() {
            return Ok(store.count_bookings(caller.tenant, filter, days).await?);
        }
        let kinds = kinds(&filter, &self.event_types_there(caller).await?);
        let theirs =
            store.count_external_bookings(caller.tenant, filter.clone(), kinds, days.clone()).await?;
        if !origin.has_ours() {
            return Ok(theirs);
        }
        let ours = store.count_bookings(caller.tenant, filter, days).await?;
        Ok(ours.into_iter().zip(&theirs).map(|(ours, theirs)| ours.and(theirs)).collect())
    }

    /// Make bookings of providers findable that were read before they could be searched, as many as there are.
    pub async fn fill_external_words(&self) -> Outcome<()> {
        // Ends: what was filled is not found again.
        while self.base.store().fill_external_words().await? >= limits::SEARCHABLE_AT_ONCE {}
        Ok(())
    }

    /// Event types here, some of which stand for providers'.
    pub(super) async fn event_types_there(&self, caller: &Caller) -> Outcome<Vec<EventTypeRecord>> {
        let all =
            self.base.store().list_event_types(caller.tenant, None, true, None, EVENT_TYPES_MAX).await?;
        Ok(all.into_iter().filter(|e| e.external_id.is_some() || !e.external.is_empty()).collect())
    }

    async fn standing_for(
        &self,
        caller: &Caller,
        event_types: &[EventTypeRecord],
        rows: Vec<ListedExternal>,
    ) -> Outcome<Vec<TheirBooking>> {
        let mut connections: BTreeMap<ConnectionId, ConnectionRecord> = BTreeMap::new();
        let mut found = Vec::with_capacity(rows.len());
        for listed in rows {
            let id = listed.mirrored.connection;
            let connection = match connections.entry(id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => match self.base.store().connection(caller.tenant, id).await {
                    Ok(connection) => unknown.insert(connection),
                    // Removed in this moment, and its bookings with it.
                    Err(StoreError::NotFound(_)) => continue,
                    Err(error) => return Err(error.into()),
                },
            };
            let only = match named_by(event_types, &listed).as_slice() {
                [only] => Some(*only),
                _ => None,
            };
            let event_type = only.map(|only| only.id);
            let listing = only.map(|only| only.listing).or(connection.listing);
            found.push(TheirBooking { listed, provider: connection.plugin.clone(), event_type, listing });
        }
        Ok(found)
    }
}

/// The event types here that a booking there may be of.
pub(super) fn named_by<'a>(
    event_types: &'a [EventTypeRecord],
    listed: &ListedExternal,
) -> Vec<&'a EventTypeRecord> {
    let mirrored = &listed.mirrored;
    let Some(theirs) = mirrored.external.event_type.as_deref() else { return Vec::new() };
    event_types.iter().filter(|e| e.external_over(mirrored.connection) == Some(theirs)).collect()
}

/// What the event types and the listing that are asked for are at providers; none where neither is.
fn kinds(filter: &BookingFilter, event_types: &[EventTypeRecord]) -> Option<ExternalKinds> {
    if filter.event_type.is_none() && filter.listing.is_none() {
        return None;
    }
    // A connection of a listing has bookings of whatever event type, or of none.
    let listing = filter.listing.filter(|_| filter.event_type.is_none());
    let mut kinds = ExternalKinds { listing, ..ExternalKinds::default() };
    let wanted = event_types.iter().filter(|e| {
        filter.event_type.is_none_or(|id| e.id == id) && filter.listing.is_none_or(|id| e.listing == id)
    });
    for event_type in wanted {
        if event_type.external.is_empty() {
            kinds.anywhere.extend(event_type.external_id.clone());
        }
        let over = event_type.external.iter();
        kinds.over.extend(over.map(|entry| (entry.connection_id, entry.external_id.clone())));
    }
    Some(kinds)
}
