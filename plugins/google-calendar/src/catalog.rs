//! What can be booked: the calendars that the account may write to. Only the one of the connection is active.

use berth_sdk::{
    Catalog, Result,
    types::{EventTypePage, PageRequest},
};

use crate::{CALENDARS_PER_PAGE, GoogleCalendar, map};

impl Catalog for GoogleCalendar {
    fn list_event_types(&self, page: PageRequest) -> Result<EventTypePage> {
        let size = page.limit.clamp(1, CALENDARS_PER_PAGE);
        map::event_types(&self.api.calendars(size, page.token.as_deref())?, &self.settings.calendar)
    }
}
