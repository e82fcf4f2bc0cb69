//! Series: bookings that are made, cancelled and moved together.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use berth_engine::{Caller, RefusedOccurrence, SeriesOutcome};
use berth_model::{
    bookings::series::{SeriesScope, SeriesStarts},
    id::{BookingId, SeriesId},
    problem::{Code, FieldError, Problem},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::view::{BookingView, views};
use crate::http::app::App;

/// When the bookings of a series start, on the listing's clock: one of `rrule`, `every_weeks` with `count`, and `starts`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recurrence {
    /// An `RRULE` of RFC 5545 with `COUNT` or `UNTIL`, seen from `start`. It has to come at `start`, and to end within 732 days.
    #[serde(default)]
    #[schema(example = "FREQ=WEEKLY;COUNT=6")]
    rrule: Option<String>,
    /// Every so many weeks, 1 to 52 …
    #[serde(default)]
    every_weeks: Option<u32>,
    /// … so many times, the first included: 2 to 60.
    #[serde(default)]
    count: Option<u32>,
    /// `start` and these; at most 60 in all.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    starts: Option<Vec<Instant>>,
    /// What to do when some of them are not available.
    #[serde(default)]
    pub(crate) mode: Mode,
}

/// What to do when some bookings of a series are not available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// Nothing is booked.
    #[default]
    AllOrNothing,
    /// The others are booked.
    BestEffort,
}

impl Recurrence {
    /// The form that was chosen.
    pub(crate) fn starts(self) -> Result<SeriesStarts, Problem> {
        match (self.rrule, self.every_weeks, self.count, self.starts) {
            (Some(rule), None, None, None) => Ok(SeriesStarts::Rule(rule)),
            (None, Some(weeks), Some(count), None) => Ok(SeriesStarts::EveryWeeks { weeks, count }),
            (None, None, None, Some(starts)) => Ok(SeriesStarts::List(starts)),
            _ => {
                let message = "must be exactly one of rrule, every_weeks with count, and starts";
                Err(Problem::invalid(vec![FieldError::new("/recurrence", message)]))
            }
        }
    }
}

/// Which bookings of a series are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// This one.
    #[default]
    One,
    /// This one and all that start later.
    Following,
    /// All.
    Series,
}

impl From<Scope> for SeriesScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::One => Self::One,
            Scope::Following => Self::Following,
            Scope::Series => Self::Series,
        }
    }
}

/// What became of the bookings of a series. The provider is told of each by and by: `provider_task` says what is left.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeriesView {
    #[schema(value_type = String)]
    #[serde(rename = "series_id")]
    series: SeriesId,
    /// What was booked, cancelled or moved, by start.
    done: Vec<BookingView>,
    /// What was not, and why.
    refused: Vec<Refused>,
}

/// One booking, or what became of a series.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes what is answered; the answers are made of its parts")]
pub(crate) enum BookingOrSeries {
    Booking(Box<BookingView>),
    Series(SeriesView),
}

/// A booking of a series that was not made, cancelled or moved.
#[derive(Debug, Serialize, ToSchema)]
struct Refused {
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    /// The booking, if there is one.
    #[schema(value_type = Option<String>)]
    #[serde(rename = "booking_id")]
    booking: Option<BookingId>,
    /// `BERTH-E0410`: see the problem documents.
    code: &'static str,
    detail: String,
    /// `reason`, `until` and so on, as in the problem document.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    extra: Map<String, Value>,
}

impl From<RefusedOccurrence> for Refused {
    fn from(refused: RefusedOccurrence) -> Self {
        let code: Code = refused.problem.code;
        Self {
            start: refused.start,
            booking: refused.booking,
            code: code.as_str(),
            detail: refused.problem.detail,
            extra: refused.problem.extra,
        }
    }
}

/// 202 while a provider has to be told.
pub(crate) async fn answer(app: &App, caller: &Caller, outcome: SeriesOutcome, done: StatusCode) -> Response {
    let pending = outcome.done.iter().any(|booking| booking.provider_task.is_some());
    let view = SeriesView {
        series: outcome.series,
        done: views(app, caller, outcome.done).await,
        refused: outcome.refused.into_iter().map(Refused::from).collect(),
    };
    (if pending { StatusCode::ACCEPTED } else { done }, Json(view)).into_response()
}
