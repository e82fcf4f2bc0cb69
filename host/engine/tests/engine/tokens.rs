//! A token endpoint in memory: codes with PKCE, single-use refresh tokens, client credentials.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Mutex,
};

use berth_model::{
    boxed::BoxFuture,
    connections::{oauth, secret::Secret},
    outbound::provider::{TokenEndpoint, TokenReply, TokenRequest},
};
use serde_json::json;
use tokio::sync::Semaphore;

/// Requests at the same time.
pub(crate) const DOOR: u32 = 100;

#[derive(Default)]
pub(crate) struct State {
    /// PKCE challenge by code.
    pub(crate) codes: BTreeMap<String, String>,
    refresh: BTreeSet<String>,
    made: u32,
    /// Answers in place of the real ones.
    pub(crate) answers: VecDeque<(u16, &'static str)>,
    /// Grants that were asked for, in order.
    pub(crate) asked: Vec<String>,
    pub(crate) revoked: Vec<String>,
    /// Access tokens that were given.
    pub(crate) given: BTreeSet<String>,
    pub(crate) scope: Option<&'static str>,
    /// The client's secret, where it is another than at first.
    pub(crate) secret: Option<&'static str>,
}

pub(crate) struct FakeTokens {
    pub(crate) state: Mutex<State>,
    /// Closed while somebody holds all its permits.
    pub(crate) door: Semaphore,
    /// A permit for each request that came to the door.
    pub(crate) knocks: Semaphore,
}

impl FakeTokens {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), door: Semaphore::new(DOOR as usize), knocks: Semaphore::new(0) }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }
}

impl State {
    fn tokens(&mut self, with_refresh: bool) -> (u16, String) {
        self.made += 1;
        let access = format!("made_up_access_{}", self.made);
        self.given.insert(access.clone());
        let mut body = json!({ "access_token": access, "token_type": "Bearer", "expires_in": 3600 });
        if with_refresh {
            let refresh = format!("made_up_refresh_{}", self.made);
            self.refresh.insert(refresh.clone());
            body["refresh_token"] = json!(refresh);
        }
        if let Some(scope) = self.scope {
            body["scope"] = json!(scope);
        }
        (200, body.to_string())
    }

    fn answer(&mut self, request: &TokenRequest) -> (u16, String) {
        let form: BTreeMap<&str, &str> = request.form.iter().map(|(n, v)| (n.as_str(), v.expose())).collect();
        if request.url.path() == "/revoke" {
            self.revoked.push(form["token"].to_owned());
            return (200, String::new());
        }
        self.asked.push(form["grant_type"].to_owned());
        if let Some((status, body)) = self.answers.pop_front() {
            return (status, body.to_owned());
        }
        if form.get("client_secret") != Some(&self.secret.unwrap_or("made_up_client_secret")) {
            return (401, json!({ "error": "invalid_client" }).to_string());
        }
        let invalid = || (400, json!({ "error": "invalid_grant", "error_description": "over" }).to_string());
        match form["grant_type"] {
            "authorization_code" => {
                let verifier = Secret::new(form["code_verifier"].to_owned());
                match self.codes.remove(form["code"]) {
                    Some(challenge) if challenge == oauth::challenge(&verifier) => self.tokens(true),
                    _ => invalid(),
                }
            }
            // Good for one use.
            "refresh_token" if self.refresh.remove(form["refresh_token"]) => self.tokens(true),
            "refresh_token" => invalid(),
            "client_credentials" => self.tokens(false),
            other => panic!("{other}"),
        }
    }
}

impl TokenEndpoint for FakeTokens {
    fn ask(&self, request: TokenRequest) -> BoxFuture<'_, Result<TokenReply, String>> {
        Box::pin(async move {
            self.knocks.add_permits(1);
            let _open = self.door.acquire().await.unwrap();
            let (status, body) = self.state.lock().unwrap().answer(&request);
            Ok(TokenReply { status, body: body.into_bytes() })
        })
    }
}
