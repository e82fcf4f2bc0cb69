//! Acme, the imaginary booking system of `plugins/template`: services, openings around the clock, appointments.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    extract::{Path, Query, Request, State as Extract},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use chrono::{DateTime, SecondsFormat};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::{Clock, server::Server};

/// Openings of one answer.
const OPENINGS_MAX: usize = 20;

/// How a simulator is set up.
#[derive(Clone)]
pub struct Config {
    /// Port on 127.0.0.1; 0 for any free one.
    pub port: u16,
    pub api_key: String,
    pub clock: Clock,
}

struct State {
    config: Config,
    appointments: Vec<Value>,
    by_key: BTreeMap<String, usize>,
    /// Which appointment changed, in order.
    log: Vec<usize>,
    webhooks: BTreeMap<String, String>,
    closures: Vec<Value>,
    closed: usize,
}

type Shared = Arc<Mutex<State>>;
type Parameters = Query<BTreeMap<String, String>>;

/// A running simulator; it stops when dropped.
pub struct Simulator {
    server: Server,
}

impl Simulator {
    /// Start listening.
    pub async fn start(config: Config) -> std::io::Result<Self> {
        let port = config.port;
        let state = State {
            config,
            appointments: Vec::new(),
            by_key: BTreeMap::new(),
            log: Vec::new(),
            webhooks: BTreeMap::new(),
            closures: Vec::new(),
            closed: 0,
        };
        let shared: Shared = Arc::new(Mutex::new(state));
        let router = Router::new()
            .route("/v1/account", get(account))
            .route("/v1/services", get(services))
            .route("/v1/services/{id}/openings", get(openings))
            .route("/v1/appointments", post(create).get(with_reference))
            .route("/v1/appointments/changes", get(changes))
            .route("/v1/appointments/{id}", get(appointment).patch(write))
            .route("/v1/appointments/{id}/cancel", post(cancel))
            .route("/v1/appointments/{id}/move", post(reschedule))
            .route("/v1/closures", post(close).get(closures))
            .route("/v1/closures/{id}", delete(open))
            .route("/v1/webhooks", post(subscribe))
            .route("/v1/webhooks/{id}", delete(unsubscribe))
            .layer(middleware::from_fn_with_state(shared.clone(), authorised))
            .with_state(shared);
        Ok(Self { server: Server::start(port, router).await? })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        self.server.url()
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refused(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({ "code": code, "message": code }))).into_response()
}

async fn authorised(Extract(shared): Extract<Shared>, request: Request, next: Next) -> Response {
    let expected = format!("Bearer {}", lock(&shared).config.api_key);
    let given = request.headers().get("authorization").and_then(|v| v.to_str().ok());
    if given == Some(expected.as_str()) {
        next.run(request).await
    } else {
        refused(StatusCode::UNAUTHORIZED, "unauthorised")
    }
}

fn micros(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_micros())
}

fn utc(at: i64) -> String {
    DateTime::from_timestamp_micros(at).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Micros, true)
}

const SERVICES: [(&str, &str, i64); 3] =
    [("svc_1", "Consultation", 30), ("svc_2", "Workshop", 60), ("svc_3", "Visit", 45)];

async fn account() -> Json<Value> {
    Json(
        json!({ "id": "acc_1", "name": "Ada's practice", "email": "ada@example.com", "time_zone": "Europe/Lisbon" }),
    )
}

async fn services(Query(query): Parameters) -> Json<Value> {
    let number = |name: &str, other: usize| query.get(name).and_then(|n| n.parse().ok()).unwrap_or(other);
    let (page, limit) = (number("page", 0), number("limit", 20).max(1));
    let items: Vec<Value> = SERVICES
        .iter()
        .skip(page * limit)
        .take(limit)
        .map(|(id, title, minutes)| json!({ "id": id, "title": title, "minutes": minutes, "active": true }))
        .collect();
    let next = ((page + 1) * limit < SERVICES.len()).then(|| (page + 1).to_string());
    Json(json!({ "items": items, "next_page": next }))
}

