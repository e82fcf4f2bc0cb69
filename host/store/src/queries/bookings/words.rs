//! What bookings are found by. Which words those are says the model (`bookings/search.rs`).

use berth_model::{
    bookings::search::{self, Beginning, Search},
    id::{BookingId, TenantId},
    limits,
    outbound::provider::Attendee,
};
use serde_json::Value;
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::super::{super::Db, Conn, from_json};
use crate::StoreError;

queries! {
    FORGET = "DELETE FROM booking_words WHERE tenant_id = $1 AND booking_id = $2";
    UNSEARCHABLE = "SELECT tenant_id, id, attendee FROM bookings WHERE unsearchable ORDER BY tenant_id, id LIMIT $1";
    SEARCHABLE = "UPDATE bookings SET unsearchable = FALSE WHERE tenant_id = $1 AND id = $2";
}

/// A booking that has no words yet is found by those of this attendee.
pub(super) async fn note(
    conn: &mut Conn,
    (tenant, booking): (TenantId, BookingId),
    attendee: &Attendee,
) -> Result<(), StoreError> {
    let words = search::words(attendee);
    if words.is_empty() {
        return Ok(());
    }
    let mut query = QueryBuilder::<Db>::new("INSERT INTO booking_words (tenant_id, booking_id, word) ");
    query.push_values(words, |mut row, word| {
        row.push_bind(tenant.uuid()).push_bind(booking.uuid()).push_bind(word);
    });
    query.build().execute(conn).await?;
    Ok(())
}

/// A booking is found by the words of this attendee, and by no others any more.
pub(super) async fn replace(
    conn: &mut Conn,
    of: (TenantId, BookingId),
    attendee: &Attendee,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(FORGET).bind(of.0.uuid()).bind(of.1.uuid()).execute(&mut *conn).await?;
    note(conn, of, attendee).await
}

/// Make some bookings findable that were made before they could be searched. How many, fewer than `SEARCHABLE_AT_ONCE` if none is left.
pub(crate) async fn fill(conn: &mut Conn) -> Result<i64, StoreError> {
    let rows = sqlx::query_as::<Db, (Uuid, Uuid, Json<Value>)>(UNSEARCHABLE)
        .bind(limits::SEARCHABLE_AT_ONCE)
        .fetch_all(&mut *conn)
        .await?;
    let mut filled = 0;
    for (tenant, booking, attendee) in rows {
        let of = (TenantId::from_uuid(tenant), BookingId::from_uuid(booking));
        replace(conn, of, &from_json(attendee, "attendee")?).await?;
        sqlx::query::<Db>(SEARCHABLE).bind(tenant).bind(booking).execute(&mut *conn).await?;
        filled += 1;
    }
    Ok(filled)
}

/// Where words are kept, of what.
pub(crate) struct Kept {
    /// The table of words,
    pub words: &'static str,
    /// its column with the id of what has them,
    pub id: &'static str,
    /// and the table of those.
    pub rows: &'static str,
}

/// Where those of bookings are.
pub(super) const OF_BOOKINGS: Kept = Kept { words: "booking_words", id: "booking_id", rows: "bookings" };

/// Whether something is among those that are looked for: one set of ids, each part of which an index finds.
pub(crate) fn push_is_found(query: &mut QueryBuilder<Db>, tenant: TenantId, search: &Search, kept: &Kept) {
    query.push(" AND id IN (");
    let mut parts = 0;
    if let Some((first, further)) = search.name.split_first() {
        push_words(query, tenant, first, kept);
        for word in further {
            query.push(format!(" AND {} IN (", kept.id));
            push_words(query, tenant, word, kept);
            query.push(")");
        }
        parts += 1;
    }
    if let Some(email) = &search.email {
        query.push(if parts > 0 { " UNION " } else { "" });
        push_words(query, tenant, email, kept);
        parts += 1;
    }
    if let Some((first, last)) = search.ids {
        query.push(if parts > 0 { " UNION " } else { "" });
        query.push(format!("SELECT id FROM {} WHERE tenant_id = ", kept.rows)).push_bind(tenant.uuid());
        query.push(" AND id >= ").push_bind(first).push(" AND id <= ").push_bind(last);
        parts += 1;
    }
    if parts == 0 {
        query.push(format!("SELECT {} FROM {} WHERE FALSE", kept.id, kept.words));
    }
    query.push(")");
}

fn push_words(query: &mut QueryBuilder<Db>, tenant: TenantId, Beginning(from, to): &Beginning, kept: &Kept) {
    query.push(format!("SELECT {} FROM {} WHERE tenant_id = ", kept.id, kept.words)).push_bind(tenant.uuid());
    query.push(" AND word >= ").push_bind(from.clone()).push(" AND word < ").push_bind(to.clone());
}
