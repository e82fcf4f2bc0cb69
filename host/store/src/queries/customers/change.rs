//! What a tenant does with its customers by hand: makes them, changes them, says that two are two.

use berth_model::{
    customers::{Customer, keys::KeyKind},
    events::{EventKind, NewEvent},
    id::{CustomerId, TenantId},
};
use serde_json::{Value, json};
use sqlx::{Database, QueryBuilder, query::Query};
use uuid::Uuid;

use super::{
    super::{super::Db, Conn, events, expect_affected, tenants::audit},
    columns, get,
    identify::{insert_keys, known_as},
    one,
};
use crate::{StoreError, macs::Known, records::Audit, types::Ts};

queries! {
    INSERT = "INSERT INTO customers (tenant_id, id, name, email, phone, language, notes, blocked_at, blocked_reason, identity, name_key,
            search, revision, created_at, last_seen_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $14, $13)";
    LOCK = concat!("SELECT ", columns!(), " FROM customers c WHERE tenant_id = $1 AND id = $2", lock_row!());
    UPDATE = "UPDATE customers SET name = $3, email = $4, phone = $5, language = $6, notes = $7, blocked_at = $8, blocked_reason = $9,
            identity = $10, name_key = $11, search = $12, last_seen_at = $13, revision = revision + 1
        WHERE tenant_id = $1 AND id = $2 AND revision = $14";
    // One that became part of another keeps its own: whoever comes by it again is that other.
    IDENTITY = "SELECT id FROM customers WHERE tenant_id = $1 AND identity = $2 AND id <> $3";
    FORGET_KEY = "DELETE FROM customer_keys WHERE tenant_id = $1 AND customer_id = $2 AND kind = $3 AND mac = $4";
    FORGET_TAGS = "DELETE FROM customer_tags WHERE tenant_id = $1 AND customer_id = $2";
    APART = "INSERT INTO customers_apart (tenant_id, one_id, other_id, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
}

/// A customer that is about to change.
pub(super) async fn lock(
    conn: &mut Conn,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<Customer, StoreError> {
    one(conn, LOCK, tenant, customer).await
}

/// Make a customer. Who they are if they are known already: nothing is made then.
pub(crate) async fn create(
    conn: &mut Conn,
    customer: &Customer,
    known: &Known,
    audit: &Audit,
) -> Result<Option<CustomerId>, StoreError> {
    if let Some(there) = known_as(conn, customer.tenant, known).await? {
        return Ok(Some(there));
    }
    insert(conn, customer, known).await?;
    let keys: Vec<_> = known.keys.iter().collect();
    insert_keys(conn, customer.tenant, customer.id, &keys).await?;
    let data = json!({ "tags": customer.tags.len(), "blocked": customer.blocked.is_some() });
    audit::append(conn, audit, Some(customer.tenant), "customer.created", customer.id.uuid(), data).await?;
    Ok(None)
}

/// A statement whose parameters begin with what is written of a customer; `$14` is the first that is free.
fn bound<'q>(
    statement: &'static str,
    customer: &'q Customer,
    identity: Option<&'q Vec<u8>>,
    known: &'q Known,
) -> Query<'q, Db, <Db as Database>::Arguments> {
    sqlx::query::<Db>(statement)
        .bind(customer.tenant.uuid())
        .bind(customer.id.uuid())
        .bind(&customer.name)
        .bind(&customer.email)
        .bind(&customer.phone)
        .bind(&customer.language)
        .bind(&customer.notes)
        .bind(customer.blocked.as_ref().map(|blocked| Ts(blocked.at)))
        .bind(customer.blocked.as_ref().map(|blocked| &blocked.reason))
        .bind(identity)
        .bind(&known.name_key)
        .bind(&known.search)
        .bind(Ts(customer.last_seen_at))
}

/// The row and its tags.
pub(super) async fn insert(conn: &mut Conn, customer: &Customer, known: &Known) -> Result<(), StoreError> {
    let identity = free(conn, customer, known).await?;
    bound(INSERT, customer, identity, known)
        .bind(Ts(customer.created_at))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("a customer of this name and address"))?;
    add_tags(conn, customer.tenant, customer.id, &customer.tags).await
}

/// The MAC of name and address, if it is nobody else's.
async fn free<'a>(
    conn: &mut Conn,
    customer: &Customer,
    known: &'a Known,
) -> Result<Option<&'a Vec<u8>>, StoreError> {
    let Some(identity) = &known.identity else { return Ok(None) };
    let other = sqlx::query_scalar::<Db, Uuid>(IDENTITY)
        .bind(customer.tenant.uuid())
        .bind(identity)
        .bind(customer.id.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(other.is_none().then_some(identity))
}

