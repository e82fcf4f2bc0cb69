//! The business's own list of clients.

use berth_sdk::{
    Clients, Result,
    types::{ClientPage, PageRequest, ProviderError},
};

use crate::{Booksy, map};

impl Clients for Booksy {
    fn list_clients(&self, page: PageRequest) -> Result<ClientPage> {
        // Clients have no zone of their own; most live where the business is.
        let account = map::account(&self.api.business()?)?;
        let time_zone = account.time_zone.as_deref().unwrap_or("UTC");
        map::clients(&self.api.clients(page.token.as_deref(), page.limit)?, time_zone)
    }

    fn erase_client(&self, id: String) -> Result<()> {
        match self.api.erase_client(&id) {
            // One that is gone is erased.
            Err(ProviderError::NotFound) => Ok(()),
            answer => answer,
        }
    }
}
