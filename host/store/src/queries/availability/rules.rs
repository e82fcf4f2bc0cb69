//! Availability rules.

use berth_model::{
    id::{EventTypeId, Id, ListingId, MemberId, RuleId, ScheduleId, TenantId},
    scheduling::rule::{RuleKind, RuleOwner, RuleRecord},
    time::Interval,
};
use serde_json::{Value, json};
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::super::{
    super::Db, Conn, bookings::occupancy::push_ids, expect_affected, from_json, or_not_found, page_after,
    tenants::audit,
};
use crate::{
    StoreError,
    records::{Audit, HolidayImport, RuleFilter, RulesOf, ScheduleUser},
    types::Ts,
};

queries! {
    INSERT = "INSERT INTO rules (tenant_id, id, kind, member_id, listing_id, event_type_id, reach_start, reach_end, rule,
            revision, created_at, updated_at, origin)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    GET = "SELECT tenant_id, id, member_id, listing_id, event_type_id, rule, origin, revision, created_at, updated_at
        FROM rules WHERE tenant_id = $1 AND id = $2 AND kind = $3";
    UPDATE = "UPDATE rules SET member_id = $5, listing_id = $6, event_type_id = $7, reach_start = $8, reach_end = $9,
            rule = $10, revision = revision + 1, updated_at = $11
        WHERE tenant_id = $1 AND id = $2 AND kind = $3 AND revision = $4
        RETURNING tenant_id, id, member_id, listing_id, event_type_id, rule, origin, revision, created_at, updated_at";
    HOLIDAYS = "SELECT tenant_id, id, member_id, listing_id, event_type_id, rule, origin, revision, created_at, updated_at
        FROM rules WHERE tenant_id = $1 AND listing_id = $2 AND kind = 'holiday' ORDER BY id LIMIT $3";
    LOCK = concat!("SELECT id FROM listings WHERE tenant_id = $1 AND id = $2", lock_row!());
    RENEW = "UPDATE rules SET origin = $3 WHERE tenant_id = $1 AND id = $2";
    COUNT = "SELECT count(*) FROM rules WHERE tenant_id = $1 AND kind = $2
        AND (member_id = $3 OR listing_id = $4 OR event_type_id = $5
            OR (member_id IS NULL AND listing_id IS NULL AND event_type_id IS NULL))";
    DELETE = "DELETE FROM rules WHERE tenant_id = $1 AND id = $2 AND kind = $3";
    HOLD_SCHEDULE = concat!("SELECT id FROM rules WHERE tenant_id = $1 AND id = $2 AND kind = 'schedule'", lock_row!());
    SCHEDULE_USERS = "SELECT 'member' AS kind, id, name FROM members WHERE tenant_id = $1 AND schedule_id = $2
        UNION ALL SELECT 'event_type' AS kind, id, title AS name FROM event_types
            WHERE tenant_id = $1 AND policy ->> 'schedule_id' = $3
        UNION ALL SELECT 'opening_hours' AS kind, id, name FROM tenants
            WHERE id = $1 AND settings ->> 'opening_schedule_id' = $3
        UNION ALL SELECT 'default' AS kind, id, name FROM tenants
            WHERE id = $1 AND settings ->> 'default_schedule_id' = $3
        ORDER BY 1, 2 LIMIT $4";
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    member_id: Option<Uuid>,
    listing_id: Option<Uuid>,
    event_type_id: Option<Uuid>,
    rule: Json<Value>,
    origin: Option<Json<Value>>,
    revision: i64,
    created_at: Ts,
    updated_at: Ts,
}

