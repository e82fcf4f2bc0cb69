//! `Idempotency-Key` on every POST that a key makes: the first request does the work, later ones get its answer.

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use berth_model::{
    limits,
    problem::{Code, Problem},
};
use berth_store::records::Idempotency;
use ring::digest::{Context, SHA256};

use super::{app::App, auth::Authenticated, body, problem::ApiError};

static KEY: HeaderName = HeaderName::from_static("idempotency-key");
static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

fn fingerprint(method: &Method, path: &str, body: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in [method.as_str().as_bytes(), path.as_bytes(), body] {
        context.update(&part.len().to_be_bytes());
        context.update(part);
    }
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    out
}

/// Honour the header where it is sent.
pub(crate) async fn idempotent(State(app): State<App>, request: Request, next: Next) -> Response {
    let key = request.headers().get(&KEY).cloned();
    let (Some(key), &Method::POST) = (key, request.method()) else { return next.run(request).await };
    match handle(&app, key, request, next).await {
        Ok(response) => response,
        Err(problem) => ApiError(problem).into_response(),
    }
}

async fn handle(app: &App, key: HeaderValue, request: Request, next: Next) -> Result<Response, Problem> {
    let key = key.to_str().ok().filter(|k| (1..=255).contains(&k.len())).ok_or_else(|| {
        Problem::new(Code::MalformedParameter, "Idempotency-Key must be 1 to 255 visible ASCII characters.")
    })?;
    let Some(scope) = request
        .extensions()
        .get::<Authenticated>()
        .map(|a| a.key.tenant.map_or(a.key.id.uuid(), berth_model::id::Id::uuid))
    else {
        return Ok(next.run(request).await);
    };
    let most = limits::COMPONENT_BYTES_MAX;
    let (mut parts, body) = request.into_parts();
    let body = body::read(body, most).await?;
    let fingerprint = fingerprint(&parts.method, parts.uri.path(), &body);
    let store = app.engine().store();
    let failed = |error: berth_store::StoreError| {
        tracing::error!(%error, "idempotency key was not handled");
        Problem::new(Code::Internal, "The database failed.")
    };
    match store.begin_idempotent(scope, key, fingerprint, app.engine().now()).await.map_err(failed)? {
        Idempotency::New => {}
        Idempotency::InFlight => {
            return Err(Problem::new(
                Code::IdempotencyInFlight,
                "A request with this key is still being worked on.",
            )
            .with_retry_after_seconds(1));
        }
        Idempotency::Mismatch => {
            return Err(Problem::new(
                Code::IdempotencyMismatch,
                "This key came with another request before.",
            ));
        }
        Idempotency::Replay { status, content_type, location, body } => {
            return Ok(replay(status, &content_type, location.as_deref(), body));
        }
    }
    // What is made in this request is written down with its key, so that a repeat finds it even if we die before the answer.
    if let Some(authenticated) = parts.extensions.get_mut::<Authenticated>() {
        authenticated.idempotency_key = Some(key.to_owned());
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, most).await else {
        store.release_idempotent(scope, key, app.engine().now()).await.map_err(failed)?;
        return Err(Problem::new(Code::Internal, "The answer could not be read."));
    };
    // A failure of ours (or "try again later") may go better next time.
    if parts.status.is_server_error() || parts.status == StatusCode::TOO_MANY_REQUESTS {
        store.release_idempotent(scope, key, app.engine().now()).await.map_err(failed)?;
    } else {
        let text = |name: &HeaderName| parts.headers.get(name).and_then(|v| v.to_str().ok());
        let content_type = text(&header::CONTENT_TYPE).unwrap_or("application/json");
        store
            .complete_idempotent(
                scope,
                key,
                parts.status.as_u16(),
                content_type,
                text(&header::LOCATION),
                &body,
            )
            .await
            .map_err(failed)?;
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn replay(status: u16, content_type: &str, location: Option<&str>, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(REPLAYED.clone(), HeaderValue::from_static("true"));
    for (name, value) in [(header::CONTENT_TYPE, Some(content_type)), (header::LOCATION, location)] {
        if let Some(value) = value.and_then(|v| HeaderValue::from_str(v).ok()) {
            headers.insert(name, value);
        }
    }
    response
}
