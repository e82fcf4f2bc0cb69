//! One file per resource. Routes, their documentation and their shapes stand together.

mod admin;
mod availability;
mod booking_changes;
mod booking_providers;
mod bookings;
mod calendars;
mod clock_changes;
mod closing;
mod compute;
pub(crate) mod errors;
mod event_types;
pub(crate) mod grants;
pub(crate) mod health;
mod holds;
mod holidays;
pub(crate) mod installations;
mod integrations;
mod keys;
mod listings;
mod manage;
pub(crate) mod oauth;
mod operations;
pub(crate) mod plugins;
mod rules;
mod series;
mod team;
mod tenants;
mod webhook_log;
mod webhooks;

use axum::{Router, response::Redirect, routing::get};
use serde::{Deserialize, Deserializer};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

use berth_model::problem::{Code, Problem};

use crate::http::{app::App, problem::ApiError};

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

fn closing_documented() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(closing::pause))
        .routes(routes!(closing::resume))
        .routes(routes!(closing::connection))
        .routes(routes!(closing::listing))
        .routes(routes!(closing::event_type))
}

fn bookings_documented() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(bookings::create, bookings::list))
        .routes(routes!(bookings::get))
        .routes(routes!(booking_changes::cancel))
        .routes(routes!(booking_changes::reschedule))
        .routes(routes!(clock_changes::list))
        .routes(routes!(clock_changes::keep))
        .routes(routes!(booking_changes::confirm))
        .routes(routes!(booking_changes::decline))
        .routes(routes!(booking_changes::no_show))
}

fn keyed_documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(listings::create, listings::list))
        .routes(routes!(listings::get, listings::update, listings::delete))
        .routes(routes!(team::create, team::list))
        .routes(routes!(team::get, team::update, team::delete))
        .routes(routes!(event_types::create, event_types::list))
        .routes(routes!(event_types::get, event_types::update, event_types::delete))
        .routes(routes!(event_types::duplicate))
        .routes(routes!(availability::availability))
        .routes(routes!(rules::generate))
        .merge(OpenApiRouter::new().routes(routes!(holidays::import)).layer(holidays::body_limit()))
        .routes(routes!(holidays::import_country))
        .routes(routes!(holidays::countries))
        .routes(routes!(rules::patterns::create, rules::patterns::list))
        .routes(routes!(rules::patterns::get, rules::patterns::replace, rules::patterns::delete))
        .routes(routes!(rules::overrides::create, rules::overrides::list))
        .routes(routes!(rules::overrides::get, rules::overrides::replace, rules::overrides::delete))
        .routes(routes!(rules::holidays::create, rules::holidays::list))
        .routes(routes!(rules::holidays::get, rules::holidays::replace, rules::holidays::delete))
        .routes(routes!(rules::out_of_office::create, rules::out_of_office::list))
        .routes(routes!(
            rules::out_of_office::get,
            rules::out_of_office::replace,
            rules::out_of_office::delete
        ))
        .routes(routes!(rules::travel::create, rules::travel::list))
        .routes(routes!(rules::travel::get, rules::travel::replace, rules::travel::delete))
        .routes(routes!(rules::restriction_schedules::create, rules::restriction_schedules::list))
        .routes(routes!(
            rules::restriction_schedules::get,
            rules::restriction_schedules::replace,
            rules::restriction_schedules::delete
        ))
        .merge(OpenApiRouter::new().routes(routes!(compute::post)).layer(compute::body_limit()))
        .merge(bookings_documented())
        .routes(routes!(manage::link))
        .routes(routes!(calendars::invitation))
        .routes(routes!(calendars::rotate_member, calendars::end_member))
        .routes(routes!(calendars::rotate_listing, calendars::end_listing))
        .routes(routes!(holds::create))
        .routes(routes!(holds::get, holds::release))
        .routes(routes!(holds::extend))
        .routes(routes!(bookings::timeline))
        .routes(routes!(booking_providers::create, booking_providers::list))
        .routes(routes!(booking_providers::get, booking_providers::update, booking_providers::delete))
        .merge(closing_documented())
        .routes(routes!(booking_providers::rotate_webhook_secret))
        .routes(routes!(booking_providers::health))
        .routes(routes!(booking_providers::event_types))
        .routes(routes!(booking_providers::calls))
        .routes(routes!(integrations::create, integrations::list))
        .routes(routes!(integrations::get, integrations::update, integrations::delete))
        .routes(routes!(integrations::sync))
        .routes(routes!(admin::sync_of, admin::start_sync))
        .routes(routes!(admin::set_rules))
        .routes(routes!(admin::mirror))
        .routes(routes!(admin::sync_status))
        .routes(routes!(admin::full_sync))
        .routes(routes!(admin::health))
        .routes(routes!(admin::errors))
        .routes(routes!(operations::operations))
        .routes(routes!(operations::requeue))
        .routes(routes!(admin::conflicts))
        .routes(routes!(admin::resolve))
        .routes(routes!(admin::revert))
        .routes(routes!(admin::reconciliation))
        .routes(routes!(webhook_log::list))
        .routes(routes!(webhook_log::get))
        .routes(routes!(webhook_log::reprocess))
        .routes(routes!(webhook_log::refusals))
        .routes(routes!(oauth::start))
        .routes(routes!(oauth::restart))
        .routes(routes!(oauth::consents, oauth::revoke))
        .routes(routes!(keys::create, keys::list))
        .routes(routes!(keys::rotate))
        .routes(routes!(keys::revoke, keys::update))
        .routes(routes!(tenants::create, tenants::list))
        .routes(routes!(tenants::update, tenants::delete))
        .routes(routes!(tenants::suspend))
        .routes(routes!(tenants::resume))
        .routes(routes!(tenants::deletion))
        .routes(routes!(tenants::create_key))
        .routes(routes!(installations::install, plugins::list))
        .routes(routes!(installations::list))
        .routes(routes!(installations::get))
        .routes(routes!(plugins::get))
        .routes(routes!(plugins::activate))
        .routes(routes!(plugins::rollback))
        .routes(routes!(plugins::quarantine, plugins::lift))
        .routes(routes!(grants::list, grants::set, grants::change))
        .routes(routes!(health::metrics))
        .routes(routes!(oauth::clients))
        .routes(routes!(oauth::set_client, oauth::delete_client))
}

