//! Event types, page by page as Calendly gives them, and the one behind a public link.

use berth_sdk::{
    Catalog, Result,
    paging::{self, Piece},
    types::{EventType, EventTypePage, PageRequest, ProviderError},
};

use crate::{Calendly, api::PER_PAGE, known, map, owner::Scope};

impl Catalog for Calendly {
    fn list_event_types(&self, page: PageRequest) -> Result<EventTypePage> {
        let owner = self.owner()?;
        let piece = self.api.event_types(&owner, self.scope, page.limit, page.token.as_deref())?;
        let items = piece.items.iter().map(map::event_type).collect::<Result<_>>()?;
        Ok(EventTypePage { items, next: piece.next })
    }

    /// Calendly has no question for this: the list is searched, and where a link led is remembered.
    fn resolve_link(&self, url: String) -> Result<EventType> {
        let link = map::public_link(&url)?;
        if let Some(found) = self.where_it_led(&link)? {
            return Ok(found);
        }
        let owner = self.owner()?;
        for scope in [Scope::User, Scope::Organization] {
            let mut found = None;
            let searched = paging::all(|token| {
                let piece = self.api.event_types(&owner, scope, PER_PAGE, token)?;
                found = piece.items.into_iter().find(|item| map::has_link(item, &link));
                let next = if found.is_some() { None } else { piece.next };
                Ok(Piece::<()> { items: Vec::new(), next })
            });
            match searched {
                // Only some may see the organisation's.
                Err(ProviderError::Forbidden(_)) if scope == Scope::Organization => {}
                other => drop(other?),
            }
            if let Some(item) = found {
                let event_type = map::event_type(&item)?;
                known::remember_link(&link, &event_type.id);
                return Ok(event_type);
            }
        }
        Err(ProviderError::NotFound)
    }
}

impl Calendly {
    /// The event type that the link led to before, if it still does.
    fn where_it_led(&self, link: &str) -> Result<Option<EventType>> {
        let Some(id) = known::links().remove(link) else { return Ok(None) };
        match self.event_type_now(&id) {
            Ok(item) if map::has_link(&item, link) => map::event_type(&item).map(Some),
            Ok(_) | Err(ProviderError::NotFound) => {
                known::forget_link(link);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }
}
