//! Event types. Cal.com gives them all at once; the pages are made here.

use berth_sdk::{
    Catalog, Result,
    types::{EventType, EventTypePage, PageRequest, ProviderError},
};

use crate::{CalCom, map};

impl Catalog for CalCom {
    fn list_event_types(&self, page: PageRequest) -> Result<EventTypePage> {
        let start: usize = match &page.token {
            None => 0,
            Some(token) => token.parse().map_err(|_| ProviderError::CursorExpired)?,
        };
        let size = usize::try_from(page.limit.max(1)).unwrap_or(usize::MAX);
        let all = map::event_types(&map::one_or_many(self.api.event_types()?))?;
        let next = start.checked_add(size).filter(|end| *end < all.len()).map(|end| end.to_string());
        Ok(EventTypePage { items: all.into_iter().skip(start).take(size).collect(), next })
    }

    fn resolve_link(&self, url: String) -> Result<EventType> {
        let (user, slug, org) = map::public_link(&url)?;
        let found = map::one_or_many(self.api.event_types_by_link(user, slug, org)?);
        map::event_type(found.first().ok_or(ProviderError::NotFound)?)
    }
}
