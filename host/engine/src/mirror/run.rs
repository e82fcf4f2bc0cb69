//! One synchronisation, in pieces: some pages, then others get their turn. Where it goes on is written after each page, so that nothing is
//! read again after a crash but the page it was in, and what a page does twice does no harm.

use berth_model::{
    connections::connection::ConnectionRecord,
    id::{ConnectionId, TenantId},
    limits,
    mirror::sync::{ItemKind, MirroredItem, SyncMode, SyncPhase, SyncState},
    outbound::provider::{CallContext, CallError, PageRequest, ProviderError},
    problem::Problem,
    time::Instant,
};
use berth_store::StoreError;

use crate::{
    Outcome,
    fault::Fault,
    jobs::queue::{JobLease, is_last},
    mirror::{Mirror, sync_soon},
};

impl Mirror {
    /// Begin the synchronisations that are due. How many. To be called now and then, by any number of replicas.
    pub async fn begin_syncs(&self) -> Outcome<usize> {
        let due = self.base.store().claim_due_syncs(self.base.now()).await?;
        let count = due.len();
        for (tenant, connection) in due {
            sync_soon(&self.queue, tenant, connection).await?;
        }
        Ok(count)
    }

    /// Work on a connection's synchronisation for a while.
    pub(crate) async fn run_sync(
        &self,
        tenant: TenantId,
        id: ConnectionId,
        held: JobLease,
        request_id: &str,
    ) -> Result<(), StoreError> {
        let connection = self.base.store().connection(tenant, id).await?;
        let mut state = self.base.store().sync_state(tenant, id).await?;
        let has_bookings = self.providers.capabilities(&connection.plugin).is_some_and(|a| a.bookings);
        if state.rules.mode == SyncMode::Off || !has_bookings {
            return self.queue.done(held).await;
        }
        let context = match self.contexts.background_context(&connection, request_id).await {
            Ok(context) => context,
            Err(problem) => {
                return self
                    .sync_failed(
                        state,
                        held,
                        &connection,
                        &CallError::NotActive(connection.plugin.clone()),
                        problem.detail,
                    )
                    .await;
            }
        };
        self.begin_phase(&mut state);
        match self.some_pages(&connection, &context, &mut state).await {
            Ok(true) => {
                // More is to come: behind the others.
                sync_soon(&self.queue, tenant, id).await?;
                self.queue.done(held).await
            }
            Ok(false) => {
                self.finish_sync(&connection, &context, &mut state).await?;
                self.queue.done(held).await
            }
            Err(Fault::Store(error)) => Err(error),
            Err(Fault::Call(CallError::NotOffered(_))) => {
                // It cannot be asked what changed: what webhooks say is all there is.
                state.phase = SyncPhase::Idle;
                state.due_at = None;
                state.error = Some("the provider does not say what changed".to_owned());
                self.base.store().set_sync_progress(state).await?;
                self.queue.done(held).await
            }
            Err(Fault::Call(error)) => {
                let why = Problem::from(&error).detail;
                self.sync_failed(state, held, &connection, &error, why).await
            }
        }
    }

    fn begin_phase(&self, state: &mut SyncState) {
        let now = self.base.now();
        if state.phase == SyncPhase::Idle {
            state.phase = SyncPhase::Incremental;
            if state.position.is_none() {
                state.phase = SyncPhase::Full;
                state.run += 1;
            }
            state.pages = 0;
            state.items = 0;
            state.started_at = Some(now);
        }
    }

