//! Calendars as event types. HighLevel gives them all at once; the pages are made here.

use berth_sdk::{
    Catalog, Result,
    types::{EventType, EventTypePage, PageRequest, ProviderError},
};

use crate::{
    HighLevel,
    map::{self, Calendar, Link},
};

/// Calendars that one connection works with: each costs a request in every sync, and a call may make 20. The settings'
/// schema names it too.
pub(crate) const CALENDARS_MAX: usize = 15;

impl Catalog for HighLevel {
    fn list_event_types(&self, page: PageRequest) -> Result<EventTypePage> {
        let start: usize = match &page.token {
            None => 0,
            Some(token) => token.parse().map_err(|_| ProviderError::CursorExpired)?,
        };
        let size = usize::try_from(page.limit.max(1)).unwrap_or(usize::MAX);
        let all = self.calendars()?;
        let next = start.checked_add(size).filter(|end| *end < all.len()).map(|end| end.to_string());
        let items = all.iter().skip(start).take(size).map(Calendar::event_type).collect();
        Ok(EventTypePage { items, next })
    }

    fn resolve_link(&self, url: String) -> Result<EventType> {
        let link = map::public_link(&url)?;
        let found = self.calendars()?.into_iter().find(|calendar| match link {
            Link::Id(id) => calendar.id == id,
            Link::Slug(slug) => calendar.has_slug(slug),
        });
        found.map(|calendar| calendar.event_type()).ok_or(ProviderError::NotFound)
    }
}

impl HighLevel {
    /// The calendars that the settings allow, in the order of their ids.
    fn calendars(&self) -> Result<Vec<Calendar>> {
        let mut all = map::calendars(&self.api.calendars()?)?;
        let chosen = &self.settings.calendar_ids;
        all.retain(|calendar| chosen.is_empty() || chosen.contains(&calendar.id));
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    }

    /// A calendar that can be booked: one that the settings allow. What is made in others would not be found again.
    pub(crate) fn bookable(&self, id: &str) -> Result<Calendar> {
        let chosen = &self.settings.calendar_ids;
        if !chosen.is_empty() && !chosen.iter().any(|known| known == id) {
            let message = format!("the connection's settings (calendar_ids) do not name the calendar {id}");
            return Err(ProviderError::invalid("event_type", message));
        }
        map::calendar(&self.api.calendar(id)?)
    }

    /// Ids of the calendars to work with, asked of HighLevel, so that a chosen one that is gone is left out.
    pub(crate) fn calendars_in_use(&self) -> Result<Vec<String>> {
        let all = self.calendars()?;
        if all.len() > CALENDARS_MAX {
            let message = format!(
                "the sub-account has {} calendars; name up to {CALENDARS_MAX} that Berth shall work with",
                all.len()
            );
            return Err(ProviderError::invalid("settings.calendar_ids", message));
        }
        Ok(all.into_iter().map(|calendar| calendar.id).collect())
    }
}
