//! Flows that a person consents to: begun with a key, finished by the browser that comes back. A connection is made, or mended, only
//! when the provider has accepted the fresh token.

use std::collections::BTreeSet;

use berth_model::{
    connections::{
        connection::{ConnectionRecord, ConnectionStatus},
        oauth::{self, Consent, Grant, TokenError, TokenSet},
        secret::{Credentials, Secret},
    },
    id::{ConnectionId, ListingId},
    limits,
    mirror::sync::SyncMode,
    plugins::manifest::Manifest,
    problem::{Code, Problem},
};
use berth_store::{StoreError, records::OAuthFlow};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::clients::{no_client, oauth_credentials};
use crate::{Caller, ConnectionPatch, NewConnection, Outcome, connections::Connections};

/// Where a browser comes back to.
const CALLBACK: &str = "/api/oauth/callback";

/// A flow that waits for consent.
#[derive(Debug, Clone)]
pub struct OAuthStarted {
    /// Where the person's browser has to go.
    pub url: Url,
    /// The connection that it will make or mend.
    pub connection: ConnectionId,
    /// When the flow is over.
    pub expires_at: berth_model::time::Instant,
}

/// What a browser brings back.
#[derive(Debug, Clone, Default)]
pub struct OAuthAnswer {
    /// Which flow.
    pub state: String,
    /// What gets the token.
    pub code: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// The same for people.
    pub error_description: Option<String>,
}

/// How a flow ended.
#[derive(Debug)]
pub struct OAuthReturn {
    /// Where the browser goes now; none: it is shown a page.
    pub return_to: Option<String>,
    /// The connection, or why there is none.
    pub result: Outcome<ConnectionRecord>,
}

/// A connection that waits for consent, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Draft {
    name: String,
    listing: Option<ListingId>,
    settings: Value,
    granted_hosts: Option<BTreeSet<String>>,
    webhook_sources: Option<Vec<String>>,
    /// The other credentials.
    credentials: std::collections::BTreeMap<String, String>,
}

impl Connections {
    /// Begin to connect to a provider that wants a person's consent. Nothing is stored but the flow.
    pub async fn start_oauth(
        &self,
        caller: &Caller,
        credential: Option<String>,
        new: NewConnection,
        return_to: Option<String>,
    ) -> Outcome<OAuthStarted> {
        let manifest = self.active_manifest(&new.plugin)?;
        let credential = the_credential(&manifest, credential)?;
        let mut connection = self.draft_connection(caller, self.base.new_id(), &new);
        // The token is to come; everything else is checked now, while somebody can mend it.
        let mut credentials = new.credentials.clone();
        credentials.insert(credential.clone(), Secret::new("to_come".to_owned()));
        self.check_connection(caller, &manifest, &mut connection, &mut credentials).await?;
        let draft = Draft {
            name: connection.name.clone(),
            listing: connection.listing,
            settings: connection.settings.clone(),
            granted_hosts: connection.granted_hosts.clone(),
            webhook_sources: connection.webhook_sources.clone(),
            credentials: new.credentials.iter().map(|(n, s)| (n.clone(), s.expose().to_owned())).collect(),
        };
        let draft = serde_json::to_value(draft).unwrap_or_default();
        self.start_flow(caller, &manifest, &connection, true, credential, &draft, return_to).await
    }

    /// Begin to renew the consent of a connection: it was withdrawn, or the plugin asks for more by now.
    pub async fn restart_oauth(
        &self,
        caller: &Caller,
        id: ConnectionId,
        credential: Option<String>,
        return_to: Option<String>,
    ) -> Outcome<OAuthStarted> {
        let connection = self.connection(caller, id).await?;
        let manifest = self.active_manifest(&connection.plugin)?;
        let credential = the_credential(&manifest, credential)?;
        self.start_flow(caller, &manifest, &connection, false, credential, &Value::Null, return_to).await
    }

