//! Availability rules: patterns, overrides, holidays, time off, travel, restriction schedules. One shape of routes for all.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use berth_engine::PatternPreview;
use berth_model::{
    id::{EventTypeId, ListingId, MemberId, RuleId},
    json::names::field_of,
    problem::{Code, FieldError, Problem},
    scheduling::rule::{
        Holiday, OutOfOffice, Override, Pattern, RestrictionSchedule, Rule, RuleKind, RuleOwner, RuleRecord,
        TravelRule,
    },
    time::{Instant, Interval},
    zone::Zone,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::schemas;
use crate::http::{
    app::App,
    auth::AsTenant,
    etag,
    extract::{IfMatch, Json as Body, Path, Query, Tree, malformed},
    page::{self, Page, PageParams},
    problem::{ApiResult, ProblemDocument},
};

/// A rule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(description = include_str!("clocks.md"))]
pub(crate) struct RuleView {
    #[schema(value_type = String)]
    id: RuleId,
    /// Whom it bears on: one of these.
    #[schema(value_type = Option<String>)]
    #[serde(rename = "member_id")]
    member: Option<MemberId>,
    #[schema(value_type = Option<String>)]
    #[serde(rename = "listing_id")]
    listing: Option<ListingId>,
    #[schema(value_type = Option<String>)]
    #[serde(rename = "event_type_id")]
    event_type: Option<EventTypeId>,
    /// What it says, in the words that it was made with.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    rule: Value,
    /// Counts changes; the `ETag`.
    revision: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

impl From<RuleRecord> for RuleView {
    fn from(r: RuleRecord) -> Self {
        let mut rule = serde_json::to_value(&r.rule).unwrap_or(Value::Null);
        if let Some(fields) = rule.as_object_mut() {
            fields.remove("kind");
        }
        let (mut member, mut listing, mut event_type) = (None, None, None);
        match r.owner {
            Some(RuleOwner::Member(id)) => member = Some(id),
            Some(RuleOwner::Listing(id)) => listing = Some(id),
            Some(RuleOwner::EventType(id)) => event_type = Some(id),
            None => {}
        }
        let (revision, created_at, updated_at) = (r.revision, r.created_at, r.updated_at);
        Self { id: r.id, member, listing, event_type, rule, revision, created_at, updated_at }
    }
}

/// A rule to be made: whom it bears on (one of `member_id`, `listing_id`, `event_type_id`), and what it says.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body that `read` takes apart")]
pub(crate) struct RuleBody<T> {
    #[schema(value_type = Option<String>)]
    member: Option<MemberId>,
    #[schema(value_type = Option<String>)]
    listing: Option<ListingId>,
    #[schema(value_type = Option<String>)]
    event_type: Option<EventTypeId>,
    #[serde(flatten)]
    rule: T,
}

/// Whom a rule may bear on.
const OWNERS: [&str; 3] = ["member_id", "listing_id", "event_type_id"];

/// Take the owner out of a body and read the rest as what it must be.
fn read<T: serde::de::DeserializeOwned>(mut body: Value) -> ApiResult<(Option<RuleOwner>, T)> {
    let mut owners = Vec::new();
    if let Some(fields) = body.as_object_mut() {
        let sent: Vec<String> = fields.keys().cloned().collect();
        for sent in sent {
            let name = field_of(&sent, &OWNERS).into_owned();
            if !OWNERS.contains(&name.as_str()) {
                continue;
            }
            let Some(value) = fields.remove(&sent).filter(|value| !value.is_null()) else { continue };
            let id = value.as_str().and_then(|text| text.parse::<uuid::Uuid>().ok()).ok_or_else(|| {
                Problem::invalid(vec![FieldError::new(format!("/{name}"), "must be an id")])
            })?;
            owners.push(match name.as_str() {
                "member_id" => RuleOwner::Member(MemberId::from_uuid(id)),
                "listing_id" => RuleOwner::Listing(ListingId::from_uuid(id)),
                _ => RuleOwner::EventType(EventTypeId::from_uuid(id)),
            });
        }
    }
    if owners.len() > 1 {
        let message = "name only one of member_id, listing_id and event_type_id";
        return Err(Problem::invalid(vec![FieldError::new("/member_id", message)]).into());
    }
    let rule = berth_model::json::read(&body).map_err(malformed)?;
    Ok((owners.pop(), rule))
}

fn tagged(status: StatusCode, record: RuleRecord) -> Response {
    etag::tagged(status, record.revision, RuleView::from(record))
}

macro_rules! rule_routes {
    ($module:ident, $path:literal, $one:literal, $tag:literal, $kind:ident, $shape:ident, $what:literal) => {
        pub(crate) mod $module {
            use super::*;

            #[doc = concat!("Make ", $what, ".")]
            #[utoipa::path(post, path = $path, tag = $tag, operation_id = concat!(stringify!($module), "_create"), request_body = inline(RuleBody<schemas::$shape>),
                responses((status = 201, body = RuleView), (status = 422, body = ProblemDocument)))]
            pub(crate) async fn create(
                State(app): State<App>,
                AsTenant(caller): AsTenant,
                Tree(body): Tree,
            ) -> ApiResult<Response> {
                let (owner, rule) = read::<$shape>(body)?;
                let made = app.engine().availability.create_rules(&caller, owner, vec![Rule::$kind(rule)]).await?;
                let made = made.into_iter().next();
                let made = made.ok_or_else(|| Problem::new(Code::Internal, "Nothing was made."))?;
                Ok(tagged(StatusCode::CREATED, made))
            }

            /// All of them, by age.
            #[utoipa::path(get, path = $path, tag = $tag, operation_id = concat!(stringify!($module), "_list"), params(PageParams), responses((status = 200, body = Page<RuleView>)))]
            pub(crate) async fn list(
                State(app): State<App>,
                AsTenant(caller): AsTenant,
                Query(params): Query<PageParams>,
            ) -> ApiResult<Json<Page<RuleView>>> {
                let limit = page::items(params.limit)?;
                let after = page::position(params.cursor.as_ref())?;
                let rows = app.engine().availability.list_rules(&caller, RuleKind::$kind, after, limit.saturating_add(1)).await?;
                Ok(Json(page::page(rows, limit, |r| r.id, RuleView::from)))
            }

            /// One of them.
            #[utoipa::path(get, path = $one, tag = $tag, operation_id = concat!(stringify!($module), "_get"), params(("id" = String, Path)), responses((status = 200, body = RuleView), (status = 404, body = ProblemDocument)))]
            pub(crate) async fn get(
                State(app): State<App>,
                AsTenant(caller): AsTenant,
                Path(id): Path<RuleId>,
            ) -> ApiResult<Response> {
                Ok(tagged(StatusCode::OK, app.engine().availability.rule(&caller, RuleKind::$kind, id).await?))
            }

            /// Replace it.
            #[utoipa::path(put, path = $one, tag = $tag, operation_id = concat!(stringify!($module), "_replace"), request_body = inline(RuleBody<schemas::$shape>), params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag that was read")),
                responses((status = 200, body = RuleView), (status = 404, body = ProblemDocument), (status = 412, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
            pub(crate) async fn replace(
                State(app): State<App>,
                AsTenant(caller): AsTenant,
                Path(id): Path<RuleId>,
                IfMatch(revision): IfMatch,
                Tree(body): Tree,
            ) -> ApiResult<Response> {
                let (owner, rule) = read::<$shape>(body)?;
                let done = app.engine().availability.replace_rule(&caller, id, owner, Rule::$kind(rule), revision).await?;
                Ok(tagged(StatusCode::OK, done))
            }

            /// Remove it.
            #[utoipa::path(delete, path = $one, tag = $tag, operation_id = concat!(stringify!($module), "_delete"), params(("id" = String, Path)), responses((status = 204), (status = 404, body = ProblemDocument)))]
            pub(crate) async fn delete(
                State(app): State<App>,
                AsTenant(caller): AsTenant,
                Path(id): Path<RuleId>,
            ) -> ApiResult<StatusCode> {
                app.engine().availability.delete_rule(&caller, RuleKind::$kind, id).await?;
                Ok(StatusCode::NO_CONTENT)
            }
        }
    };
}

rule_routes!(
    patterns,
    "/api/booking/patterns",
    "/api/booking/patterns/{id}",
    "availability rules",
    Pattern,
    Pattern,
    "hours that recur, for a member, a listing or an event type. A member's patterns replace their weekly hours; those of a listing or event type cut everyone's"
);
rule_routes!(
    overrides,
    "/api/booking/overrides",
    "/api/booking/overrides/{id}",
    "availability rules",
    Override,
    Override,
    "hours that replace one day's; no intervals close it"
);
rule_routes!(
    holidays,
    "/api/booking/holidays",
    "/api/booking/holidays/{id}",
    "availability rules",
    Holiday,
    Holiday,
    "days of a listing's clock on which it is closed, but for the hours of a member's override"
);
rule_routes!(
    out_of_office,
    "/api/booking/out-of-office",
    "/api/booking/out-of-office/{id}",
    "availability rules",
    OutOfOffice,
    OutOfOffice,
    "a stretch of time in which a member cannot be booked"
);
rule_routes!(
    travel,
    "/api/booking/travel",
    "/api/booking/travel/{id}",
    "availability rules",
    Travel,
    TravelRule,
    "days on which a member keeps the same hours on another clock"
);
rule_routes!(
    restriction_schedules,
    "/api/booking/restriction-schedules",
    "/api/booking/restriction-schedules/{id}",
    "availability rules",
    RestrictionSchedule,
    RestrictionSchedule,
    "hours that cut everyone's hours; an event type names it in its policy"
);

/// A pattern to be looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Generate {
    #[schema(value_type = schemas::Pattern)]
    pattern: Pattern,
    /// The clock of a pattern that names none.
    #[schema(value_type = String, example = "Europe/Lisbon")]
    time_zone: Zone,
    /// From here (RFC 3339).
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T00:00:00Z")]
    from: Instant,
    /// To here, at most 92 days later.
    #[schema(value_type = String, format = DateTime, example = "2026-12-07T00:00:00Z")]
    to: Instant,
    length_minutes: u32,
    /// Distance between starts; absent: the length.
    slot_interval_minutes: Option<u32>,
}

/// Starts that a pattern would offer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Generated {
    count: usize,
    #[schema(value_type = Vec<String>)]
    slots: Vec<Instant>,
}

/// The slots of a recurring pattern, before it is saved. Nothing is stored.
#[utoipa::path(post, path = "/api/booking/availability/generate", operation_id = "availability_generate", tag = "availability", request_body = Generate,
    responses((status = 200, body = Generated), (status = 422, body = ProblemDocument)))]
pub(crate) async fn generate(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(body): Body<Generate>,
) -> ApiResult<Json<Generated>> {
    let within = Interval::new(body.from, body.to)
        .map_err(|_| Problem::invalid(vec![FieldError::new("/to", "must not be before from")]))?;
    let preview = PatternPreview {
        pattern: body.pattern,
        time_zone: body.time_zone,
        within,
        length_minutes: body.length_minutes,
        slot_interval_minutes: body.slot_interval_minutes,
    };
    let slots = app.engine().availability.preview_pattern(&caller, preview).await?;
    Ok(Json(Generated { count: slots.len(), slots }))
}
