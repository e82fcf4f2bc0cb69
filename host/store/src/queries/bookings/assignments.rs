//! What members were given of an event type's bookings: for round robins.

use std::collections::HashMap;

use berth_model::{
    id::{EventTypeId, MemberId, TenantId},
    time::Instant,
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{
    super::{super::Db, Conn, number, opt_instant},
    occupancy::push_ids,
};
use crate::{
    StoreError,
    records::{Assigned, Counted},
    types::Ts,
};

/// One statement, whatever the number of members and bookings; it reads the bookings of the period, those ahead, and the last of each
/// member.
pub(crate) async fn assigned(
    conn: &mut Conn,
    tenant: TenantId,
    event_type: EventTypeId,
    members: &[MemberId],
    counted: Counted,
    now: Instant,
) -> Result<Vec<Assigned>, StoreError> {
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let (column, period) = match counted {
        Counted::CreatedIn(period) => ("b.created_at", period),
        Counted::StartingIn(period) => ("b.starts_at", period),
    };
    let of_event_type = |query: &mut QueryBuilder<Db>| {
        query.push(" FROM bookings b WHERE b.tenant_id = m.tenant_id AND b.member_id = m.id");
        query.push(" AND b.event_type_id = ").push_bind(event_type.uuid());
        query.push(" AND b.status NOT IN ('cancelled', 'failed')");
    };
    let mut query = QueryBuilder::<Db>::new("SELECT m.id, (SELECT COUNT(*)");
    of_event_type(&mut query);
    query.push(format!(" AND {column} >= ")).push_bind(Ts(period.start()));
    query.push(format!(" AND {column} < ")).push_bind(Ts(period.end()));
    // Places, not bookings: a person is also busy where another is the organiser.
    query.push(
        "), (SELECT COUNT(DISTINCT o.owner_id) FROM occupancies o
        WHERE o.tenant_id = m.tenant_id AND o.member_id = m.id AND o.owner_kind = 'booking' AND o.blocked_end > ",
    );
    query.push_bind(Ts(now)).push(" AND o.ends_at > ").push_bind(Ts(now));
    query.push("), (SELECT MAX(b.created_at)");
    of_event_type(&mut query);
    query.push(") FROM members m WHERE m.tenant_id = ").push_bind(tenant.uuid()).push(" AND m.id IN ");
    push_ids(&mut query, members);
    let rows: Vec<(Uuid, i64, i64, Option<Ts>)> = query.build_query_as().fetch_all(conn).await?;
    let rows: HashMap<Uuid, (i64, i64, Option<Ts>)> =
        rows.into_iter().map(|(id, bookings, upcoming, last)| (id, (bookings, upcoming, last))).collect();
    members
        .iter()
        .map(|member| {
            let (bookings, upcoming, last) = rows.get(&member.uuid()).copied().unwrap_or((0, 0, None));
            Ok(Assigned {
                member: *member,
                bookings: number(bookings, "count")?,
                upcoming: number(upcoming, "count")?,
                last_assigned_at: opt_instant(last),
            })
        })
        .collect()
}
