//! Taken places as availability needs them. A month of a team is thousands of rows, so what was read is remembered (`remembered`),
//! and only read again when the member's places changed.

use berth_model::{
    id::{MemberId, TenantId},
    time::Interval,
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{super::Db, Conn, interval, places::push_ids};
use crate::{StoreError, remembered::Place, types::Ts};

/// How often the places of each member have changed. Members that do not exist are left out.
pub(crate) async fn versions(
    conn: &mut Conn,
    tenant: TenantId,
    members: &[MemberId],
) -> Result<Vec<(MemberId, i64)>, StoreError> {
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::<Db>::new("SELECT id, places_version FROM members WHERE tenant_id = ");
    query.push_bind(tenant.uuid()).push(" AND id IN ");
    push_ids(&mut query, members);
    let rows: Vec<(Uuid, i64)> = query.build_query_as().fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(member, version)| (MemberId::from_uuid(member), version)).collect())
}

#[derive(sqlx::FromRow)]
struct Row {
    member_id: Uuid,
    blocked_start: Ts,
    blocked_end: Ts,
    starts_at: Ts,
    ends_at: Ts,
    owner_id: Uuid,
    event_type_id: Option<Uuid>,
    expires_at: Option<Ts>,
}

/// Every place of these members that overlaps an interval, holds that are over included.
pub(crate) async fn places(
    conn: &mut Conn,
    tenant: TenantId,
    members: &[MemberId],
    within: Interval,
) -> Result<Vec<(MemberId, Place)>, StoreError> {
    let mut query = QueryBuilder::<Db>::new(
        "SELECT member_id, blocked_start, blocked_end, starts_at, ends_at, owner_id, event_type_id, expires_at
        FROM occupancies WHERE tenant_id = ",
    );
    query.push_bind(tenant.uuid()).push(" AND member_id IN ");
    push_ids(&mut query, members);
    query.push(" AND blocked_end > ").push_bind(Ts(within.start()));
    query.push(" AND blocked_start < ").push_bind(Ts(within.end()));
    // Bookings at providers that are not ours.
    query.push(
        " UNION ALL SELECT member_id, starts_at, ends_at, starts_at, ends_at, id, NULL, NULL
        FROM external_bookings WHERE tenant_id = ",
    );
    query.push_bind(tenant.uuid()).push(" AND member_id IN ");
    push_ids(&mut query, members);
    query.push(" AND ends_at > ").push_bind(Ts(within.start()));
    query.push(" AND starts_at < ").push_bind(Ts(within.end()));
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    rows.into_iter()
        .map(|row| {
            let place = Place {
                blocked: interval(row.blocked_start, row.blocked_end)?,
                when: interval(row.starts_at, row.ends_at)?,
                owner: row.owner_id,
                event_type: row.event_type_id,
                expires_at: row.expires_at.map(|at| at.0),
            };
            Ok((MemberId::from_uuid(row.member_id), place))
        })
        .collect()
}
