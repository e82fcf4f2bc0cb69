//! Links to one event type for those who are given them.

use berth_model::{
    catalog::private_link::PrivateLink,
    id::{EventTypeId, PrivateLinkId, TenantId},
};

use crate::{Store, StoreError, records::Audit};

impl Store {
    /// Add a link. `NotFound` without its event type, `TooMany` if that has `PRIVATE_LINKS_OF_ONE_MAX`.
    pub async fn create_private_link(&self, link: PrivateLink, audit: Audit) -> Result<(), StoreError> {
        write_tx!(self, [link, audit], |q, conn| q::catalog::private_links::insert(conn, &link, &audit))
    }

    /// A link, over or not.
    pub async fn private_link(
        &self,
        tenant: TenantId,
        link: PrivateLinkId,
    ) -> Result<PrivateLink, StoreError> {
        read!(self, |q, conn| q::catalog::private_links::get(conn, tenant, link))
    }

    /// A page of links, of one event type or of all, by age.
    pub async fn list_private_links(
        &self,
        tenant: TenantId,
        event_type: Option<EventTypeId>,
        after: Option<PrivateLinkId>,
        limit: u32,
    ) -> Result<Vec<PrivateLink>, StoreError> {
        read!(self, |q, conn| q::catalog::private_links::list(conn, tenant, event_type, after, limit))
    }

    /// End a link: whoever has it is told that there is none.
    pub async fn delete_private_link(
        &self,
        tenant: TenantId,
        link: PrivateLinkId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::catalog::private_links::delete(conn, tenant, link, &audit))
    }
}
