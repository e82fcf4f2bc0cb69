//! Public holidays by country.

use axum::{Json, extract::State, http::StatusCode};
use berth_engine::HolidayImport;
use berth_model::{holidays, id::ListingId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rules::RuleView;
use crate::http::{
    app::{App, RequestId},
    auth::Authenticated,
    extract::Json as Body,
    problem::{ApiResult, ProblemDocument},
};

/// Which holidays are imported where.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CountryImport {
    /// The listing that they close.
    #[schema(value_type = String)]
    listing: ListingId,
    /// ISO 3166-1 code.
    #[schema(example = "DE")]
    country: String,
    /// A part of it with holidays of its own: the second part of an ISO 3166-2 code.
    #[schema(example = "BY")]
    subdivision: Option<String>,
    #[schema(example = 2026)]
    from_year: i32,
    /// Included.
    #[schema(example = 2028)]
    to_year: i32,
}

/// What was imported.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CountryImported {
    /// Holidays that were not there.
    holidays: Vec<RuleView>,
    /// How many were there already.
    already: usize,
}

/// Import the public holidays of a country into a listing: all or none. Doing it again adds nothing twice.
#[utoipa::path(post, path = "/api/booking/holidays/import-country", tag = "availability rules", request_body = CountryImport,
    responses((status = 201, body = CountryImported), (status = 422, body = ProblemDocument)))]
pub(super) async fn import_country(
    State(app): State<App>,
    key: Authenticated,
    request_id: RequestId,
    Body(body): Body<CountryImport>,
) -> ApiResult<(StatusCode, Json<CountryImported>)> {
    let caller = key.caller("listings:write", &request_id)?;
    let import = HolidayImport {
        listing: body.listing,
        country: body.country,
        subdivision: body.subdivision,
        from_year: body.from_year,
        to_year: body.to_year,
    };
    let done = app.engine().import_holidays(&caller, import).await?;
    let holidays = done.made.into_iter().map(RuleView::from).collect();
    Ok((StatusCode::CREATED, Json(CountryImported { holidays, already: done.already })))
}

/// The countries whose holidays are known.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KnownHolidays {
    /// First year that is known.
    from_year: i32,
    /// Last year that is known.
    to_year: i32,
    countries: Vec<Country>,
}

/// A country.
#[derive(Debug, Serialize, ToSchema)]
struct Country {
    /// ISO 3166-1.
    code: &'static str,
    /// Parts of it with holidays of their own (ISO 3166-2, second part).
    subdivisions: Vec<&'static str>,
}

/// The countries whose public holidays can be imported.
#[utoipa::path(get, path = "/api/booking/holidays/countries", tag = "availability rules", responses((status = 200, body = KnownHolidays)))]
pub(super) async fn countries(key: Authenticated, request_id: RequestId) -> ApiResult<Json<KnownHolidays>> {
    key.caller("listings:read", &request_id)?;
    let (from_year, to_year) = holidays::years();
    let countries =
        holidays::countries().map(|(code, subdivisions)| Country { code, subdivisions }).collect();
    Ok(Json(KnownHolidays { from_year, to_year, countries }))
}
