//! Members' own calendars. The connection comes first: `/api/booking-providers`, or `/api/booking-providers/oauth/start` where a person
//! consents.

use axum::{Json, extract::State, http::StatusCode};
use berth_engine::{CalendarOwner, CalendarPatch, NewIntegration};
use berth_model::{
    calendars::calendar::CalendarRecord,
    connections::secret::Secret,
    id::{CalendarId, ConnectionId, ListingId, MemberId},
    plugins::manifest::PluginId,
    problem::{FieldError, Problem},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    api::mirror::answers::SyncStatus,
    http::{
        app::App,
        auth::AsTenant,
        contacts::Anything,
        extract::{Json as Body, Path, Query},
        page::{self, Page, PageParams},
        problem::{ApiResult, ProblemDocument},
    },
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
    /// Both in one word: `import` (reads), `export` (writes), `bidirectional`.
    #[schema(value_type = Option<String>)]
    sync_direction: Option<Direction>,
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
            sync_direction: Direction::of(c.reads, c.writes),
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
    /// Whose; or `user_id`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    #[serde(rename = "member_id")]
    member: Option<MemberId>,
    /// Whose, by the tenant's own id of the member.
    #[serde(default)]
    user_id: Option<String>,
    /// Over which connection; or `provider`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    #[serde(rename = "connection_id")]
    connection: Option<ConnectionId>,
    /// Name of the provider, or an alias, where the listing or the tenant has one connection to it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    provider: Option<PluginId>,
    /// For which listing a connection is looked for, or made.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    #[serde(rename = "listing_id")]
    listing: Option<ListingId>,
    /// A token of theirs, with which a connection to `provider` is made, where it takes one that it need not renew.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    access_token: Option<Secret>,
    /// Settings of that connection.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    settings: Option<Value>,
    /// The provider's id of it, from `/api/booking-providers/{id}/event-types`. Needed to write.
    #[serde(default, alias = "calendar_id")]
    calendar: String,
    /// Absent: yes.
    reads: Option<bool>,
    /// Absent: yes.
    writes: Option<bool>,
    /// In place of both: `import` reads, `export` writes, `bidirectional` does both.
    #[schema(value_type = Option<String>)]
    sync_direction: Option<Direction>,
}

/// Which way a calendar is kept in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    Import,
    Export,
    Bidirectional,
}

impl Direction {
    const fn of(reads: bool, writes: bool) -> Option<Self> {
        match (reads, writes) {
            (true, true) => Some(Self::Bidirectional),
            (true, false) => Some(Self::Import),
            (false, true) => Some(Self::Export),
            (false, false) => None,
        }
    }

    const fn ways(self) -> (bool, bool) {
        (!matches!(self, Self::Export), !matches!(self, Self::Import))
    }
}

impl NewCalendarBody {
    fn integration(self) -> Result<NewIntegration, Problem> {
        let mut errors = Vec::new();
        let mut bad = |field: &str, message: &str| errors.push(FieldError::new(field, message));
        let owner = match (self.member, self.user_id) {
            (Some(member), None) => Some(CalendarOwner::Member(member)),
            (None, Some(user)) => Some(CalendarOwner::User(user)),
            (None, None) => None,
            (Some(_), Some(_)) => {
                bad("/user_id", "is given beside member_id: give one of both");
                None
            }
        };
        if owner.is_none() && errors.is_empty() {
            errors.push(FieldError::new("/member_id", "is needed, or user_id"));
        }
        let (reads, writes) = match self.sync_direction {
            None => (self.reads.unwrap_or(true), self.writes.unwrap_or(true)),
            Some(direction) => {
                let (reads, writes) = direction.ways();
                if self.reads.is_some_and(|r| r != reads) || self.writes.is_some_and(|w| w != writes) {
                    errors.push(FieldError::new("/sync_direction", "says otherwise than reads and writes"));
                }
                (reads, writes)
            }
        };
        match owner {
            Some(owner) if errors.is_empty() => Ok(NewIntegration {
                owner,
                connection: self.connection,
                provider: self.provider,
                listing: self.listing,
                access_token: self.access_token,
                settings: self.settings,
                calendar: self.calendar,
                reads,
                writes,
            }),
            _ => Err(Problem::invalid(errors)),
        }
    }
}

/// Connect a member's calendar. Its provider is asked whether it is there and, to write entries, whether the connection writes to it: an
/// account's connection writes to the calendars that its settings name. Where the provider cannot be asked now, `trouble` says so, and it
/// is looked at again. With `access_token` the connection is made, too; where a person has to consent instead, the refusal says how that begins.
#[utoipa::path(post, path = "/api/booking/calendar/integrations", operation_id = "calendars_create", tag = "calendars", request_body = NewCalendarBody,
    responses((status = 201, body = CalendarView), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn create(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(body): Body<NewCalendarBody>,
) -> ApiResult<(StatusCode, Json<CalendarView>)> {
    let made = app.engine().calendars.integrate(&caller, body.integration()?).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
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
    responses((status = 202, body = SyncStatus), (status = 404, body = ProblemDocument)))]
pub(crate) async fn sync(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<CalendarId>,
) -> ApiResult<(StatusCode, Json<Anything>)> {
    let calendar = app.engine().calendars.calendar(&caller, id).await?;
    let status = app.engine().mirror.start_sync(&caller, calendar.connection, false).await?;
    Ok((StatusCode::ACCEPTED, Json(Anything::of(&status))))
}
