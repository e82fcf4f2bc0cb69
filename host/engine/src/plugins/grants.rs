//! Which hosts a plugin may reach, as an operator says: more, fewer, or none at all. Who would lose a host is named before it is taken.

use std::collections::BTreeSet;

use berth_model::{
    connections::connection::{ConnectionRecord, ConnectionStatus},
    id::{ConnectionId, ListingId, TenantId},
    limits,
    outbound::problems::not_granted,
    plugins::{
        manifest::{Manifest, PluginId, host_matches},
        plugin::{HostGrant, PluginState},
    },
    problem::{Code, FieldError, Problem},
};
use berth_store::records::GrantRecord;

use crate::{
    Outcome,
    connections::{
        call_context::{granted, intersect},
        names::installed_as,
    },
    plugins::Plugins,
};

/// A connection that a change of grants takes a host from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Losing {
    pub tenant: TenantId,
    pub connection: ConnectionId,
    pub name: String,
    /// Hosts that it asks for, may reach today and could not reach any more.
    pub hosts: Vec<String>,
}

/// What an operator changes of the grant of one level.
#[derive(Debug, Clone)]
pub struct GrantChange {
    /// Which plugin.
    pub plugin: PluginId,
    /// None: the instance's level.
    pub tenant: Option<TenantId>,
    /// With a tenant: the listing's level.
    pub listing: Option<ListingId>,
    /// Hosts that it may reach besides.
    pub add: HostGrant,
    /// Hosts that it may not reach any more.
    pub remove: HostGrant,
    /// Also if connections lose a host by it.
    pub force: bool,
}

/// Longest host of a grant, in bytes: a name of 253, a port, a wildcard.
const HOST_BYTES_MAX: usize = 261;

impl Plugins {
    /// Add hosts to a grant and take others away; the grant as it is then, and who lost a host by it. Refused if somebody would, unless
    /// it is forced.
    pub async fn change_grant(
        &self,
        actor: &str,
        request_id: &str,
        mut change: GrantChange,
    ) -> Outcome<(GrantRecord, Vec<Losing>)> {
        change.plugin = installed_as(self.base.store(), &change.plugin).await?;
        check_hosts("/add", &change.add)?;
        let all = self.base.store().all_grants(&change.plugin).await?;
        let is_level = |g: &&GrantRecord| g.tenant == change.tenant && g.listing == change.listing;
        let before = all.iter().find(is_level).cloned();
        if before.is_none() && change.tenant.is_some() {
            return Err(Problem::new(
                Code::WrongState,
                "This level says nothing, so it takes nothing away from what the level above grants: there is nothing to add to or to remove.",
            )
            .with_hint("To narrow it, set the hosts that stay: PUT."));
        }
        let level = GrantRecord {
            plugin: change.plugin,
            tenant: change.tenant,
            listing: change.listing,
            hosts: HostGrant::new(),
            enabled: true,
        };
        let mut after = before.unwrap_or_else(|| level.clone());
        after.hosts.extend(change.add.iter().cloned());
        after.hosts.retain(|host| !change.remove.contains(host));
        let covering: Vec<FieldError> = change
            .remove
            .iter()
            .enumerate()
            .filter_map(|(i, host)| {
                let by = after.hosts.iter().find(|pattern| host_matches(pattern, host))?;
                Some(FieldError::new(
                    format!("/remove/{i}"),
                    format!("{host} is granted by {by}: remove that"),
                ))
            })
            .collect();
        if !covering.is_empty() {
            return Err(Problem::invalid(covering));
        }
        let losing = self.losing(&all, &after).await?;
        refuse_losing(&losing, change.force)?;
        let audit = self.base.audit_by(actor, request_id);
        let changed = self.base.store().change_grant(level, change.add, change.remove, audit).await?;
        if changed.enabled {
            self.recovery.plugin(&changed.plugin).await;
        }
        self.stage_what_is_covered(actor, request_id, &changed.plugin).await?;
        Ok((changed, losing))
    }

