//! What a call to a provider needs to know: credentials, settings and the hosts that are granted at every level.

use std::{collections::BTreeSet, sync::Arc};

use berth_model::{
    connections::{connection::ConnectionRecord, secret::Credentials},
    id::{ListingId, TenantId},
    outbound::provider::{Asked, CallContext},
    plugins::manifest::{PluginId, host_matches},
    problem::{Code, Problem},
};
use berth_store::records::GrantRecord;

use crate::{Outcome, base::Base, connections::names::ProviderNames};

/// The hosts of both sides; a literal host is covered by a wildcard of the other.
pub(crate) fn intersect(a: &BTreeSet<String>, b: &BTreeSet<String>) -> BTreeSet<String> {
    let covered = |host: &String, by: &BTreeSet<String>| by.iter().any(|pattern| host_matches(pattern, host));
    a.iter().filter(|h| covered(h, b)).chain(b.iter().filter(|h| covered(h, a))).cloned().collect()
}

/// The hosts that these grants leave to a listing of a tenant; or the level that disables the plugin.
pub(crate) fn granted(
    grants: &[GrantRecord],
    tenant: TenantId,
    listing: Option<ListingId>,
) -> Result<BTreeSet<String>, &'static str> {
    let levels =
        [("instance", None, None), ("tenant", Some(tenant), None), ("listing", Some(tenant), listing)];
    let mut hosts = BTreeSet::new();
    for (name, tenant, of_listing) in levels {
        if name == "listing" && listing.is_none() {
            continue;
        }
        let Some(grant) = grants.iter().find(|g| g.tenant == tenant && g.listing == of_listing) else {
            continue;
        };
        if !grant.enabled {
            return Err(name);
        }
        hosts = if name == "instance" { grant.hosts.clone() } else { intersect(&hosts, &grant.hosts) };
    }
    Ok(hosts)
}

/// What a call to a provider needs to know, and where a booking goes.
pub(crate) struct CallContexts {
    pub(crate) base: Base,
    pub(crate) names: Arc<ProviderNames>,
}

impl CallContexts {
    /// A context of its own for each call, so that each can be told apart.
    pub(crate) fn next_call(&self, cx: &CallContext) -> CallContext {
        CallContext { call: self.base.new_id(), ..cx.clone() }
    }

    /// Hosts that the operator, the tenant and the listing grant a plugin, intersected. A level that says nothing does not
    /// narrow, except the instance: what the operator does not grant is not granted.
    pub(crate) async fn granted_hosts(
        &self,
        plugin: &PluginId,
        tenant: TenantId,
        listing: Option<ListingId>,
    ) -> Outcome<BTreeSet<String>> {
        let grants = self.base.store().grants(plugin, Some(tenant), listing).await?;
        granted(&grants, tenant, listing).map_err(|level| {
            Problem::new(
                Code::ProviderNotActive,
                format!("The plugin {plugin} is disabled for this {level}."),
            )
        })
    }

    /// The context of calls over a saved connection.
    pub(crate) async fn call_context(
        &self,
        connection: &ConnectionRecord,
        listing: Option<ListingId>,
        request_id: &str,
    ) -> Outcome<CallContext> {
        let credentials = self.base.store().connection_credentials(connection.tenant, connection.id).await?;
        self.call_context_with(connection, listing, request_id, credentials).await
    }

    /// The same for a call that is made even if the connection is paused or over: to try credentials, and to take leave.
    pub(crate) fn whatever_state(context: CallContext) -> CallContext {
        CallContext { despite_state: true, ..context }
    }

    /// The same for work that nobody waits for: synchronisation, messages, members' calendars.
    pub(crate) async fn background_context(
        &self,
        connection: &ConnectionRecord,
        request_id: &str,
    ) -> Outcome<CallContext> {
        let context = self.call_context(connection, None, request_id).await?;
        Ok(CallContext { in_background: true, ..context })
    }

    /// The same with these credentials, for a connection that is not saved yet.
    pub(crate) async fn call_context_with(
        &self,
        connection: &ConnectionRecord,
        listing: Option<ListingId>,
        request_id: &str,
        credentials: Credentials,
    ) -> Outcome<CallContext> {
        let listing = listing.or(connection.listing);
        let mut hosts = self.granted_hosts(&connection.plugin, connection.tenant, listing).await?;
        if let Some(own) = &connection.granted_hosts {
            hosts = intersect(&hosts, own);
        }
        Ok(CallContext {
            tenant: connection.tenant,
            listing,
            connection: connection.id,
            plugin: connection.plugin.clone(),
            call: self.base.new_id(),
            request_id: request_id.to_owned(),
            settings: Arc::new(connection.settings.clone()),
            credentials: Arc::new(credentials),
            granted_hosts: Arc::new(hosts),
            asked: Asked::default(),
            in_background: false,
            despite_state: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_intersected_and_wildcards_cover() {
        let set = |hosts: &[&str]| hosts.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let both = intersect(
            &set(&["*.example.com", "api.acme.example"]),
            &set(&["a.example.com", "other.example"]),
        );
        assert_eq!(both, set(&["a.example.com"]));
        assert_eq!(intersect(&set(&[]), &set(&["a.example.com"])), set(&[]));
    }
}
