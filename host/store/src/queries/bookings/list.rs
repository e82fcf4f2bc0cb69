//! Lists of bookings, narrowed and in order, and how many there are on each day.

use std::collections::BTreeMap;

use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus},
        lists::{Day, DayCount, OrderedBy, WantedStates},
    },
    id::{Id, TenantId},
    time::Interval,
};
use sqlx::QueryBuilder;

use super::{
    super::{super::Db, Conn, parse_enum},
    ALL_OF, Row, members, with_members, words,
};
use crate::{
    StoreError,
    records::{BookedOver, BookingFilter},
    types::Ts,
};

queries! {
    PROVIDERS = "SELECT DISTINCT plugin FROM connections WHERE tenant_id = $1 ORDER BY plugin";
}

/// Providers that a tenant has or had connections to, by name.
pub(crate) async fn providers(conn: &mut Conn, tenant: TenantId) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar::<Db, String>(PROVIDERS).bind(tenant.uuid()).fetch_all(conn).await?)
}

/// In the order that is asked for.
pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    filter: &BookingFilter,
    limit: u32,
) -> Result<Vec<Booking>, StoreError> {
    let rows: Vec<Row> = page(tenant, filter, limit).build_query_as().fetch_all(&mut *conn).await?;
    with_members(conn, tenant, rows).await
}

/// The statement of a list, as it is carried out.
pub(crate) fn statement(tenant: TenantId, filter: &BookingFilter) -> String {
    page(tenant, filter, 50).sql().as_str().to_owned()
}

fn page(tenant: TenantId, filter: &BookingFilter, limit: u32) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::<Db>::new(ALL_OF);
    query.push_bind(tenant.uuid());
    narrow(&mut query, tenant, filter);
    push_overlapping(&mut query, filter.within);
    let time = match filter.order.by {
        OrderedBy::Start => "starts_at",
        OrderedBy::Created => "created_at",
        OrderedBy::Updated => "updated_at",
    };
    let (after, way) = if filter.order.descending { ("<", " DESC") } else { (">", "") };
    if let Some((at, id)) = filter.after {
        query.push(format!(" AND ({time}, id) {after} (")).push_bind(Ts(at)).push(", ");
        query.push_bind(id.uuid()).push(")");
    }
    query.push(format!(" ORDER BY {time}{way}, id{way} LIMIT ")).push_bind(i64::from(limit));
    query
}

/// How many there are, whatever their order.
pub(crate) async fn how_many(
    conn: &mut Conn,
    tenant: TenantId,
    filter: &BookingFilter,
) -> Result<i64, StoreError> {
    let mut query = QueryBuilder::<Db>::new("SELECT COUNT(*) FROM bookings b WHERE tenant_id = ");
    query.push_bind(tenant.uuid());
    narrow(&mut query, tenant, filter);
    push_overlapping(&mut query, filter.within);
    Ok(query.build_query_scalar().fetch_one(conn).await?)
}

fn push_overlapping(query: &mut QueryBuilder<Db>, within: Option<Interval>) {
    if let Some(within) = within {
        query.push(" AND starts_at < ").push_bind(Ts(within.end()));
        query.push(" AND ends_at > ").push_bind(Ts(within.start()));
    }
}