    /// Replace a grant, as [`Self::set_grant`]. Refused if somebody would lose a host, unless it is forced; to disable a plugin is no
    /// accident and needs no force.
    pub async fn replace_grant(
        &self,
        actor: &str,
        request_id: &str,
        mut grant: GrantRecord,
        force: bool,
    ) -> Outcome<()> {
        grant.plugin = installed_as(self.base.store(), &grant.plugin).await?;
        check_hosts("/hosts", &grant.hosts)?;
        if !force && grant.enabled {
            let all = self.base.store().all_grants(&grant.plugin).await?;
            refuse_losing(&self.losing(&all, &grant).await?, false)?;
        }
        self.set_grant(actor, request_id, grant).await
    }

    /// Grant hosts to a plugin at a level in place of all that were granted there, or disable it there. A held version that is covered
    /// now is staged.
    pub async fn set_grant(&self, actor: &str, request_id: &str, grant: GrantRecord) -> Outcome<()> {
        let (plugin, enabled) = (grant.plugin.clone(), grant.enabled);
        self.base.store().set_grant(grant, self.base.audit_by(actor, request_id)).await?;
        if enabled {
            self.recovery.plugin(&plugin).await;
        }
        self.stage_what_is_covered(actor, request_id, &plugin).await
    }

    /// Versions that were held because they ask for more, and do not any more.
    async fn stage_what_is_covered(&self, actor: &str, request_id: &str, plugin: &PluginId) -> Outcome<()> {
        for held in self.base.store().list_plugin_versions(Some(plugin)).await? {
            if held.state == PluginState::Held
                && self.hosts_not_granted(plugin, &held.manifest.hosts).await?.is_empty()
            {
                let audit = self.base.audit_by(actor, request_id);
                self.base.store().set_plugin_state(&held.digest, PluginState::Staged, None, audit).await?;
            }
        }
        Ok(())
    }

    /// The grants of a plugin that bear on this tenant and listing.
    pub async fn list_grants(
        &self,
        plugin: &PluginId,
        tenant: Option<TenantId>,
        listing: Option<ListingId>,
    ) -> Outcome<Vec<GrantRecord>> {
        let plugin = installed_as(self.base.store(), plugin).await?;
        Ok(self.base.store().grants(&plugin, tenant, listing).await?)
    }

    /// Hosts of a manifest that the instance's grant does not cover.
    pub(crate) async fn hosts_not_granted(
        &self,
        plugin: &PluginId,
        hosts: &[String],
    ) -> Outcome<Vec<String>> {
        let grants = self.base.store().grants(plugin, None, None).await?;
        let granted: BTreeSet<&String> = grants
            .iter()
            .filter(|g| g.tenant.is_none() && g.listing.is_none())
            .flat_map(|g| &g.hosts)
            .collect();
        let covered = |host: &&String| granted.iter().any(|g| *g == *host || host_matches(g, host));
        Ok(hosts.iter().filter(|h| !covered(h)).cloned().collect())
    }

    /// The connections that lose a host when `after` stands in place of the grant of its level.
    async fn losing(&self, before: &[GrantRecord], after: &GrantRecord) -> Outcome<Vec<Losing>> {
        let Some(manifest) = self.manifest_of(&after.plugin).await? else { return Ok(Vec::new()) };
        let mut then = before.to_vec();
        then.retain(|g| g.tenant != after.tenant || g.listing != after.listing);
        then.push(after.clone());
        let mut found = Vec::new();
        let mut page_after = None;
        // Ends: each page begins after the last one.
        loop {
            let page = self
                .base
                .store()
                .plugin_connections(&after.plugin, page_after, limits::PAGE_ITEMS_MAX)
                .await?;
            let Some(end) = page.last() else { break };
            page_after = Some(end.id);
            found.extend(page.into_iter().filter_map(|connection| {
                let had = reachable(before, &connection);
                let keeps = reachable(&then, &connection);
                let lost = |host: &String| is_covered(host, &had) && !is_covered(host, &keeps);
                let hosts: Vec<String> =
                    manifest.hosts_asked(&connection.settings).into_iter().filter(lost).collect();
                (!hosts.is_empty()).then_some(Losing {
                    tenant: connection.tenant,
                    connection: connection.id,
                    name: connection.name,
                    hosts,
                })
            }));
        }
        Ok(found)
    }

