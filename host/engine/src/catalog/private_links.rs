//! Links to one event type for those who are given them. What stands in an address is the id and a tag that only this engine can make, so
//! that the business may look at it again, and nothing secret is kept.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth_model::{
    catalog::private_link::PrivateLink,
    connections::secret::Secret,
    id::{EventTypeId, PrivateLinkId, TenantId},
    limits,
    problem::{FieldError, Problem},
    time::Instant,
};
use berth_store::StoreError;

use crate::{Caller, Outcome, catalog::Catalog};

/// What the tags of these links are for.
const PURPOSE: &str = "private_link";
/// Bytes of the id in a token.
const ID_BYTES: usize = 16;

/// A link to be made.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "see PrivateLink")]
pub struct NewPrivateLink {
    pub event_type: EventTypeId,
    pub name: String,
    pub single_use: bool,
    pub expires_at: Option<Instant>,
}

fn tagged(tenant: TenantId, link: PrivateLinkId) -> Vec<u8> {
    [tenant.uuid().as_bytes().as_slice(), link.uuid().as_bytes()].concat()
}

impl Catalog {
    /// Make a link.
    pub async fn create_private_link(&self, caller: &Caller, new: NewPrivateLink) -> Outcome<PrivateLink> {
        let now = self.base.now();
        let link = PrivateLink {
            id: self.base.new_id(),
            tenant: caller.tenant,
            event_type: new.event_type,
            name: new.name,
            single_use: new.single_use,
            uses: 0,
            last_used_at: None,
            expires_at: new.expires_at,
            there: None,
            created_at: now,
        };
        link.check(now)?;
        match self.base.store().create_private_link(link.clone(), self.base.audit(caller)).await {
            Ok(()) => Ok(link),
            Err(StoreError::NotFound(_)) => {
                Err(Problem::invalid(vec![FieldError::new("/event_type_id", "there is no such event type")]))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A link.
    pub async fn private_link(&self, caller: &Caller, id: PrivateLinkId) -> Outcome<PrivateLink> {
        Ok(self.base.store().private_link(caller.tenant, id).await?)
    }

    /// Links, of one event type or of all, by age.
    pub async fn list_private_links(
        &self,
        caller: &Caller,
        event_type: Option<EventTypeId>,
        after: Option<PrivateLinkId>,
        limit: u32,
    ) -> Outcome<Vec<PrivateLink>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        Ok(self.base.store().list_private_links(caller.tenant, event_type, after, limit).await?)
    }

    /// End a link.
    pub async fn delete_private_link(&self, caller: &Caller, id: PrivateLinkId) -> Outcome<()> {
        Ok(self.base.store().delete_private_link(caller.tenant, id, self.base.audit(caller)).await?)
    }

    /// What stands in the address of a link.
    pub fn private_link_token(&self, link: &PrivateLink) -> Outcome<Secret> {
        let tag = self.base.store().tag(PURPOSE, &tagged(link.tenant, link.id))?;
        let token = [link.id.uuid().as_bytes().as_slice(), &tag].concat();
        Ok(Secret::new(URL_SAFE_NO_PAD.encode(token)))
    }

    /// The link behind this, if it can be booked by. Every token that is not ours looks the same, and like that of a link that was deleted.
    pub async fn open_link(&self, caller: &Caller, token: &str) -> Outcome<PrivateLink> {
        let unknown = || Problem::not_found("link");
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| unknown())?;
        let (id, tag) = bytes.split_at_checked(ID_BYTES).ok_or_else(unknown)?;
        let id = <[u8; ID_BYTES]>::try_from(id).map_err(|_| unknown())?;
        let id = PrivateLinkId::from_uuid(uuid::Uuid::from_bytes(id));
        if !self.base.store().is_tagged(PURPOSE, &tagged(caller.tenant, id), tag) {
            return Err(unknown());
        }
        let link = self.private_link(caller, id).await?;
        link.check_open(self.base.now())?;
        Ok(link)
    }
}
