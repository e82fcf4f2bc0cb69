//! What bookings that were made at providers are found by, as ours are (`bookings/words.rs`).

use berth_model::{
    bookings::search,
    id::TenantId,
    limits,
    outbound::provider::{Attendee, ExternalBooking},
};
use serde_json::Value;
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::super::{super::Db, Conn};
use crate::{StoreError, macs::attendee_of};

queries! {
    FORGET = "DELETE FROM external_words WHERE tenant_id = $1 AND external_booking_id = $2";
    UNSEARCHABLE = "SELECT tenant_id, id, booking_id, payload FROM external_bookings WHERE unsearchable ORDER BY tenant_id, id LIMIT $1";
    SEARCHABLE = "UPDATE external_bookings SET unsearchable = FALSE WHERE tenant_id = $1 AND id = $2";
}

/// It is found by the words of this person from now on, and by no others.
pub(super) async fn set_words(
    conn: &mut Conn,
    tenant: TenantId,
    id: Uuid,
    attendee: Option<&Attendee>,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(FORGET).bind(tenant.uuid()).bind(id).execute(&mut *conn).await?;
    let words = attendee.map(search::words).unwrap_or_default();
    if words.is_empty() {
        return Ok(());
    }
    let mut query =
        QueryBuilder::<Db>::new("INSERT INTO external_words (tenant_id, external_booking_id, word) ");
    query.push_values(words, |mut row, word| {
        row.push_bind(tenant.uuid()).push_bind(id).push_bind(word);
    });
    query.build().execute(conn).await?;
    Ok(())
}

/// Make some findable that were read before they could be searched. How many, fewer than `SEARCHABLE_AT_ONCE` if none is left.
pub(crate) async fn fill(conn: &mut Conn) -> Result<i64, StoreError> {
    let rows = sqlx::query_as::<Db, (Uuid, Uuid, Option<Uuid>, Json<Value>)>(UNSEARCHABLE)
        .bind(limits::SEARCHABLE_AT_ONCE)
        .fetch_all(&mut *conn)
        .await?;
    let mut filled = 0;
    for (tenant, id, booking, payload) in rows {
        // What was erased is of no form any more, and is found by nothing.
        let external = serde_json::from_value::<ExternalBooking>(payload.0).ok();
        let attendee = external.as_ref().filter(|_| booking.is_none()).and_then(attendee_of);
        set_words(conn, TenantId::from_uuid(tenant), id, attendee).await?;
        sqlx::query::<Db>(SEARCHABLE).bind(tenant).bind(id).execute(&mut *conn).await?;
        filled += 1;
    }
    Ok(filled)
}
