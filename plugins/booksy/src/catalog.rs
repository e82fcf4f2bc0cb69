//! Services. The contract knows no public links to them.

use berth_sdk::{
    Catalog, Result,
    types::{EventTypePage, PageRequest},
};

use crate::{Booksy, map};

impl Catalog for Booksy {
    fn list_event_types(&self, page: PageRequest) -> Result<EventTypePage> {
        map::services(&self.api.services(page.token.as_deref(), page.limit)?, self.staff.as_deref())
    }
}
