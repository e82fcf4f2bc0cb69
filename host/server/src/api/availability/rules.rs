//! Availability rules: patterns, overrides, holidays, time off, travel, restriction schedules. One shape of routes for all.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use berth_engine::Caller;
use berth_model::{
    bookings::lists::Bound,
    id::{EventTypeId, ListingId, MemberId, RuleId},
    json::{self, names::field_of},
    problem::{Code, FieldError, Problem},
    scheduling::{
        rule::{
            Holiday, OutOfOffice, Override, Pattern, RestrictionSchedule, Rule, RuleKind, RuleOwner,
            RuleRecord, TravelRule, written,
        },
        schedule::Schedule,
    },
    tenants::scope::Scope,
    time::Instant,
    zone::Zone,
};
use berth_store::records::RuleFilter;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{
    schemas,
    time_off::{self, Hit},
};
use crate::http::{
    app::App,
    auth::{AsTenant, Authenticated},
    etag,
    extract::{IfMatch, Path, Query, Tree, malformed},
    page::{self, Page},
    problem::{ApiResult, ProblemDocument, wrong},
    within::zone_of_days,
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
    /// Of time off that was just made or replaced: the bookings that lie in it. Absent for keys that may not read bookings.
    #[serde(skip_serializing_if = "Option::is_none")]
    bookings: Option<Hit>,
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
        Self { id: r.id, member, listing, event_type, rule, revision, created_at, updated_at, bookings: None }
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

/// A kind of rules as it is sent.
trait Sent: Sized {
    fn sent(body: &Value) -> ApiResult<Self>;
}

macro_rules! sent_as_it_is {
    ($($kind:ty)*) => {$(
        impl Sent for $kind {
            fn sent(body: &Value) -> ApiResult<Self> {
                json::read(body).map_err(malformed)
            }
        }
    )*};
}

sent_as_it_is! { Override Holiday OutOfOffice TravelRule RestrictionSchedule Schedule }

impl Sent for Pattern {
    fn sent(body: &Value) -> ApiResult<Self> {
        match written(body).map_err(malformed)? {
            Some(written) => written.pattern().map_err(|wrong| Problem::invalid(wrong).into()),
            None => json::read(body).map_err(malformed),
        }
    }
}

/// Whom a rule bears on, and the listing that is named beside an event type.
struct Owners {
    owner: Option<RuleOwner>,
    listing: Option<ListingId>,
}

impl Owners {
    /// Whom the rule bears on. A listing beside an event type must be its own: the rule bears on the event type alone.
    async fn checked(self, app: &App, caller: &Caller) -> ApiResult<Option<RuleOwner>> {
        if let (Some(RuleOwner::EventType(event_type)), Some(listing)) = (self.owner, self.listing) {
            app.engine().availability.must_be_of(caller, event_type, listing).await?;
        }
        Ok(self.owner)
    }
}

/// Take the owner out of a body and read the rest as what it must be.
fn read<T: Sent>(mut body: Value) -> ApiResult<(Owners, T)> {
    let (mut member, mut listing, mut event_type) = (None, None, None);
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
            let before = match name.as_str() {
                "member_id" => member.replace(MemberId::from_uuid(id)).is_some(),
                "listing_id" => listing.replace(ListingId::from_uuid(id)).is_some(),
                _ => event_type.replace(EventTypeId::from_uuid(id)).is_some(),
            };
            if before {
                return Err(malformed(FieldError::new(format!("/{name}"), "is given twice")));
            }
        }
    }
    let owner = match (member, event_type, listing) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
            let message = "name only one of member_id, listing_id and event_type_id; a listing may stand beside its event type";
            return Err(Problem::invalid(vec![FieldError::new("/member_id", message)]).into());
        }
        (Some(member), None, None) => Some(RuleOwner::Member(member)),
        (None, Some(event_type), _) => Some(RuleOwner::EventType(event_type)),
        (None, None, listing) => listing.map(RuleOwner::Listing),
    };
    Ok((Owners { owner, listing }, T::sent(&body)?))
}

/// A pattern of a body, of which refusals say where it stands in it.
pub(super) fn unsaved(body: &Value) -> ApiResult<Pattern> {
    Pattern::sent(body).map_err(|mut refused| {
        for error in &mut refused.0.errors {
            error.field = format!("/pattern{}", error.field);
        }
        refused
    })
}

fn tagged(status: StatusCode, record: RuleRecord) -> Response {
    etag::tagged(status, record.revision, RuleView::from(record))
}

/// The answer to a rule that was made or replaced: time off with the bookings that lie in it, for whoever may read them.
async fn with_bookings(
    app: &App,
    caller: &Caller,
    key: &Authenticated,
    status: StatusCode,
    record: RuleRecord,
) -> ApiResult<Response> {
    let bookings = match (&record.rule, record.owner) {
        (Rule::OutOfOffice(away), Some(RuleOwner::Member(member))) if key.may(Scope::BookingsRead) => {
            Some(time_off::hit(app, caller, member, away.start, away.end).await?)
        }
        _ => None,
    };
    let revision = record.revision;
    Ok(etag::tagged(status, revision, RuleView { bookings, ..RuleView::from(record) }))
}

