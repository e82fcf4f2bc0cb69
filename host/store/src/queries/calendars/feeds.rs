//! Private calendar feeds: one token for each, of which only the hash is kept.

use berth_model::{id::TenantId, time::Instant};
use serde_json::json;
use uuid::Uuid;

use super::super::{super::Db, Conn, expect_affected, tenants::audit};
use crate::{
    StoreError,
    records::{Audit, FeedSubject},
    types::Ts,
};

queries! {
    SET = "INSERT INTO feeds (tenant_id, subject_kind, subject_id, token_hash, created_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (tenant_id, subject_kind, subject_id)
        DO UPDATE SET token_hash = excluded.token_hash, created_at = excluded.created_at";
    FIND = "SELECT tenant_id, subject_kind, subject_id FROM feeds WHERE token_hash = $1";
    REMOVE = "DELETE FROM feeds WHERE tenant_id = $1 AND subject_kind = $2 AND subject_id = $3";
}

/// Give a feed a token; the one it had opens nothing any more.
pub(crate) async fn set(
    conn: &mut Conn,
    tenant: TenantId,
    subject: FeedSubject,
    token_hash: [u8; 32],
    audit: &Audit,
) -> Result<(), StoreError> {
    let (kind, id) = subject.parts();
    let now: Instant = audit.at;
    sqlx::query::<Db>(SET)
        .bind(tenant.uuid())
        .bind(kind)
        .bind(id)
        .bind(token_hash.as_slice())
        .bind(Ts(now))
        .execute(&mut *conn)
        .await
        .map_err(|error| StoreError::from(error).duplicate("a feed with this token").missing("tenant"))?;
    audit::append(conn, audit, Some(tenant), "feed.made", id, json!({ "of": kind })).await
}

/// Whose feed this token opens. The token is what says which tenant.
pub(crate) async fn find(
    conn: &mut Conn,
    token_hash: [u8; 32],
) -> Result<Option<(TenantId, FeedSubject)>, StoreError> {
    let row = sqlx::query_as::<Db, (Uuid, String, Uuid)>(FIND)
        .bind(token_hash.as_slice())
        .fetch_optional(conn)
        .await?;
    row.map(|(tenant, kind, id)| {
        let subject =
            FeedSubject::of(&kind, id).ok_or_else(|| StoreError::Corrupt(format!("feed of {kind:?}")))?;
        Ok((TenantId::from_uuid(tenant), subject))
    })
    .transpose()
}

pub(crate) async fn remove(
    conn: &mut Conn,
    tenant: TenantId,
    subject: FeedSubject,
    audit: &Audit,
) -> Result<(), StoreError> {
    let (kind, id) = subject.parts();
    let done = sqlx::query::<Db>(REMOVE).bind(tenant.uuid()).bind(kind).bind(id).execute(&mut *conn).await?;
    expect_affected(&done, StoreError::NotFound("feed"))?;
    audit::append(conn, audit, Some(tenant), "feed.removed", id, json!({ "of": kind })).await
}
