//! Calendars as what can be booked.

use berth_sdk::{
    Catalog, Result,
    types::{EventTypePage, PageRequest},
};

use crate::{CalDav, map::calendars};

impl Catalog for CalDav {
    fn list_event_types(&self, page: PageRequest) -> Result<EventTypePage> {
        let (all, booked, _) = self.calendars()?;
        let ids = all.iter().map(|calendar| (self.server.id(&calendar.url), calendar));
        // The last id of the page before.
        let mut left =
            ids.skip_while(|(id, _)| page.token.as_ref().is_some_and(|last| id <= last)).peekable();
        let mut items = Vec::new();
        let size = usize::try_from(page.limit.max(1)).unwrap_or(usize::MAX);
        while let Some((id, calendar)) = left.next_if(|_| items.len() < size) {
            items.push(calendars::event_type(calendar, id, calendar.url == booked));
        }
        let next = left.peek().and_then(|_| items.last()).map(|last| last.id.clone());
        Ok(EventTypePage { items, next })
    }
}