    /// Read some pages. True if there are more.
    async fn some_pages(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        state: &mut SyncState,
    ) -> Result<bool, Fault> {
        let half_a_lease = i64::try_from(limits::JOB_LEASE_MS / 2).unwrap_or(i64::MAX);
        let (began, services) = (self.base.now(), self.external_bookings.services(connection).await?);
        for _ in 0..limits::SYNC_PAGES_AT_ONCE {
            if self.base.now() >= began.plus_millis(half_a_lease) {
                break;
            }
            let cx = self.contexts.next_call(context);
            let asked =
                self.providers.list_changes(&cx, state.position.clone(), limits::SYNC_PAGE_ITEMS).await;
            let page = match asked {
                Ok(page) => page,
                Err(CallError::Provider(ProviderError::CursorExpired)) if state.position.is_some() => {
                    // From the beginning then: what vanished in between is only seen so.
                    state.position = None;
                    state.phase = SyncPhase::Full;
                    state.run += 1;
                    self.base.store().set_sync_progress(state.clone()).await?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            for external in &page.items {
                Box::pin(self.import(connection, context, state, &services, external)).await?;
            }
            // A cursor that stays where it is would never end.
            let stuck = page.more && state.position.as_ref() == Some(&page.cursor);
            state.position = Some(page.cursor);
            state.pages += 1;
            state.items += i64::try_from(page.items.len()).unwrap_or(0);
            self.base.store().set_sync_progress(state.clone()).await?;
            if !page.more {
                return Ok(false);
            }
            if stuck {
                let vendor = ProviderError::Vendor {
                    status: 500,
                    code: "cursor_stuck".to_owned(),
                    message: "the provider gives the same page again and again".to_owned(),
                };
                return Err(CallError::Provider(vendor).into());
            }
        }
        Ok(true)
    }

    async fn finish_sync(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        state: &mut SyncState,
    ) -> Result<(), StoreError> {
        let was_full = state.phase == SyncPhase::Full;
        let rest = if was_full {
            self.what_a_full_run_adds(connection, context, state).await
        } else if self.base.store().has_unchecked_counterparts(connection.tenant, connection.id).await? {
            self.mirror_kind(connection, context, state, ItemKind::EventType).await
        } else {
            Ok(())
        };
        let trouble = rest.err().map(Fault::call).transpose()?;
        let now = self.base.now();
        let often = if connection.subscription.is_some() {
            limits::SYNC_SECONDS_WITH_WEBHOOKS
        } else {
            limits::SYNC_SECONDS_WITHOUT_WEBHOOKS
        };
        state.phase = SyncPhase::Idle;
        state.finished_at = Some(now);
        if was_full {
            state.full_at = Some(now);
        }
        state.due_at = Some(now.plus_seconds(often));
        if state.full_at.is_none_or(|at| at.plus_seconds(limits::SYNC_FULL_SECONDS) <= now) {
            // Everything is read once more, now that nothing that changed is left unread: lists begin with what is to come.
            state.position = None;
            state.due_at = Some(now);
        }
        state.failures = 0;
        state.error = trouble.map(|error| Problem::from(&error).detail);
        self.base.store().set_sync_progress(state.clone()).await?;
        self.cache.invalidate(connection.id);
        if state.items > 0 {
            // What changed there may lie over a booking of a member whose calendar it is.
            self.base.store().look_at_calendars_again(connection.tenant, connection.id).await?;
        }
        Ok(())
    }

    /// What is gone there, and the items that are not bookings.
    async fn what_a_full_run_adds(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        state: &SyncState,
    ) -> Result<(), Fault> {
        let services = self.external_bookings.services(connection).await?;
        self.vanished(connection, context, state, &services).await?;
        self.mirror_items(connection, context, state).await
    }

    async fn sync_failed(
        &self,
        mut state: SyncState,
        held: JobLease,
        connection: &ConnectionRecord,
        error: &CallError,
        why: String,
    ) -> Result<(), StoreError> {
        state.error = Some(why);
        if matches!(error, CallError::Stopped(_)) {
            // Not a failure: it goes on when the connection is resumed.
            self.base.store().set_sync_progress(state).await?;
            return self.queue.postpone(held, connection, error).await;
        }
        state.failures += 1;
        if is_last(held) {
            // Somebody may mend it meanwhile.
            state.phase = SyncPhase::Idle;
            state.due_at = Some(self.base.now().plus_seconds(limits::SYNC_SECONDS_WITH_WEBHOOKS));
        }
        self.base.store().set_sync_progress(state).await?;
        self.queue.postpone(held, connection, error).await
    }

    /// Event types and clients, whole.
    async fn mirror_items(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        state: &SyncState,
    ) -> Result<(), Fault> {
        let capabilities = self.providers.capabilities(&connection.plugin).unwrap_or_default();
        for (kind, offered) in
            [(ItemKind::EventType, capabilities.catalog), (ItemKind::Client, capabilities.clients)]
        {
            if !offered {
                continue;
            }
            self.mirror_kind(connection, context, state, kind).await?;
        }
        Ok(())
    }

    async fn mirror_kind(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        state: &SyncState,
        kind: ItemKind,
    ) -> Result<(), Fault> {
        let mut token = None;
        for _ in 0..limits::SYNC_ITEM_PAGES_MAX {
            let cx = self.contexts.next_call(context);
            let (items, next) = self.item_page(&cx, kind, token.take()).await?;
            self.base
                .store()
                .put_mirrored_items(connection.tenant, connection.id, kind, items, state.run)
                .await?;
            token = next;
            if token.is_none() {
                break;
            }
        }
        // Only after the last page: what is on those that were not read is not gone.
        if token.is_none() {
            self.base
                .store()
                .forget_mirrored_items(connection.tenant, connection.id, kind, state.run)
                .await?;
            if kind == ItemKind::EventType {
                self.base
                    .store()
                    .note_catalog_read(connection.tenant, connection.id, self.base.now())
                    .await?;
            }
        }
        Ok(())
    }

    async fn item_page(
        &self,
        cx: &CallContext,
        kind: ItemKind,
        token: Option<String>,
    ) -> Result<(Vec<MirroredItem>, Option<String>), CallError> {
        let now: Instant = self.base.now();
        let page = PageRequest { token, limit: limits::PAGE_ITEMS_MAX };
        let item = |external_id: String, title: String, payload| MirroredItem {
            external_id,
            title,
            payload,
            last_synced_at: now,
        };
        match kind {
            ItemKind::EventType => {
                let page = self.providers.list_event_types(cx, page).await?;
                let of = |e: berth_model::outbound::provider::ExternalEventType| {
                    let payload = serde_json::to_value(&e).unwrap_or_default();
                    item(e.id, e.title, payload)
                };
                Ok((page.items.into_iter().map(of).collect(), page.next))
            }
            ItemKind::Client => {
                let page = self.providers.list_clients(cx, page).await?;
                let of = |c: berth_model::outbound::provider::ExternalClient| {
                    let payload = serde_json::to_value(&c).unwrap_or_default();
                    item(c.id, c.person.name, payload)
                };
                Ok((page.items.into_iter().map(of).collect(), page.next))
            }
        }
    }
}