/// Which rules are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RuleParams {
    /// Of this member.
    #[param(value_type = Option<String>)]
    member_id: Option<MemberId>,
    /// Of this listing.
    #[param(value_type = Option<String>)]
    listing_id: Option<ListingId>,
    /// Of this event type.
    #[param(value_type = Option<String>)]
    event_type_id: Option<EventTypeId>,
    /// That bear on the time from here: a day in `time_zone`, or an instant … Rules of days are compared by their dates, whatever their clock; a
    /// pattern with an `rrule`, and a schedule, bear on all time.
    #[param(value_type = Option<String>, example = "2026-12-01")]
    from: Option<Bound>,
    /// … to here; a day is in it to its end.
    #[param(value_type = Option<String>, example = "2026-12-31")]
    to: Option<Bound>,
    /// The zone whose days `from` and `to` are, if they are days.
    #[param(value_type = Option<String>, example = "Europe/Lisbon")]
    time_zone: Option<Zone>,
    /// Items wanted, 1 to 200 (50).
    limit: Option<u32>,
    /// `next` of the last page.
    cursor: Option<String>,
}

impl RuleParams {
    fn filter(&self, kind: RuleKind) -> Result<RuleFilter, Problem> {
        let zone = zone_of_days(self.time_zone, &[self.from, self.to])?;
        if let (Some(from), Some(to)) = (self.from, self.to)
            && to.ends(zone) <= from.begins(zone)
        {
            return Err(wrong("to", "must be after from"));
        }
        let bounded = self.from.is_some() || self.to.is_some();
        Ok(RuleFilter {
            member: self.member_id,
            listing: self.listing_id,
            event_type: self.event_type_id,
            reaching: bounded.then(|| kind.reaching(self.from, self.to, zone)),
        })
    }
}

macro_rules! rule_routes {
    ($module:ident, $path:literal, $one:literal, $tag:literal, $kind:ident, $shape:ident, $body:ident, $what:literal) => {
        pub(crate) mod $module {
            use super::*;

            #[doc = concat!("Make ", $what, ".")]
            #[utoipa::path(post, path = $path, tag = $tag, operation_id = concat!(stringify!($module), "_create"), request_body = inline(RuleBody<schemas::$body>),
                responses((status = 201, body = RuleView), (status = 422, body = ProblemDocument)))]
            pub(crate) async fn create(
                State(app): State<App>,
                AsTenant(caller): AsTenant,
                key: Authenticated,
                Tree(body): Tree,
            ) -> ApiResult<Response> {
                let (owners, rule) = read::<$shape>(body)?;
                let owner = owners.checked(&app, &caller).await?;
                let made = app.engine().availability.create_rules(&caller, owner, vec![Rule::$kind(rule)]).await?;
                let made = made.into_iter().next();
                let made = made.ok_or_else(|| Problem::new(Code::Internal, "Nothing was made."))?;
                with_bookings(&app, &caller, &key, StatusCode::CREATED, made).await
            }

            /// All of them, by age, or those that `member_id`, `listing_id`, `event_type_id`, `from` and `to` leave.
            #[utoipa::path(get, path = $path, tag = $tag, operation_id = concat!(stringify!($module), "_list"), params(RuleParams), responses((status = 200, body = Page<RuleView>), (status = 400, body = ProblemDocument, description = "A parameter or a value that is not known here")))]
            pub(crate) async fn list(
                State(app): State<App>,
                AsTenant(caller): AsTenant,
                Query(params): Query<RuleParams>,
            ) -> ApiResult<Json<Page<RuleView>>> {
                let limit = page::items(params.limit)?;
                let after = page::position(params.cursor.as_ref())?;
                let filter = params.filter(RuleKind::$kind)?;
                let rows = app.engine().availability.list_rules(&caller, RuleKind::$kind, filter, after, limit.saturating_add(1)).await?;
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
            #[utoipa::path(put, path = $one, tag = $tag, operation_id = concat!(stringify!($module), "_replace"), request_body = inline(RuleBody<schemas::$body>), params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag that was read")),
                responses((status = 200, body = RuleView), (status = 404, body = ProblemDocument), (status = 412, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
            pub(crate) async fn replace(
                State(app): State<App>,
                AsTenant(caller): AsTenant,
                Path(id): Path<RuleId>,
                key: Authenticated,
                IfMatch(revision): IfMatch,
                Tree(body): Tree,
            ) -> ApiResult<Response> {
                let (owners, rule) = read::<$shape>(body)?;
                let owner = owners.checked(&app, &caller).await?;
                let done = app.engine().availability.replace_rule(&caller, id, owner, Rule::$kind(rule), revision).await?;
                with_bookings(&app, &caller, &key, StatusCode::OK, done).await
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
    PatternBody,
    "hours that recur, for a member, a listing or an event type (whose listing may be named beside it), written as `weekly`, `daily`, `monthly` or `custom`, or in the members of a pattern. A member's patterns replace their weekly hours; those of a listing or event type cut everyone's"
);
rule_routes!(
    overrides,
    "/api/booking/overrides",
    "/api/booking/overrides/{id}",
    "availability rules",
    Override,
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
    RestrictionSchedule,
    "hours that cut everyone's hours; an event type names it in its policy"
);

rule_routes!(
    schedules,
    "/api/booking/schedules",
    "/api/booking/schedules/{id}",
    "availability rules",
    Schedule,
    Schedule,
    Schedule,
    "hours with a name. A member's `schedule_id` stands in place of their weekly hours; that in an event type's policy, and the tenant's opening hours, cut everyone's"
);
