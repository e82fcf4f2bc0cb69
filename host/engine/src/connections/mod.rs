//! Connections to providers. Credentials are tried at the provider before they are saved, and never come back out.

pub(crate) mod available;
pub(crate) mod breaker;
pub(crate) mod cache;
pub(crate) mod call_context;
pub(crate) mod disconnect;
pub(crate) mod given;
pub(crate) mod names;
pub(crate) mod oauth;
pub(crate) mod pause;
pub(crate) mod read;
pub(crate) mod recovery;
pub(crate) mod routing;
pub(crate) mod same_account;
pub(crate) mod secret_rotation;
pub(crate) mod secrets;
pub(crate) mod subscriptions;

use std::{collections::BTreeSet, sync::Arc};

use berth_model::{
    connections::{
        connection::{ConnectionRecord, ConnectionState, ConnectionStatus, Stopped},
        secret::Credentials,
    },
    id::{ConnectionId, ListingId},
    limits,
    mirror::sync::{SyncMode, SyncRules},
    outbound::provider::{Account, CallContext, CallError, ProviderError, Providers},
    plugins::manifest::{CredentialKind, Manifest, OAuth2Spec, PluginId},
    problem::{Code, FieldError, Problem},
};
use serde_json::{Value, json};

use self::secret_rotation::changed_secret;
use crate::{
    Caller, Outcome,
    base::Base,
    connections::{
        breaker::ConnectionBreakers, cache::ProviderCache, call_context::CallContexts, names::ProviderNames,
        oauth::Tokens, recovery::Recovery,
    },
    jobs::queue::Queue,
    networks::network,
    outbound::deliveries::Deliveries,
    tenants::Tenants,
    validate::Fields,
};

/// Longest credential, in bytes.
const CREDENTIAL_BYTES_MAX: usize = 8 * 1024;

/// A connection to be made.
#[derive(Debug, Clone)]
pub struct NewConnection {
    /// Which provider plugin.
    pub plugin: PluginId,
    /// Name for people.
    pub name: String,
    /// Only for this listing.
    pub listing: Option<ListingId>,
    /// Settings, as the manifest's schema says.
    pub settings: Value,
    /// Credentials by the manifest's names; generated ones are made up.
    pub credentials: Credentials,
    /// Hosts this tenant grants; none: all that the operator grants.
    pub granted_hosts: Option<BTreeSet<String>>,
    /// Networks that webhooks may come from; none: any.
    pub webhook_sources: Option<Vec<String>>,
}

/// Changes of a connection; none leaves a field as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see NewConnection")]
pub struct ConnectionPatch {
    pub name: Option<String>,
    pub listing: Option<Option<ListingId>>,
    pub settings: Option<Value>,
    /// Replaces the named ones; the others stay.
    pub credentials: Option<Credentials>,
    pub granted_hosts: Option<Option<BTreeSet<String>>>,
    pub webhook_sources: Option<Option<Vec<String>>>,
}

/// Connections to providers: made, tried, consented to, paused, ended.
#[derive(Clone)]
pub struct Connections {
    pub(crate) base: Base,
    pub(crate) breakers: Arc<ConnectionBreakers>,
    pub(crate) cache: Arc<ProviderCache>,
    pub(crate) contexts: Arc<CallContexts>,
    pub(crate) deliveries: Arc<Deliveries>,
    pub(crate) names: Arc<ProviderNames>,
    pub(crate) providers: Arc<dyn Providers>,
    /// Where providers and customers reach this engine; none: no links are made.
    pub(crate) public_url: Option<String>,
    pub(crate) recovery: Arc<Recovery>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) tenants: Arc<Tenants>,
    pub(crate) tokens: Arc<Tokens>,
}

impl Connections {
    /// Connect: check, try at the provider, save, subscribe to its webhooks.
    pub async fn create_connection(&self, caller: &Caller, new: NewConnection) -> Outcome<ConnectionRecord> {
        self.create_connection_in(caller, new, SyncMode::default()).await
    }

    /// The same, kept in step this way from the beginning.
    pub async fn create_connection_in(
        &self,
        caller: &Caller,
        new: NewConnection,
        mode: SyncMode,
    ) -> Outcome<ConnectionRecord> {
        self.create_connection_as(caller, self.base.new_id(), new, mode).await
    }

