//! The same change of many bookings: looked at first, then done as one operation.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use berth_engine::{BulkPreview, BulkReport, BulkRequest, BulkSelection, Foreseen};
use berth_model::{
    bookings::{
        bulk::{BulkAction, BulkItem, BulkItemState, BulkOperation},
        lists::Bound,
    },
    id::{BookingId, BulkOperationId, MemberId},
    problem::{Code, FieldError, Problem},
    tenants::scope::Scope,
    time::Instant,
    zone::Zone,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{
    app::App,
    auth::{AsTenant, Authenticated},
    contacts::Words,
    etag::located,
    extract::{Json as Body, Path, Query},
    page::{self, Page, PageParams},
    problem::{ApiResult, ProblemDocument},
};

const PATH: &str = "/api/booking/bulk";

/// Looked at, or done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BulkMode)]
pub(crate) enum Mode {
    Preview,
    Apply,
}

/// What is done to each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    Cancel,
    Move,
    Reassign,
}

/// The same change of many bookings: `booking_ids`, or those of `member_id` that start on `date`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BulkChange, example = json!({
    "mode": "preview", "action": "move", "member_id": "01a20734-5594-76eb-8d8a-546acd9cdbc5", "date": "2026-12-01", "by_days": 1,
}))]
pub(crate) struct Change {
    mode: Mode,
    action: Action,
    /// These, at most 200.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    booking_ids: Option<Vec<BookingId>>,
    /// Those of this member, as the organiser or besides, that are not over …
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    member_id: Option<MemberId>,
    /// … and start on this day …
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<Bound>,
    /// … of this zone; absent: the member's.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    time_zone: Option<Zone>,
    /// To cancel: for the customers.
    #[serde(default)]
    reason: Option<String>,
    /// To move: so many days later, -366 to 366, at the same local time of the listing …
    #[serde(default)]
    by_days: Option<i32>,
    /// … and so many minutes later, -1440 to 1440.
    #[serde(default)]
    by_minutes: Option<i32>,
    /// To reassign: to this member; absent: for each whoever is free and next.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    to_member_id: Option<MemberId>,
    /// To reassign: here alone, where a provider cannot be told.
    #[serde(default)]
    local_only: Option<bool>,
    /// To apply: what the preview answered, at most an hour ago.
    #[serde(default)]
    digest: Option<String>,
}

/// What each action takes besides the bookings.
const OF_ACTIONS: [(Action, &str, &[&str]); 3] = [
    (Action::Cancel, "cancel", &["reason"]),
    (Action::Move, "move", &["by_days", "by_minutes"]),
    (Action::Reassign, "reassign", &["to_member_id", "local_only"]),
];

