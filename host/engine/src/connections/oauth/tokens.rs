//! Tokens that renew themselves, one renewal at a time: within a process by a lock, across replicas by a lease on the connection's
//! row. Some refresh tokens are good for one use, so that a second renewal would end the consent.
//!
//! A new token is saved before anybody uses it. If the process dies between the provider's answer and the save, a single-use refresh
//! token is lost and a person has to consent again: no order of the two steps avoids that.

use std::{sync::Arc, time::Duration};

use berth_model::{
    connections::{
        connection::ConnectionStatus,
        oauth::{self, Client, Grant, TokenError, TokenSet},
        secret::{Credentials, Secret},
    },
    id::{ConnectionId, TenantId},
    limits,
    outbound::provider::{CallContext, CallError, ProviderError, Providers, TokenEndpoint, TokenRequest},
    plugins::manifest::{CredentialKind, Manifest, OAuth2Spec},
    time::{Clock, Instant},
};
use berth_store::{Store, StoreError};
use serde_json::Value;
use tokio::sync::Mutex;

/// Locks for renewals within the process; connections share them by their id.
const STRIPES: usize = 64;
/// Tries to save a token that the provider has given.
const SAVE_TRIES: u32 = 3;
/// Waits for a database that is away or full before such a token is given up: as long as the lease, after which another process may
/// renew.
const SAVE_WAITS: u64 = limits::OAUTH_LEASE_SECONDS.unsigned_abs() * 1_000 / limits::DATABASE_PROBE_EVERY_MS;

/// A context whose tokens are good, and what they were made of.
pub(crate) struct Ready {
    pub(crate) context: CallContext,
    used: Vec<(String, TokenSet)>,
}

/// Where tokens come from.
pub(crate) struct Tokens {
    store: Store,
    providers: Arc<dyn Providers>,
    endpoint: Arc<dyn TokenEndpoint>,
    clock: Arc<dyn Clock>,
    stripes: Vec<Mutex<()>>,
}

const UNAUTHORISED: CallError = CallError::Provider(ProviderError::Unauthorised);
const UNAVAILABLE: CallError = CallError::Provider(ProviderError::Unavailable { retry_after_ms: None });

