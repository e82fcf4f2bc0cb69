//! What can be booked at a provider: its list, page by page, and whether something is on it.

use berth_model::{
    connections::connection::ConnectionRecord,
    id::ConnectionId,
    limits,
    mirror::sync::{ItemKind, MirroredItem},
    outbound::provider::{CallError, ExternalEventType, Page, PageRequest},
    problem::Problem,
};
use berth_store::StoreError;

use crate::{Caller, Outcome, catalog::Catalog};

/// Whether something is on a provider's list; where it is of no use, what is, by id and title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FoundThere {
    /// It is, and can be booked.
    Active,
    /// It is, and cannot be booked.
    Inactive(Vec<(String, String)>),
    /// It is not.
    Missing(Vec<(String, String)>),
}

/// Others that are named where something is of no use.
const NAMED_MAX: usize = 10;

/// For people: `cal_1 (Room), cal_2 (Desk)`.
pub(crate) fn named(others: &[(String, String)]) -> String {
    if others.is_empty() {
        return "none".to_owned();
    }
    let texts: Vec<String> = others.iter().map(|(id, title)| format!("{id} ({title})")).collect();
    texts.join(", ")
}

impl Catalog {
    /// A page of what can be booked at the provider.
    pub async fn external_event_types(
        &self,
        caller: &Caller,
        id: ConnectionId,
        token: Option<String>,
    ) -> Outcome<Page<ExternalEventType>> {
        let connection = self.connections.connection(caller, id).await?;
        let manifest = self.providers.manifest(&connection.plugin);
        let seconds = manifest.map_or(0, |manifest| manifest.cache.catalog_seconds);
        let key = (id, token.clone());
        if let Some(page) = self.cache.page(&key, seconds, self.base.now()) {
            return Ok(page);
        }
        let context = self.contexts.call_context(&connection, None, &caller.request_id).await?;
        let page = PageRequest { token, limit: limits::PROVIDER_PAGE_ITEMS_MAX };
        let page = self.providers.list_event_types(&context, page).await?;
        if seconds > 0 {
            self.cache.put_page(key, page.clone(), self.base.now());
        }
        Ok(page)
    }

    /// Look for something on the provider's list as it is now. What was read is kept in the mirror, so that it is known there at once.
    pub(crate) async fn find_there(
        &self,
        caller: &Caller,
        connection: &ConnectionRecord,
        id: &str,
    ) -> Result<FoundThere, CallError> {
        let not_active = || CallError::NotActive(connection.plugin.clone());
        let context = self.contexts.call_context(connection, None, &caller.request_id).await;
        let context = context.map_err(|_| not_active())?;
        let (mut token, mut others) = (None, Vec::new());
        for _ in 0..limits::SYNC_ITEM_PAGES_MAX {
            let cx = self.contexts.next_call(&context);
            let page = PageRequest { token: token.take(), limit: limits::PROVIDER_PAGE_ITEMS_MAX };
            let page = self.providers.list_event_types(&cx, page).await?;
            if let Err(error) = self.keep_event_types(connection, &page.items).await.map_err(Problem::from) {
                tracing::warn!(%error, connection = %connection.id, "a provider's event types were not kept");
            }
            let room = NAMED_MAX.saturating_sub(others.len());
            let active = page.items.iter().filter(|item| item.active);
            others.extend(active.take(room).map(|item| (item.id.clone(), item.title.clone())));
            if let Some(found) = page.items.iter().find(|item| item.id == id) {
                return Ok(if found.active { FoundThere::Active } else { FoundThere::Inactive(others) });
            }
            token = page.next;
            if token.is_none() {
                return Ok(FoundThere::Missing(others));
            }
        }
        // So many that nobody can say.
        Err(CallError::NotOffered("a list of event types that ends"))
    }

    /// Keep what a provider lists.
    pub(crate) async fn keep_event_types(
        &self,
        connection: &ConnectionRecord,
        items: &[ExternalEventType],
    ) -> Result<(), StoreError> {
        let (tenant, id) = (connection.tenant, connection.id);
        let run = self.base.store().sync_state(tenant, id).await?.run;
        let item = |item: &ExternalEventType| MirroredItem {
            external_id: item.id.clone(),
            title: item.title.clone(),
            payload: serde_json::to_value(item).unwrap_or_default(),
            last_synced_at: self.base.now(),
        };
        let items = items.iter().map(item).collect();
        self.base.store().put_mirrored_items(tenant, id, ItemKind::EventType, items, run).await
    }
}
