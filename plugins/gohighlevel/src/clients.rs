//! Contacts.

use berth_sdk::{
    Clients, Result,
    types::{ClientPage, PageRequest, ProviderError},
};

use crate::{HighLevel, map};

/// Contacts on a page: what stays well below the size of an answer.
const PAGE_MAX: u32 = 100;

impl Clients for HighLevel {
    fn list_clients(&self, page: PageRequest) -> Result<ClientPage> {
        let after = match &page.token {
            None => None,
            Some(token) => Some(serde_json::from_str(token).map_err(|_| ProviderError::CursorExpired)?),
        };
        let count = page.limit.clamp(1, PAGE_MAX);
        let answer = self.api.contacts(after.as_ref(), count)?;
        let (items, last) = map::contacts(&answer)?;
        // A short page is the last; one that ends where it began would go on for ever.
        let full = u32::try_from(items.len()).is_ok_and(|n| n >= count);
        let next = last.filter(|last| full && after.as_ref() != Some(last)).map(|last| last.to_string());
        Ok(ClientPage { items, next })
    }

    fn erase_client(&self, id: String) -> Result<()> {
        match self.api.delete_contact(&id) {
            Err(ProviderError::NotFound) => Ok(()),
            other => other,
        }
    }
}
