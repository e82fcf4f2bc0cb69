//! Customers: read, and the keys that find them.

pub(crate) mod change;
pub(crate) mod history;
pub(crate) mod identify;
pub(crate) mod list;
pub(crate) mod merge;
pub(crate) mod split;

use std::collections::HashMap;

use berth_model::{
    customers::{
        Blocked, Customer, MaybeSame, Questions,
        identity::{InCommon, Verdict, names_alike},
        keys::KeyKind,
    },
    id::{CustomerId, TenantId},
    limits,
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{super::Db, Conn, or_not_found, page_after};
use crate::{StoreError, types::Ts};

/// The columns of a customer as they are read.
macro_rules! columns {
    () => {
        "c.tenant_id, c.id, c.name, c.email, c.phone, c.language, c.notes, c.blocked_at, c.blocked_reason, c.merged_into, c.revision,
            c.created_at, c.last_seen_at, c.name_key"
    };
}
use columns;

queries! {
    GET = concat!("SELECT ", columns!(), " FROM customers c WHERE tenant_id = $1 AND id = $2");
    // In this order, which SQLite keeps: it would read all of the tenant's keys otherwise.
    SHARING = concat!("SELECT o.kind, ", columns!(), "
        FROM customer_keys k CROSS JOIN customer_keys o CROSS JOIN customers c
        WHERE k.tenant_id = $1 AND k.customer_id = $2
            AND o.tenant_id = k.tenant_id AND o.kind = k.kind AND o.mac = k.mac AND o.customer_id <> k.customer_id
            AND c.tenant_id = o.tenant_id AND c.id = o.customer_id
            AND NOT EXISTS (SELECT 1 FROM customers_apart a WHERE a.tenant_id = $1 AND a.one_id = k.customer_id AND a.other_id = c.id)
            AND NOT EXISTS (SELECT 1 FROM customers_apart a WHERE a.tenant_id = $1 AND a.one_id = c.id AND a.other_id = k.customer_id)
        ORDER BY c.id, o.kind LIMIT $3");
    MAC_KEY = "SELECT sealed_mac_key FROM tenants WHERE id = $1";
    // The first one stays, whoever else makes one.
    SET_MAC_KEY = "UPDATE tenants SET sealed_mac_key = $2 WHERE id = $1 AND sealed_mac_key IS NULL";
    MAC_KEYS = "SELECT id, sealed_mac_key FROM tenants WHERE id > $1 AND sealed_mac_key IS NOT NULL ORDER BY id LIMIT $2";
    RESEAL_MAC_KEY = "UPDATE tenants SET sealed_mac_key = $3 WHERE id = $1 AND sealed_mac_key = $2";
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    language: Option<String>,
    notes: Option<String>,
    blocked_at: Option<Ts>,
    blocked_reason: Option<String>,
    merged_into: Option<Uuid>,
    revision: i64,
    created_at: Ts,
    last_seen_at: Ts,
    name_key: String,
}

impl Row {
    /// The customer, unless they are part of another one.
    fn alone(self) -> Result<Self, StoreError> {
        match self.merged_into {
            None => Ok(self),
            Some(into) => Err(StoreError::Merged {
                customer: CustomerId::from_uuid(self.id),
                into: CustomerId::from_uuid(into),
            }),
        }
    }
}

impl From<Row> for Customer {
    fn from(row: Row) -> Self {
        let blocked =
            row.blocked_at.map(|at| Blocked { at: at.0, reason: row.blocked_reason.unwrap_or_default() });
        Self {
            id: CustomerId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            name: row.name,
            email: row.email,
            phone: row.phone,
            language: row.language,
            notes: row.notes,
            tags: Vec::new(),
            blocked,
            revision: row.revision,
            created_at: row.created_at.0,
            last_seen_at: row.last_seen_at.0,
        }
    }
}

#[derive(sqlx::FromRow)]
struct SharingRow {
    kind: String,
    #[sqlx(flatten)]
    customer: Row,
}

/// A customer. `Merged` if they are part of another one.
pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<Customer, StoreError> {
    one(conn, GET, tenant, customer).await
}

async fn one(
    conn: &mut Conn,
    statement: &'static str,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<Customer, StoreError> {
    let row = sqlx::query_as::<Db, Row>(statement)
        .bind(tenant.uuid())
        .bind(customer.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    let customer = or_not_found(row, "customer")?.alone()?.into();
    or_not_found(with_tags(conn, tenant, vec![customer]).await?.pop(), "customer")
}

/// Customers of one tenant with their tags.
async fn with_tags(
    conn: &mut Conn,
    tenant: TenantId,
    mut customers: Vec<Customer>,
) -> Result<Vec<Customer>, StoreError> {
    if customers.is_empty() {
        return Ok(customers);
    }
    let mut query = QueryBuilder::<Db>::new("SELECT customer_id, tag FROM customer_tags WHERE tenant_id = ");
    query.push_bind(tenant.uuid()).push(" AND customer_id IN (");
    let mut ids = query.separated(", ");
    for customer in &customers {
        ids.push_bind(customer.id.uuid());
    }
    query.push(") ORDER BY customer_id, tag");
    let mut tags: HashMap<Uuid, Vec<String>> = HashMap::new();
    for (id, tag) in query.build_query_as::<(Uuid, String)>().fetch_all(conn).await? {
        tags.entry(id).or_default().push(tag);
    }
    for customer in &mut customers {
        customer.tags = tags.remove(&customer.id.uuid()).unwrap_or_default();
    }
    Ok(customers)
}

/// A customer with those who may be the same, by age: who shares an address, unless name and telephone number, or somebody, said that it is
/// somebody else. At most `CUSTOMER_CANDIDATES_MAX` addresses are looked at.
pub(crate) async fn with_maybe_same(
    conn: &mut Conn,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<Questions, StoreError> {
    let customer = get(conn, tenant, customer).await?;
    let mut rows = sqlx::query_as::<Db, SharingRow>(SHARING)
        .bind(tenant.uuid())
        .bind(customer.id.uuid())
        .bind(limits::CUSTOMER_CANDIDATES_MAX.saturating_add(1))
        .fetch_all(conn)
        .await?;
    let most = usize::try_from(limits::CUSTOMER_CANDIDATES_MAX).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let mut all: Vec<MaybeSame> = Vec::new();
    for SharingRow { kind, customer: row } in rows {
        let other = Customer::from(row);
        let (same_email, same_phone) = (kind == KeyKind::Email.as_str(), kind == KeyKind::Phone.as_str());
        if let Some(last) = all.last_mut().filter(|last| last.customer.id == other.id) {
            last.same_email |= same_email;
            last.same_phone |= same_phone;
        } else {
            let same_name = names_alike(&customer.name, &other.name);
            all.push(MaybeSame { customer: other, same_email, same_phone, same_name });
        }
    }
    all.retain(|other| {
        let common = InCommon {
            email: other.same_email,
            phone: other.same_phone,
            name: other.same_name,
            both_have_phones: customer.phone.is_some() && other.customer.phone.is_some(),
        };
        common.verdict() != Verdict::Different
    });
    Ok(Questions { customer, maybe_same: all, more })
}

/// A tenant's sealed key; none if there is none yet.
pub(crate) async fn mac_key(conn: &mut Conn, tenant: TenantId) -> Result<Option<Vec<u8>>, StoreError> {
    let row =
        sqlx::query_scalar::<Db, Option<Vec<u8>>>(MAC_KEY).bind(tenant.uuid()).fetch_optional(conn).await?;
    or_not_found(row, "tenant")
}

/// Give a tenant this sealed key, unless it has one. The one that it has then.
pub(crate) async fn set_mac_key(
    conn: &mut Conn,
    tenant: TenantId,
    sealed: &[u8],
) -> Result<Vec<u8>, StoreError> {
    sqlx::query::<Db>(SET_MAC_KEY).bind(tenant.uuid()).bind(sealed).execute(&mut *conn).await?;
    or_not_found(mac_key(conn, tenant).await?, "tenant")
}

/// A page of sealed keys over all tenants, in the order of ids.
pub(crate) async fn mac_keys(
    conn: &mut Conn,
    from: Option<TenantId>,
) -> Result<Vec<(TenantId, Vec<u8>)>, StoreError> {
    let rows = sqlx::query_as::<Db, (Uuid, Vec<u8>)>(MAC_KEYS)
        .bind(page_after(from))
        .bind(limits::LIST_ROWS_MAX)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|(tenant, sealed)| (TenantId::from_uuid(tenant), sealed)).collect())
}

/// Replace a sealed key, unless it was replaced in between.
pub(crate) async fn reseal_mac_key(
    conn: &mut Conn,
    tenant: TenantId,
    old: &[u8],
    new: &[u8],
) -> Result<(), StoreError> {
    sqlx::query::<Db>(RESEAL_MAC_KEY).bind(tenant.uuid()).bind(old).bind(new).execute(conn).await?;
    Ok(())
}
