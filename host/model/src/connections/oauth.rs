//! OAuth 2 as pure values: the tokens that a connection holds, what is asked of a token endpoint, and what its answer means.
//! RFC 6749 (the grants), RFC 7636 (PKCE), RFC 7009 (revocation). Sending is the runtime's, keeping is the store's.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use zeroize::Zeroizing;

use super::secret::Secret;
use crate::{
    limits,
    outbound::provider::TokenRequest,
    plugins::manifest::{ClientAuth, OAuth2Spec, endpoint},
    random::Random,
    text,
    time::Instant,
};

/// What a stored credential begins with that is a token set and not a text that somebody gave.
const MARK: &str = "berth-oauth2:";
/// Random bytes of a state and of a PKCE verifier (RFC 7636 recommends 32).
const RANDOM_BYTES: usize = 32;
/// Longest scope that is kept, in bytes: some are addresses.
const SCOPE_BYTES_MAX: usize = 256;
/// Longest error text of a provider's OAuth endpoints that is kept, in characters.
const ERROR_CHARS_MAX: usize = 300;

/// A client at a provider: the operator's, or, with client credentials, the tenant's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its public id.
    pub id: String,
    /// Its secret; none for a public client.
    pub secret: Option<Secret>,
}

/// The tokens of one connection. Kept sealed as one credential, under the name that the manifest gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSet {
    /// Sent with requests.
    pub access_token: Secret,
    /// Gets a new access token; some are good for one use.
    pub refresh_token: Option<Secret>,
    /// When the access token ends, where that is said.
    pub expires_at: Option<Instant>,
    /// When it was given.
    pub obtained_at: Instant,
    /// What was granted.
    pub scopes: BTreeSet<String>,
    /// With client credentials: the tenant's own client.
    pub client: Option<Client>,
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    access: Cow<'a, str>,
    refresh: Option<Cow<'a, str>>,
    expires_at: Option<Instant>,
    obtained_at: Instant,
    #[serde(default)]
    scopes: BTreeSet<String>,
    client: Option<(Cow<'a, str>, Option<Cow<'a, str>>)>,
}

impl TokenSet {
    /// The tokens in a stored credential; none if it is a plain text, such as an access token that somebody pasted.
    #[must_use]
    pub fn read(credential: &Secret) -> Option<Self> {
        let text = credential.expose().strip_prefix(MARK)?;
        let stored: Stored<'_> = serde_json::from_str(text).ok()?;
        let secret = |text: Cow<'_, str>| Secret::new(text.into_owned());
        Some(Self {
            access_token: secret(stored.access),
            refresh_token: stored.refresh.map(secret),
            expires_at: stored.expires_at,
            obtained_at: stored.obtained_at,
            scopes: stored.scopes,
            client: stored.client.map(|(id, its)| Client { id: id.into_owned(), secret: its.map(secret) }),
        })
    }

    /// As it is stored, before it is sealed.
    #[must_use]
    pub fn to_credential(&self) -> Secret {
        let stored = Stored {
            access: self.access_token.expose().into(),
            refresh: self.refresh_token.as_ref().map(|token| token.expose().into()),
            expires_at: self.expires_at,
            obtained_at: self.obtained_at,
            scopes: self.scopes.clone(),
            client: self
                .client
                .as_ref()
                .map(|c| (c.id.as_str().into(), c.secret.as_ref().map(|secret| secret.expose().into()))),
        };
        let text = Zeroizing::new(serde_json::to_string(&stored).unwrap_or_default());
        Secret::new(format!("{MARK}{}", *text))
    }

