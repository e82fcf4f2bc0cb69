//! What still uses a member who is to be removed, by name: the database says only that it is used.

use berth_model::{
    id::MemberId,
    limits,
    problem::{Code, Problem},
};
use berth_store::{StoreError, records::BookingFilter};

use crate::{Caller, catalog::Catalog};

/// Users of one kind that are named.
const NAMED_MAX: usize = 5;
/// Rows of one kind that are looked through for them.
const ROWS_MAX: u32 = 1_000;

impl Catalog {
    /// What the caller is told about a removal of a member that the database refused.
    pub(crate) async fn member_not_removed(
        &self,
        caller: &Caller,
        member: MemberId,
        error: StoreError,
    ) -> Problem {
        let StoreError::InUse(kinds) = error else { return Problem::from(error) };
        let users = match self.users_of(caller, member).await {
            Ok(users) if !users.is_empty() => users.join("; "),
            // Gone in this moment, or a kind that has no name.
            Ok(_) => kinds.to_owned(),
            Err(error) => return Problem::from(error),
        };
        Problem::new(Code::InUse, format!("It is still used by {users}."))
    }

    async fn users_of(&self, caller: &Caller, member: MemberId) -> Result<Vec<String>, StoreError> {
        let (store, tenant) = (self.base.store(), caller.tenant);
        let mut users = Vec::new();
        let filter = BookingFilter { member: Some(member), ..BookingFilter::default() };
        let all = store.list_event_types(tenant, None, true, None, ROWS_MAX).await?;
        let theirs = all.iter().filter(|e| e.members.contains(&member));
        users.extend(named("event types", theirs.map(|e| (&e.title, e.id.to_string()))));
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
