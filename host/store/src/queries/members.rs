//! Members.

use berth_model::{
    id::{MemberId, TenantId},
    member::MemberRecord,
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{super::Db, Conn, audit, found, limit as rows, met, parsed, shaped};
use crate::{StoreError, records::Audit, types::Ts};

queries! {
    INSERT = "INSERT INTO members (tenant_id, id, name, email, time_zone, weekly_hours, active, revision, created_at,
            updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    GET = "SELECT * FROM members WHERE tenant_id = $1 AND id = $2";
    LIST = "SELECT * FROM members WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    OF_EVENT_TYPE = "SELECT m.* FROM members m
        JOIN event_type_members e ON e.tenant_id = m.tenant_id AND e.member_id = m.id
        WHERE e.tenant_id = $1 AND e.event_type_id = $2 AND m.active ORDER BY e.position";
    UPDATE = "UPDATE members SET name = $3, email = $4, time_zone = $5, weekly_hours = $6, active = $7, updated_at = $8,
            revision = revision + 1
        WHERE tenant_id = $1 AND id = $2 AND revision = $9";
    DELETE = "DELETE FROM members WHERE tenant_id = $1 AND id = $2";
}

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
}

impl TryFrom<Row> for MemberRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: MemberId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            name: row.name,
            email: row.email,
            time_zone: parsed(&row.time_zone, "time zone")?,
            weekly_hours: shaped(row.weekly_hours, "weekly hours")?,
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
    tenant: TenantId,
    member: MemberId,
    data: &Value,
) -> Result<(), StoreError> {
    let event = audit::Event { tenant: Some(tenant), action, kind: "member", subject: member.uuid(), data };
    audit::insert(conn, audit, &event).await
}

pub(crate) async fn insert(conn: &mut Conn, member: &MemberRecord, audit: &Audit) -> Result<(), StoreError> {
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
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).missing("tenant"))?;
    note(conn, audit, "member.created", member.tenant, member.id, &json!({ "name": member.name })).await
}

pub(crate) async fn get(conn: &mut Conn, tenant: TenantId, id: MemberId) -> Result<MemberRecord, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).bind(id.uuid()).fetch_optional(conn).await?;
    found(row, "member")?.try_into()
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    after: Option<MemberId>,
    limit: u32,
) -> Result<Vec<MemberRecord>, StoreError> {
    let found = sqlx::query_as::<Db, Row>(LIST)
        .bind(tenant.uuid())
        .bind(after.map_or(Uuid::nil(), MemberId::uuid))
        .bind(rows(limit))
        .fetch_all(conn)
        .await?;
    found.into_iter().map(TryInto::try_into).collect()
}

/// Active members who can be booked for an event type, by its order.
pub(crate) async fn of_event_type(
    conn: &mut Conn,
    tenant: TenantId,
    event_type: Uuid,
) -> Result<Vec<MemberRecord>, StoreError> {
    let found =
        sqlx::query_as::<Db, Row>(OF_EVENT_TYPE).bind(tenant.uuid()).bind(event_type).fetch_all(conn).await?;
    found.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn update(
    conn: &mut Conn,
    member: &MemberRecord,
    expected_revision: i64,
    audit: &Audit,
) -> Result<MemberRecord, StoreError> {
    get(conn, member.tenant, member.id).await?;
    let done = sqlx::query::<Db>(UPDATE)
        .bind(member.tenant.uuid())
        .bind(member.id.uuid())
        .bind(&member.name)
        .bind(&member.email)
        .bind(member.time_zone.to_string())
        .bind(Json(&member.weekly_hours))
        .bind(member.active)
        .bind(Ts(audit.at))
        .bind(expected_revision)
        .execute(&mut *conn)
        .await?;
    met(&done, StoreError::Stale)?;
    note(conn, audit, "member.updated", member.tenant, member.id, &json!({ "name": member.name })).await?;
    get(conn, member.tenant, member.id).await
}

pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    id: MemberId,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(DELETE)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).used_by("event types or bookings"))?;
    met(&done, StoreError::NotFound("member"))?;
    note(conn, audit, "member.deleted", tenant, id, &json!({})).await
}