impl State {
    fn is_free(&self, start: i64, end: i64, but: Option<usize>) -> bool {
        let apart = |a: &Value| {
            let time = |name: &str| a[name].as_str().and_then(micros).unwrap_or_default();
            time("end") <= start || end <= time("start")
        };
        let others = self.appointments.iter().enumerate().filter(|(at, _)| Some(*at) != but);
        others.into_iter().all(|(_, a)| a["status"] != "booked" || apart(a))
            && self.closures.iter().all(apart)
    }

    fn changed(&mut self, at: usize) -> Value {
        self.log.push(at);
        // Two changes in one microsecond still have an order.
        let now = (self.config.clock)() + i64::try_from(self.log.len()).unwrap_or(0);
        self.appointments[at]["updated_at"] = json!(utc(now));
        self.appointments[at].clone()
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.appointments.iter().position(|a| a["id"] == id)
    }
}

async fn openings(
    Extract(shared): Extract<Shared>,
    Path(id): Path<String>,
    Query(query): Parameters,
) -> Response {
    let Some((_, _, minutes)) = SERVICES.iter().find(|(service, ..)| *service == id) else {
        return refused(StatusCode::NOT_FOUND, "no_such_service");
    };
    let time = |name: &str| query.get(name).and_then(|text| micros(text));
    let (Some(from), Some(to)) = (time("from"), time("to")) else {
        return refused(StatusCode::BAD_REQUEST, "from_and_to");
    };
    let length = minutes * 60_000_000;
    let first = from.div_euclid(length) * length + if from % length == 0 { 0 } else { length };
    let state = lock(&shared);
    let starts = (0..).map(|n| first + n * length).take_while(|start| start + length <= to);
    let free = starts.filter(|start| state.is_free(*start, start + length, None)).take(OPENINGS_MAX);
    let openings: Vec<Value> =
        free.map(|start| json!({ "start": utc(start), "end": utc(start + length) })).collect();
    Json(json!({ "openings": openings })).into_response()
}

async fn create(Extract(shared): Extract<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let mut state = lock(&shared);
    let key = headers.get("idempotency-key").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    if let Some(at) = state.by_key.get(&key).filter(|_| !key.is_empty()) {
        return Json(state.appointments[*at].clone()).into_response();
    }
    let time = |name: &str| body[name].as_str().and_then(micros);
    let (Some(start), Some(end)) = (time("start"), time("end")) else {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "start_and_end");
    };
    if !state.is_free(start, end, None) {
        return refused(StatusCode::CONFLICT, "taken");
    }
    let at = state.appointments.len();
    let made = json!({
        "id": format!("apt_{}", at + 1), "reference": body["reference"], "status": "booked", "service_id": body["service_id"],
        "start": utc(start), "end": utc(end), "customer": body["customer"], "notes": body["notes"], "reason": null,
    });
    state.appointments.push(made);
    if !key.is_empty() {
        state.by_key.insert(key, at);
    }
    (StatusCode::CREATED, Json(state.changed(at))).into_response()
}

async fn with_reference(Extract(shared): Extract<Shared>, Query(query): Parameters) -> Json<Value> {
    let state = lock(&shared);
    let wanted = query.get("reference").map(String::as_str);
    let items: Vec<&Value> =
        state.appointments.iter().rev().filter(|a| a["reference"].as_str() == wanted).collect();
    Json(json!({ "items": items }))
}

async fn changes(Extract(shared): Extract<Shared>, Query(query): Parameters) -> Json<Value> {
    let state = lock(&shared);
    let number = |name: &str, other: usize| query.get(name).and_then(|n| n.parse().ok()).unwrap_or(other);
    let (from, limit) = (number("cursor", 0), number("limit", 20).max(1));
    let items: Vec<&Value> =
        state.log.iter().skip(from).take(limit).map(|at| &state.appointments[*at]).collect();
    let cursor = from + items.len();
    Json(json!({ "items": items, "cursor": cursor.to_string(), "more": cursor < state.log.len() }))
}

async fn appointment(Extract(shared): Extract<Shared>, Path(id): Path<String>) -> Response {
    let state = lock(&shared);
    match state.position(&id) {
        Some(at) => Json(state.appointments[at].clone()).into_response(),
        None => refused(StatusCode::NOT_FOUND, "no_such_appointment"),
    }
}

