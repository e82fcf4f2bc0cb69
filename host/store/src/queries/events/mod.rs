//! What happened to a tenant's things: written with the change itself, placed after it, read by position.

pub(crate) mod feed;
pub(crate) mod placing;

use berth_model::{events::NewEvent, id::TenantId};
use sqlx::types::Json;

use super::{super::Db, Conn};
use crate::{StoreError, types::Ts};

queries! {
    INSERT = "INSERT INTO events (tenant_id, id, kind, subject_kind, subject_id, sequence, occurred_at, actor, data)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
}

/// Tell of a change, in its own transaction. Nothing is counted and no row of others is locked: the event gets its position later.
pub(crate) async fn append(conn: &mut Conn, tenant: TenantId, event: &NewEvent) -> Result<(), StoreError> {
    sqlx::query::<Db>(INSERT)
        .bind(tenant.uuid())
        .bind(event.id().uuid())
        .bind(event.kind.as_str())
        .bind(event.kind.subject().as_str())
        .bind(event.subject)
        .bind(event.sequence)
        .bind(Ts(event.occurred_at))
        .bind(&event.actor)
        .bind(Json(&event.data))
        .execute(conn)
        .await
        .map_err(|error| StoreError::from(error).duplicate("an event of this change"))?;
    Ok(())
}
