//! Holds. Their places are in `places`, like those of bookings.

use berth_model::{
    bookings::{hold::HoldRecord, occupancy::Occupancy},
    id::{EventTypeId, HoldId, MemberId, TenantId},
    time::Instant,
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    super::{super::Db, Conn, expect_affected, from_json, interval, or_not_found, tenants::audit},
    occupancy,
};
use crate::{
    StoreError,
    records::{Audit, NewHold},
    types::Ts,
};

queries! {
    INSERT = "INSERT INTO holds (tenant_id, id, event_type_id, member_id, other_members, starts_at, ends_at, token_hash,
            expires_at, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    GET = "SELECT tenant_id, id, event_type_id, member_id, other_members, starts_at, ends_at, token_hash, expires_at,
            created_at
        FROM holds WHERE tenant_id = $1 AND id = $2 AND expires_at > $3";
    EXTEND = "UPDATE holds SET expires_at = $4 WHERE tenant_id = $1 AND id = $2 AND expires_at > $3";
    DELETE = "DELETE FROM holds WHERE tenant_id = $1 AND id = $2 AND expires_at > $3";
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    event_type_id: Uuid,
    member_id: Uuid,
    other_members: Json<Value>,
    starts_at: Ts,
    ends_at: Ts,
    token_hash: Vec<u8>,
    expires_at: Ts,
    created_at: Ts,
}

impl TryFrom<Row> for HoldRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: HoldId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            event_type: EventTypeId::from_uuid(row.event_type_id),
            member: MemberId::from_uuid(row.member_id),
            other_members: from_json(row.other_members, "other members")?,
            when: interval(row.starts_at, row.ends_at)?,
            token_hash: row
                .token_hash
                .try_into()
                .map_err(|_| StoreError::Corrupt("a hash that is not 32 bytes long".to_owned()))?,
            expires_at: row.expires_at.0,
            created_at: row.created_at.0,
        })
    }
}

/// Places, hold and audit row.
pub(crate) async fn create(conn: &mut Conn, new: &NewHold, audit: &Audit) -> Result<(), StoreError> {
    let hold = &new.hold;
    let place = Occupancy { padded: new.padded, when: hold.when };
    occupancy::take(conn, &occupancy::Taker::hold(hold, new.seats), place, audit.at).await?;
    sqlx::query::<Db>(INSERT)
        .bind(hold.tenant.uuid())
        .bind(hold.id.uuid())
        .bind(hold.event_type.uuid())
        .bind(hold.member.uuid())
        .bind(Json(&hold.other_members))
        .bind(Ts(hold.when.start()))
        .bind(Ts(hold.when.end()))
        .bind(hold.token_hash.as_slice())
        .bind(Ts(hold.expires_at))
        .bind(Ts(hold.created_at))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("a hold with this id").missing("event type or member"))?;
    let data = json!({
        "event_type": hold.event_type, "member": hold.member, "when": hold.when, "expires_at": hold.expires_at,
    });
    audit::append(conn, audit, Some(hold.tenant), "hold.created", hold.id.uuid(), data).await
}

/// A hold that is not over.
pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    hold: HoldId,
    now: Instant,
) -> Result<HoldRecord, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET)
        .bind(tenant.uuid())
        .bind(hold.uuid())
        .bind(Ts(now))
        .fetch_optional(conn)
        .await?;
    or_not_found(row, "hold")?.try_into()
}

/// Keep it for longer, unless it is over.
pub(crate) async fn extend(
    conn: &mut Conn,
    tenant: TenantId,
    hold: HoldId,
    expires_at: Instant,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(EXTEND)
        .bind(tenant.uuid())
        .bind(hold.uuid())
        .bind(Ts(audit.at))
        .bind(Ts(expires_at))
        .execute(&mut *conn)
        .await?;
    expect_affected(&done, StoreError::NotFound("hold"))?;
    // Another process whose clock is ahead may have given its place away.
    if occupancy::extend(conn, tenant, hold, expires_at).await? == 0 {
        return Err(StoreError::NotFound("hold"));
    }
    let data = json!({ "expires_at": expires_at });
    audit::append(conn, audit, Some(tenant), "hold.extended", hold.uuid(), data).await
}

/// Remove a hold that is not over, with its places. For its release, and for the booking that takes them over.
pub(crate) async fn remove(
    conn: &mut Conn,
    tenant: TenantId,
    hold: HoldId,
    now: Instant,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(DELETE)
        .bind(tenant.uuid())
        .bind(hold.uuid())
        .bind(Ts(now))
        .execute(&mut *conn)
        .await?;
    expect_affected(&done, StoreError::NotFound("hold"))?;
    if occupancy::release(conn, tenant, hold.uuid()).await? == 0 {
        return Err(StoreError::NotFound("hold"));
    }
    Ok(())
}

pub(crate) async fn release(
    conn: &mut Conn,
    tenant: TenantId,
    hold: HoldId,
    audit: &Audit,
) -> Result<(), StoreError> {
    remove(conn, tenant, hold, audit.at).await?;
    audit::append(conn, audit, Some(tenant), "hold.released", hold.uuid(), json!({})).await
}