async fn cancel(
    Extract(shared): Extract<Shared>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    let mut state = lock(&shared);
    let Some(at) = state.position(&id) else { return refused(StatusCode::NOT_FOUND, "no_such_appointment") };
    if state.appointments[at]["status"] != "booked" {
        return refused(StatusCode::CONFLICT, "not_booked");
    }
    state.appointments[at]["status"] = json!("cancelled");
    state.appointments[at]["reason"] = body["reason"].clone();
    Json(state.changed(at)).into_response()
}

async fn reschedule(
    Extract(shared): Extract<Shared>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    let mut state = lock(&shared);
    let Some(at) = state.position(&id) else { return refused(StatusCode::NOT_FOUND, "no_such_appointment") };
    let time = |name: &str| body[name].as_str().and_then(micros);
    let (Some(start), Some(end)) = (time("start"), time("end")) else {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "start_and_end");
    };
    if !state.is_free(start, end, Some(at)) {
        return refused(StatusCode::CONFLICT, "taken");
    }
    state.appointments[at]["start"] = json!(utc(start));
    state.appointments[at]["end"] = json!(utc(end));
    Json(state.changed(at)).into_response()
}

/// What is written on it, and whose it is.
async fn write(
    Extract(shared): Extract<Shared>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    let mut state = lock(&shared);
    let Some(at) = state.position(&id) else { return refused(StatusCode::NOT_FOUND, "no_such_appointment") };
    if state.appointments[at]["status"] != "booked" {
        return refused(StatusCode::CONFLICT, "not_booked");
    }
    if body["customer"]["name"] == "" {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "name");
    }
    for name in ["customer", "notes", "who"] {
        if let Some(value) = body.get(name) {
            state.appointments[at][name] = value.clone();
        }
    }
    Json(state.changed(at)).into_response()
}

async fn subscribe(Extract(shared): Extract<Shared>, Json(body): Json<Value>) -> Response {
    let (Some(url), Some(_)) = (body["url"].as_str(), body["secret"].as_str()) else {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "url_and_secret");
    };
    let mut state = lock(&shared);
    let next = format!("wh_{}", state.webhooks.len() + 1);
    let id = state.webhooks.entry(url.to_owned()).or_insert(next).clone();
    (StatusCode::CREATED, Json(json!({ "id": id, "url": url }))).into_response()
}

async fn unsubscribe(Extract(shared): Extract<Shared>, Path(id): Path<String>) -> Response {
    let mut state = lock(&shared);
    let before = state.webhooks.len();
    state.webhooks.retain(|_, known| *known != id);
    if state.webhooks.len() == before {
        return refused(StatusCode::NOT_FOUND, "no_such_webhook");
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn close(Extract(shared): Extract<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let key = headers.get("idempotency-key").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let time = |name: &str| body[name].as_str().and_then(micros);
    let (Some(start), Some(end)) = (time("start"), time("end")) else {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "start_and_end");
    };
    let mut state = lock(&shared);
    if let Some(known) = state.closures.iter().find(|c| c["key"] == key && !key.is_empty()) {
        return Json(known.clone()).into_response();
    }
    if !key.is_empty() && !state.is_free(start, end, None) {
        return refused(StatusCode::CONFLICT, "taken");
    }
    state.closed += 1;
    let closure = json!({
        "id": format!("cls_{}", state.closed), "key": key, "reference": body["reference"], "who": body["who"],
        "start": utc(start), "end": utc(end),
    });
    state.closures.push(closure.clone());
    (StatusCode::CREATED, Json(closure)).into_response()
}

async fn closures(Extract(shared): Extract<Shared>, Query(query): Parameters) -> Json<Value> {
    let state = lock(&shared);
    let is = |c: &Value, name: &str| query.get(name).is_none_or(|wanted| c[name] == wanted.as_str());
    let items: Vec<&Value> = state.closures.iter().filter(|c| is(c, "reference") && is(c, "who")).collect();
    Json(json!({ "items": items }))
}

async fn open(Extract(shared): Extract<Shared>, Path(id): Path<String>) -> Response {
    let mut state = lock(&shared);
    let before = state.closures.len();
    state.closures.retain(|c| c["id"] != id.as_str());
    if state.closures.len() == before {
        return refused(StatusCode::NOT_FOUND, "no_such_closure");
    }
    StatusCode::NO_CONTENT.into_response()
}
