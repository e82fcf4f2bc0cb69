//! What happened to a tenant's things: written with the change itself, placed after it, read by position.

pub(crate) mod feed;
pub(crate) mod placing;

use berth_model::{events::NewEvent, id::TenantId};
use sqlx::{Database, query::Query, types::Json};

use super::{super::Db, Conn};
use crate::{StoreError, types::Ts};

/// Writes an event, of what [`bound`] binds.
macro_rules! insert_event {
    () => {
        "INSERT INTO events (tenant_id, id, kind, subject_kind, subject_id, sequence, occurred_at, actor, data)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    };
}
pub(crate) use insert_event;

queries! {
    INSERT = insert_event!();
}

/// Tell of a change, in its own transaction. Nothing is counted and no row of others is locked: the event gets its position later.
pub(crate) async fn append(conn: &mut Conn, tenant: TenantId, event: &NewEvent) -> Result<(), StoreError> {
    let written = bound(INSERT, tenant, event).execute(conn).await;
    written.map_err(|error| StoreError::from(error).duplicate("an event of this change"))?;
    Ok(())
}

/// A statement whose parameters begin with those of [`insert_event`].
pub(crate) fn bound<'q>(
    statement: &'static str,
    tenant: TenantId,
    event: &'q NewEvent,
) -> Query<'q, Db, <Db as Database>::Arguments> {
    sqlx::query::<Db>(statement)
        .bind(tenant.uuid())
        .bind(event.id().uuid())
        .bind(event.kind.as_str())
        .bind(event.kind.subject().as_str())
        .bind(event.subject)
        .bind(event.sequence)
        .bind(Ts(event.occurred_at))
        .bind(&event.actor)
        .bind(Json(&event.data))
}
