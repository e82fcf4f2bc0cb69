//! Subscriptions, and the question that goes before them: is anybody there?

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use http::HeaderValue;
use serde_json::{Value, json};

use super::{
    calendar::page,
    refusal::{Outcome, Refusal, ok, refusal},
    state::{State, Subscription},
    views,
};
use crate::{
    PATIENCE,
    front::{Answer, Call},
    times::micros,
};

/// Longest life, in microseconds: 4,230 minutes, the shortest that was ever documented for events.
const LIFE_MAX: i64 = 4_230 * 60_000_000;
/// Longest client state, in characters.
const CLIENT_STATE_CHARS_MAX: usize = 128;
/// How the question ended, for the route behind it. Nobody else can set it.
const UNANSWERED: &str = "x-simulator-unanswered";
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Ask the addresses of a new subscription before the request is served, as the service does while its caller waits.
pub(super) fn asking_first(router: Router) -> Router {
    router.layer(middleware::from_fn(ask))
}

async fn ask(mut request: Request, next: Next) -> Response {
    request.headers_mut().remove(UNANSWERED);
    if request.method() != http::Method::POST || request.uri().path() != "/v1.0/subscriptions" {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
    let subscription: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    for name in ["notificationUrl", "lifecycleNotificationUrl"] {
        // Nothing but loopback is ever reached: another address is taken at its word.
        let Some(url) = subscription[name].as_str().filter(|url| url.starts_with("http://127.0.0.1:")) else {
            continue;
        };
        if !answers(url).await {
            parts.headers.insert(UNANSWERED, HeaderValue::from_static(name));
        }
    }
    next.run(Request::from_parts(parts, Body::from(bytes))).await
}

/// Does the receiver repeat a token that it must decode first?
async fn answers(url: &str) -> bool {
    let token = "Validation: Testing client application reachability for subscription Request-Id: a+b/c==";
    let Ok(mut url) = url::Url::parse(url) else { return false };
    url.query_pairs_mut().append_pair("validationToken", token);
    let request = reqwest::Client::new().post(url).header("content-type", "text/plain; charset=utf-8");
    let Ok(answer) = request.timeout(PATIENCE).send().await else {
        return false;
    };
    let is_plain = answer
        .headers()
        .get("content-type")
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/plain"));
    answer.status() == http::StatusCode::OK && is_plain && answer.text().await.is_ok_and(|text| text == token)
}

pub(super) fn route(state: &mut State, call: Call<'_>, rest: &[&str]) -> Outcome {
    let now = state.now();
    state.subscriptions.retain(|s| s.expires_at > now);
    match (call.method, rest) {
        ("GET", []) => ok(page(call, state.subscriptions.iter().map(views::subscription).collect())),
        ("POST", []) => subscribe(state, call),
        ("GET", [id]) => ok(views::subscription(known(state, id)?)),
        ("PATCH", [id]) => {
            let expires_at = expiry(state, call.body)?;
            let subscription = known(state, id)?;
            subscription.expires_at = expires_at;
            ok(views::subscription(subscription))
        }
        ("POST", [id, "reauthorize"]) => {
            known(state, id)?;
            Ok(Answer::new(204, Value::Null))
        }
        ("DELETE", [id]) => {
            known(state, id)?;
            state.subscriptions.retain(|s| s.id != *id);
            Ok(Answer::new(204, Value::Null))
        }
        _ => Err(refusal(405, "Request_BadRequest", "The method is not allowed.")),
    }
}

fn known<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Subscription, Refusal> {
    let found = state.subscriptions.iter_mut().find(|s| s.id == id);
    found.ok_or_else(|| refusal(404, "ResourceNotFound", "The object was not found."))
}

fn invalid(message: impl Into<String>) -> Refusal {
    refusal(400, "InvalidRequest", message)
}

fn expiry(state: &State, body: &Value) -> Result<i64, Refusal> {
    let at = body["expirationDateTime"].as_str().and_then(micros);
    let at = at.ok_or_else(|| invalid("Subscription expiration is not a date and time."))?;
    let now = state.now();
    if at <= now || at > now + LIFE_MAX {
        return Err(invalid("Subscription expiration can only be 4230 minutes in the future."));
    }
    Ok(at)
}

fn subscribe(state: &mut State, call: Call<'_>) -> Outcome {
    let body = call.body;
    if let Some(name) = call.header(UNANSWERED) {
        let message = format!("Subscription validation request failed. {name} did not repeat the token.");
        return Err(refusal(400, "ValidationError", message));
    }
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let needed = |name: &str| text(name).ok_or_else(|| invalid(format!("{name} is needed.")));
    let change_types: Vec<String> = needed("changeType")?.split(',').map(str::to_owned).collect();
    if !change_types.iter().all(|t| ["created", "updated", "deleted"].contains(&t.as_str())) {
        return Err(invalid("changeType is not understood."));
    }
    if text("clientState").is_some_and(|s| s.chars().count() > CLIENT_STATE_CHARS_MAX) {
        return Err(invalid("clientState is too long."));
    }
    let subscription = Subscription {
        id: state.new_uuid(),
        resource: needed("resource")?,
        change_types,
        notification_url: needed("notificationUrl")?,
        lifecycle_url: text("lifecycleNotificationUrl"),
        client_state: text("clientState"),
        expires_at: expiry(state, body)?,
    };
    if !["me/events", "/me/events"].contains(&subscription.resource.as_str()) {
        return Err(invalid(json!({ "resource": subscription.resource }).to_string()));
    }
    let view = views::subscription(&subscription);
    state.subscriptions.push(subscription);
    Ok(Answer::new(201, view))
}
