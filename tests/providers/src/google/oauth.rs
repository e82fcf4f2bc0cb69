//! OAuth 2 of Google accounts: authorization code with PKCE, refresh, revocation. Whoever opens the consent page consents at once.

use ring::digest;
use serde_json::{Value, json};

use super::{
    state::State,
    tokens::{Code, Grant},
};
use crate::front::{Answer, Call, pairs};

/// Scopes that allow lists of calendars, busy times, and events.
pub(super) const CALENDAR_LIST: &[&str] =
    &["calendar", "calendar.readonly", "calendar.calendarlist", "calendar.calendarlist.readonly"];
pub(super) const FREE_BUSY: &[&str] =
    &["calendar", "calendar.readonly", "calendar.freebusy", "calendar.events.freebusy"];
pub(super) const EVENTS: &[&str] = &["calendar", "calendar.events", "calendar.events.owned"];

const SCOPE_PREFIX: &str = "https://www.googleapis.com/auth/";
const SECOND_MICROS: i64 = 1_000_000;
/// Life of an access token and of a code, in seconds.
const ACCESS_SECONDS: i64 = 3_599;
const CODE_SECONDS: i64 = 600;

/// May this token do what any of these scopes allows? None: it is no token.
pub(super) fn allows(state: &State, token: &str, scopes: &[&str]) -> Option<bool> {
    if token == state.config.access_token {
        return Some(true);
    }
    let grant = state.tokens.access.get(token).filter(|grant| grant.expires_at > state.now())?;
    let mut granted = grant.scope.split(' ').filter_map(|scope| scope.strip_prefix(SCOPE_PREFIX));
    Some(granted.any(|scope| scopes.contains(&scope)))
}

pub(super) fn serve(state: &mut State, call: Call<'_>) -> Answer {
    let form = pairs(std::str::from_utf8(call.raw).unwrap_or_default());
    match (call.method, call.path) {
        ("GET", "/o/oauth2/v2/auth") => authorize(state, call),
        ("POST", "/token") => token(state, &form).unwrap_or_else(|refusal| *refusal),
        ("POST", "/revoke") => revoke(state, call, &form),
        _ => Answer::new(404, json!({ "error": "not_found" })),
    }
}

fn refused(status: u16, error: &str, description: &str) -> Answer {
    Answer::new(status, json!({ "error": error, "error_description": description }))
}

fn authorize(state: &mut State, call: Call<'_>) -> Answer {
    let get = |name: &str| call.parameter(name).unwrap_or_default();
    let client = &state.config.oauth;
    let redirect_uri = get("redirect_uri");
    if get("client_id") != client.id {
        return refused(401, "invalid_client", "The OAuth client was not found.");
    }
    let Ok(mut back) = url::Url::parse(redirect_uri) else {
        return refused(400, "invalid_request", "Missing required parameter: redirect_uri");
    };
    if !client.redirect_uris.is_empty() && !client.redirect_uris.iter().any(|uri| uri == redirect_uri) {
        return refused(400, "redirect_uri_mismatch", "The redirect URI is not registered.");
    }
    if get("response_type") != "code" || get("scope").is_empty() {
        return refused(400, "invalid_request", "Required parameter is missing: response_type or scope");
    }
    if call.parameter("code_challenge").is_some() && get("code_challenge_method") != "S256" {
        return refused(400, "invalid_request", "Invalid code_challenge_method");
    }
    let mut answers: Vec<(&str, String)> = Vec::new();
    if client.denies {
        answers.push(("error", "access_denied".to_owned()));
    } else {
        // A refresh token comes with the first consent only, unless consent is asked for anew.
        let asks = call.parameter("prompt") == Some("consent") || !state.tokens.has_consented;
        let code = Code {
            scope: get("scope").to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            challenge: call.parameter("code_challenge").map(str::to_owned),
            expires_at: state.now() + CODE_SECONDS * SECOND_MICROS,
            offline: asks && call.parameter("access_type") == Some("offline"),
        };
        let word = format!("4/{}", state.word(40));
        answers.push(("code", word.clone()));
        answers.push(("scope", code.scope.clone()));
        state.tokens.codes.insert(word, code);
        state.tokens.has_consented = true;
    }
    answers.extend(call.parameter("state").map(|text| ("state", text.to_owned())));
    back.query_pairs_mut().extend_pairs(answers);
    Answer::new(302, Value::Null).with("location", back.to_string())
}

fn token(state: &mut State, form: &[(String, String)]) -> Result<Answer, Box<Answer>> {
    let get = |name: &str| form.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    let client = &state.config.oauth;
    let invalid = |error: &str, description: &str| Box::new(refused(400, error, description));
    if get("client_id") != client.id || get("client_secret") != client.secret {
        return Err(Box::new(refused(401, "invalid_client", "The OAuth client was not found.")));
    }
    let (scope, refresh) = match get("grant_type") {
        "authorization_code" => {
            let code = state.tokens.codes.remove(get("code"));
            let code = code.filter(|code| code.expires_at > state.now());
            let code = code.ok_or_else(|| invalid("invalid_grant", "Malformed auth code."))?;
            if code.redirect_uri != get("redirect_uri") {
                return Err(invalid("redirect_uri_mismatch", "Bad Request"));
            }
            let verifier = get("code_verifier");
            if code.challenge.is_some_and(|challenge| challenge != s256(verifier)) {
                return Err(invalid("invalid_grant", "Invalid code verifier."));
            }
            let refresh = code.offline.then(|| format!("1//{}", state.word(40)));
            if let Some(refresh) = &refresh {
                state.tokens.refresh.insert(refresh.clone(), code.scope.clone());
            }
            (code.scope, refresh)
        }
        "refresh_token" => {
            let scope = state.tokens.refresh.get(get("refresh_token")).cloned();
            let dead = || invalid("invalid_grant", "Token has been expired or revoked.");
            // No new refresh token: the old one goes on.
            (scope.ok_or_else(dead)?, None)
        }
        other => return Err(invalid("unsupported_grant_type", &format!("Invalid grant_type: {other}"))),
    };
    let access = format!("ya29.{}", state.word(60));
    let expires_at = state.now() + ACCESS_SECONDS * SECOND_MICROS;
    state.tokens.access.insert(access.clone(), Grant { scope: scope.clone(), expires_at });
    let mut answer = json!({
        "access_token": access, "expires_in": ACCESS_SECONDS, "scope": scope, "token_type": "Bearer",
    });
    if let Some(refresh) = refresh {
        answer["refresh_token"] = json!(refresh);
    }
    Ok(Answer::new(200, answer))
}

/// Either token of a consent ends the whole consent.
fn revoke(state: &mut State, call: Call<'_>, form: &[(String, String)]) -> Answer {
    let of_form = form.iter().find(|(name, _)| name == "token").map(|(_, value)| value.as_str());
    let token = call.parameter("token").or(of_form).unwrap_or_default();
    if state.tokens.refresh.contains_key(token) || state.tokens.access.contains_key(token) {
        state.tokens.revoke_all();
        return Answer::new(200, json!({}));
    }
    refused(400, "invalid_token", "Token expired or revoked")
}

/// RFC 7636 section 4.2: base64url of the SHA-256, without padding.
pub(super) fn s256(verifier: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
    let mut text = String::new();
    for three in hash.as_ref().chunks(3) {
        let bits = three.iter().chain([0; 2].iter()).take(3).fold(0_u32, |n, b| n << 8 | u32::from(*b));
        for place in 0..=three.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}
