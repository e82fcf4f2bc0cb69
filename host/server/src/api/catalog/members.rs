//! Team members: the people whose time is booked.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use berth_engine::{JoinTeam, Joined, MemberPatch, ShareGiven};
use berth_model::{
    catalog::member::{MemberRecord, MemberRole, RoundRobinShare, WeeklyHours},
    id::{EventTypeId, ListingId, MemberId, ScheduleId},
    json::{self, merged},
    problem::FieldError,
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
    /// The named schedule that stands in place of their weekly hours; null: none.
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
    /// When they can be booked, on their own clock, unless they keep a schedule.
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
    /// 1 to 200 characters. Absent: `user_id` says who it is. Whoever is there by it is put into the event types, with what else is said here;
    /// somebody new is called by it, and can be booked Monday to Friday from 9 to 17 unless `weekly_hours` says otherwise.
    #[serde(default)]
    name: Option<String>,
    /// For invitations.
    #[serde(default)]
    email: Option<String>,
    /// The tenant's own id of them, no other member's; 1 to 200 characters.
    #[serde(default)]
    user_id: Option<String>,
    /// IANA zone of their hours; absent: the listing's, or else that of the tenant's settings.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    time_zone: Option<Zone>,
    /// The named schedule (`/api/booking/schedules`) that stands in place of their weekly hours. Absent with no `weekly_hours`: the
    /// tenant's `default_schedule_id`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
    /// When they can be booked, on their own clock; at most 100 stretches.
    #[serde(default)]
    #[schema(value_type = Option<Vec<schemas::WeeklyHours>>)]
    weekly_hours: Option<Vec<WeeklyHours>>,
    #[serde(default)]
    #[schema(value_type = Option<schemas::MemberRole>)]
    role: Option<MemberRole>,
    #[serde(default)]
    #[schema(value_type = Option<schemas::RoundRobinShare>)]
    turns: Option<Map<String, Value>>,
    /// Do they take turns? The same as `turns.round_robin`.
    #[serde(default)]
    round_robin_enabled: Option<bool>,
    /// Their share, 0 to 1000. The same as `turns.weight`.
    #[serde(default)]
    #[schema(maximum = 1000)]
    round_robin_weight: Option<u32>,
    /// Where they can be booked: for all of its event types, unless `event_type_ids` names some of them.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    listing_id: Option<ListingId>,
    /// What they can be booked for, at most 100; they come last in the order of each.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    event_type_ids: Option<Vec<EventTypeId>>,
}

/// A member as they are shown when they are added.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberAdded {
    #[serde(flatten)]
    member: View,
    /// The event types that were named, or all of the listing that was: they can be booked for these. Absent: none were named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    event_type_ids: Option<Vec<EventTypeId>>,
}

/// What a body says of somebody's part in round robins.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Share {
    round_robin: Option<bool>,
    weight: Option<u32>,
    priority: Option<u32>,
    calibration: Option<u32>,
}

impl New {
    /// Somebody's part in round robins, said once.
    fn turns(&mut self) -> ApiResult<ShareGiven> {
        let turns: Share = match self.turns.take() {
            None => Share::default(),
            Some(turns) => json::read(&Value::Object(turns)).map_err(|error| {
                malformed(FieldError::new(format!("/turns{}", error.field), error.message))
            })?,
        };
        let twice = [
            ("/round_robin_enabled", self.round_robin_enabled.is_some() && turns.round_robin.is_some()),
            ("/round_robin_weight", self.round_robin_weight.is_some() && turns.weight.is_some()),
        ];
        if let Some((field, _)) = twice.into_iter().find(|(_, twice)| *twice) {
            return Err(malformed(FieldError::new(field, "is said in turns as well; say it once")));
        }
        Ok(ShareGiven {
            round_robin: self.round_robin_enabled.or(turns.round_robin),
            weight: self.round_robin_weight.or(turns.weight),
            priority: turns.priority,
            calibration: turns.calibration,
        })
    }
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
    /// Null: their own weekly hours again.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    schedule_id: Option<Option<ScheduleId>>,
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
            schedule_id: r.schedule,
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

/// Add a member, and put them into event types: all of it or nothing. Whoever is there already by `user_id` (without a `name`) is put into
/// them (200); the same again changes nothing.
#[utoipa::path(post, path = "/api/booking/team", operation_id = "members_create", tag = "team", request_body = New, responses((status = 200, body = MemberAdded, description = "Was there already"), (status = 201, body = MemberAdded), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn create(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(mut new): Body<New>,
) -> ApiResult<Response> {
    let turns = new.turns()?;
    let weight_is_beside = new.round_robin_weight.is_some();
    let join = JoinTeam {
        name: new.name,
        email: new.email,
        user_id: new.user_id,
        time_zone: new.time_zone,
        schedule: new.schedule_id,
        weekly_hours: new.weekly_hours,
        role: new.role,
        turns,
        listing: new.listing_id,
        event_types: new.event_type_ids,
    };
    let joined = app.engine().catalog.join_team(&caller, join).await.map_err(|mut problem| {
        for error in problem.errors.iter_mut().filter(|_| weight_is_beside) {
            if error.field == "/turns/weight" {
                "/round_robin_weight".clone_into(&mut error.field);
            }
        }
        problem
    })?;
    let Joined { member, is_new, event_types } = joined;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let revision = member.revision;
    Ok(etag::tagged(
        status,
        revision,
        MemberAdded { member: View::from(member), event_type_ids: event_types },
    ))
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
        schedule: patch.schedule_id,
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
