//! Members' own calendars. The connection comes first: `/api/booking-providers`, or `/api/booking-providers/oauth/start` where a person
//! consents.

use axum::{Json, extract::State, http::StatusCode};
use berth_engine::{CalendarPatch, NewCalendar, SyncStatus};
use berth_model::{
    calendars::calendar::CalendarRecord,
    id::{CalendarId, ConnectionId, MemberId},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{
    app::App,
    auth::AsTenant,
    extract::{Json as Body, Path, Query},
    page::{self, Page, PageParams},
    problem::{ApiResult, ProblemDocument},
};

/// A member's calendar.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CalendarView {
    #[schema(value_type = String)]
    id: CalendarId,
    #[schema(value_type = String)]
    #[serde(rename = "member_id")]
    member: MemberId,
    #[schema(value_type = String)]
    #[serde(rename = "connection_id")]
    connection: ConnectionId,
    /// The provider's id of it; empty: those that the connection's settings name.
    calendar: String,
    /// Are its busy times the member's?
    reads: bool,
    /// Is what takes the member's time written into it, moved and taken out with it?
    writes: bool,
    /// How: the time is closed there, where the provider can do that, or there is an entry for each booking.
    blocks: bool,
    /// What is wrong with it at the provider: it cannot be read or written any more, or could not be checked yet. Null: nothing is known.
    trouble: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

impl From<CalendarRecord> for CalendarView {
    fn from(c: CalendarRecord) -> Self {
        Self {
            id: c.id,
            member: c.member,
            connection: c.connection,
            calendar: c.calendar,
            reads: c.reads,
            writes: c.writes,
            blocks: c.blocks,
            trouble: c.trouble,
            created_at: c.created_at,
            updated_at: c.updated_at,
        }
    }
}

/// A calendar to be connected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCalendarBody {
    #[schema(value_type = String)]
    #[serde(rename = "member_id")]
    member: MemberId,
    #[schema(value_type = String)]
    #[serde(rename = "connection_id")]
    connection: ConnectionId,
    /// The provider's id of it, from `/api/booking-providers/{id}/event-types`. Needed to write.
    #[serde(default)]
    calendar: String,
    #[serde(default = "yes")]
    reads: bool,
    #[serde(default = "yes")]
    writes: bool,
}

const fn yes() -> bool {
    true
}

/// Connect a member's calendar. Its provider is asked whether it is there and, to write entries, whether the connection writes to it: an
/// account's connection writes to the calendars that its settings name. Where the provider cannot be asked now, `trouble` says so, and it
/// is looked at again.
#[utoipa::path(post, path = "/api/booking/calendar/integrations", operation_id = "calendars_create", tag = "calendars", request_body = NewCalendarBody,
    responses((status = 201, body = CalendarView), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn create(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(body): Body<NewCalendarBody>,
) -> ApiResult<(StatusCode, Json<CalendarView>)> {
    let new = NewCalendar {
        member: body.member,
        connection: body.connection,
        calendar: body.calendar,
        reads: body.reads,
        writes: body.writes,
    };
    Ok((StatusCode::CREATED, Json(app.engine().calendars.create_calendar(&caller, new).await?.into())))
}

/// All calendars, by age.
#[utoipa::path(get, path = "/api/booking/calendar/integrations", operation_id = "calendars_list", tag = "calendars", params(PageParams), responses((status = 200, body = Page<CalendarView>)))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Query(params): Query<PageParams>,
) -> ApiResult<Json<Page<CalendarView>>> {
    let limit = page::items(params.limit)?;
    let after = page::position(params.cursor.as_ref())?;
    let rows = app.engine().calendars.list_calendars(&caller, after, limit.saturating_add(1)).await?;
    Ok(Json(page::page(rows, limit, |c| c.id, CalendarView::from)))
}

/// A calendar.
#[utoipa::path(get, path = "/api/booking/calendar/integrations/{id}", operation_id = "calendars_get", tag = "calendars", params(("id" = String, Path)),
    responses((status = 200, body = CalendarView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<CalendarId>,
) -> ApiResult<Json<CalendarView>> {
    Ok(Json(app.engine().calendars.calendar(&caller, id).await?.into()))
}

/// Changes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchCalendar {
    calendar: Option<String>,
    reads: Option<bool>,
    writes: Option<bool>,
}

/// Change which calendar it is, and what it is for.
#[utoipa::path(patch, path = "/api/booking/calendar/integrations/{id}", operation_id = "calendars_update", tag = "calendars", request_body = PatchCalendar, params(("id" = String, Path)),
    responses((status = 200, body = CalendarView), (status = 422, body = ProblemDocument)))]
pub(crate) async fn update(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<CalendarId>,
    Body(patch): Body<PatchCalendar>,
) -> ApiResult<Json<CalendarView>> {
    let patch = CalendarPatch { calendar: patch.calendar, reads: patch.reads, writes: patch.writes };
    Ok(Json(app.engine().calendars.update_calendar(&caller, id, patch).await?.into()))
}

/// Disconnect a calendar. Entries of bookings to come are taken out of it.
#[utoipa::path(delete, path = "/api/booking/calendar/integrations/{id}", operation_id = "calendars_delete", tag = "calendars", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument)))]
pub(crate) async fn delete(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<CalendarId>,
) -> ApiResult<StatusCode> {
    app.engine().calendars.delete_calendar(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read what changed in the calendar's connection now.
#[utoipa::path(post, path = "/api/booking/calendar/integrations/{id}/sync", operation_id = "calendars_sync", tag = "calendars", params(("id" = String, Path)),
    responses((status = 202, description = "As for `/api/booking-providers/{id}/sync`"), (status = 404, body = ProblemDocument)))]
pub(crate) async fn sync(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<CalendarId>,
) -> ApiResult<(StatusCode, Json<SyncStatus>)> {
    let calendar = app.engine().calendars.calendar(&caller, id).await?;
    let status = app.engine().mirror.start_sync(&caller, calendar.connection, false).await?;
    Ok((StatusCode::ACCEPTED, Json(status)))
}