    /// Is the access token over, or about to be?
    #[must_use]
    pub fn is_ending(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|at| at <= now.plus_seconds(limits::OAUTH_SKEW_SECONDS))
    }

    /// Was it given so recently that another one would be refused as well?
    #[must_use]
    pub fn is_new(&self, now: Instant) -> bool {
        now < self.obtained_at.plus_seconds(limits::OAUTH_RENEWAL_SECONDS_MIN)
    }

    /// Is there a way to a new access token without a person?
    #[must_use]
    pub const fn can_renew(&self) -> bool {
        self.refresh_token.is_some() || self.client.is_some()
    }

    /// The tokens that a token endpoint gave. What it leaves out stays as it was: many refreshes bring no refresh token, and no
    /// scope where the scope is the one asked for (RFC 6749, section 5.1).
    pub fn of_answer(
        body: &[u8],
        now: Instant,
        asked: &[String],
        before: Option<&Self>,
    ) -> Result<Self, TokenError> {
        let unusable = |why: &str| TokenError::Unavailable(format!("its answer cannot be used: {why}"));
        let answer: Value = serde_json::from_slice(body).map_err(|_| unusable("it is not JSON"))?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
        let secret = |name: &str| text(name).map(|t| Secret::new(t.to_owned()));
        if text("token_type").is_some_and(|t| !t.eq_ignore_ascii_case("bearer")) {
            return Err(unusable("the token is no bearer token"));
        }
        let seconds = answer
            .get("expires_in")
            .and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()));
        let scopes = text("scope")
            .map(|scope| scope.split([' ', ',']).filter(|s| is_scope(s)).map(str::to_owned).collect());
        Ok(Self {
            access_token: secret("access_token").ok_or_else(|| unusable("it has no access_token"))?,
            refresh_token: secret("refresh_token").or_else(|| before?.refresh_token.clone()),
            expires_at: seconds.map(|s| now.plus_seconds(s.clamp(0, limits::OAUTH_TOKEN_SECONDS_MAX))),
            obtained_at: now,
            scopes: scopes
                .or_else(|| before.map(|b| b.scopes.clone()))
                .unwrap_or_else(|| asked.iter().cloned().collect()),
            client: before.and_then(|b| b.client.clone()),
        })
    }

    /// Scopes that a manifest asks for and that were not granted.
    #[must_use]
    pub fn missing(&self, spec: &OAuth2Spec) -> Vec<String> {
        spec.scopes.iter().filter(|scope| !self.scopes.contains(*scope)).cloned().collect()
    }
}

/// The tenant's own client as it is typed: `client_id:client_secret`.
#[must_use]
pub fn client_of(text: &Secret) -> Option<Client> {
    let (id, secret) = text.expose().split_once(':')?;
    (!id.is_empty() && !secret.is_empty())
        .then(|| Client { id: id.to_owned(), secret: Some(Secret::new(secret.to_owned())) })
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The grant is over (`invalid_grant`): a person has to consent again.
    #[error("the consent is over: {0}")]
    InvalidGrant(String),
    /// The client, its secret or what it asks for is refused: somebody has to change a setting.
    #[error("the token endpoint refuses the client: {0}")]
    Refused(String),
    /// No usable answer; later it may be different.
    #[error("the token endpoint gives no usable answer: {0}")]
    Unavailable(String),
}

impl TokenError {
    /// What an answer that is not 200 means (RFC 6749, section 5.2).
    #[must_use]
    pub fn of_answer(status: u16, body: &[u8]) -> Self {
        let answer: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let code = text("error").unwrap_or_default();
        let said = text("error_description").unwrap_or_default();
        let why = said_by_provider(&format!("{status} {code} {said}"));
        match code {
            "invalid_grant" => Self::InvalidGrant(why),
            "" | "temporarily_unavailable" | "server_error" | "slow_down" => Self::Unavailable(why),
            _ if status >= 500 || status == 429 => Self::Unavailable(why),
            _ => Self::Refused(why),
        }
    }
}