    #[expect(clippy::too_many_arguments, reason = "each says one thing of the flow")]
    async fn start_flow(
        &self,
        caller: &Caller,
        manifest: &Manifest,
        connection: &ConnectionRecord,
        is_new: bool,
        credential: String,
        draft: &Value,
        return_to: Option<String>,
    ) -> Outcome<OAuthStarted> {
        let (client, _) = match self.base.store().oauth_client(&manifest.id, &credential).await {
            Ok(client) => client,
            Err(StoreError::NotFound(_)) => return Err(no_client(&manifest.id, &credential)),
            Err(error) => return Err(error.into()),
        };
        if let Some(address) = &return_to {
            let is_allowed = without_query(address).is_some_and(|plain| {
                client.return_addresses.iter().any(|a| Url::parse(a).is_ok_and(|a| a == plain))
            });
            if !is_allowed {
                let error = berth_model::problem::FieldError::new(
                    "/return_to",
                    format!("must be one of: {}", client.return_addresses.join(", ")),
                );
                return Err(Problem::invalid(vec![error]));
            }
        }
        let redirect_uri = self.oauth_callback_address()?;
        let spec = manifest.credentials.get(&credential).and_then(|c| c.oauth2.as_ref());
        let spec = spec.map(|spec| oauth::with_endpoints(spec, &client.endpoints));
        let authorization = spec.and_then(|spec| {
            oauth::authorization(
                &spec,
                &connection.settings,
                &client.client_id,
                &redirect_uri,
                self.base.random(),
            )
        });
        let authorization = authorization.ok_or_else(|| {
            Problem::new(Code::Invalid, "The authorization address cannot be made of the settings.")
        })?;
        let flow = OAuthFlow {
            state_hash: oauth::state_hash(authorization.state.expose()),
            tenant: caller.tenant,
            connection: connection.id,
            is_new,
            plugin: manifest.id.clone(),
            credential,
            return_to,
            started_by: caller.actor.clone(),
            expires_at: self.base.now().plus_seconds(limits::OAUTH_FLOW_SECONDS_MAX),
        };
        let secret = oauth::sealed_draft(draft, authorization.verifier.as_ref());
        let expires_at = flow.expires_at;
        self.base.store().add_oauth_flow(flow, &secret, self.base.audit(caller)).await?;
        Ok(OAuthStarted { url: authorization.url, connection: connection.id, expires_at })
    }

    fn oauth_callback_address(&self) -> Outcome<String> {
        let base = self.public_url.as_ref().ok_or_else(|| {
            Problem::new(
                Code::NotReady,
                "This engine does not know its own address, to which a browser could come back.",
            )
            .with_hint("An operator sets public-url in the configuration.")
        })?;
        Ok(format!("{}{CALLBACK}", base.trim_end_matches('/')))
    }

    /// Finish a flow with what the browser brings. The state says whose it is: no key is needed.
    pub async fn finish_oauth(&self, answer: OAuthAnswer, request_id: &str) -> OAuthReturn {
        let over =
            || Problem::new(Code::ConsentExpired, "There is no such flow, or it was finished already.");
        let taken = self.base.store().take_oauth_flow(oauth::state_hash(&answer.state)).await;
        let (flow, sealed) = match taken {
            Ok(Some(taken)) => taken,
            Ok(None) => return OAuthReturn { return_to: None, result: Err(over()) },
            Err(error) => return OAuthReturn { return_to: None, result: Err(error.into()) },
        };
        let return_to = flow.return_to.clone();
        if flow.expires_at <= self.base.now() {
            return OAuthReturn { return_to, result: Err(over()) };
        }
        let result = self.finish_flow(&flow, &sealed, answer, request_id).await;
        if let Err(problem) = &result {
            tracing::warn!(connection = %flow.connection, plugin = %flow.plugin, %problem, "a consent flow failed");
        }
        OAuthReturn { return_to, result }
    }