impl Tokens {
    pub(crate) fn new(
        store: Store,
        providers: Arc<dyn Providers>,
        endpoint: Arc<dyn TokenEndpoint>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let stripes = std::iter::repeat_with(Mutex::default).take(STRIPES).collect();
        Arc::new(Self { store, providers, endpoint, clock, stripes })
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The context with access tokens in place of token sets; none if it has no token sets.
    pub(crate) async fn ready(self: &Arc<Self>, cx: &CallContext) -> Result<Option<Ready>, CallError> {
        let mut used = Vec::new();
        for (name, credential) in cx.credentials.iter() {
            let Some(mut tokens) = TokenSet::read(credential) else { continue };
            if tokens.is_ending(self.clock.now()) && tokens.can_renew() {
                tokens = self.renewed(cx, name, tokens).await?;
            }
            used.push((name.clone(), tokens));
        }
        Ok((!used.is_empty()).then(|| Ready { context: with(cx, &used), used }))
    }

    /// The context with new tokens in place of those that the provider refused; an error if there are none to be had.
    pub(crate) async fn again(
        self: &Arc<Self>,
        cx: &CallContext,
        refused: &Ready,
    ) -> Result<CallContext, CallError> {
        let mut used = Vec::new();
        for (name, tokens) in &refused.used {
            let renewed = if tokens.can_renew() && !tokens.is_new(self.clock.now()) {
                self.renewed(cx, name, tokens.clone()).await?
            } else {
                tokens.clone()
            };
            used.push((name.clone(), renewed));
        }
        if used == refused.used {
            return Err(UNAUTHORISED);
        }
        Ok(with(cx, &used))
    }

    /// Another token than this one. In a task of its own: who hangs up must not stop a renewal between answer and save.
    async fn renewed(
        self: &Arc<Self>,
        cx: &CallContext,
        name: &str,
        stale: TokenSet,
    ) -> Result<TokenSet, CallError> {
        let (tokens, cx, name) = (Arc::clone(self), cx.clone(), name.to_owned());
        let task = tokio::spawn(async move {
            let _turn = match tokens.stripe(cx.connection) {
                Some(stripe) => Some(stripe.lock().await),
                None => None,
            };
            tokens.renew_in_turn(&cx, &name, &stale).await
        });
        task.await.unwrap_or(Err(UNAVAILABLE))
    }

    fn stripe(&self, connection: ConnectionId) -> Option<&Mutex<()>> {
        let at = usize::try_from(connection.uuid().as_u128() % STRIPES as u128).unwrap_or(0);
        self.stripes.get(at)
    }

    async fn renew_in_turn(
        &self,
        cx: &CallContext,
        name: &str,
        stale: &TokenSet,
    ) -> Result<TokenSet, CallError> {
        let Some(until) = self.claim(cx.tenant, cx.connection, Some((name, stale))).await? else {
            let (current, _) = self.current(cx, name).await?;
            return Ok(current);
        };
        let result = self.renew_held(cx, name, stale).await;
        self.release(cx.tenant, cx.connection, until).await;
        result
    }

    /// Take the connection's renewal, waiting for other replicas; none if one of them has renewed this token meanwhile.
    pub(crate) async fn claim(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        stale: Option<(&str, &TokenSet)>,
    ) -> Result<Option<Instant>, CallError> {
        for _ in 0..limits::OAUTH_LOOKS_MAX {
            let now = self.clock.now();
            let until = now.plus_seconds(limits::OAUTH_LEASE_SECONDS);
            if self.store.claim_renewal(tenant, connection, now, until).await.map_err(|e| failed(&e))? {
                return Ok(Some(until));
            }
            if let Some((name, stale)) = stale {
                let credentials =
                    self.store.connection_credentials(tenant, connection).await.map_err(|e| failed(&e))?;
                let current = credentials.get(name).and_then(TokenSet::read);
                if current.is_some_and(|c| c.access_token != stale.access_token && !c.is_ending(now)) {
                    return Ok(None);
                }
            }
            tokio::time::sleep(Duration::from_millis(limits::OAUTH_LOOK_MS)).await;
        }
        Err(UNAVAILABLE)
    }

    pub(crate) async fn release(&self, tenant: TenantId, connection: ConnectionId, until: Instant) {
        if let Err(error) = self.store.release_renewal(tenant, connection, until).await {
            tracing::warn!(%error, %connection, "a renewal was not released; its lease runs out");
        }
    }

    async fn current(&self, cx: &CallContext, name: &str) -> Result<(TokenSet, Secret), CallError> {
        let credentials =
            self.store.connection_credentials(cx.tenant, cx.connection).await.map_err(|e| failed(&e))?;
        let stored = credentials.get(name).cloned().ok_or(UNAUTHORISED)?;
        Ok((TokenSet::read(&stored).ok_or(UNAUTHORISED)?, stored))
    }

    async fn renew_held(
        &self,
        cx: &CallContext,
        name: &str,
        stale: &TokenSet,
    ) -> Result<TokenSet, CallError> {
        let (current, stored) = self.current(cx, name).await?;
        if current.access_token != stale.access_token && !current.is_ending(self.clock.now()) {
            return Ok(current);
        }
        let manifest =
            self.providers.manifest(&cx.plugin).ok_or_else(|| CallError::NotActive(cx.plugin.clone()))?;
        match self.ask_anew(cx, &manifest, name, &current).await {
            Ok(new) => {
                self.save(cx, name, &stored, &new).await?;
                Ok(new)
            }
            Err(TokenError::Unavailable(why)) => {
                // The provider's token endpoint was asked, and is part of it.
                cx.asked.note();
                tracing::warn!(connection = %cx.connection, why, "a token was not renewed");
                Err(UNAVAILABLE)
            }
            Err(error @ (TokenError::InvalidGrant(_) | TokenError::Refused(_))) => {
                tracing::warn!(connection = %cx.connection, %error, "a token cannot be renewed");
                let detail = match &error {
                    TokenError::InvalidGrant(why) => format!("Somebody has to consent again ({why})."),
                    _ => format!("The operator's or the tenant's OAuth client is refused ({error})."),
                };
                let set = self.store.set_connection_health(
                    cx.tenant,
                    cx.connection,
                    ConnectionStatus::Unauthorised,
                    Some(detail),
                    self.clock.now(),
                );
                if let Err(error) = set.await {
                    tracing::warn!(%error, connection = %cx.connection, "the connection's status was not written");
                }
                Err(UNAUTHORISED)
            }
        }
    }

    async fn ask_anew(
        &self,
        cx: &CallContext,
        manifest: &Manifest,
        name: &str,
        current: &TokenSet,
    ) -> Result<TokenSet, TokenError> {
        let grant = match &current.refresh_token {
            Some(token) => Grant::Refresh(token),
            None if current.client.is_some() => Grant::ClientCredentials,
            None => return Err(TokenError::InvalidGrant("there is no refresh token".to_owned())),
        };
        let of = (manifest, name, current.client.as_ref());
        self.ask_as_client(cx.tenant, of, &cx.settings, grant, Some(current)).await
    }

    /// Ask the token endpoint of a credential with its client. One that was rotated while its request was under way is asked with once
    /// more: refusing a client uses nothing up (RFC 6749, section 5.2).
    pub(crate) async fn ask_as_client(
        &self,
        tenant: TenantId,
        (manifest, name, own): (&Manifest, &str, Option<&Client>),
        settings: &Value,
        grant: Grant<'_>,
        before: Option<&TokenSet>,
    ) -> Result<TokenSet, TokenError> {
        let (spec, client) = self.spec_and_client(manifest, name, own).await?;
        let asked = self.ask(tenant, &spec, settings, &client, grant, before).await;
        if !matches!(asked, Err(TokenError::Refused(_))) {
            return asked;
        }
        let (spec, current) = self.spec_and_client(manifest, name, own).await?;
        if current == client {
            asked
        } else {
            self.ask(tenant, &spec, settings, &current, grant, before).await
        }
    }

    /// The endpoints and the client of a credential: the tenant's own, or the operator's.
    pub(crate) async fn spec_and_client(
        &self,
        manifest: &Manifest,
        name: &str,
        own: Option<&Client>,
    ) -> Result<(OAuth2Spec, Client), TokenError> {
        let spec = manifest.credentials.get(name).and_then(|c| c.oauth2.as_ref());
        let spec =
            spec.ok_or_else(|| TokenError::Refused("the manifest has no such credential".to_owned()))?;
        if let Some(own) = own {
            return Ok((spec.clone(), own.clone()));
        }
        match self.store.oauth_client(&manifest.id, name).await {
            Ok((client, secret)) => {
                Ok((oauth::with_endpoints(spec, &client.endpoints), Client { id: client.client_id, secret }))
            }
            Err(StoreError::NotFound(_)) => {
                Err(TokenError::Refused("the operator has registered no OAuth client".to_owned()))
            }
            Err(error) => Err(TokenError::Unavailable(error.to_string())),
        }
    }

    /// Ask a token endpoint.
    async fn ask(
        &self,
        tenant: TenantId,
        spec: &OAuth2Spec,
        settings: &Value,
        client: &Client,
        grant: Grant<'_>,
        before: Option<&TokenSet>,
    ) -> Result<TokenSet, TokenError> {
        let request = oauth::token_request(tenant, spec, settings, client, grant)
            .ok_or_else(|| TokenError::Refused("its address cannot be made of the settings".to_owned()))?;
        let reply = self.endpoint.ask(request).await.map_err(TokenError::Unavailable)?;
        if (200..300).contains(&reply.status) {
            TokenSet::of_answer(&reply.body, self.clock.now(), &spec.scopes, before)
        } else {
            Err(TokenError::of_answer(reply.status, &reply.body))
        }
    }

    /// Send a request that needs no answer.
    pub(crate) async fn tell(&self, request: TokenRequest) -> Result<(), TokenError> {
        let reply = self.endpoint.ask(request).await.map_err(TokenError::Unavailable)?;
        if (200..300).contains(&reply.status) {
            Ok(())
        } else {
            Err(TokenError::of_answer(reply.status, &reply.body))
        }
    }

    async fn save(
        &self,
        cx: &CallContext,
        name: &str,
        before: &Secret,
        new: &TokenSet,
    ) -> Result<(), CallError> {
        let credential = new.to_credential();
        let (mut attempt, mut waits) = (1, 0);
        while attempt <= SAVE_TRIES {
            let saved = self
                .store
                .replace_credential(cx.tenant, cx.connection, name, Some(before), &credential)
                .await;
            match saved {
                Ok(true) => return Ok(()),
                // Somebody gave the connection another credential meanwhile: theirs counts.
                Ok(false) => return Err(UNAVAILABLE),
                Err(error) if error.trouble().is_some() && waits < SAVE_WAITS => {
                    waits += 1;
                    tokio::time::sleep(Duration::from_millis(limits::DATABASE_PROBE_EVERY_MS)).await;
                }
                Err(error) => {
                    tracing::error!(%error, attempt, connection = %cx.connection, "a new token was not saved");
                    attempt += 1;
                }
            }
        }
        Err(UNAVAILABLE)
    }

    /// For credentials with which the tenant's own client is enough: a token in place of `client_id:client_secret`.
    pub(crate) async fn of_own_clients(
        &self,
        tenant: TenantId,
        manifest: &Manifest,
        settings: &Value,
        credentials: &mut Credentials,
    ) -> Result<(), (String, TokenError)> {
        for (name, spec) in &manifest.credentials {
            let Some(oauth2) =
                spec.oauth2.as_ref().filter(|o| spec.kind == CredentialKind::Oauth2 && !o.has_consent())
            else {
                continue;
            };
            let Some(given) = credentials.get(name).filter(|given| TokenSet::read(given).is_none()) else {
                continue;
            };
            // No colon: a token that somebody pasted.
            let Some(client) = oauth::client_of(given) else { continue };
            let asked = self.ask(tenant, oauth2, settings, &client, Grant::ClientCredentials, None).await;
            let tokens = asked.map_err(|error| (name.clone(), error))?;
            let tokens = TokenSet { client: Some(client), ..tokens };
            credentials.insert(name.clone(), tokens.to_credential());
        }
        Ok(())
    }
}

/// The context with these access tokens.
fn with(cx: &CallContext, used: &[(String, TokenSet)]) -> CallContext {
    let mut credentials: Credentials = (*cx.credentials).clone();
    for (name, tokens) in used {
        credentials.insert(name.clone(), tokens.access_token.clone());
    }
    CallContext { credentials: Arc::new(credentials), ..cx.clone() }
}

fn failed(error: &StoreError) -> CallError {
    if error.trouble().is_none() {
        tracing::error!(%error, "a token was not read");
    }
    UNAVAILABLE
}