/// Is it a scope (RFC 6749, section 3.3)? The provider's answer is shown to people.
fn is_scope(text: &str) -> bool {
    (1..=SCOPE_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Words of a provider's OAuth endpoints, or of whoever sends a browser back with such words, as they may be shown.
#[must_use]
pub fn said_by_provider(text: &str) -> String {
    text::clean_line(text.trim(), ERROR_CHARS_MAX)
}

/// Which grant is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Grant<'a> {
    /// A person has consented.
    Code {
        /// What the provider gave.
        code: &'a str,
        /// The same as in the authorization address.
        redirect_uri: &'a str,
        /// PKCE's verifier.
        verifier: Option<&'a Secret>,
    },
    /// A new access token for an old consent.
    Refresh(&'a Secret),
    /// The tenant's own client.
    ClientCredentials,
}

/// The request for a token. None if the address cannot be made of the settings.
#[must_use]
pub fn token_request(
    tenant: crate::id::TenantId,
    spec: &OAuth2Spec,
    settings: &Value,
    client: &Client,
    grant: Grant<'_>,
) -> Option<TokenRequest> {
    let plain = |text: &str| Secret::new(text.to_owned());
    let mut form: Vec<(String, Secret)> = Vec::new();
    let mut put = |name: &str, value: Secret| form.push((name.to_owned(), value));
    match grant {
        Grant::Code { code, redirect_uri, verifier } => {
            put("grant_type", plain("authorization_code"));
            put("code", plain(code));
            put("redirect_uri", plain(redirect_uri));
            if let Some(verifier) = verifier {
                put("code_verifier", verifier.clone());
            }
        }
        Grant::Refresh(token) => {
            put("grant_type", plain("refresh_token"));
            put("refresh_token", token.clone());
        }
        Grant::ClientCredentials => {
            put("grant_type", plain("client_credentials"));
            if !spec.scopes.is_empty() {
                put("scope", Secret::new(spec.scopes.join(" ")));
            }
        }
    }
    for (name, value) in &spec.token_params {
        put(name, plain(value));
    }
    let basic = authenticate(&mut form, spec, client);
    Some(TokenRequest { tenant, url: endpoint(&spec.token, settings)?, form, basic })
}

/// The request that ends tokens (RFC 7009); none where the provider has no such address.
#[must_use]
pub fn revocation(
    tenant: crate::id::TenantId,
    spec: &OAuth2Spec,
    settings: &Value,
    client: &Client,
    tokens: &TokenSet,
) -> Option<TokenRequest> {
    let url = endpoint(spec.revoke.as_ref()?, settings)?;
    // The end of a refresh token ends its access tokens too.
    let token = tokens.refresh_token.as_ref().unwrap_or(&tokens.access_token).clone();
    let mut form = vec![("token".to_owned(), token)];
    let basic = authenticate(&mut form, spec, client);
    Some(TokenRequest { tenant, url, form, basic })
}

fn authenticate(
    form: &mut Vec<(String, Secret)>,
    spec: &OAuth2Spec,
    client: &Client,
) -> Option<(String, Secret)> {
    match (spec.client_auth, &client.secret) {
        (ClientAuth::Basic, Some(secret)) => return Some((client.id.clone(), secret.clone())),
        (_, secret) => {
            form.push(("client_id".to_owned(), Secret::new(client.id.clone())));
            form.extend(secret.as_ref().map(|s| ("client_secret".to_owned(), s.clone())));
        }
    }
    None
}

/// What a person is sent to, and what only we know of it.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// Where the browser goes.
    pub url: Url,
    /// Comes back with the browser; whoever has it may finish the flow once.
    pub state: Secret,
    /// Proves at the token endpoint that the flow is ours.
    pub verifier: Option<Secret>,
}

/// Begin an authorization code flow. None if the manifest has no such address, or it cannot be made of the settings.
#[must_use]
pub fn authorization(
    spec: &OAuth2Spec,
    settings: &Value,
    client_id: &str,
    redirect_uri: &str,
    random: &dyn Random,
) -> Option<Authorization> {
    let mut url = endpoint(spec.authorize.as_ref()?, settings)?;
    let state = unguessable(random);
    let verifier = spec.pkce.then(|| unguessable(random));
    {
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("state", state.expose());
        if !spec.scopes.is_empty() {
            query.append_pair("scope", &spec.scopes.join(" "));
        }
        if let Some(verifier) = &verifier {
            query
                .append_pair("code_challenge", &challenge(verifier))
                .append_pair("code_challenge_method", "S256");
        }
        for (name, value) in &spec.authorize_params {
            query.append_pair(name, value);
        }
    }
    Some(Authorization { url, state, verifier })
}

/// Text that nobody guesses.
fn unguessable(random: &dyn Random) -> Secret {
    let mut bytes = [0; RANDOM_BYTES];
    random.fill(&mut bytes);
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

/// PKCE's challenge (RFC 7636, section 4.2): what the authorization address says of the verifier.
#[must_use]
pub fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.expose().as_bytes()))
}