fn open_documented() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(webhooks::receive, webhooks::receive_get))
        .routes(routes!(webhooks::receive_for_account))
        .routes(routes!(oauth::callback))
        .routes(routes!(manage::get))
        .routes(routes!(calendars::own_invitation))
        .routes(routes!(calendars::feed))
        .routes(routes!(manage::cancel))
        .routes(routes!(manage::reschedule))
}

/// Routes that need a key.
pub(crate) fn keyed() -> Router<App> {
    keyed_documented().split_for_parts().0
}

/// Routes that need none.
pub(crate) fn open() -> Router<App> {
    open_documented().split_for_parts().0
}

/// Metrics alone, without a key: for an address that only the machine that watches can reach.
pub fn metrics_router(app: App) -> Router {
    Router::new()
        .route("/metrics", get(health::metrics_text))
        .fallback(|| async { ApiError(Problem::new(Code::NotFound, "Only /metrics is here.")) })
        .with_state(app)
}

/// The description of all routes (OpenAPI 3.1).
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    keyed_documented().merge(open_documented()).split_for_parts().1
}

/// `/openapi.json`, `/docs` to browse it, and the page of error codes; `/` leads there.
pub(crate) fn docs(document: utoipa::openapi::OpenApi) -> Router<App> {
    let browser: Router<App> = SwaggerUi::new("/docs").url("/openapi.json", document).into();
    browser
        .route(errors::PATH, get(errors::page))
        // Until there are pages for people.
        .route("/", get(|| async { Redirect::temporary("/docs/") }))
}

/// A field that may be absent (leave it), null (clear it) or a value.
#[expect(clippy::option_option, reason = "absent and null mean different things in a patch")]
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}
