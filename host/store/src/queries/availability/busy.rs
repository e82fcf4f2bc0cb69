//! Taken places as availability needs them. A month of a team is thousands of rows, so what was read is cached (`cached`),
//! and only read again when the member's places changed.

use berth_model::{
    id::{EventTypeId, MemberId, TenantId},
    limits,
    time::Interval,
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::super::{super::Db, Conn, bookings::occupancy::push_ids, interval};
use crate::{StoreError, cache::StoredOccupancy, types::Ts};

queries! {
    SETUP = "SELECT t.setup_version, m.id, m.places_version FROM tenants t
        LEFT JOIN event_type_members e ON e.tenant_id = t.id AND e.event_type_id = $2
        LEFT JOIN members m ON m.tenant_id = e.tenant_id AND m.id = e.member_id
        WHERE t.id = $1";
    // One statement, so that what is kept and the version are of the same moment.
    TOUCHED = "SELECT m.places_version, c.starts_at, c.ends_at FROM members m
        LEFT JOIN place_changes c ON c.tenant_id = m.tenant_id AND c.member_id = m.id AND c.version > $3
        WHERE m.tenant_id = $1 AND m.id = $2 LIMIT $4";
}

/// Versions of a tenant's setup and of the places of an event type's members. None: there is no such tenant.
pub(crate) async fn scene_versions(
    conn: &mut Conn,
    tenant: TenantId,
    event_type: EventTypeId,
) -> Result<Option<(i64, Vec<(MemberId, i64)>)>, StoreError> {
    let rows: Vec<(i64, Option<Uuid>, Option<i64>)> =
        sqlx::query_as::<Db, _>(SETUP).bind(tenant.uuid()).bind(event_type.uuid()).fetch_all(conn).await?;
    let setup = rows.first().map(|(setup, ..)| *setup);
    let members =
        rows.into_iter().filter_map(|(_, member, version)| Some((MemberId::from_uuid(member?), version?)));
    Ok(setup.map(|setup| (setup, members.collect())))
}

/// The stretches of a member's time that were touched since a version. None: too many, or they are not kept any more.
pub(crate) async fn touched(
    conn: &mut Conn,
    tenant: TenantId,
    member: MemberId,
    since: i64,
) -> Result<Option<Vec<Interval>>, StoreError> {
    let most = limits::PLACE_CHANGES_READ_MAX;
    let rows: Vec<(i64, Option<Ts>, Option<Ts>)> = sqlx::query_as::<Db, _>(TOUCHED)
        .bind(tenant.uuid())
        .bind(member.uuid())
        .bind(since)
        .bind(i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1))
        .fetch_all(conn)
        .await?;
    let kept = |(version, ..): &(i64, _, _)| version.saturating_sub(since) < limits::PLACE_CHANGES_KEPT;
    if rows.len() > most || !rows.first().is_some_and(kept) {
        return Ok(None);
    }
    rows.into_iter()
        .filter_map(|(_, start, end)| Some(interval(start?, end?)))
        .collect::<Result<_, _>>()
        .map(Some)
}

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

/// Append that a row with this start and end overlaps one of these.
fn push_overlap(query: &mut QueryBuilder<Db>, start: &str, end: &str, within: &[Interval]) {
    for (i, stretch) in within.iter().enumerate() {
        query.push(if i == 0 { " AND (" } else { " OR " });
        query.push(format_args!("({end} > ")).push_bind(Ts(stretch.start()));
        query.push(format_args!(" AND {start} < ")).push_bind(Ts(stretch.end())).push(")");
    }
    query.push(")");
}

/// Every place of these members that overlaps one of these stretches (at least one), holds that are over included; refused if they
/// are more than [`limits::PLACES_READ_MAX`].
pub(crate) async fn occupancies(
    conn: &mut Conn,
    tenant: TenantId,
    members: &[MemberId],
    within: &[Interval],
) -> Result<Vec<(MemberId, StoredOccupancy)>, StoreError> {
    let mut query = QueryBuilder::<Db>::new(
        "SELECT member_id, blocked_start, blocked_end, starts_at, ends_at, owner_id, event_type_id, expires_at
        FROM occupancies WHERE tenant_id = ",
    );
    query.push_bind(tenant.uuid()).push(" AND member_id IN ");
    push_ids(&mut query, members);
    push_overlap(&mut query, "blocked_start", "blocked_end", within);
    // Bookings at providers that are not ours.
    query.push(
        " UNION ALL SELECT member_id, starts_at, ends_at, starts_at, ends_at, id, NULL, NULL
        FROM external_bookings WHERE tenant_id = ",
    );
    query.push_bind(tenant.uuid()).push(" AND member_id IN ");
    push_ids(&mut query, members);
    push_overlap(&mut query, "starts_at", "ends_at", within);
    let most = limits::PLACES_READ_MAX;
    query.push(" LIMIT ").push_bind(most.saturating_add(1));
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    if i64::try_from(rows.len()).unwrap_or(i64::MAX) > most {
        return Err(StoreError::TooMany(most));
    }
    rows.into_iter()
        .map(|row| {
            let place = StoredOccupancy {
                padded: interval(row.blocked_start, row.blocked_end)?,
                when: interval(row.starts_at, row.ends_at)?,
                owner: row.owner_id,
                event_type: row.event_type_id,
                expires_at: row.expires_at.map(|at| at.0),
            };
            Ok((MemberId::from_uuid(row.member_id), place))
        })
        .collect()
}