/// Under what a started flow is found again: a thief of the database does not learn the state.
#[must_use]
pub fn state_hash(state: &str) -> Vec<u8> {
    digest(&SHA256, state.as_bytes()).as_ref().to_vec()
}

/// A connection's consent, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consent {
    /// Name of the credential in the manifest.
    pub credential: String,
    /// `valid`, `expired` (nothing renews it), `scopes_missing`, `pasted` (an access token that somebody gave).
    pub state: &'static str,
    /// When the access token ends.
    pub expires_at: Option<Instant>,
    /// What was granted.
    pub scopes: BTreeSet<String>,
    /// What the plugin asks for by now and was not granted.
    pub missing_scopes: Vec<String>,
    /// Is it renewed without a person?
    pub renews: bool,
}

impl Consent {
    /// What there is to say of a stored credential.
    #[must_use]
    pub fn of(credential: &str, stored: &Secret, spec: &OAuth2Spec, now: Instant) -> Self {
        let Some(tokens) = TokenSet::read(stored) else {
            return Self {
                credential: credential.to_owned(),
                state: "pasted",
                expires_at: None,
                scopes: BTreeSet::new(),
                missing_scopes: Vec::new(),
                renews: false,
            };
        };
        let missing_scopes = tokens.missing(spec);
        let over = tokens.expires_at.is_some_and(|at| at <= now) && !tokens.can_renew();
        let state = match (over, missing_scopes.is_empty()) {
            (true, _) => "expired",
            (false, false) => "scopes_missing",
            (false, true) => "valid",
        };
        Self {
            credential: credential.to_owned(),
            state,
            expires_at: tokens.expires_at,
            renews: tokens.can_renew(),
            scopes: tokens.scopes,
            missing_scopes,
        }
    }
}

/// Addresses of a provider's OAuth endpoints that an operator gives in place of the manifest's: a test server, a company's own.
pub type Endpoints = BTreeMap<String, String>;

/// The manifest's endpoints, but for those that the operator gives.
#[must_use]
pub fn with_endpoints(spec: &OAuth2Spec, endpoints: &Endpoints) -> OAuth2Spec {
    let mut spec = spec.clone();
    if let Some(token) = endpoints.get("token") {
        spec.token.clone_from(token);
    }
    if spec.authorize.is_some() {
        spec.authorize = endpoints.get("authorize").cloned().or(spec.authorize);
    }
    spec.revoke = endpoints.get("revoke").cloned().or(spec.revoke);
    spec
}

/// What a page is told when a flow has ended, as query parameters of the return address.
#[must_use]
pub fn returned(return_to: &str, parameters: &[(&str, &str)]) -> Option<Url> {
    let mut url = Url::parse(return_to).ok()?;
    for (name, value) in parameters {
        url.query_pairs_mut().append_pair(name, value);
    }
    Some(url)
}

/// The draft of a connection that waits for consent, as it is sealed.
#[must_use]
pub fn sealed_draft(draft: &Value, verifier: Option<&Secret>) -> Zeroizing<Vec<u8>> {
    let whole = json!({ "draft": draft, "verifier": verifier.map(Secret::expose) });
    Zeroizing::new(whole.to_string().into_bytes())
}

#[cfg(test)]
mod tests;
