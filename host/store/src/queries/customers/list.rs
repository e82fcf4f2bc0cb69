//! Lists of customers: in an order, filtered, looked for by words.
//!
//! A whole address is found by its MAC. Parts of names and addresses are compared along the order of the list, so that a page is there as soon
//! as it is full; what is rare ends after `CUSTOMERS_LOOKED_AT_MAX` customers, with a page that may be empty and a position to go on from.

use berth_model::{
    customers::{Customer, keys::KeyKind},
    id::{CustomerId, TenantId},
    limits,
    time::Instant,
};
use sqlx::{QueryBuilder, Row as _};
use uuid::Uuid;

use super::{super::super::Db, Conn, Row, columns, with_tags};
use crate::{
    StoreError,
    records::{CustomerFilter, CustomerPage, CustomerPosition, CustomerSort},
    types::Ts,
};

queries! {
    HAS_KEY = "SELECT customer_id FROM customer_keys WHERE tenant_id = $1 AND kind = $2 AND mac = $3 LIMIT 1";
}

/// An order: its columns, how they are compared with what is before and with what is the last, and how they are sorted.
struct Order {
    columns: &'static str,
    after: &'static str,
    until: &'static str,
    sorted: &'static str,
}

const fn order(sort: CustomerSort) -> Order {
    let (columns, sorted) = match sort {
        CustomerSort::Age => ("(c.id)", " ORDER BY c.id"),
        CustomerSort::Name => ("(c.name_key, c.id)", " ORDER BY c.name_key, c.id"),
        CustomerSort::LastSeen => ("(c.last_seen_at, c.id)", " ORDER BY c.last_seen_at DESC, c.id DESC"),
    };
    match sort {
        CustomerSort::LastSeen => Order { columns, after: " < ", until: " >= ", sorted },
        CustomerSort::Age | CustomerSort::Name => Order { columns, after: " > ", until: " <= ", sorted },
    }
}

fn push_position(query: &mut QueryBuilder<Db>, sort: CustomerSort, at: &CustomerPosition) {
    query.push("(");
    match sort {
        CustomerSort::Age => {}
        CustomerSort::Name => {
            query.push_bind(at.name.clone()).push(", ");
        }
        CustomerSort::LastSeen => {
            query.push_bind(Ts(Instant::from_micros(at.seen))).push(", ");
        }
    }
    query.push_bind(at.id.uuid()).push(")");
}

fn push_after(query: &mut QueryBuilder<Db>, sort: CustomerSort, after: Option<&CustomerPosition>) {
    let order = order(sort);
    if let Some(after) = after {
        query.push(" AND ").push(order.columns).push(order.after);
        push_position(query, sort, after);
    }
}

/// How far one page looks; none if there are not as many customers as that.
async fn bound(
    conn: &mut Conn,
    tenant: TenantId,
    filter: &CustomerFilter,
) -> Result<Option<CustomerPosition>, StoreError> {
    let mut query = QueryBuilder::<Db>::new(
        "SELECT c.name_key, c.last_seen_at, c.id FROM customers c WHERE c.tenant_id = ",
    );
    query.push_bind(tenant.uuid());
    push_after(&mut query, filter.sort, filter.after.as_ref());
    query.push(order(filter.sort).sorted).push(" LIMIT 1 OFFSET ").push_bind(limits::CUSTOMERS_LOOKED_AT_MAX);
    let row = query.build().fetch_optional(conn).await?;
    let Some(row) = row else { return Ok(None) };
    let (name, seen, id): (String, Ts, Uuid) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(Some(CustomerPosition { name, seen: seen.0.micros(), id: CustomerId::from_uuid(id) }))
}

/// A page of customers. `mac` is that of the whole address that is looked for, if it is one.
pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    filter: &CustomerFilter,
    mac: Option<&(KeyKind, Vec<u8>)>,
    limit: u32,
) -> Result<CustomerPage, StoreError> {
    let mut by_key = None;
    if let Some((kind, mac)) = mac {
        let found = sqlx::query_scalar::<Db, Uuid>(HAS_KEY).bind(tenant.uuid()).bind(kind.as_str()).bind(mac);
        by_key = found.fetch_optional(&mut *conn).await?.map(|_| (kind, mac));
    }
    let looks = by_key.is_none() && (filter.words.is_some() || filter.blocked.is_some());
    let bound = if looks { bound(conn, tenant, filter).await? } else { None };

    let order = order(filter.sort);
    let mut query =
        QueryBuilder::<Db>::new(concat!("SELECT ", columns!(), " FROM customers c WHERE c.tenant_id = "));
    query.push_bind(tenant.uuid()).push(" AND c.merged_into IS NULL");
    push_after(&mut query, filter.sort, filter.after.as_ref());
    if let Some(bound) = &bound {
        query.push(" AND ").push(order.columns).push(order.until);
        push_position(&mut query, filter.sort, bound);
    }
    if let Some((kind, mac)) = by_key {
        query
            .push(" AND c.id IN (SELECT customer_id FROM customer_keys WHERE tenant_id = ")
            .push_bind(tenant.uuid());
        query
            .push(" AND kind = ")
            .push_bind(kind.as_str())
            .push(" AND mac = ")
            .push_bind(mac.clone())
            .push(")");
    } else if let Some(words) = &filter.words {
        for pattern in &words.patterns {
            query.push(" AND c.search LIKE ").push_bind(pattern.clone()).push(" ESCAPE '\\'");
        }
    }
    if let Some(tag) = &filter.tag {
        query
            .push(" AND c.id IN (SELECT customer_id FROM customer_tags WHERE tenant_id = ")
            .push_bind(tenant.uuid());
        query.push(" AND tag = ").push_bind(tag.clone()).push(")");
    }
    match filter.blocked {
        Some(true) => query.push(" AND c.blocked_at IS NOT NULL"),
        Some(false) => query.push(" AND c.blocked_at IS NULL"),
        None => &mut query,
    };
    query.push(order.sorted).push(" LIMIT ").push_bind(i64::from(limit).saturating_add(1));
    let mut rows: Vec<Row> = query.build_query_as().fetch_all(&mut *conn).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_full = rows.len() > wanted;
    rows.truncate(wanted);
    let last = rows.last().map(|row| CustomerPosition {
        name: row.name_key.clone(),
        seen: row.last_seen_at.0.micros(),
        id: CustomerId::from_uuid(row.id),
    });
    let next = if is_full { last } else { bound };
    let items = with_tags(conn, tenant, rows.into_iter().map(Customer::from).collect()).await?;
    Ok(CustomerPage { items, next })
}