impl TryFrom<Row> for RuleRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let member = row.member_id.map(|id| RuleOwner::Member(MemberId::from_uuid(id)));
        let listing = row.listing_id.map(|id| RuleOwner::Listing(ListingId::from_uuid(id)));
        let event_type = row.event_type_id.map(|id| RuleOwner::EventType(EventTypeId::from_uuid(id)));
        Ok(Self {
            id: RuleId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            owner: member.or(listing).or(event_type),
            rule: from_json(row.rule, "rule")?,
            origin: row.origin.map(|origin| from_json(origin, "origin of a rule")).transpose()?,
            revision: row.revision,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

/// Member, listing, event type: one of them, or none.
const fn owner(rule: &RuleRecord) -> (Option<Uuid>, Option<Uuid>, Option<Uuid>) {
    match rule.owner {
        Some(RuleOwner::Member(id)) => (Some(id.uuid()), None, None),
        Some(RuleOwner::Listing(id)) => (None, Some(id.uuid()), None),
        Some(RuleOwner::EventType(id)) => (None, None, Some(id.uuid())),
        None => (None, None, None),
    }
}

async fn note(
    conn: &mut Conn,
    audit: &Audit,
    action: &'static str,
    rule: &RuleRecord,
) -> Result<(), StoreError> {
    let (member, listing, event_type) = owner(rule);
    let data = json!({
        "rule": rule.rule, "member": member, "listing": listing, "event_type": event_type, "revision": rule.revision,
    });
    audit::append(conn, audit, Some(rule.tenant), action, rule.id.uuid(), data).await
}

pub(crate) async fn insert(conn: &mut Conn, rules: &[(RuleRecord, Audit)]) -> Result<(), StoreError> {
    for (rule, audit) in rules {
        let (member, listing, event_type) = owner(rule);
        let reach = rule.rule.reach();
        sqlx::query::<Db>(INSERT)
            .bind(rule.tenant.uuid())
            .bind(rule.id.uuid())
            .bind(rule.rule.kind().as_str())
            .bind(member)
            .bind(listing)
            .bind(event_type)
            .bind(Ts(reach.start()))
            .bind(Ts(reach.end()))
            .bind(Json(&rule.rule))
            .bind(rule.revision)
            .bind(Ts(rule.created_at))
            .bind(Ts(rule.updated_at))
            .bind(rule.origin.as_ref().map(Json))
            .execute(&mut *conn)
            .await
            .map_err(|e| StoreError::from(e).missing("member, listing or event type"))?;
        note(conn, audit, "rule.created", rule).await?;
    }
    // All of one call are of one owner and kind.
    match rules.last() {
        Some((rule, _)) => few_enough(conn, rule).await,
        None => Ok(()),
    }
}

/// Refuse if there are now more rules of this kind and owner than one may have: each question about them reads and follows all.
async fn few_enough(conn: &mut Conn, rule: &RuleRecord) -> Result<(), StoreError> {
    let (member, listing, event_type) = owner(rule);
    let kind = rule.rule.kind();
    let count: i64 = sqlx::query_scalar::<Db, i64>(COUNT)
        .bind(rule.tenant.uuid())
        .bind(kind.as_str())
        .bind(member)
        .bind(listing)
        .bind(event_type)
        .fetch_one(&mut *conn)
        .await?;
    if count > kind.most_of_one() { Err(StoreError::TooMany(kind.most_of_one())) } else { Ok(()) }
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    kind: RuleKind,
    rule: RuleId,
) -> Result<RuleRecord, StoreError> {
    let query = sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).bind(rule.uuid()).bind(kind.as_str());
    or_not_found(query.fetch_optional(conn).await?, "rule")?.try_into()
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    kind: RuleKind,
    filter: RuleFilter,
    after: Option<RuleId>,
    limit: u32,
) -> Result<Vec<RuleRecord>, StoreError> {
    let mut query = QueryBuilder::<Db>::new(
        "SELECT tenant_id, id, member_id, listing_id, event_type_id, rule, origin, revision, created_at, updated_at
        FROM rules WHERE tenant_id = ",
    );
    query.push_bind(tenant.uuid()).push(" AND kind = ").push_bind(kind.as_str());
    for (column, id) in [
        ("member_id", filter.member.map(Id::uuid)),
        ("listing_id", filter.listing.map(Id::uuid)),
        ("event_type_id", filter.event_type.map(Id::uuid)),
    ] {
        if let Some(id) = id {
            query.push(format!(" AND {column} = ")).push_bind(id);
        }
    }
    if let Some(reaching) = filter.reaching {
        query.push(" AND reach_end > ").push_bind(Ts(reaching.ends_after));
        query.push(" AND reach_start < ").push_bind(Ts(reaching.starts_before));
    }
    query.push(" AND id > ").push_bind(page_after(after)).push(" ORDER BY id LIMIT ");
    let rows: Vec<Row> = query.push_bind(i64::from(limit)).build_query_as().fetch_all(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn update(
    conn: &mut Conn,
    rule: &RuleRecord,
    expected_revision: i64,
    audit: &Audit,
) -> Result<RuleRecord, StoreError> {
    let before = get(conn, rule.tenant, rule.rule.kind(), rule.id).await?.owner;
    let (member, listing, event_type) = owner(rule);
    let reach = rule.rule.reach();
    let row = sqlx::query_as::<Db, Row>(UPDATE)
        .bind(rule.tenant.uuid())
        .bind(rule.id.uuid())
        .bind(rule.rule.kind().as_str())
        .bind(expected_revision)
        .bind(member)
        .bind(listing)
        .bind(event_type)
        .bind(Ts(reach.start()))
        .bind(Ts(reach.end()))
        .bind(Json(&rule.rule))
        .bind(Ts(audit.at))
        .fetch_optional(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).missing("member, listing or event type"))?;
    let Some(row) = row else {
        return Err(StoreError::Stale);
    };
    let rule: RuleRecord = row.try_into()?;
    // Who has more of them from before may still change them.
    if rule.owner != before {
        few_enough(conn, &rule).await?;
    }
    note(conn, audit, "rule.updated", &rule).await?;
    Ok(rule)
}

pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    kind: RuleKind,
    rule: RuleId,
    audit: &Audit,
) -> Result<(), StoreError> {
    if kind == RuleKind::Schedule {
        hold_schedule(conn, tenant, ScheduleId::from_uuid(rule.uuid())).await?;
        if !schedule_users(conn, tenant, rule).await?.is_empty() {
            return Err(StoreError::InUse("whoever names it"));
        }
    }
    let query = sqlx::query::<Db>(DELETE).bind(tenant.uuid()).bind(rule.uuid()).bind(kind.as_str());
    expect_affected(&query.execute(&mut *conn).await?, StoreError::NotFound("rule"))?;
    audit::append(conn, audit, Some(tenant), "rule.deleted", rule.uuid(), json!({ "kind": kind.as_str() }))
        .await
}

/// Keep a schedule from being removed until this transaction ends: for whoever names it without a foreign key.
pub(crate) async fn hold_schedule(
    conn: &mut Conn,
    tenant: TenantId,
    schedule: ScheduleId,
) -> Result<(), StoreError> {
    let query = sqlx::query_scalar::<Db, Uuid>(HOLD_SCHEDULE).bind(tenant.uuid()).bind(schedule.uuid());
    or_not_found(query.fetch_optional(conn).await?, "schedule").map(drop)
}

/// Who names a schedule, as many as are named to people.
pub(crate) async fn schedule_users(
    conn: &mut Conn,
    tenant: TenantId,
    schedule: RuleId,
) -> Result<Vec<ScheduleUser>, StoreError> {
    let rows = sqlx::query_as::<Db, (String, Uuid, String)>(SCHEDULE_USERS)
        .bind(tenant.uuid())
        .bind(schedule.uuid())
        .bind(schedule.to_string())
        .bind(berth_model::limits::SCHEDULE_USERS_NAMED_MAX)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|(kind, id, name)| ScheduleUser { kind, id, name }).collect())
}

