//! How synchronisations stand, for people: per connection, and over all connections of a provider.

use berth_model::{
    connections::connection::ConnectionRecord,
    id::{ConnectionId, JobId},
    limits,
    mirror::sync::{ItemKind, MirroredItem, SyncPhase, SyncRules, SyncState},
    plugins::manifest::PluginId,
    problem::{FieldError, Problem},
};
use berth_store::records::Job;
use serde::Serialize;

use super::soon::{sync_key, sync_soon};
use crate::{Caller, Outcome, mirror::Mirror};

/// How one connection stands.
#[derive(Debug, Serialize)]
pub struct SyncStatus {
    /// How far it is.
    #[serde(flatten)]
    pub state: SyncState,
    /// Conflicts that wait for a person.
    pub open_conflicts: i64,
}

impl Mirror {
    /// How the synchronisation of a connection stands.
    pub async fn sync_status(&self, caller: &Caller, connection: ConnectionId) -> Outcome<SyncStatus> {
        let state = self.base.store().sync_state(caller.tenant, connection).await?;
        let open_conflicts = self.base.store().open_conflicts(caller.tenant, connection).await?;
        Ok(SyncStatus { state, open_conflicts })
    }

    /// Synchronise a connection now: what changed, or everything.
    pub async fn start_sync(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        full: bool,
    ) -> Outcome<SyncStatus> {
        self.connections.usable_connection(caller, connection).await?;
        if full {
            self.forget_position(caller, connection).await?;
        }
        // A dead letter because the process died during it stands for any other: whoever asks for it requeues it.
        let key = vec![sync_key(connection)];
        for job in self.base.store().jobs_with_keys(caller.tenant, key).await? {
            if job.dead && job.crashes >= limits::JOB_CRASHES_MAX {
                self.requeue_job(caller, job.id).await?;
            }
        }
        sync_soon(&self.queue, caller.tenant, connection).await?;
        self.sync_status(caller, connection).await
    }

    /// Begin from the beginning at the next synchronisation.
    async fn forget_position(&self, caller: &Caller, connection: ConnectionId) -> Outcome<()> {
        let mut state = self.base.store().sync_state(caller.tenant, connection).await?;
        state.position = None;
        state.phase = SyncPhase::Idle;
        Ok(self.base.store().set_sync_progress(state).await?)
    }

    /// Set the rules of a connection.
    pub async fn set_sync_rules(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        rules: SyncRules,
    ) -> Outcome<SyncStatus> {
        let plugin = self.connections.connection(caller, connection).await?.plugin;
        let manifest = self.providers.manifest(&plugin);
        let aliases = manifest.iter().flat_map(|manifest| &manifest.aliases).map(PluginId::as_str);
        let names: Vec<&str> = std::iter::once(plugin.as_str()).chain(aliases).collect();
        let mut errors = rules.problems(&names);
        let rules = rules.settled();
        if let Some(member) = rules.member
            && self.base.store().member(caller.tenant, member).await.is_err()
        {
            errors.push(FieldError::new("/member_id", "no such member"));
        }
        if !errors.is_empty() {
            return Err(Problem::invalid(errors));
        }
        let freed =
            self.base.store().set_sync_rules(caller.tenant, connection, rules, self.base.audit(caller)).await;
        self.calendar_writer.times_changed(caller.tenant, freed?).await?;
        self.sync_status(caller, connection).await
    }

    /// Event types or clients of the provider, as it last said them, after this one.
    pub async fn mirrored_items(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        kind: ItemKind,
        after: &str,
        limit: u32,
    ) -> Outcome<Vec<MirroredItem>> {
        self.connections.connection(caller, connection).await?;
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        Ok(self.base.store().mirrored_items(caller.tenant, connection, kind, after, limit).await?)
    }

    /// The tenant's connections to a provider.
    pub async fn connections_to(&self, caller: &Caller, plugin: &PluginId) -> Outcome<Vec<ConnectionRecord>> {
        let mut found = Vec::new();
        let mut after = None;
        // Ends: each page begins after the last one.
        loop {
            let page = self.connections.list_connections(caller, after, limits::PAGE_ITEMS_MAX).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            found.extend(page.into_iter().filter(|c| c.plugin == *plugin));
        }
        if found.is_empty() {
            return Err(Problem::not_found("connection to this provider"));
        }
        Ok(found)
    }

    /// Work that was given up, the latest first.
    pub async fn dead_jobs(&self, caller: &Caller) -> Outcome<Vec<Job>> {
        Ok(self.base.store().dead_jobs(caller.tenant, limits::PAGE_ITEMS_MAX).await?)
    }

    /// Try once more what was given up.
    pub async fn requeue_job(&self, caller: &Caller, job: JobId) -> Outcome<()> {
        self.base.store().requeue_job(caller.tenant, job, self.base.now(), self.base.audit(caller)).await?;
        self.queue.workers.ring_all();
        Ok(())
    }
}
