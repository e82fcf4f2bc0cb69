//! One file per resource. Routes, their documentation and their shapes stand together.

pub(crate) mod availability;
pub(crate) mod bookings;
pub(crate) mod calendars;
pub(crate) mod catalog;
mod closing;
pub(crate) mod connections;
pub(crate) mod customers;
mod described;
#[cfg(test)]
mod drift;
pub(crate) mod events;
pub(crate) mod inbound;
pub(crate) mod jobs;
pub(crate) mod mirror;
pub(crate) mod monitoring;
pub(crate) mod plugins;
pub(crate) mod privacy;
pub(crate) mod tenants;

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

use self::described::{Described, routes};
use crate::http::{
    app::App,
    problem::{ApiError, ApiResult},
};

const DOCUMENT_PATH: &str = "/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Berth",
        description = "Booking engine. Send an API key as `Authorization: Bearer …`. Refusals are problem documents with a [stable code](/docs/errors) and a hint. \
            The headers `RateLimit-Policy` and `RateLimit` say how often a key may ask. \
            Send an `Idempotency-Key` with a POST to be able to repeat it safely."
    ),
    modifiers(&Security),
    security(("api_key" = [])),
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

fn closing_documented() -> Described {
    Described::new()
        .routes(routes!(closing::pause))
        .routes(routes!(closing::resume))
        .routes(routes!(closing::connection))
        .routes(routes!(closing::listing))
        .routes(routes!(closing::event_type))
}

fn availability_documented() -> Described {
    Described::new()
        .routes(routes!(availability::availability))
        .routes(routes!(availability::rules::generate))
        .merge(
            Described::new()
                .routes(routes!(availability::holidays::import))
                .layer(availability::holidays::body_limit()),
        )
        .routes(routes!(availability::holidays::import_country))
        .routes(routes!(availability::holidays::countries))
        .routes(routes!(availability::rules::patterns::create, availability::rules::patterns::list))
        .routes(routes!(
            availability::rules::patterns::get,
            availability::rules::patterns::replace,
            availability::rules::patterns::delete
        ))
        .routes(routes!(availability::rules::overrides::create, availability::rules::overrides::list))
        .routes(routes!(
            availability::rules::overrides::get,
            availability::rules::overrides::replace,
            availability::rules::overrides::delete
        ))
        .routes(routes!(availability::rules::holidays::create, availability::rules::holidays::list))
        .routes(routes!(
            availability::rules::holidays::get,
            availability::rules::holidays::replace,
            availability::rules::holidays::delete
        ))
        .routes(routes!(availability::rules::out_of_office::create, availability::rules::out_of_office::list))
        .routes(routes!(
            availability::rules::out_of_office::get,
            availability::rules::out_of_office::replace,
            availability::rules::out_of_office::delete
        ))
        .routes(routes!(availability::rules::travel::create, availability::rules::travel::list))
        .routes(routes!(
            availability::rules::travel::get,
            availability::rules::travel::replace,
            availability::rules::travel::delete
        ))
        .routes(routes!(
            availability::rules::restriction_schedules::create,
            availability::rules::restriction_schedules::list
        ))
        .routes(routes!(
            availability::rules::restriction_schedules::get,
            availability::rules::restriction_schedules::replace,
            availability::rules::restriction_schedules::delete
        ))
        .merge(
            Described::new()
                .routes(routes!(availability::compute::post))
                .layer(availability::compute::body_limit()),
        )
}

fn bookings_documented() -> Described {
    Described::new()
        .routes(routes!(bookings::create, bookings::list))
        .routes(routes!(bookings::get))
        .routes(routes!(bookings::change::cancel))
        .routes(routes!(bookings::change::reschedule))
        .routes(routes!(bookings::clock_changes::list))
        .routes(routes!(bookings::clock_changes::keep))
        .routes(routes!(bookings::change::confirm))
        .routes(routes!(bookings::change::decline))
        .routes(routes!(bookings::change::no_show))
}

