//! Holidays that are imported: those of a calendar, and the public ones of a country.

use axum::{Json, extract::State, http::StatusCode};
use berth_engine::HolidayImport;
use berth_model::{calendars::ics::LeftOut, id::ListingId, limits, scheduling::holidays};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::rules::RuleView;
use crate::http::{
    app::App,
    auth::AsTenant,
    body::{self, BodyLimits, Raw},
    extract::{Json as Body, Query},
    problem::{ApiResult, ProblemDocument},
};

/// The limit of a calendar's body.
pub(crate) fn body_limit() -> BodyLimits {
    body::limited(limits::HOLIDAY_FILE_BYTES_MAX)
}

/// Where a calendar is imported.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportParams {
    /// The listing that its days close.
    #[param(value_type = String)]
    #[serde(rename = "listing_id")]
    listing: ListingId,
}

/// What was imported of a calendar.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Imported {
    /// Holidays that were not there.
    holidays: Vec<RuleView>,
    /// How many were there already.
    already: usize,
    /// Ids of holidays that are gone, since a newer version of their event does not have them or it was cancelled. A newer version with another
    /// name is a new holiday.
    removed: Vec<String>,
    /// Recurring events were followed to the end of this day; import the calendar again later for what comes after.
    #[schema(value_type = Option<String>, format = Date)]
    recurring_until: Option<String>,
    /// Events that close nothing, and why; the first 100.
    left_out: Vec<NotImported>,
    /// How many there are.
    left_out_count: usize,
}

/// An event of a calendar that closes nothing.
#[derive(Debug, Serialize, ToSchema)]
struct NotImported {
    /// The line at which it begins; none of one that is told of by its UID alone.
    line: Option<usize>,
    uid: Option<String>,
    summary: Option<String>,
    /// In words that follow "the event".
    #[schema(example = "has a time of day; only whole days are imported")]
    reason: String,
}

impl From<LeftOut> for NotImported {
    fn from(left: LeftOut) -> Self {
        Self { line: left.line, uid: left.uid, summary: left.summary, reason: left.reason }
    }
}

/// Import the whole days of an iCalendar file, of at most 2 MiB, as holidays of a listing. An event that cannot be taken is left out by itself
/// and named; a file of which nothing can be taken is refused. Importing a calendar again adds nothing twice: a newer version of an event
/// (`SEQUENCE`, `LAST-MODIFIED`) replaces its days, unless somebody changed them here, and a cancelled one takes them away.
#[utoipa::path(post, path = "/api/booking/holidays/import", operation_id = "holidays_import", tag = "availability rules", params(ImportParams), request_body(content = String, content_type = "text/calendar"),
    responses((status = 201, body = Imported), (status = 413, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn import(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Query(params): Query<ImportParams>,
    Raw(body): Raw,
) -> ApiResult<(StatusCode, Json<Imported>)> {
    let done = app.engine().availability.import_calendar(&caller, params.listing, body).await?;
    let imported = Imported {
        holidays: done.made.into_iter().map(RuleView::from).collect(),
        already: done.already,
        removed: done.removed.into_iter().map(|rule| rule.to_string()).collect(),
        recurring_until: done.recurring_until.map(|day| day.to_string()),
        left_out: done.left_out.into_iter().map(NotImported::from).collect(),
        left_out_count: done.left_out_count,
    };
    Ok((StatusCode::CREATED, Json(imported)))
}

/// Which holidays are imported where.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountryImport {
    /// The listing that they close.
    #[schema(value_type = String)]
    #[serde(rename = "listing_id")]
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
pub(crate) struct CountryImported {
    /// Holidays that were not there.
    holidays: Vec<RuleView>,
    /// How many were there already.
    already: usize,
}

/// Import the public holidays of a country into a listing: all or none. Doing it again adds nothing twice.
#[utoipa::path(post, path = "/api/booking/holidays/import-country", operation_id = "holidays_import_country", tag = "availability rules", request_body = CountryImport,
    responses((status = 201, body = CountryImported), (status = 422, body = ProblemDocument)))]
pub(crate) async fn import_country(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(body): Body<CountryImport>,
) -> ApiResult<(StatusCode, Json<CountryImported>)> {
    let import = HolidayImport {
        listing: body.listing,
        country: body.country,
        subdivision: body.subdivision,
        from_year: body.from_year,
        to_year: body.to_year,
    };
    let done = app.engine().availability.import_holidays(&caller, import).await?;
    let holidays = done.made.into_iter().map(RuleView::from).collect();
    Ok((StatusCode::CREATED, Json(CountryImported { holidays, already: done.already })))
}

/// The countries whose holidays are known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KnownHolidays {
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
#[utoipa::path(get, path = "/api/booking/holidays/countries", operation_id = "holiday_countries_list", tag = "availability rules", responses((status = 200, body = KnownHolidays)))]
pub(crate) async fn countries(_: AsTenant) -> ApiResult<Json<KnownHolidays>> {
    let (from_year, to_year) = holidays::years();
    let countries =
        holidays::countries().map(|(code, subdivisions)| Country { code, subdivisions }).collect();
    Ok(Json(KnownHolidays { from_year, to_year, countries }))
}
