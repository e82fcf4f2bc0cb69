//! One folder per domain, one file per resource. Routes, their documentation and their shapes stand together: each domain lists its own.

pub(crate) mod availability;
pub(crate) mod bookings;
pub(crate) mod calendars;
pub(crate) mod catalog;
mod closing;
mod common;
pub(crate) mod connections;
pub(crate) mod customers;
mod described;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod drift_comparing;
#[cfg(test)]
mod drift_values;
pub(crate) mod events;
mod forms;
pub(crate) mod inbound;
pub(crate) mod jobs;
pub(crate) mod mirror;
pub(crate) mod monitoring;
pub(crate) mod plugins;
pub(crate) mod privacy;
pub(crate) mod tenants;
mod versions;

use std::sync::OnceLock;

use axum::{
    Router,
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use berth_engine::beside;
use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_swagger_ui::{Config, SwaggerUi};

use berth_model::problem::{Code, Problem};

use self::described::Described;
use crate::http::{
    app::App,
    auth::Rights,
    problem::{ApiError, ApiResult},
    versions::PAGE,
};

const DOCUMENT_PATH: &str = "/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Berth",
        description = "Booking engine. Send an API key as `Authorization: Bearer …`. Refusals are problem documents with a [stable code](/docs/errors) and a hint. \
            The headers `RateLimit-Policy` and `RateLimit` say how often a key may ask. \
            Answers are in the version that the key is pinned to, or that `Berth-Version` names ([versions](/docs/versions)). \
            Names are read in snake_case and in camelCase; answers are in snake_case. \
            Send an `Idempotency-Key` with a POST to be able to repeat it safely."
    ),
    modifiers(&Security),
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_with(Default::default);
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("berth_…").build();
        components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
    }
}

fn keyed_documented() -> Described {
    Described::new()
        .merge(availability::keyed())
        .merge(bookings::keyed())
        .merge(calendars::keyed())
        .merge(catalog::keyed())
        .merge(closing::keyed())
        .merge(connections::keyed())
        .merge(customers::keyed())
        .merge(events::keyed())
        .merge(inbound::keyed())
        .merge(jobs::keyed())
        .merge(mirror::keyed())
        .merge(monitoring::keyed())
        .merge(plugins::keyed())
        .merge(privacy::keyed())
        .merge(tenants::keyed())
}

fn open_documented() -> Described {
    Described::new()
        .merge(bookings::open())
        .merge(calendars::open())
        .merge(connections::open())
        .merge(inbound::open())
        .merge(monitoring::open())
}

fn public_documented() -> Described {
    Described::new()
        .merge(availability::public::public())
        .merge(bookings::public::public())
        .merge(catalog::public::public())
}

/// Routes of one tenant for people without a key.
pub(crate) fn public() -> Router<App> {
    public_documented().router()
}

/// Routes that need a key, and which scope of it.
pub(crate) fn keyed() -> (Router<App>, Rights) {
    let keyed = keyed_documented();
    let rights = Rights::new(keyed.rights().iter().cloned());
    (keyed.router(), rights)
}

/// Routes that need none.
pub(crate) fn open() -> Router<App> {
    open_documented().router()
}

/// Metrics alone, without a key: for an address that only the machine that watches can reach.
pub fn metrics_router(app: App) -> Router {
    Router::new()
        .route("/metrics", get(monitoring::health::metrics_text))
        .fallback(|| async { ApiError(Problem::new(Code::NotFound, "Only /metrics is here.")) })
        .with_state(app)
}

/// The description of all routes (OpenAPI 3.1).
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    let described = keyed_documented().merge(open_documented()).merge(public_documented());
    let rights = described.rights().to_vec();
    let mut document = described.document(Document::openapi());
    events::Kinds.modify(&mut document);
    common::describe(&mut document, &rights);
    document
}

/// `/openapi.json`, `/docs` to browse it, and the page of error codes; `/` leads there.
pub(crate) fn docs() -> Router<App> {
    let browser: Router<App> = SwaggerUi::new("/docs").config(Config::from(DOCUMENT_PATH)).into();
    browser
        .route(DOCUMENT_PATH, get(document_text))
        .route(monitoring::errors::PATH, get(monitoring::errors::page))
        .route(PAGE, get(versions::page))
        // Until there are pages for people.
        .route("/", get(|| async { Redirect::temporary("/docs/") }))
}

/// Written when somebody asks for it first; few ever do.
async fn document_text() -> ApiResult<Response> {
    static WRITTEN: OnceLock<Bytes> = OnceLock::new();
    let text = match WRITTEN.get() {
        Some(text) => text.clone(),
        None => beside(true, || WRITTEN.get_or_init(written).clone()).await?,
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// The document as it is sent. Nothing in it cannot be written as JSON.
fn written() -> Bytes {
    let mut document = serde_json::to_value(document()).unwrap_or_default();
    forms::open_objects(&mut document);
    forms::uuids(&mut document);
    Bytes::from(document.to_string())
}

/// A field that may be absent (leave it), null (clear it) or a value.
#[expect(clippy::option_option, reason = "absent and null mean different things in a patch")]
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}