    /// A connection that is not saved yet.
    pub(crate) fn draft_connection(
        &self,
        caller: &Caller,
        id: ConnectionId,
        new: &NewConnection,
    ) -> ConnectionRecord {
        let now = self.base.now();
        ConnectionRecord {
            id,
            tenant: caller.tenant,
            listing: new.listing,
            plugin: new.plugin.clone(),
            name: new.name.clone(),
            settings: new.settings.clone(),
            granted_hosts: new.granted_hosts.clone(),
            state: ConnectionState::Active,
            status: ConnectionStatus::Healthy,
            status_detail: None,
            account: Value::Null,
            subscription: None,
            subscription_detail: None,
            webhook_sources: new.webhook_sources.clone(),
            credential_names: Vec::new(),
            webhook_address: 0,
            revision: 1,
            created_at: now,
            updated_at: now,
            reads_busy: true,
            writes_busy: true,
        }
    }

    /// The same with an id that is known already.
    pub(crate) async fn create_connection_as(
        &self,
        caller: &Caller,
        id: ConnectionId,
        new: NewConnection,
        mode: SyncMode,
    ) -> Outcome<ConnectionRecord> {
        let manifest = self.active_manifest(&new.plugin)?;
        let mut connection = self.draft_connection(caller, id, &new);
        let mut credentials = new.credentials;
        self.check_connection(caller, &manifest, &mut connection, &mut credentials).await?;
        self.own_tokens(&manifest, &connection, &mut credentials).await?;
        let context = self.try_connection(caller, &mut connection, &credentials).await?;
        let rules = SyncRules { mode, ..SyncRules::default() };
        let audit = self.base.audit(caller);
        self.base.store().create_connection_with(connection.clone(), credentials, rules, audit).await?;
        match self.keep_subscription(&connection, &context, 0).await {
            Ok(kept) => Ok(kept),
            // The connection works by asking until somebody looks after its subscription.
            Err(error) => {
                tracing::warn!(%error, connection = %connection.id, "webhooks were not subscribed to yet");
                Ok(connection)
            }
        }
    }

    /// Connections by id.
    pub async fn list_connections(
        &self,
        caller: &Caller,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Outcome<Vec<ConnectionRecord>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        Ok(self.base.store().list_connections(caller.tenant, after, limit).await?)
    }

    /// Change a connection. New settings or credentials are tried at the provider first; if it refuses, nothing changes. Calls that are
    /// under way end with the credentials they began with. Another webhook secret is rotated as in a rotation.
    pub async fn update_connection(
        &self,
        caller: &Caller,
        id: ConnectionId,
        patch: ConnectionPatch,
        expected_revision: Option<i64>,
    ) -> Outcome<ConnectionRecord> {
        let overlap = limits::WEBHOOK_SECRET_OVERLAP_SECONDS;
        self.change_connection(caller, id, patch, overlap, expected_revision, None).await
    }

    /// The same; a webhook secret that is replaced is accepted for so many seconds. Where another account is refused, it is refused so; one
    /// that is over is connected again for its own account alone.
    pub(crate) async fn change_connection(
        &self,
        caller: &Caller,
        id: ConnectionId,
        patch: ConnectionPatch,
        overlap_seconds: i64,
        expected_revision: Option<i64>,
        another_account: Option<fn() -> Problem>,
    ) -> Outcome<ConnectionRecord> {
        let mut connection = self.connection(caller, id).await?;
        let (was, over) = (connection.clone(), connection.state == ConnectionState::Disconnected);
        let another_account = another_account.or(over.then_some(of_another_account as fn() -> Problem));
        if over && patch.credentials.is_none() {
            return Err(Problem::from(Stopped::Disconnected));
        }
        let revision = expected_revision.unwrap_or(connection.revision);
        let manifest = self
            .providers
            .manifest(&connection.plugin)
            .ok_or_else(|| Problem::from(CallError::NotActive(connection.plugin.clone())))?;
        // A new name needs no provider that answers.
        let settings_or_hosts = patch.settings.is_some() || patch.granted_hosts.is_some();
        if let Some(name) = patch.name {
            connection.name = name;
        }
        if let Some(listing) = patch.listing {
            connection.listing = listing;
        }
        if let Some(settings) = patch.settings {
            connection.settings = settings;
        }
        if let Some(hosts) = patch.granted_hosts {
            connection.granted_hosts = hosts;
        }
        if let Some(sources) = patch.webhook_sources {
            connection.webhook_sources = sources;
        }
        let replaced = patch.credentials.is_some();
        // What Berth makes up the provider cannot know yet.
        let known_there = |name: &String| {
            manifest.credentials.get(name).is_none_or(|spec| spec.kind != CredentialKind::Generated)
        };
        // What is over has nothing left that could be known to work.
        let to_be_tried = over
            || settings_or_hosts
            || patch.credentials.iter().flat_map(Credentials::keys).any(known_there);
        // While credentials are replaced no token is renewed: a renewal in between would be lost.
        let renewal = if replaced { self.tokens.claim(caller.tenant, id, None).await? } else { None };
        let changed = async {
            let before = self.base.store().connection_credentials(caller.tenant, id).await?;
            let mut credentials = before.clone();
            credentials.extend(patch.credentials.unwrap_or_default());
            self.check_connection(caller, &manifest, &mut connection, &mut credentials).await?;
            self.own_tokens(&manifest, &connection, &mut credentials).await?;
            if to_be_tried {
                self.try_connection(caller, &mut connection, &credentials).await?;
            }
            if let Some(another_account) = another_account
                && !is_same_account(&manifest, &was, &connection)
            {
                return Err(another_account());
            }
            self.cache.invalidate(id);
            let after = replaced.then_some(credentials);
            let secret = after.as_ref().and_then(|after| changed_secret(&manifest, &before, after));
            if let (Some(secret), Some(after)) = (secret, after.clone()) {
                let before = before.get(secret).map(|old| (secret.clone(), old.clone()));
                return self
                    .replace_secret(caller, connection, after, before, overlap_seconds, revision)
                    .await;
            }
            self.base
                .store()
                .update_connection(connection, after, revision, self.base.audit(caller))
                .await
                .map_err(Problem::from)
        };
        let changed = changed.await;
        if let Some(until) = renewal {
            self.tokens.release(caller.tenant, id, until).await;
        }
        let mut changed = changed?;
        if over {
            // Last, so that one of which something failed is still over.
            changed = self.resume_now(caller, changed).await?;
        } else if settings_or_hosts || replaced {
            self.recovery.connection(caller.tenant, id).await;
        }
        // Only now: to subscribe may need a token that is renewed.
        if changed.webhook_address == was.webhook_address {
            Ok(changed)
        } else {
            self.subscribe_anew(caller, changed).await
        }
    }