impl Change {
    fn given(&self) -> [(&'static str, bool); 5] {
        [
            ("reason", self.reason.is_some()),
            ("by_days", self.by_days.is_some()),
            ("by_minutes", self.by_minutes.is_some()),
            ("to_member_id", self.to_member_id.is_some()),
            ("local_only", self.local_only.is_some()),
        ]
    }

    /// What is asked for; and by which preview, if it is to be done.
    fn request(self, overrides: bool) -> Result<(BulkRequest, Option<String>), Problem> {
        let mut errors = Vec::new();
        for (action, name, takes) in OF_ACTIONS {
            if action == self.action {
                let others =
                    self.given().into_iter().filter(|(field, given)| *given && !takes.contains(field));
                let why = format!("is not for `{name}`");
                errors.extend(others.map(|(field, _)| FieldError::new(format!("/{field}"), why.clone())));
            }
        }
        let day = match self.date {
            Some(Bound::On(date)) => Some(date),
            Some(Bound::At(_)) => {
                errors.push(FieldError::new("/date", "must be a day such as 2026-12-01"));
                None
            }
            None => None,
        };
        let selection = match (self.booking_ids, self.member_id, day) {
            (Some(ids), None, None) if self.time_zone.is_none() => Some(BulkSelection::Bookings(ids)),
            (None, Some(member), Some(date)) => {
                Some(BulkSelection::Day { member, date, time_zone: self.time_zone })
            }
            _ => {
                errors
                    .push(FieldError::new("/booking_ids", "give either booking_ids, or member_id and date"));
                None
            }
        };
        let digest = match (self.mode, self.digest) {
            (Mode::Preview, None) => None,
            (Mode::Apply, Some(digest)) => Some(digest),
            (Mode::Preview, Some(_)) => {
                errors.push(FieldError::new("/digest", "is what a preview answers"));
                None
            }
            (Mode::Apply, None) => {
                errors
                    .push(FieldError::new("/digest", "is required to apply: send what the preview answered"));
                None
            }
        };
        let action = match self.action {
            Action::Cancel => BulkAction::Cancel { reason: self.reason },
            Action::Move => BulkAction::Move {
                by_days: self.by_days.unwrap_or(0),
                by_minutes: self.by_minutes.unwrap_or(0),
            },
            Action::Reassign => BulkAction::Reassign {
                member: self.to_member_id,
                local_only: self.local_only.unwrap_or(false),
            },
        };
        match selection {
            Some(selection) if errors.is_empty() => {
                Ok((BulkRequest { selection, action, overrides }, digest))
            }
            _ => Err(Problem::invalid(errors)),
        }
    }
}

/// What would become of a booking.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Expected {
    /// It would be done.
    Ok,
    /// It would not: `code`, `reason` and `detail` say why.
    Refused,
    /// Its provider has it and cannot be told: it is changed there.
    Unsupported,
}

/// A booking of a preview.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkForeseen)]
struct ForeseenView {
    #[schema(value_type = String)]
    booking_id: BookingId,
    #[schema(value_type = String)]
    member_id: MemberId,
    /// When it starts now.
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    /// When it would start.
    #[schema(value_type = String, format = DateTime)]
    new_start: Instant,
    expected: Expected,
    /// `BERTH-E0410`: see the problem documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// As in the problem document of a single one: `taken`, `hours`, `opening_hours`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    detail: Option<Words>,
}

impl From<Foreseen> for ForeseenView {
    fn from(foreseen: Foreseen) -> Self {
        let Foreseen { booking, start, refused } = foreseen;
        let expected = match refused.as_ref().map(|problem| problem.code) {
            None => Expected::Ok,
            Some(Code::ProviderUnsupported | Code::ChangedThere) => Expected::Unsupported,
            Some(_) => Expected::Refused,
        };
        let reason = |problem: &Problem| Some(problem.extra.get("reason")?.as_str()?.to_owned());
        Self {
            booking_id: booking.id,
            member_id: booking.member,
            start: booking.when.start(),
            new_start: start,
            expected,
            code: refused.as_ref().map(|problem| problem.code.as_str()),
            reason: refused.as_ref().and_then(reason),
            detail: refused.map(|problem| Words(problem.detail)),
        }
    }
}

/// What would become of all.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkPreview)]
pub(crate) struct PreviewView {
    /// To be sent with `apply`.
    digest: String,
    count: usize,
    /// In the order in which they would be changed. Each is looked at by itself, as if the others stayed where they are.
    items: Vec<ForeseenView>,
}

impl From<BulkPreview> for PreviewView {
    fn from(preview: BulkPreview) -> Self {
        let items: Vec<ForeseenView> = preview.bookings.into_iter().map(Into::into).collect();
        Self { digest: preview.digest, count: items.len(), items }
    }
}

/// A booking of an operation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkItem)]
struct ItemView {
    #[schema(value_type = String)]
    booking_id: BookingId,
    /// `waiting`, `done` or `refused`. Whether its provider knows is `provider_sync` of the booking.
    #[schema(value_type = String)]
    state: BulkItemState,
    /// Why it was refused: `BERTH-E0410`, see the problem documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    detail: Option<Words>,
}

