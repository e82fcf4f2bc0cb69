//! What still uses something that is to be removed, by name: the database says only that it is used.

use berth_model::{
    id::{ConnectionId, EventTypeId, ListingId, MemberId},
    limits,
    problem::{Code, Problem},
};
use berth_store::{StoreError, records::BookingFilter};

use crate::{Caller, Engine, problems::of_store};

/// What is to be removed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Removed {
    Listing(ListingId),
    EventType(EventTypeId),
    Member(MemberId),
    Connection(ConnectionId),
}

/// Users of one kind that are named.
const NAMED_MAX: usize = 5;
/// Rows of one kind that are looked through for them.
const ROWS_MAX: u32 = 1_000;

impl Engine {
    /// What the caller is told about a removal that the database refused.
    pub(crate) async fn not_removed(&self, caller: &Caller, what: Removed, error: StoreError) -> Problem {
        let StoreError::InUse(kinds) = error else { return of_store(error) };
        let users = match self.users_of(caller, what).await {
            Ok(users) if !users.is_empty() => users.join("; "),
            // Gone in this moment, or a kind that has no name.
            Ok(_) => kinds.to_owned(),
            Err(error) => return of_store(error),
        };
        Problem::new(Code::InUse, format!("It is still used by {users}."))
    }

    async fn users_of(&self, caller: &Caller, what: Removed) -> Result<Vec<String>, StoreError> {
        let (store, tenant) = (self.store(), caller.tenant);
        let mut users = Vec::new();
        let mut filter = BookingFilter::default();
        match what {
            Removed::Listing(id) => {
                filter.listing = Some(id);
                let own = store.list_event_types(tenant, Some(id), None, ROWS_MAX).await?;
                users.extend(named("event types", own.iter().map(|e| (&e.title, e.id.to_string()))));
                let own = store.list_connections(tenant, None, ROWS_MAX).await?;
                let own = own.iter().filter(|c| c.listing == Some(id));
                users.extend(named("connections", own.map(|c| (&c.name, c.id.to_string()))));
            }
            Removed::EventType(id) => filter.event_type = Some(id),
            Removed::Member(id) => {
                filter.member = Some(id);
                let all = store.list_event_types(tenant, None, None, ROWS_MAX).await?;
                let theirs = all.iter().filter(|e| e.members.contains(&id));
                users.extend(named("event types", theirs.map(|e| (&e.title, e.id.to_string()))));
            }
            Removed::Connection(id) => {
                filter.connection = Some(id);
                let all = store.list_listings(tenant, None, ROWS_MAX).await?;
                let over = all.iter().filter(|l| l.booking_provider == Some(id));
                users.extend(named("listings", over.map(|l| (&l.title, l.id.to_string()))));
                if store.tenant(tenant).await?.default_connection == Some(id) {
                    users.push("the tenant, as its default".to_owned());
                }
            }
        }
        let bookings = store.list_bookings(tenant, filter, limits::PAGE_ITEMS_MAX).await?;
        // By when they begin, not by whose they are: that is not for everybody who may remove something.
        let starts: Vec<String> = bookings.iter().map(|b| b.when.start().to_string()).collect();
        users.extend(named("bookings", starts.iter().zip(&bookings).map(|(at, b)| (at, b.id.to_string()))));
        Ok(users)
    }
}

/// "listings Pier 1 (id), Pier 2 (id) and more"; none if there are none.
fn named<'a>(kind: &str, users: impl Iterator<Item = (&'a String, String)>) -> Option<String> {
    let mut named: Vec<String> =
        users.take(NAMED_MAX.saturating_add(1)).map(|(name, id)| format!("{name} ({id})")).collect();
    let more = if named.len() > NAMED_MAX { " and more" } else { "" };
    named.truncate(NAMED_MAX);
    (!named.is_empty()).then(|| format!("{kind} {}{more}", named.join(", ")))
}
