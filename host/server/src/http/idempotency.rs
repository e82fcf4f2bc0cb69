//! `Idempotency-Key` on every POST that a key makes, and on those of people without one: the first request does the work, later ones get its
//! answer. They get it if the same API key (or anybody else without one) asks for the same thing and still has the rights that the first one
//! was asked for.
//!
//! A request with a key is carried out to its end even if nobody waits for it any more: otherwise what it made would be found by nobody.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use berth_engine::beside;
use berth_model::{
    limits,
    problem::{Code, Problem},
};
use berth_store::records::{Idempotency, IdempotencyKey, KeptAnswer};
use tracing::Instrument;

use super::{app::App, fingerprint::fingerprint, once, problem::ApiError, sender::Sender};

static KEY: HeaderName = HeaderName::from_static("idempotency-key");
static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Makes nothing, so that a repeat may as well compute again; its answers are too large to be kept.
const COMPUTE: &str = "/api/booking/availability/compute";

/// Honour the header where it is sent.
pub(crate) async fn idempotent(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if request.method() != Method::POST || !request.headers().contains_key(&KEY) || route == COMPUTE {
        return next.run(request).await;
    }
    match handle(app, request, next).await {
        Ok(response) => response,
        Err(problem) => ApiError(problem).into_response(),
    }
}

fn key_of(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut sent = headers.get_all(&KEY).iter();
    let (Some(key), None) = (sent.next(), sent.next()) else {
        return Err(Problem::new(Code::MalformedParameter, "Idempotency-Key must be sent once."));
    };
    let visible =
        |key: &&str| (1..=255).contains(&key.len()) && key.bytes().all(|b| (b' '..=b'~').contains(&b));
    key.to_str().ok().filter(visible).ok_or_else(|| {
        Problem::new(Code::MalformedParameter, "Idempotency-Key must be 1 to 255 visible ASCII characters.")
    })
}

async fn handle(app: App, request: Request, next: Next) -> Result<Response, Problem> {
    let key = key_of(request.headers())?.to_owned();
    let Some(sender) = Sender::of(request.extensions()) else { return Ok(next.run(request).await) };
    let key = sender.key(key);
    let (mut parts, body) = request.into_parts();
    // In memory already.
    let body = to_bytes(body, limits::COMPONENT_BYTES_MAX)
        .await
        .map_err(|_| Problem::new(Code::MalformedBody, "The body broke off, or its form is wrong."))?;
    let of = (parts.method.clone(), parts.uri.clone(), parts.headers.clone(), body.clone());
    let print = move || fingerprint(&of.0, &of.1, &of.2, &of.3);
    let print = beside(body.len() > limits::INLINE_BYTES_MAX, print).await?;
    if app.known().is_unstored(&key) {
        return Err(under_way());
    }
    let found = app.engine().store().begin_idempotent(&key, print, app.engine().now());
    match found.await? {
        Idempotency::New => {}
        Idempotency::InFlight => return Err(under_way()),
        Idempotency::Mismatch => {
            return Err(Problem::new(
                Code::IdempotencyMismatch,
                "This key came with another request before.",
            ));
        }
        Idempotency::Done { rights, answer } => {
            sender.check(&rights)?;
            return again(answer);
        }
    }
    if let Err(problem) = allow(&app, &key).await {
        let _ = app.engine().store().release_idempotent(&key, app.engine().now()).await;
        return Err(problem);
    }
    // What is made in this request is written down with its key, so that a repeat finds it even if we die before the answer.
    Sender::reserve(&mut parts.extensions, &key);
    let reserved = Reserved { app, key, print, sender };
    let work = async move {
        let request = Request::from_parts(parts, Body::from(body));
        // Over before anybody else may take the key for that of a dead process.
        let longest = Duration::from_secs(limits::IDEMPOTENCY_WORK_SECONDS_MAX);
        match tokio::time::timeout(longest, next.run(request)).await {
            Ok(response) => reserved.settle(response).await,
            // What it made, if anything, is what a repeat asks about.
            Err(_) => ApiError(Problem::new(Code::TimedOut, "The request took too long.")).into_response(),
        }
    };
    match tokio::spawn(work.in_current_span()).await {
        Ok(response) => Ok(response),
        // Answered, and counted, by whoever catches panics of requests.
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(Problem::new(Code::NotReady, "Berth is stopping.")),
    }
}

fn under_way() -> Problem {
    Problem::new(Code::IdempotencyInFlight, "A request with this key is still being worked on.")
        .with_retry_after_seconds(1)
}

/// One API key cannot fill the table.
async fn allow(app: &App, key: &IdempotencyKey) -> Result<(), Problem> {
    if app.known().takes_one(key.holder) {
        return Ok(());
    }
    let most = limits::IDEMPOTENCY_KEYS_PER_API_KEY_MAX;
    let used = app.engine().store().idempotency_keys_of(key.tenant, key.holder, most.saturating_add(1)).await;
    let left = most.saturating_sub(used?);
    if left < 0 {
        let detail = format!("At most {most} Idempotency-Keys of one API key are remembered for a day.");
        return Err(Problem::new(Code::RateLimited, detail).with_retry_after_seconds(60));
    }
    // Other replicas count too: after half of what is left it is counted again.
    app.known().allow(key.holder, left / 2);
    Ok(())
}

