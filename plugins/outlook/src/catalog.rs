//! Calendars as event types: a booking is an event in one of them.

use berth_sdk::{
    Catalog, Result,
    types::{EventTypePage, PageRequest, ProviderError},
};

use crate::{Outlook, map};

/// Calendars on a page.
const PER_PAGE: u32 = 50;
/// How the path of a next page begins; a token that leads elsewhere is none of ours.
const PAGES: &str = "/me/calendars?";

impl Catalog for Outlook {
    fn list_event_types(&self, page: PageRequest) -> Result<EventTypePage> {
        let path = page.token.as_deref();
        if path.is_some_and(|path| !path.starts_with(PAGES)) {
            return Err(ProviderError::CursorExpired);
        }
        let found = self.api.calendars(path, page.limit.clamp(1, PER_PAGE))?;
        let items = found.value.iter().map(|calendar| map::event_type(calendar, &self.settings.calendars));
        Ok(EventTypePage { items: items.collect::<Result<_>>()?, next: found.next()? })
    }
}