/// The holidays of a listing.
pub(crate) async fn holidays(
    conn: &mut Conn,
    tenant: TenantId,
    listing: ListingId,
) -> Result<Vec<RuleRecord>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(HOLIDAYS)
        .bind(tenant.uuid())
        .bind(listing.uuid())
        .bind(berth_model::limits::RULES_READ_MAX)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Change the holidays of a listing as was decided over those that were seen; `Stale` if it has others by now.
pub(crate) async fn import(conn: &mut Conn, import: &HolidayImport) -> Result<(), StoreError> {
    let (tenant, listing) = (import.tenant, import.listing);
    // Another import waits here.
    let lock = sqlx::query_scalar::<Db, Uuid>(LOCK).bind(tenant.uuid()).bind(listing.uuid());
    or_not_found(lock.fetch_optional(&mut *conn).await?, "member, listing or event type")?;
    let there = holidays(conn, tenant, listing).await?;
    if !there.iter().map(|rule| (rule.id, rule.revision)).eq(import.seen.iter().copied()) {
        return Err(StoreError::Stale);
    }
    for (rule, audit) in &import.remove {
        delete(conn, tenant, RuleKind::Holiday, *rule, audit).await?;
    }
    for (rule, origin) in &import.renew {
        let query = sqlx::query::<Db>(RENEW).bind(tenant.uuid()).bind(rule.uuid()).bind(Json(origin));
        expect_affected(&query.execute(&mut *conn).await?, StoreError::NotFound("rule"))?;
    }
    insert(conn, &import.make).await
}

/// Everything that can bear on this question, in one statement.
pub(crate) async fn bearing(
    conn: &mut Conn,
    tenant: TenantId,
    of: &RulesOf,
    within: Interval,
) -> Result<Vec<RuleRecord>, StoreError> {
    let mut query = QueryBuilder::<Db>::new(
        "SELECT tenant_id, id, member_id, listing_id, event_type_id, rule, origin, revision, created_at, updated_at
        FROM rules WHERE tenant_id = ",
    );
    query.push_bind(tenant.uuid()).push(" AND ((reach_end > ").push_bind(Ts(within.start()));
    query.push(" AND reach_start < ").push_bind(Ts(within.end())).push(" AND (listing_id = ");
    query.push_bind(of.listing.uuid()).push(" OR event_type_id = ").push_bind(of.event_type.uuid());
    if !of.members.is_empty() {
        query.push(" OR member_id IN ");
        push_ids(&mut query, &of.members);
    }
    query.push("))");
    if !of.schedules.is_empty() {
        query.push(" OR id IN ");
        push_ids(&mut query, &of.schedules);
    }
    query.push(") ORDER BY id LIMIT ").push_bind(berth_model::limits::RULES_READ_MAX.saturating_add(1));
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}
