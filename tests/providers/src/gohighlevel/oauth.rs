//! Consent for an app in one sub-account: a person who says yes at once, codes that are used once, refresh tokens that are spent by
//! being used.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::state::State;
use crate::front::{Answer, Call, pairs};

/// Life of an access token, in seconds.
const ACCESS_SECONDS: i64 = 86_399;
/// Life of a refresh token that is not used, in seconds.
const REFRESH_SECONDS: i64 = 365 * 86_400;
/// Life of a code, in seconds.
const CODE_SECONDS: i64 = 600;

type Form = BTreeMap<String, String>;

fn refused(status: u16, error: &str, description: &str) -> Answer {
    Answer::new(status, json!({ "error": error, "error_description": description, "statusCode": status }))
}

/// The answer, if this is about consent.
pub(super) fn serve(state: &mut State, call: Call<'_>) -> Option<Answer> {
    match (call.method, call.path) {
        ("GET", "/v2/oauth/chooselocation") => {
            Some(choose_location(state, &call.query.iter().cloned().collect()))
        }
        ("POST", "/oauth/token") => {
            let form: Form = pairs(&String::from_utf8_lossy(call.raw)).into_iter().collect();
            Some(token(state, &form).unwrap_or_else(|answer| answer))
        }
        _ => None,
    }
}

/// The page on which a person chooses the sub-account: the one that there is, at once.
fn choose_location(state: &mut State, query: &Form) -> Answer {
    let get = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let well_asked = get("response_type") == "code" && !get("scope").is_empty();
    let back = url::Url::parse(get("redirect_uri")).ok();
    let Some(mut back) = back.filter(|_| well_asked && get("client_id") == state.config.app.client_id) else {
        return refused(400, "invalid_request", "The app, its address or its scopes are not known.");
    };
    let code = state.new_id();
    let until = state.now() + CODE_SECONDS * 1_000_000;
    state.grants.codes.insert(code.clone(), (get("redirect_uri").to_owned(), until));
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", get("state"));
    Answer::new(302, Value::Null).with("location", back.to_string())
}

fn token(state: &mut State, form: &Form) -> Result<Answer, Answer> {
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let app = &state.config.app;
    if get("client_id") != app.client_id || get("client_secret") != app.client_secret {
        return Err(refused(401, "invalid_client", "Invalid client: client is invalid"));
    }
    if get("user_type") != "Location" {
        return Err(refused(
            422,
            "invalid_request",
            "user_type must be Location: this is a token of a sub-account",
        ));
    }
    let now = state.now();
    let good = match get("grant_type") {
        "authorization_code" => state
            .grants
            .codes
            .remove(get("code"))
            .is_some_and(|(address, until)| until > now && address == get("redirect_uri")),
        // Spent, whatever comes of it.
        "refresh_token" => state.grants.refresh.remove(get("refresh_token")).is_some_and(|until| until > now),
        _ => return Err(refused(400, "unsupported_grant_type", "Unsupported grant type")),
    };
    if !good {
        return Err(refused(400, "invalid_grant", "Invalid grant: refresh token is invalid"));
    }
    let (access, refresh) = (format!("at-{}", state.new_id()), format!("rt-{}", state.new_id()));
    state.grants.access.insert(access.clone(), now + ACCESS_SECONDS * 1_000_000);
    state.grants.refresh.insert(refresh.clone(), now + REFRESH_SECONDS * 1_000_000);
    let scopes = "calendars.readonly calendars/events.readonly calendars/events.write contacts.readonly contacts.write \
        locations.readonly";
    Ok(Answer::new(
        200,
        json!({ "access_token": access, "token_type": "Bearer", "expires_in": ACCESS_SECONDS,
            "refresh_token": refresh, "scope": scopes, "userType": "Location",
            "locationId": state.config.location_id, "companyId": "com_1", "userId": "usr_1" }),
    ))
}
