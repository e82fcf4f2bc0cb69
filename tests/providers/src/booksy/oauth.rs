//! The token endpoint: client credentials (RFC 6749, section 4.4), as a form or as JSON.

use serde_json::{Value, json};

use super::state::State;
use crate::{
    front::{Answer, Call, pairs},
    spec::Exchange,
};

pub(super) const PATH: &str = "/oauth/token";
const SCOPE: &str = "services bookings clients availability webhooks";
/// Token requests a minute.
const LIMIT: u32 = 10;

impl State {
    /// Is this a token, and not over?
    pub(super) fn knows_token(&self, token: &str) -> bool {
        let ends = self.tokens.given.get(token).copied();
        token == self.config.access_token || ends.is_some_and(|ends| self.now() < ends)
    }
}

/// Answer a token request, and compare both with the description: a form is not JSON on the wire.
pub(super) fn token(state: &mut State, call: Call<'_>) -> Answer {
    let form =
        call.header("content-type").is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"));
    let request: Value = if form {
        let text = String::from_utf8_lossy(call.raw);
        pairs(&text).into_iter().map(|(name, value)| (name, json!(value))).collect()
    } else {
        call.body.clone()
    };
    let answer = answer(state, call, &request);
    state.common.findings.look(Exchange {
        method: call.method,
        path: call.path,
        query: call.query,
        request: &request,
        status: answer.status,
        response: &answer.body,
    });
    answer
}

fn answer(state: &mut State, call: Call<'_>, request: &Value) -> Answer {
    let refused = |status: u16, error: &str, why: &str| {
        Answer::new(status, json!({ "error": error, "error_description": why }))
    };
    if call.method != "POST" {
        return refused(405, "invalid_request", "Use POST.");
    }
    let now = state.now();
    if state.config.rate_limit
        && let Err(seconds) = state.tokens.window.charge(now, LIMIT)
    {
        let body = json!({ "error": { "code": "rate_limited", "message": "Too many token requests." } });
        return Answer::new(429, body).with("retry-after", seconds.to_string());
    }
    let field = |name: &str| request.get(name).and_then(Value::as_str);
    match field("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return refused(400, "unsupported_grant_type", "Only client_credentials."),
        None => return refused(400, "invalid_request", "grant_type is missing."),
    }
    let known = (Some(state.config.client_id.as_str()), Some(state.config.client_secret.as_str()));
    if (field("client_id"), field("client_secret")) != known {
        return refused(401, "invalid_client", "The client is not known, or its secret is wrong.");
    }
    let token = format!("booksy_{}", state.new_uuid());
    state.tokens.given.retain(|_, ends| now < *ends);
    state.tokens.given.insert(token.clone(), now + state.config.token_seconds * 1_000_000);
    Answer::new(
        200,
        json!({
            "access_token": token, "token_type": "Bearer", "expires_in": state.config.token_seconds, "scope": SCOPE,
        }),
    )
}