    /// What the version asks for that serves, or else the newest one.
    async fn manifest_of(&self, plugin: &PluginId) -> Outcome<Option<Manifest>> {
        let versions = self.base.store().list_plugin_versions(Some(plugin)).await?;
        let active = versions.iter().find(|v| v.state == PluginState::Active);
        Ok(active.or(versions.last()).map(|v| v.manifest.clone()))
    }

    /// The connection as it stands now: one that may not reach the host of its own settings, or none of its hosts, does not work,
    /// whatever its last call said.
    pub async fn as_it_stands(&self, mut connection: ConnectionRecord) -> Outcome<ConnectionRecord> {
        let Some(manifest) = self.providers.manifest(&connection.plugin) else { return Ok(connection) };
        let grants =
            self.base.store().grants(&connection.plugin, Some(connection.tenant), connection.listing).await;
        let reached = reachable(&grants?, &connection);
        let own = manifest.hosts_of_settings(&connection.settings);
        let asked = manifest.hosts_asked(&connection.settings);
        let none = !asked.is_empty() && !asked.iter().any(|host| is_covered(host, &reached));
        let missing: Vec<String> =
            if none { asked } else { own }.into_iter().filter(|host| !is_covered(host, &reached)).collect();
        if connection.status == ConnectionStatus::Healthy && !missing.is_empty() {
            connection.status = ConnectionStatus::Unavailable;
            connection.status_detail = Some(not_granted(&connection.plugin, &missing));
        }
        Ok(connection)
    }
}

fn is_covered(host: &str, by: &BTreeSet<String>) -> bool {
    by.iter().any(|pattern| pattern == host || host_matches(pattern, host))
}

/// Hosts that a connection may reach under these grants; none if it is disabled.
fn reachable(grants: &[GrantRecord], connection: &ConnectionRecord) -> BTreeSet<String> {
    let hosts = granted(grants, connection.tenant, connection.listing).unwrap_or_default();
    match &connection.granted_hosts {
        Some(own) => intersect(&hosts, own),
        None => hosts,
    }
}

/// Hosts as they are written in grants: a name, an address, a port, a wildcard in front.
fn check_hosts(field: &str, hosts: &HostGrant) -> Outcome<()> {
    let good = |host: &str| {
        (1..=HOST_BYTES_MAX).contains(&host.len())
            && host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:*[]_".contains(&b))
    };
    let errors: Vec<FieldError> = hosts
        .iter()
        .enumerate()
        .filter(|(_, host)| !good(host))
        .map(|(i, _)| {
            let allowed = "must be a host in lower case without scheme or path: api.example.com, *.example.com, 127.0.0.1:4010";
            FieldError::new(format!("{field}/{i}"), allowed)
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
}

/// Connections that a refusal names.
const NAMED_MAX: usize = 20;

fn refuse_losing(losing: &[Losing], force: bool) -> Outcome<()> {
    if losing.is_empty() || force {
        return Ok(());
    }
    let mut named: Vec<String> = losing
        .iter()
        .take(NAMED_MAX)
        .map(|l| format!("{} ({}, tenant {}) loses {}", l.name, l.connection, l.tenant, l.hosts.join(", ")))
        .collect();
    if losing.len() > NAMED_MAX {
        named.push(format!("and {} more", losing.len().saturating_sub(NAMED_MAX)));
    }
    Err(Problem::new(Code::InUse, format!("Connections would lose a host: {}.", named.join("; ")))
        .with_hint("If they shall, repeat it with --yes (over the API: ?force=true)."))
}