impl From<BulkItem> for ItemView {
    fn from(item: BulkItem) -> Self {
        let BulkItem { booking, state, code, detail, .. } = item;
        Self { booking_id: booking, state, code, detail: detail.map(Words) }
    }
}

/// An operation on many bookings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkOperation)]
pub(crate) struct OperationView {
    #[schema(value_type = String)]
    id: BulkOperationId,
    /// `cancel`, `move` or `reassign`.
    action: &'static str,
    /// `running` or `done`.
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Instant>,
}

impl From<BulkOperation> for OperationView {
    fn from(operation: BulkOperation) -> Self {
        let state = if operation.finished_at.is_some() { "done" } else { "running" };
        Self {
            id: operation.id,
            action: operation.action.as_str(),
            state,
            created_at: operation.created_at,
            finished_at: operation.finished_at,
        }
    }
}

/// An operation on many bookings, and how it stands with each. The rows of the bookings' timelines that it wrote have the request id `bulk:{id}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkReport)]
pub(crate) struct ReportView {
    #[serde(flatten)]
    operation: OperationView,
    waiting: usize,
    done: usize,
    refused: usize,
    /// In the order in which they are changed.
    items: Vec<ItemView>,
}

impl From<BulkReport> for ReportView {
    fn from(report: BulkReport) -> Self {
        let count = |state| report.count(state);
        let (waiting, done, refused) =
            (count(BulkItemState::Waiting), count(BulkItemState::Done), count(BulkItemState::Refused));
        let items = report.items.into_iter().map(Into::into).collect();
        Self { operation: report.operation.into(), waiting, done, refused, items }
    }
}

/// Cancel, move or reassign many bookings. `preview` says what would become of each and changes nothing; `apply` with its `digest` does it as one
/// operation in the background, each booking as by itself: by the same rights and cut-offs, where something changed meanwhile not at all, and with
/// its provider told. Applied twice it is the same operation.
#[utoipa::path(post, path = "/api/booking/bulk", operation_id = "bulk_create", tag = "bookings", request_body = Change,
    responses((status = 200, body = PreviewView, description = "What would become of each"), (status = 202, body = ReportView, description = "It is being done"),
        (status = 409, body = ProblemDocument, description = "Something changed since the preview, or it is over an hour old: look again"), (status = 422, body = ProblemDocument)))]
pub(crate) async fn create(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    key: Authenticated,
    Body(change): Body<Change>,
) -> ApiResult<Response> {
    let (request, digest) = change.request(key.may(Scope::BookingsOverride))?;
    let bookings = &app.engine().bookings;
    let Some(digest) = digest else {
        let preview = Box::pin(bookings.preview_bulk(&caller, &request)).await?;
        return Ok(Json(PreviewView::from(preview)).into_response());
    };
    let report = bookings.apply_bulk(&caller, &request, &digest).await?;
    let path = format!("{PATH}/{}", report.operation.id);
    let answer = (StatusCode::ACCEPTED, Json(ReportView::from(report))).into_response();
    Ok(located(answer, path))
}

/// Operations on many bookings, the latest first. They are kept for 90 days.
#[utoipa::path(get, path = "/api/booking/bulk", operation_id = "bulk_list", tag = "bookings", params(PageParams), responses((status = 200, body = Page<OperationView>)))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Query(params): Query<PageParams>,
) -> ApiResult<Json<Page<OperationView>>> {
    let limit = page::items(params.limit)?;
    let before = page::position(params.cursor.as_ref())?;
    let rows = app.engine().bookings.list_bulk(&caller, before, limit.saturating_add(1)).await?;
    Ok(Json(page::page(rows, limit, |operation| operation.id, OperationView::from)))
}

/// An operation, and how it stands with each booking.
#[utoipa::path(get, path = "/api/booking/bulk/{id}", operation_id = "bulk_get", tag = "bookings", params(("id" = String, Path)), responses((status = 200, body = ReportView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<BulkOperationId>,
) -> ApiResult<Json<ReportView>> {
    Ok(Json(app.engine().bookings.bulk(&caller, id).await?.into()))
}