/// A key that this request reserved.
struct Reserved {
    app: App,
    key: IdempotencyKey,
    print: [u8; 32],
    sender: Sender,
}

impl Reserved {
    /// Keep the answer for repeats, or give the key back.
    async fn settle(self, response: Response) -> Response {
        let status = response.status();
        // A failure of ours, "try again later" and a missing right may go better next time; nothing was done for want of a right.
        let again = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS];
        let is_forgotten = !status.is_success() && !self.sender.keeps_refusals();
        if status.is_server_error() || again.contains(&status) || is_forgotten {
            self.release().await;
            return response;
        }
        let instead = once::not_kept(&response);
        let (parts, body) = response.into_parts();
        // Made by a handler, in memory.
        let Ok(body) = to_bytes(body, usize::MAX).await else {
            let lost = "Look at what was made: the answer was lost.";
            self.keep(KeptAnswer::Gone { status: status.as_u16(), made: None, instead: lost.to_owned() })
                .await;
            return ApiError(Problem::new(Code::Internal, "The answer could not be read.")).into_response();
        };
        match (instead, body.len()) {
            (Some(instead), _) if status.is_success() => {
                self.keep(gone(status, &parts.headers, &body, instead).await).await;
            }
            (None, ..=limits::IDEMPOTENCY_REFUSAL_BYTES_MAX) => {
                self.keep(whole(status, &parts.headers, &body)).await;
            }
            (None, ..=limits::IDEMPOTENCY_ANSWER_BYTES_MAX) if status.is_success() => {
                self.keep(whole(status, &parts.headers, &body)).await;
            }
            (None, _) if status.is_success() => {
                let instead = "Look at what was made: its answer was too large to be kept.";
                self.keep(gone(status, &parts.headers, &body, instead).await).await;
            }
            // A refusal, which would be the same again.
            _ => self.release().await,
        }
        Response::from_parts(parts, Body::from(body))
    }

    async fn release(&self) {
        let store = self.app.engine().store();
        if let Err(error) = store.release_idempotent(&self.key, self.app.engine().now()).await {
            tracing::debug!(%error, "an Idempotency-Key was not given back; it is free in a minute");
        }
    }

    /// The request was carried out: if its answer cannot be stored now, it is stored later, and until then nobody does it again.
    async fn keep(&self, answer: KeptAnswer) {
        let rights = self.sender.rights();
        let store = self.app.engine().store().clone();
        let Err(error) = store.complete_idempotent(&self.key, self.print, rights.clone(), &answer).await
        else {
            return;
        };
        tracing::warn!(%error, "the answer to an Idempotency-Key was not stored yet");
        if !self.app.known().note_unstored(&self.key) {
            return;
        }
        let (app, key, print) = (self.app.clone(), self.key.clone(), self.print);
        tokio::spawn(async move {
            for _ in 0..limits::IDEMPOTENCY_STORE_TRIES_MAX {
                tokio::time::sleep(Duration::from_millis(limits::DATABASE_PROBE_EVERY_MS)).await;
                let stored = store.complete_idempotent(&key, print, rights.clone(), &answer).await;
                if stored.is_ok() {
                    break;
                }
            }
            app.known().forget_unstored(&key);
        });
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn whole(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> KeptAnswer {
    KeptAnswer::Whole {
        status: status.as_u16(),
        content_type: text(headers, &header::CONTENT_TYPE).unwrap_or_else(|| "application/json".to_owned()),
        location: text(headers, &header::LOCATION),
        body: body.to_vec(),
    }
}

async fn gone(status: StatusCode, headers: &HeaderMap, body: &Bytes, instead: &str) -> KeptAnswer {
    let is_long = body.len() > limits::INLINE_BYTES_MAX;
    let body = body.clone();
    let made = beside(is_long, move || {
        let body: serde_json::Value = serde_json::from_slice(&body).ok()?;
        let id = |name: &str| body.get(name)?.as_str().map(str::to_owned);
        id("id").or_else(|| id("connection"))
    });
    let made = made.await.ok().flatten().or_else(|| text(headers, &header::LOCATION));
    KeptAnswer::Gone { status: status.as_u16(), made, instead: instead.to_owned() }
}

fn again(answer: KeptAnswer) -> Result<Response, Problem> {
    let (status, content_type, location, body) = match answer {
        KeptAnswer::Whole { status, content_type, location, body } => (status, content_type, location, body),
        KeptAnswer::Gone { status, made, instead } => {
            let made_text = made.as_ref().map(|id| format!(" It made {id}.")).unwrap_or_default();
            let detail = format!("This request was carried out before, with status {status}.{made_text}");
            let mut problem = Problem::new(Code::AnswerNotKept, detail).with_hint(instead);
            if let Some(made) = made {
                problem.extra.insert("made".to_owned(), made.into());
            }
            return Err(problem);
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(REPLAYED.clone(), HeaderValue::from_static("true"));
    for (name, value) in [(header::CONTENT_TYPE, Some(content_type)), (header::LOCATION, location)] {
        if let Some(value) = value.and_then(|v| HeaderValue::from_str(&v).ok()) {
            headers.insert(name, value);
        }
    }
    Ok(response)
}