    async fn finish_flow(
        &self,
        flow: &OAuthFlow,
        sealed: &[u8],
        answer: OAuthAnswer,
        request_id: &str,
    ) -> Outcome<ConnectionRecord> {
        if let Some(error) = answer.error {
            let said = answer.error_description.unwrap_or_default();
            return Err(Problem::new(
                Code::ConsentRefused,
                oauth::said_by_provider(&format!("The provider says {error}. {said}")),
            ));
        }
        self.tenants.check_tenant(flow.tenant).await?;
        let code =
            answer.code.ok_or_else(|| Problem::new(Code::ConsentRefused, "The provider gave no code."))?;
        let sealed: Value = serde_json::from_slice(sealed).unwrap_or_default();
        let verifier = sealed.get("verifier").and_then(Value::as_str).map(|v| Secret::new(v.to_owned()));
        let caller = Caller {
            tenant: flow.tenant,
            actor: flow.started_by.clone(),
            request_id: request_id.to_owned(),
            idempotency_key: None,
        };
        let manifest = self.active_manifest(&flow.plugin)?;
        let redirect_uri = self.oauth_callback_address()?;
        let grant = Grant::Code { code: &code, redirect_uri: &redirect_uri, verifier: verifier.as_ref() };
        let of = (&*manifest, flow.credential.as_str(), None);
        if flow.is_new {
            let draft: Draft = sealed
                .get("draft")
                .cloned()
                .and_then(|draft| serde_json::from_value(draft).ok())
                .ok_or_else(|| Problem::new(Code::Internal, "The flow's draft cannot be read."))?;
            let asked = self.tokens.ask_as_client(flow.tenant, of, &draft.settings, grant, None).await;
            let tokens = asked.map_err(|e| refused(&e))?;
            let mut credentials: Credentials =
                draft.credentials.into_iter().map(|(name, text)| (name, Secret::new(text))).collect();
            credentials.insert(flow.credential.clone(), tokens.to_credential());
            let new = NewConnection {
                plugin: flow.plugin.clone(),
                name: draft.name,
                listing: draft.listing,
                settings: draft.settings,
                credentials,
                granted_hosts: draft.granted_hosts,
                webhook_sources: draft.webhook_sources,
            };
            let mode = SyncMode::default();
            return self.create_connection_as(&caller, flow.connection, new, mode).await;
        }
        let connection = self.connection(&caller, flow.connection).await?;
        let asked = self.tokens.ask_as_client(flow.tenant, of, &connection.settings, grant, None).await;
        let tokens = asked.map_err(|e| refused(&e))?;
        self.consented_again(&caller, connection, &flow.credential, &tokens).await
    }

    /// Put fresh tokens into a connection, if they are for the same account: its bookings are there.
    async fn consented_again(
        &self,
        caller: &Caller,
        connection: ConnectionRecord,
        credential: &str,
        tokens: &TokenSet,
    ) -> Outcome<ConnectionRecord> {
        let patch = ConnectionPatch {
            credentials: Some([(credential.to_owned(), tokens.to_credential())].into()),
            ..ConnectionPatch::default()
        };
        let overlap = limits::WEBHOOK_SECRET_OVERLAP_SECONDS;
        let (id, revision) = (connection.id, Some(connection.revision));
        self.change_connection(caller, id, patch, overlap, revision, Some(consent_of_another_account)).await
    }

    /// How the consents of a connection stand.
    pub async fn connection_consents(&self, caller: &Caller, id: ConnectionId) -> Outcome<Vec<Consent>> {
        let connection = self.connection(caller, id).await?;
        let manifest = self.active_manifest(&connection.plugin)?;
        let credentials = self.base.store().connection_credentials(caller.tenant, id).await?;
        let now = self.base.now();
        let of = |(name, stored): (&String, &Secret)| {
            let spec = manifest.credentials.get(name)?.oauth2.as_ref()?;
            Some(Consent::of(name, stored, spec, now))
        };
        Ok(credentials.iter().filter_map(of).collect())
    }

