//! Members.

use berth_model::{
    catalog::member::{MemberRecord, MemberRole, RoundRobinShare},
    id::{EventTypeId, MemberId, ScheduleId, TenantId},
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::super::{
    super::Db, Conn, availability::rules, expect_affected, from_json, number, or_not_found, page_after,
    parse_enum, parsed, tenants::audit,
};
use crate::{StoreError, records::Audit, types::Ts};

queries! {
    INSERT = "INSERT INTO members (tenant_id, id, name, email, time_zone, weekly_hours, active, revision, created_at,
            updated_at, role, round_robin, weight, priority, calibration, user_id,
            schedule_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    GET = "SELECT tenant_id, id, name, email, time_zone, weekly_hours, active, revision, created_at, updated_at,
            role, round_robin, weight, priority, calibration, user_id, schedule_id
        FROM members WHERE tenant_id = $1 AND id = $2";
    BY_USER = "SELECT tenant_id, id, name, email, time_zone, weekly_hours, active, revision, created_at, updated_at,
            role, round_robin, weight, priority, calibration, user_id, schedule_id
        FROM members WHERE tenant_id = $1 AND user_id = $2";
    LIST = "SELECT tenant_id, id, name, email, time_zone, weekly_hours, active, revision, created_at, updated_at,
            role, round_robin, weight, priority, calibration, user_id, schedule_id
        FROM members WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    OF_EVENT_TYPE = "SELECT m.tenant_id, m.id, m.name, m.email, m.time_zone, m.weekly_hours, m.active, m.revision,
            m.created_at, m.updated_at, m.role, m.round_robin, m.weight, m.priority, m.calibration, m.user_id, m.schedule_id
        FROM event_type_members e JOIN members m ON m.tenant_id = e.tenant_id AND m.id = e.member_id
        WHERE e.tenant_id = $1 AND e.event_type_id = $2 ORDER BY e.position";
    UPDATE = "UPDATE members SET name = $4, email = $5, time_zone = $6, weekly_hours = $7, active = $8,
            role = $10, round_robin = $11, weight = $12, priority = $13, calibration = $14, user_id = $15, schedule_id = $16,
            revision = revision + 1, updated_at = $9
        WHERE tenant_id = $1 AND id = $2 AND revision = $3
        RETURNING tenant_id, id, name, email, time_zone, weekly_hours, active, revision, created_at, updated_at,
            role, round_robin, weight, priority, calibration, user_id, schedule_id";
    LOCK_OWNERS = concat!(
        "SELECT id FROM members WHERE tenant_id = $1 AND role = 'owner' AND active ORDER BY id",
        lock_row!()
    );
    DELETE = "DELETE FROM members WHERE tenant_id = $1 AND id = $2";
}

/// What there is already.
const SAME_USER: &str = "a member with this user_id";

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    name: String,
    email: Option<String>,
    time_zone: String,
    weekly_hours: Json<Value>,
    active: bool,
    revision: i64,
    created_at: Ts,
    updated_at: Ts,
    role: String,
    round_robin: bool,
    weight: i64,
    priority: i64,
    calibration: i64,
    user_id: Option<String>,
    schedule_id: Option<Uuid>,
}

impl TryFrom<Row> for MemberRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: MemberId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            name: row.name,
            email: row.email,
            user_id: row.user_id,
            time_zone: parsed(&row.time_zone, "time zone")?,
            schedule: row.schedule_id.map(ScheduleId::from_uuid),
            weekly_hours: from_json(row.weekly_hours, "weekly hours")?,
            role: parse_enum(MemberRole::ALL, MemberRole::as_str, &row.role, "role")?,
            turns: RoundRobinShare {
                round_robin: row.round_robin,
                weight: number(row.weight, "weight")?,
                priority: number(row.priority, "priority")?,
                calibration: number(row.calibration, "calibration")?,
            },
            active: row.active,
            revision: row.revision,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

async fn note(
    conn: &mut Conn,
    audit: &Audit,
    action: &'static str,
    member: &MemberRecord,
) -> Result<(), StoreError> {
    let data = json!({
        "name": member.name, "time_zone": member.time_zone, "schedule": member.schedule, "weekly_hours": member.weekly_hours,
        "role": member.role, "turns": member.turns, "active": member.active, "revision": member.revision,
    });
    audit::append(conn, audit, Some(member.tenant), action, member.id.uuid(), data).await
}

/// The schedule that they keep stays until this transaction ends; `NotFound` if there is none.
async fn hold_schedule(conn: &mut Conn, member: &MemberRecord) -> Result<(), StoreError> {
    match member.schedule {
        Some(schedule) => rules::hold_schedule(conn, member.tenant, schedule).await,
        None => Ok(()),
    }
}

