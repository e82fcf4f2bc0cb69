//! Team members: the people whose time is booked.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use berth_engine::{MemberPatch, NewMember};
use berth_model::{
    catalog::member::{MemberRecord, MemberRole, RoundRobinShare, WeeklyHours},
    id::MemberId,
    json::merged,
    time::Instant,
    zone::Zone,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::schemas;
use crate::{
    api::nullable,
    http::{
        app::App,
        auth::AsTenant,
        etag,
        extract::{IfMatch, Json as Body, Path, Query, malformed},
        page::{self, Page, PageParams},
        problem::{ApiResult, ProblemDocument},
    },
};

/// A member.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub(crate) struct View {
    #[schema(value_type = String)]
    id: MemberId,
    name: String,
    email: Option<String>,
    /// The tenant's own id of them.
    user_id: Option<String>,
    #[schema(value_type = String)]
    time_zone: Zone,
    /// When they can be booked, on their own clock.
    #[schema(value_type = Vec<schemas::WeeklyHours>)]
    weekly_hours: Vec<WeeklyHours>,
    #[schema(value_type = schemas::MemberRole)]
    role: MemberRole,
    #[schema(value_type = schemas::RoundRobinShare)]
    turns: RoundRobinShare,
    active: bool,
    /// Counts changes; the `ETag`.
    revision: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

/// A member to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMember, example = json!({
    "name": "Ana Costa", "email": "ana@example.com", "time_zone": "Europe/Lisbon", "role": "member",
    "weekly_hours": [{ "weekdays": ["Mon", "Tue", "Wed"], "start": "09:00", "end": "17:00" }],
    "turns": { "weight": 50 },
}))]
pub(crate) struct New {
    /// 1 to 200 characters.
    name: String,
    /// For invitations.
    #[serde(default)]
    email: Option<String>,
    /// The tenant's own id of them, no other member's; 1 to 200 characters.
    #[serde(default)]
    user_id: Option<String>,
    /// IANA zone of their hours.
    #[schema(value_type = String)]
    time_zone: Zone,
    /// When they can be booked, on their own clock; at most 100 stretches.
    #[serde(default)]
    #[schema(value_type = Vec<schemas::WeeklyHours>)]
    weekly_hours: Vec<WeeklyHours>,
    #[serde(default)]
    #[schema(value_type = schemas::MemberRole)]
    role: MemberRole,
    #[serde(default)]
    #[schema(value_type = schemas::RoundRobinShare)]
    turns: RoundRobinShare,
}

/// Changes of a member. Absent fields stay as they are.
#[expect(clippy::option_option, reason = "absent and null mean different things in a patch")]
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MemberPatch)]
pub(crate) struct Patch {
    name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    user_id: Option<Option<String>>,
    #[schema(value_type = Option<String>)]
    time_zone: Option<Zone>,
    #[schema(value_type = Option<Vec<schemas::WeeklyHours>>)]
    weekly_hours: Option<Vec<WeeklyHours>>,
    #[schema(value_type = Option<schemas::MemberRole>)]
    role: Option<MemberRole>,
    /// Its absent members stay as they are, too; null sets the default of a member.
    #[schema(value_type = Option<schemas::RoundRobinShare>)]
    turns: Option<Map<String, Value>>,
    active: Option<bool>,
}

impl From<MemberRecord> for View {
    fn from(r: MemberRecord) -> Self {
        Self {
            id: r.id,
            name: r.name,
            email: r.email,
            user_id: r.user_id,
            time_zone: r.time_zone,
            weekly_hours: r.weekly_hours,
            role: r.role,
            turns: r.turns,
            active: r.active,
            revision: r.revision,
            created_at: r.created_at,
            updated_at: r.updated_at,
        }
    }
}

fn tagged(status: StatusCode, record: MemberRecord) -> Response {
    etag::tagged(status, record.revision, View::from(record))
}

/// Make a member.
#[utoipa::path(post, path = "/api/booking/team", operation_id = "members_create", tag = "team", request_body = New, responses((status = 201, body = View), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn create(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(new): Body<New>,
) -> ApiResult<Response> {
    let new = NewMember {
        name: new.name,
        email: new.email,
        user_id: new.user_id,
        time_zone: new.time_zone,
        weekly_hours: new.weekly_hours,
        role: new.role,
        turns: new.turns,
    };
    Ok(tagged(StatusCode::CREATED, app.engine().catalog.create_member(&caller, new).await?))
}

/// All of them, by age.
#[utoipa::path(get, path = "/api/booking/team", operation_id = "members_list", tag = "team", params(PageParams), responses((status = 200, body = Page<View>)))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Query(params): Query<PageParams>,
) -> ApiResult<Json<Page<View>>> {
    let limit = page::items(params.limit)?;
    let after = page::position(params.cursor.as_ref())?;
    let rows = app.engine().catalog.list_members(&caller, after, limit.saturating_add(1)).await?;
    Ok(Json(page::page(rows, limit, |r| r.id, View::from)))
}

/// A member.
#[utoipa::path(get, path = "/api/booking/team/{id}", operation_id = "members_get", tag = "team", params(("id" = String, Path)), responses((status = 200, body = View), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<MemberId>,
) -> ApiResult<Response> {
    Ok(tagged(StatusCode::OK, app.engine().catalog.member(&caller, id).await?))
}

/// Change a member. Absent fields stay as they are. The tenant's only active owner cannot be deactivated or given another role.
#[utoipa::path(patch, path = "/api/booking/team/{id}", operation_id = "members_update", tag = "team", request_body = Patch, params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag that was read")),
    responses((status = 200, body = View), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument, description = "The last owner stays"), (status = 412, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn update(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<MemberId>,
    IfMatch(revision): IfMatch,
    Body(patch): Body<Patch>,
) -> ApiResult<Response> {
    let (turns, revision) = match patch.turns {
        None => (None, revision),
        Some(changes) => {
            // Laid over what is there now; the revision makes sure that it is still there then.
            let current = app.engine().catalog.member(&caller, id).await?;
            (
                Some(merged(&current.turns, changes, "/turns").map_err(malformed)?),
                revision.or(Some(current.revision)),
            )
        }
    };
    let patch = MemberPatch {
        name: patch.name,
        email: patch.email,
        user_id: patch.user_id,
        time_zone: patch.time_zone,
        weekly_hours: patch.weekly_hours,
        role: patch.role,
        turns,
        active: patch.active,
    };
    Ok(tagged(StatusCode::OK, app.engine().catalog.update_member(&caller, id, patch, revision).await?))
}

/// Remove a member that nothing refers to, and who is not the tenant's only active owner.
#[utoipa::path(delete, path = "/api/booking/team/{id}", operation_id = "members_delete", tag = "team", params(("id" = String, Path)), responses((status = 204), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
pub(crate) async fn delete(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<MemberId>,
) -> ApiResult<StatusCode> {
    app.engine().catalog.delete_member(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