    /// Tokens for credentials with which the tenant's own client is enough.
    async fn own_tokens(
        &self,
        manifest: &Manifest,
        connection: &ConnectionRecord,
        credentials: &mut Credentials,
    ) -> Outcome<()> {
        let settings = &connection.settings;
        let asked = self.tokens.of_own_clients(connection.tenant, manifest, settings, credentials).await;
        asked.map_err(|(name, error)| {
            let mut problem = crate::connections::oauth::refused(&error);
            problem.errors.push(FieldError::new(format!("/credentials/{name}"), error.to_string()));
            problem
        })
    }

    /// Ask the provider now whether the connection works.
    pub async fn connection_health(
        &self,
        caller: &Caller,
        id: ConnectionId,
    ) -> Outcome<(ConnectionRecord, Option<Problem>)> {
        let mut connection = self.connection(caller, id).await?;
        if let Some(stopped) = connection.state.stopped() {
            return Ok((connection, Some(Problem::from(stopped))));
        }
        let context = self.contexts.call_context(&connection, None, &caller.request_id).await?;
        let result = self.providers.validate(&context).await;
        let (status, problem) = match result {
            Ok(_) => (ConnectionStatus::Healthy, None),
            Err(CallError::Provider(ProviderError::Unauthorised)) => (
                ConnectionStatus::Unauthorised,
                Some(Problem::from(CallError::Provider(ProviderError::Unauthorised))),
            ),
            Err(error) => (ConnectionStatus::Unavailable, Some(Problem::from(&error))),
        };
        // The call may have found out more than that the provider refuses. What else is wrong may be something else than before.
        connection = self.connection(caller, id).await?;
        let is_known = status == connection.status && status == ConnectionStatus::Unauthorised;
        let known = connection.status_detail.clone().filter(|_| is_known);
        let detail = problem.as_ref().and_then(|p| known.or_else(|| Some(p.detail.clone())));
        if status != connection.status || detail != connection.status_detail {
            self.base
                .store()
                .set_connection_health(caller.tenant, id, status, detail.clone(), self.base.now())
                .await?;
            if status == ConnectionStatus::Healthy && connection.status == ConnectionStatus::Unauthorised {
                self.recovery.connection(caller.tenant, id).await;
            }
            connection.status = status;
            connection.status_detail = detail;
        }
        Ok((connection, problem))
    }