pub(super) async fn add_tags(
    conn: &mut Conn,
    tenant: TenantId,
    customer: CustomerId,
    tags: &[String],
) -> Result<(), StoreError> {
    if tags.is_empty() {
        return Ok(());
    }
    let mut insert = QueryBuilder::<Db>::new("INSERT INTO customer_tags (tenant_id, customer_id, tag) ");
    insert.push_values(tags, |mut row, tag| {
        row.push_bind(tenant.uuid()).push_bind(customer.uuid()).push_bind(tag);
    });
    insert.push(" ON CONFLICT DO NOTHING");
    insert.build().execute(conn).await?;
    Ok(())
}

/// Write a customer as they are now, with tags, and how they are looked for.
pub(super) async fn write(conn: &mut Conn, customer: &Customer, known: &Known) -> Result<(), StoreError> {
    let identity = free(conn, customer, known).await?;
    let done = bound(UPDATE, customer, identity, known)
        .bind(customer.revision)
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("a customer of this name and address"))?;
    expect_affected(&done, StoreError::Stale)?;
    let forget = sqlx::query::<Db>(FORGET_TAGS).bind(customer.tenant.uuid()).bind(customer.id.uuid());
    forget.execute(&mut *conn).await?;
    add_tags(conn, customer.tenant, customer.id, &customer.tags).await
}

/// What is different, by name.
fn differences(old: &Customer, new: &Customer) -> Vec<&'static str> {
    let all = [
        ("name", old.name != new.name),
        ("email", old.email != new.email),
        ("phone", old.phone != new.phone),
        ("language", old.language != new.language),
        ("notes", old.notes != new.notes),
        ("tags", old.tags != new.tags),
        ("blocked", old.blocked != new.blocked),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// Replace what is written of a customer. Addresses that are changed change what finds them: `before` and `known` are who they were and
/// are. `Stale` unless their revision is `new.revision`. What is as it was stays as it is.
pub(crate) async fn update(
    conn: &mut Conn,
    new: &Customer,
    (before, known): (&Known, &Known),
    audit: &Audit,
) -> Result<Customer, StoreError> {
    let old = lock(conn, new.tenant, new.id).await?;
    if old.revision != new.revision {
        return Err(StoreError::Stale);
    }
    let changed = differences(&old, new);
    if changed.is_empty() {
        return Ok(old);
    }
    // When they were seen last was not asked about.
    write(conn, &Customer { last_seen_at: old.last_seen_at, ..new.clone() }, known).await?;
    for kind in [KeyKind::Email, KeyKind::Phone] {
        if before.mac(kind) == known.mac(kind) {
            continue;
        }
        if let Some(mac) = before.mac(kind) {
            let forget = sqlx::query::<Db>(FORGET_KEY).bind(new.tenant.uuid()).bind(new.id.uuid());
            forget.bind(kind.as_str()).bind(mac).execute(&mut *conn).await?;
        }
        let keys: Vec<_> = known.keys.iter().filter(|(of, _)| *of == kind).collect();
        insert_keys(conn, new.tenant, new.id, &keys).await?;
    }
    let new = get(conn, new.tenant, new.id).await?;
    let data = json!({ "changed": changed, "blocked": new.blocked.is_some(), "revision": new.revision });
    audit::append(conn, audit, Some(new.tenant), "customer.updated", new.id.uuid(), data).await?;
    let data = json!({ "changed": changed, "blocked": new.blocked.is_some() });
    tell(conn, EventKind::CustomerUpdated, &new, data, audit).await?;
    Ok(new)
}

/// Tell of a change of a customer, who has its revision by now.
pub(super) async fn tell(
    conn: &mut Conn,
    kind: EventKind,
    customer: &Customer,
    data: Value,
    audit: &Audit,
) -> Result<(), StoreError> {
    let (subject, sequence) = (customer.id.uuid(), customer.revision);
    let (occurred_at, actor) = (audit.at, audit.actor.clone());
    events::append(conn, customer.tenant, &NewEvent { kind, subject, sequence, occurred_at, actor, data })
        .await
}

/// Write down that two are two people.
pub(super) async fn note_apart(
    conn: &mut Conn,
    tenant: TenantId,
    (one, other): (CustomerId, CustomerId),
    audit: &Audit,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(APART)
        .bind(tenant.uuid())
        .bind(one.min(other).uuid())
        .bind(one.max(other).uuid())
        .bind(Ts(audit.at))
        .execute(conn)
        .await?;
    Ok(())
}

/// Somebody says that two are two people: it is not asked again.
pub(crate) async fn apart(
    conn: &mut Conn,
    tenant: TenantId,
    (one, other): (CustomerId, CustomerId),
    audit: &Audit,
) -> Result<(), StoreError> {
    get(conn, tenant, one).await?;
    get(conn, tenant, other).await?;
    note_apart(conn, tenant, (one, other), audit).await?;
    let data = json!({ "other": other });
    audit::append(conn, audit, Some(tenant), "customer.not_same", one.uuid(), data).await
}