    /// Give the consents of a connection back: its tokens are ended at the provider and forgotten here.
    pub async fn revoke_consents(&self, caller: &Caller, id: ConnectionId) -> Outcome<ConnectionRecord> {
        let mut connection = self.connection(caller, id).await?;
        let revision = connection.revision;
        let mut credentials = self.base.store().connection_credentials(caller.tenant, id).await?;
        let given = credentials.clone();
        credentials.retain(|_, stored| TokenSet::read(stored).is_none());
        if credentials.len() == given.len() {
            return Err(Problem::new(
                Code::WrongState,
                "This connection has no consent that could be given back.",
            ));
        }
        connection.credential_names = credentials.keys().cloned().collect();
        connection.status = ConnectionStatus::Unauthorised;
        connection.status_detail = Some("The consent was given back.".to_owned());
        let settings = connection.settings.clone();
        let updated = self
            .base
            .store()
            .update_connection(connection, Some(credentials), revision, self.base.audit(caller))
            .await?;
        self.cache.invalidate(id);
        self.end_tokens(&updated, &settings, &given).await;
        Ok(updated)
    }

    /// End the tokens at the provider, where it can (RFC 7009). A failure changes nothing here: nobody has them any more.
    pub(crate) async fn end_tokens(
        &self,
        connection: &ConnectionRecord,
        settings: &Value,
        credentials: &Credentials,
    ) {
        let Some(manifest) = self.providers.manifest(&connection.plugin) else { return };
        for (name, stored) in credentials {
            let Some(tokens) = TokenSet::read(stored) else { continue };
            let found = self.tokens.spec_and_client(&manifest, name, tokens.client.as_ref()).await;
            let Ok((spec, client)) = found else { continue };
            let request = oauth::revocation(connection.tenant, &spec, settings, &client, &tokens);
            let Some(request) = request else { continue };
            if let Err(error) = self.tokens.tell(request).await {
                tracing::warn!(connection = %connection.id, %error, "a token was not ended at the provider");
            }
        }
    }
}

/// The consent is not for the account that the connection's bookings are at.
fn consent_of_another_account() -> Problem {
    Problem::new(Code::ConsentRefused, "The consent is for another account at the provider.").with_hint(
        "Consent with the account of this connection, or make a connection of its own for the other account.",
    )
}

/// The credential that is meant, if the plugin has it; the only one, if none is named.
fn the_credential(manifest: &Manifest, named: Option<String>) -> Outcome<String> {
    let known = oauth_credentials(manifest);
    match (named, known.as_slice()) {
        (Some(name), _) if known.contains(&name.as_str()) => Ok(name),
        (None, [only]) => Ok((*only).to_owned()),
        (_, []) => Err(Problem::new(
            Code::ProviderUnsupported,
            "This provider has no credential that people consent to.",
        )
        .with_hint("Connect with POST /api/booking-providers and the credentials it needs.")),
        _ => Err(Problem::invalid(vec![berth_model::problem::FieldError::new(
            "/credential",
            format!("must be one of: {}", known.join(", ")),
        )])),
    }
}

fn without_query(address: &str) -> Option<Url> {
    let mut url = Url::parse(address).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

/// What the caller is told when there is no token.
pub(crate) fn refused(error: &TokenError) -> Problem {
    match error {
        TokenError::Unavailable(_) => {
            tracing::warn!(%error, "no token");
            Problem::from(berth_model::outbound::provider::CallError::Provider(
                berth_model::outbound::provider::ProviderError::Unavailable { retry_after_ms: None },
            ))
        }
        TokenError::InvalidGrant(_) => Problem::new(Code::ConsentRefused, error.to_string()),
        TokenError::Refused(_) => Problem::new(Code::ConsentRefused, error.to_string())
            .with_hint("Check the client's id and secret; the detail is the provider's own reason."),
    }
}
