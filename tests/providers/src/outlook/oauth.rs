//! Logins: a user who consents at once, codes that are used once, refresh tokens that are replaced, PKCE (RFC 7636).

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest;
use serde_json::{Value, json};

use super::{
    logins::{Code, Refresh},
    state::State,
};
use crate::front::{Answer, Call, pairs};

/// Life of an access token, in seconds.
const ACCESS_SECONDS: i64 = 3_600;
/// Life of a refresh token that is not used, in seconds.
const REFRESH_SECONDS: i64 = 90 * 86_400;
/// Life of a code, in seconds.
const CODE_SECONDS: i64 = 600;

type Form = BTreeMap<String, String>;

fn refused(error: &str, description: &str) -> Answer {
    let status = if error == "invalid_client" { 401 } else { 400 };
    Answer::new(status, json!({ "error": error, "error_description": description, "error_codes": [70_000] }))
}

pub(super) fn serve(state: &mut State, endpoint: &str, call: Call<'_>) -> Answer {
    match (call.method, endpoint) {
        ("GET", "authorize") => authorize(state, &call.query.iter().cloned().collect()),
        ("POST", "token") => {
            let form: Form = pairs(&String::from_utf8_lossy(call.raw)).into_iter().collect();
            token(state, &form).unwrap_or_else(|answer| answer)
        }
        _ => Answer::new(404, json!({ "error": "not_found" })),
    }
}

/// The page on which a user consents, or not, at once.
fn authorize(state: &mut State, query: &Form) -> Answer {
    let get = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let redirect_uri = get("redirect_uri").to_owned();
    let client = &state.config.client;
    let registered = client.redirect_uris.is_empty() || client.redirect_uris.contains(&redirect_uri);
    if get("client_id") != client.id || !registered {
        // Nobody is sent to an address that the app did not register.
        return refused("invalid_request", "AADSTS50011: The redirect URI does not match.");
    }
    let Ok(mut back) = url::Url::parse(&redirect_uri) else {
        return refused("invalid_request", "AADSTS50011: The redirect URI is no address.");
    };
    let s256 = get("code_challenge_method") == "S256" || get("code_challenge").is_empty();
    let outcome = if get("response_type") != "code" || get("scope").is_empty() || !s256 {
        ("error", "invalid_request".to_owned())
    } else if !state.config.consents {
        ("error", "access_denied".to_owned())
    } else {
        let code = format!("M.{}", state.new_text(40));
        let kept = Code {
            redirect_uri,
            challenge: query.get("code_challenge").cloned(),
            scope: get("scope").to_owned(),
            until: state.now() + CODE_SECONDS * 1_000_000,
        };
        state.logins.codes.insert(code.clone(), kept);
        ("code", code)
    };
    back.query_pairs_mut().append_pair(outcome.0, &outcome.1).append_pair("state", get("state"));
    Answer::new(302, Value::Null).with("location", back.to_string())
}

fn token(state: &mut State, form: &Form) -> Result<Answer, Answer> {
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let client = &state.config.client;
    if get("client_id") != client.id || get("client_secret") != client.secret {
        return Err(refused("invalid_client", "AADSTS7000215: Invalid client secret provided."));
    }
    let now = state.now();
    match get("grant_type") {
        "authorization_code" => {
            // Used once, whatever comes of it.
            let code = state.logins.codes.remove(get("code")).filter(|code| code.until > now);
            let code = code.ok_or_else(|| {
                refused("invalid_grant", "AADSTS70008: The code has expired or was used already.")
            })?;
            let hash = digest::digest(&digest::SHA256, get("code_verifier").as_bytes());
            let proven = code.challenge.is_none_or(|wanted| wanted == URL_SAFE_NO_PAD.encode(hash.as_ref()));
            if !proven || code.redirect_uri != get("redirect_uri") {
                return Err(refused(
                    "invalid_grant",
                    "AADSTS501481: The verifier or the address does not match.",
                ));
            }
            Ok(granted(state, &code.scope, code.scope.contains("offline_access")))
        }
        "refresh_token" => {
            let known = state.logins.refresh.get(get("refresh_token")).filter(|r| r.until > now).cloned();
            let known = known.ok_or_else(|| {
                refused("invalid_grant", "AADSTS700082: The refresh token has expired or was revoked.")
            })?;
            // Replaced; the old one is not revoked at once.
            Ok(granted(state, &known.scope, true))
        }
        "client_credentials" => {
            let scope = get("scope");
            if scope != "https://graph.microsoft.com/.default" {
                return Err(refused("invalid_scope", "AADSTS70011: The scope is not valid."));
            }
            Ok(granted(state, scope, false))
        }
        _ => Err(refused("unsupported_grant_type", "AADSTS70003: The grant type is not supported.")),
    }
}

fn granted(state: &mut State, scope: &str, with_refresh: bool) -> Answer {
    let now = state.now();
    let access = format!("EwB{}", state.new_text(60));
    state.logins.access.insert(access.clone(), now + ACCESS_SECONDS * 1_000_000);
    let mut body = json!({
        "token_type": "Bearer", "scope": scope, "expires_in": ACCESS_SECONDS, "ext_expires_in": ACCESS_SECONDS,
        "access_token": access,
    });
    if with_refresh {
        let refresh = format!("M.R3_{}", state.new_text(60));
        let kept = Refresh { scope: scope.to_owned(), until: now + REFRESH_SECONDS * 1_000_000 };
        state.logins.refresh.insert(refresh.clone(), kept);
        body["refresh_token"] = json!(refresh);
    }
    Answer::new(200, body)
}