/// All but when they are.
fn narrow(query: &mut QueryBuilder<Db>, tenant: TenantId, filter: &BookingFilter) {
    for (column, id) in [
        ("listing_id", filter.listing.map(Id::uuid)),
        ("event_type_id", filter.event_type.map(Id::uuid)),
        ("series_id", filter.series.map(Id::uuid)),
        ("customer_id", filter.customer.map(Id::uuid)),
    ] {
        if let Some(id) = id {
            query.push(format!(" AND {column} = ")).push_bind(id);
        }
    }
    if let Some(connection) = filter.connection {
        query.push(" AND id IN (SELECT id FROM bookings WHERE tenant_id = ").push_bind(tenant.uuid());
        query.push(" AND connection_id = ").push_bind(connection.uuid()).push(")");
    }
    if let Some(member) = filter.member {
        members::push_is_with(query, tenant, member);
    }
    push_states(query, &filter.states);
    push_within(query, "created_at", filter.created);
    push_within(query, "updated_at", filter.updated);
    if let Some(task) = filter.provider_task {
        query.push(" AND provider_task = ").push_bind(task.as_str());
    }
    match &filter.provider {
        None => {}
        Some(BookedOver::BuiltIn) => {
            query.push(" AND connection_id IS NULL");
        }
        Some(BookedOver::Provider(plugin)) => {
            query.push(
                " AND id IN (SELECT b.id FROM connections c JOIN bookings b ON b.tenant_id = c.tenant_id",
            );
            query.push(" AND b.connection_id = c.id WHERE c.tenant_id = ").push_bind(tenant.uuid());
            query.push(" AND c.plugin = ").push_bind(plugin.as_str().to_owned()).push(")");
        }
    }
    if let Some(external_id) = &filter.external_id {
        query.push(" AND id IN (SELECT booking_id FROM booking_twins WHERE tenant_id = ");
        query.push_bind(tenant.uuid()).push(" AND external_id = ").push_bind(external_id.clone()).push(")");
    }
    if let Some(search) = &filter.search {
        words::push_is_found(query, tenant, search, &words::OF_BOOKINGS);
    }
}

fn push_states(query: &mut QueryBuilder<Db>, wanted: &WantedStates) {
    if wanted.is_all() {
        return;
    }
    query.push(" AND (");
    if wanted.rescheduled {
        query.push("rescheduled_at IS NOT NULL");
    }
    if !wanted.statuses.is_empty() {
        query.push(if wanted.rescheduled { " OR status IN (" } else { "status IN (" });
        let mut all = query.separated(", ");
        for status in &wanted.statuses {
            all.push_bind(status.as_str());
        }
        query.push(")");
    }
    query.push(")");
}

pub(crate) fn push_within(query: &mut QueryBuilder<Db>, column: &str, within: Option<Interval>) {
    if let Some(within) = within {
        query.push(format!(" AND {column} >= ")).push_bind(Ts(within.start()));
        query.push(format!(" AND {column} < ")).push_bind(Ts(within.end()));
    }
}

/// How many start on each of these days, by status.
pub(crate) async fn counts(
    conn: &mut Conn,
    tenant: TenantId,
    filter: &BookingFilter,
    days: &[Day],
) -> Result<Vec<DayCount>, StoreError> {
    let of = |query: &mut QueryBuilder<Db>| narrow(query, tenant, filter);
    let known = |status: &str| {
        parse_enum(&BookingStatus::ALL, BookingStatus::as_str, status, "booking status").map(drop)
    };
    counted((conn, tenant), ("bookings b", "starts_at"), days, of, known).await
}

/// How many rows of a table start on each of these days, by status: those that it is narrowed to, whose statuses are known. One question,
/// whatever the number of days.
pub(crate) async fn counted(
    (conn, tenant): (&mut Conn, TenantId),
    (table, start): (&str, &str),
    days: &[Day],
    narrow: impl FnOnce(&mut QueryBuilder<Db>),
    known: impl Fn(&str) -> Result<(), StoreError>,
) -> Result<Vec<DayCount>, StoreError> {
    let mut counts: Vec<DayCount> =
        days.iter().map(|day| DayCount { date: day.date, total: 0, by_status: BTreeMap::new() }).collect();
    if days.is_empty() {
        return Ok(counts);
    }
    let mut query = QueryBuilder::<Db>::new("WITH days (day, day_start, day_end) AS (");
    query.push_values((0_i64..).zip(days), |mut row, (n, day)| {
        row.push_bind(n).push_bind(Ts(day.within.start())).push_bind(Ts(day.within.end()));
    });
    query.push(format!(") SELECT day, status, COUNT(*) FROM days CROSS JOIN {table} WHERE tenant_id = "));
    query.push_bind(tenant.uuid()).push(format!(" AND {start} >= day_start AND {start} < day_end"));
    narrow(&mut query);
    query.push(" GROUP BY day, status");
    for (day, status, count) in query.build_query_as::<(i64, String, i64)>().fetch_all(conn).await? {
        known(&status)?;
        if let Some(of) = usize::try_from(day).ok().and_then(|day| counts.get_mut(day)) {
            of.total = of.total.saturating_add(count);
            of.by_status.insert(status, count);
        }
    }
    Ok(counts)
}