pub(crate) async fn insert(conn: &mut Conn, member: &MemberRecord, audit: &Audit) -> Result<(), StoreError> {
    hold_schedule(conn, member).await?;
    sqlx::query::<Db>(INSERT)
        .bind(member.tenant.uuid())
        .bind(member.id.uuid())
        .bind(&member.name)
        .bind(&member.email)
        .bind(member.time_zone.to_string())
        .bind(Json(&member.weekly_hours))
        .bind(member.active)
        .bind(member.revision)
        .bind(Ts(member.created_at))
        .bind(Ts(member.updated_at))
        .bind(member.role.as_str())
        .bind(member.turns.round_robin)
        .bind(i64::from(member.turns.weight))
        .bind(i64::from(member.turns.priority))
        .bind(i64::from(member.turns.calibration))
        .bind(&member.user_id)
        .bind(member.schedule.map(ScheduleId::uuid))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate(SAME_USER).missing("tenant"))?;
    note(conn, audit, "member.created", member).await
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    member: MemberId,
) -> Result<MemberRecord, StoreError> {
    let row =
        sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).bind(member.uuid()).fetch_optional(conn).await?;
    or_not_found(row, "member")?.try_into()
}

/// The member whom the tenant calls so.
pub(crate) async fn by_user(
    conn: &mut Conn,
    tenant: TenantId,
    user_id: &str,
) -> Result<MemberRecord, StoreError> {
    let row =
        sqlx::query_as::<Db, Row>(BY_USER).bind(tenant.uuid()).bind(user_id).fetch_optional(conn).await?;
    or_not_found(row, "member")?.try_into()
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    after: Option<MemberId>,
    limit: u32,
) -> Result<Vec<MemberRecord>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(LIST)
        .bind(tenant.uuid())
        .bind(page_after(after))
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// All members of an event type in its order.
pub(crate) async fn of_event_type(
    conn: &mut Conn,
    tenant: TenantId,
    event_type: EventTypeId,
) -> Result<Vec<MemberRecord>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(OF_EVENT_TYPE)
        .bind(tenant.uuid())
        .bind(event_type.uuid())
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Refuse to lose this member as an owner while there is no other one. The owners stay locked, so that two of them cannot go
/// at the same time.
async fn keep_an_owner(conn: &mut Conn, tenant: TenantId, leaving: MemberId) -> Result<(), StoreError> {
    let owners = sqlx::query_scalar::<Db, Uuid>(LOCK_OWNERS).bind(tenant.uuid()).fetch_all(conn).await?;
    if owners == [leaving.uuid()] { Err(StoreError::LastOwner) } else { Ok(()) }
}

pub(crate) async fn update(
    conn: &mut Conn,
    member: &MemberRecord,
    expected_revision: i64,
    audit: &Audit,
) -> Result<MemberRecord, StoreError> {
    hold_schedule(conn, member).await?;
    if !member.is_acting_owner() {
        keep_an_owner(conn, member.tenant, member.id).await?;
    }
    let row = sqlx::query_as::<Db, Row>(UPDATE)
        .bind(member.tenant.uuid())
        .bind(member.id.uuid())
        .bind(expected_revision)
        .bind(&member.name)
        .bind(&member.email)
        .bind(member.time_zone.to_string())
        .bind(Json(&member.weekly_hours))
        .bind(member.active)
        .bind(Ts(audit.at))
        .bind(member.role.as_str())
        .bind(member.turns.round_robin)
        .bind(i64::from(member.turns.weight))
        .bind(i64::from(member.turns.priority))
        .bind(i64::from(member.turns.calibration))
        .bind(&member.user_id)
        .bind(member.schedule.map(ScheduleId::uuid))
        .fetch_optional(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate(SAME_USER))?;
    let Some(row) = row else {
        get(conn, member.tenant, member.id).await?;
        return Err(StoreError::Stale);
    };
    let member = row.try_into()?;
    note(conn, audit, "member.updated", &member).await?;
    Ok(member)
}

pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    member: MemberId,
    audit: &Audit,
) -> Result<(), StoreError> {
    keep_an_owner(conn, tenant, member).await?;
    let done = sqlx::query::<Db>(DELETE)
        .bind(tenant.uuid())
        .bind(member.uuid())
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).used_by("event types or bookings"))?;
    expect_affected(&done, StoreError::NotFound("member"))?;
    audit::append(conn, audit, Some(tenant), "member.deleted", member.uuid(), json!({})).await
}