fn keyed_documented() -> Described {
    Described::new()
        .routes(routes!(catalog::listings::create, catalog::listings::list))
        .routes(routes!(catalog::listings::get, catalog::listings::update, catalog::listings::delete))
        .routes(routes!(catalog::members::create, catalog::members::list))
        .routes(routes!(catalog::members::get, catalog::members::update, catalog::members::delete))
        .routes(routes!(catalog::event_types::create, catalog::event_types::list))
        .routes(routes!(
            catalog::event_types::get,
            catalog::event_types::update,
            catalog::event_types::delete
        ))
        .routes(routes!(catalog::event_types::duplicate))
        .merge(availability_documented())
        .merge(bookings_documented())
        .routes(routes!(bookings::manage::link))
        .routes(routes!(calendars::feeds::invitation))
        .routes(routes!(calendars::feeds::rotate_member, calendars::feeds::end_member))
        .routes(routes!(calendars::feeds::rotate_listing, calendars::feeds::end_listing))
        .routes(routes!(bookings::holds::create))
        .routes(routes!(bookings::holds::get, bookings::holds::release))
        .routes(routes!(bookings::holds::extend))
        .routes(routes!(bookings::timeline))
        .routes(routes!(connections::create, connections::list))
        .routes(routes!(connections::get, connections::update, connections::delete))
        .merge(closing_documented())
        .routes(routes!(customers::list))
        .routes(routes!(customers::get))
        .routes(routes!(privacy::texts::publish, privacy::texts::list))
        .routes(routes!(privacy::consents::give, privacy::consents::list))
        .routes(routes!(privacy::consents::withdraw))
        .routes(routes!(connections::rotate_webhook_secret))
        .routes(routes!(connections::health))
        .routes(routes!(connections::event_types))
        .routes(routes!(connections::calls))
        .routes(routes!(calendars::connected::create, calendars::connected::list))
        .routes(routes!(
            calendars::connected::get,
            calendars::connected::update,
            calendars::connected::delete
        ))
        .routes(routes!(calendars::connected::sync))
        .routes(routes!(mirror::sync_of, mirror::start_sync))
        .routes(routes!(mirror::set_rules))
        .routes(routes!(mirror::mirror))
        .routes(routes!(mirror::sync_status))
        .routes(routes!(mirror::full_sync))
        .routes(routes!(mirror::health))
        .routes(routes!(mirror::errors))
        .routes(routes!(events::feed))
        .routes(routes!(events::list))
        .routes(routes!(jobs::operations::operations))
        .routes(routes!(jobs::operations::requeue))
        .routes(routes!(mirror::conflicts))
        .routes(routes!(mirror::resolve))
        .routes(routes!(mirror::revert))
        .routes(routes!(mirror::reconciliation))
        .routes(routes!(inbound::log::list))
        .routes(routes!(inbound::log::get))
        .routes(routes!(inbound::log::reprocess))
        .routes(routes!(inbound::log::refusals))
        .routes(routes!(connections::oauth::start))
        .routes(routes!(connections::oauth::restart))
        .routes(routes!(connections::oauth::consents, connections::oauth::revoke))
        .routes(routes!(tenants::keys::create, tenants::keys::list))
        .routes(routes!(tenants::keys::rotate))
        .routes(routes!(tenants::keys::revoke, tenants::keys::update))
        .routes(routes!(tenants::create, tenants::list))
        .routes(routes!(tenants::update, tenants::delete))
        .routes(routes!(tenants::suspend))
        .routes(routes!(tenants::resume))
        .routes(routes!(tenants::deletion))
        .routes(routes!(tenants::create_key))
        .routes(routes!(plugins::installations::install, plugins::list))
        .routes(routes!(plugins::installations::list))
        .routes(routes!(plugins::installations::get))
        .routes(routes!(plugins::get))
        .routes(routes!(plugins::activate))
        .routes(routes!(plugins::rollback))
        .routes(routes!(plugins::quarantine, plugins::lift))
        .routes(routes!(plugins::grants::list, plugins::grants::set, plugins::grants::change))
        .routes(routes!(monitoring::health::metrics))
        .routes(routes!(connections::oauth::clients))
        .routes(routes!(connections::oauth::set_client, connections::oauth::delete_client))
}

fn open_documented() -> Described {
    Described::new()
        .routes(routes!(monitoring::health::healthz))
        .routes(routes!(monitoring::health::readyz))
        .routes(routes!(inbound::receive::receive, inbound::receive::receive_get))
        .routes(routes!(inbound::receive::receive_for_account))
        .routes(routes!(connections::oauth::callback))
        .routes(routes!(bookings::manage::get))
        .routes(routes!(calendars::feeds::own_invitation))
        .routes(routes!(calendars::feeds::feed))
        .routes(routes!(bookings::manage::cancel))
        .routes(routes!(bookings::manage::reschedule))
}

/// Routes that need a key.
pub(crate) fn keyed() -> Router<App> {
    keyed_documented().router()
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
    let mut document = keyed_documented().merge(open_documented()).document(Document::openapi());
    events::Kinds.modify(&mut document);
    document
}

/// `/openapi.json`, `/docs` to browse it, and the page of error codes; `/` leads there.
pub(crate) fn docs() -> Router<App> {
    let browser: Router<App> = SwaggerUi::new("/docs").config(Config::from(DOCUMENT_PATH)).into();
    browser
        .route(DOCUMENT_PATH, get(document_text))
        .route(monitoring::errors::PATH, get(monitoring::errors::page))
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
    document().to_json().map(Bytes::from).unwrap_or_default()
}

/// A field that may be absent (leave it), null (clear it) or a value.
#[expect(clippy::option_option, reason = "absent and null mean different things in a patch")]
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}