    /// Settings against the schema, credentials against the manifest; makes up the generated ones.
    pub(crate) async fn check_connection(
        &self,
        caller: &Caller,
        manifest: &Manifest,
        connection: &mut ConnectionRecord,
        credentials: &mut Credentials,
    ) -> Outcome<()> {
        let mut fields = Fields::default();
        fields.text("/name", &connection.name, 100);
        match berth_settings::check(manifest, &connection.settings) {
            Ok(filled) => connection.settings = filled,
            Err(problems) => {
                for problem in problems {
                    fields.bad(&format!("/{}", problem.path), problem.message);
                }
            }
        }
        for (name, secret) in credentials.iter() {
            let field = format!("/credentials/{name}");
            if !manifest.credentials.contains_key(name) {
                let known: Vec<&str> = manifest.credentials.keys().map(String::as_str).collect();
                fields.bad(
                    &field,
                    format!("the provider has no such credential; it has: {}", known.join(", ")),
                );
            } else if secret.expose().is_empty() || secret.expose().len() > CREDENTIAL_BYTES_MAX {
                fields.bad(&field, format!("must be 1 to {CREDENTIAL_BYTES_MAX} bytes"));
            }
        }
        for (name, spec) in &manifest.credentials {
            if spec.kind == CredentialKind::Generated {
                if !credentials.contains_key(name) {
                    credentials.insert(name.clone(), self.generate_secret());
                }
            } else if spec.required && !credentials.contains_key(name) {
                let how = if spec.oauth2.as_ref().is_some_and(OAuth2Spec::has_consent) {
                    "; begin with POST /api/booking-providers/oauth/start"
                } else {
                    ""
                };
                fields.bad(&format!("/credentials/{name}"), format!("is needed: {}{how}", spec.label));
            }
        }
        let sources = connection.webhook_sources.as_deref().unwrap_or_default();
        if sources.len() > limits::WEBHOOK_SOURCES_MAX {
            fields.bad("/webhook_sources", format!("at most {}", limits::WEBHOOK_SOURCES_MAX));
        }
        for (i, source) in sources.iter().enumerate() {
            if network(source).is_none() {
                let allowed = "must be a network such as 192.0.2.0/24, or an address";
                fields.bad(&format!("/webhook_sources/{i}"), allowed);
            }
        }
        if let Some(listing) = connection.listing
            && self.base.store().listing(caller.tenant, listing).await.is_err()
        {
            fields.bad("/listing_id", "no such listing");
        }
        fields.finish()?;
        connection.credential_names = credentials.keys().cloned().collect();
        Ok(())
    }

    /// One cheap read at the provider with these credentials; its account goes into the record.
    pub(crate) async fn try_connection(
        &self,
        caller: &Caller,
        connection: &mut ConnectionRecord,
        credentials: &Credentials,
    ) -> Outcome<CallContext> {
        let context = self
            .contexts
            .call_context_with(connection, None, &caller.request_id, credentials.clone())
            .await?;
        self.check_hosts(&context)?;
        let tried = CallContexts::whatever_state(context.clone());
        let account: Account = self.providers.validate(&tried).await.map_err(|error| {
            let mut problem = Problem::from(&error);
            if matches!(error, CallError::Provider(ProviderError::Unauthorised)) {
                problem.errors.push(FieldError::new("/credentials", "the provider does not accept them"));
            }
            // Its calls are listed under the id that was tried, also if it is not made.
            problem.extra.insert("tried".to_owned(), connection.id.to_string().into());
            problem
        })?;
        connection.status = ConnectionStatus::Healthy;
        connection.status_detail = None;
        connection.account = json!({
            "id": account.id, "name": account.name, "email": account.email, "time_zone": account.time_zone,
        });
        Ok(context)
    }

    /// A plugin that was granted none of its hosts cannot do anything; say so before it fails in a less clear way.
    fn check_hosts(&self, context: &CallContext) -> Outcome<()> {
        let Some(manifest) = self.providers.manifest(&context.plugin) else { return Ok(()) };
        let asked = manifest.hosts_asked(&context.settings);
        if asked.is_empty() || !context.granted_hosts.is_empty() {
            return Ok(());
        }
        let asked: Vec<String> = asked.into_iter().collect();
        Err(Problem::new(
            Code::ProviderNotActive,
            format!(
                "The plugin {} is granted none of the hosts it asks for: {}.",
                context.plugin,
                asked.join(", ")
            ),
        )
        .with_hint(format!(
            "An operator grants them with: berth plugin grant {} {}",
            context.plugin,
            asked.join(" ")
        )))
    }
}

/// Are both for one account of one server? Servers that tenants host count their accounts each by itself.
pub(crate) fn is_same_account(manifest: &Manifest, one: &ConnectionRecord, other: &ConnectionRecord) -> bool {
    one.account.get("id") == other.account.get("id")
        && manifest.hosts_of_settings(&one.settings) == manifest.hosts_of_settings(&other.settings)
}

/// A connection is not connected again for another account: its bookings are at the one before.
fn of_another_account() -> Problem {
    let error = FieldError::new("/credentials", "are for another account than that of this connection");
    Problem::invalid(vec![error]).with_hint(
        "Make a connection of its own for the other account; the bookings of this one are not there.",
    )
}
