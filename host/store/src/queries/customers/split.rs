//! What is somebody else's goes from a customer to a new one, with the addresses that it carries.

use std::collections::BTreeSet;

use berth_model::{
    customers::{Customer, keys::KeyKind},
    events::EventKind,
    id::{BookingId, CustomerId, MirroredId, TenantId},
    limits,
    outbound::provider::{Attendee, ExternalBooking},
    time::Instant,
};
use serde_json::{Value, json};
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::{
    super::{super::Db, Conn, expect_affected, from_json, or_not_found, tenants::audit},
    change::{insert, note_apart, tell},
    get,
    identify::insert_keys,
    merge::{lock, renumber},
};
use crate::{
    StoreError,
    macs::{MacKey, attendee_of, person_of},
    records::{Audit, CustomerSplit},
    types::Ts,
};

queries! {
    LEFT = "SELECT attendee FROM bookings WHERE tenant_id = $1 AND customer_id = $2 ORDER BY starts_at DESC LIMIT $3";
    LEFT_EXTERNAL = "SELECT payload FROM external_bookings WHERE tenant_id = $1 AND customer_id = $2 LIMIT $3";
    FORGET_KEY = "DELETE FROM customer_keys WHERE tenant_id = $1 AND customer_id = $2 AND kind = $3 AND mac = $4";
    TOUCH = "UPDATE customers SET revision = revision + 1 WHERE tenant_id = $1 AND id = $2";
    // One that became part of this customer, and is the new one's name and address: whoever comes by them is the new one.
    GIVE_IDENTITY = "UPDATE customers SET identity = NULL WHERE tenant_id = $1 AND identity = $2 AND merged_into = $3";
}

type Key = (KeyKind, Vec<u8>);

/// What goes.
#[derive(Default)]
struct Going {
    people: Vec<Attendee>,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Going {
    fn add(&mut self, person: Option<Attendee>, at: Instant) {
        self.people.extend(person);
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
    }
}

/// Take bookings and consents from a customer and give them to `new`, who is made of the names and addresses that the bookings carry, the
/// latest of them first. `NotFound` if any is not the customer's, or if nobody is named in them.
pub(crate) async fn split(
    conn: &mut Conn,
    tenant: TenantId,
    (from, new): (CustomerId, CustomerId),
    what: &CustomerSplit,
    key: &MacKey,
    audit: &Audit,
) -> Result<(), StoreError> {
    lock(conn, tenant, [from, from]).await?;
    let old = get(conn, tenant, from).await?;
    let mut going = Going::default();
    read_bookings(conn, tenant, from, &what.bookings, &mut going).await?;
    read_external(conn, tenant, from, &what.external_bookings, &mut going).await?;
    let person = or_not_found(going.people.first(), "name in these bookings")?;
    let known = key.known(person, new);
    let customer = Customer {
        id: new,
        tenant,
        name: person.name.clone(),
        email: person.email.clone(),
        phone: person.phone.clone(),
        language: person.language.clone(),
        notes: None,
        tags: Vec::new(),
        blocked: old.blocked.clone(),
        revision: 1,
        created_at: going.first.unwrap_or(audit.at),
        last_seen_at: going.last.unwrap_or(audit.at),
    };
    if let Some(identity) = &known.identity {
        let give = sqlx::query::<Db>(GIVE_IDENTITY).bind(tenant.uuid()).bind(identity).bind(from.uuid());
        give.execute(&mut *conn).await?;
    }
    insert(conn, &customer, &known).await?;
    give(conn, tenant, (from, new), what).await?;

    let most = usize::try_from(limits::CUSTOMER_KEYS_MAX).unwrap_or(usize::MAX);
    let keys: BTreeSet<Key> = going.people.iter().flat_map(|person| key.known(person, new).keys).collect();
    let keys: Vec<&Key> = keys.iter().take(most).collect();
    insert_keys(conn, tenant, new, &keys).await?;
    let left = left(conn, &old, key).await?;
    for (kind, mac) in keys.into_iter().filter(|key| !left.contains(*key)) {
        let forget = sqlx::query::<Db>(FORGET_KEY).bind(tenant.uuid()).bind(from.uuid());
        forget.bind(kind.as_str()).bind(mac).execute(&mut *conn).await?;
    }
    note_apart(conn, tenant, (from, new), audit).await?;
    let touch = sqlx::query::<Db>(TOUCH).bind(tenant.uuid()).bind(from.uuid()).execute(&mut *conn).await?;
    expect_affected(&touch, StoreError::NotFound("customer"))?;

    let old = get(conn, tenant, from).await?;
    let data = json!({
        "new": new, "bookings": what.bookings, "external_bookings": what.external_bookings, "consents": what.consents,
        "revision": old.revision,
    });
    audit::append(conn, audit, Some(tenant), "customer.split", from.uuid(), data).await?;
    let data = json!({ "new_customer_id": new, "booking_ids": what.bookings });
    tell(conn, EventKind::CustomerSplit, &old, data, audit).await
}

/// A statement that ends with the customer's own rows of these ids.
fn of_customer(
    statement: &str,
    tenant: TenantId,
    customer: CustomerId,
    ids: impl Iterator<Item = Uuid>,
) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::<Db>::new(statement);
    query.push(" WHERE tenant_id = ").push_bind(tenant.uuid());
    query.push(" AND customer_id = ").push_bind(customer.uuid()).push(" AND id IN (");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(id);
    }
    query.push(")");
    query
}

async fn read_bookings(
    conn: &mut Conn,
    tenant: TenantId,
    customer: CustomerId,
    bookings: &[BookingId],
    going: &mut Going,
) -> Result<(), StoreError> {
    if bookings.is_empty() {
        return Ok(());
    }
    let ids = bookings.iter().map(|id| id.uuid());
    let mut query = of_customer("SELECT attendee, created_at FROM bookings", tenant, customer, ids);
    query.push(" ORDER BY created_at DESC, id DESC");
    let rows: Vec<(Json<Value>, Ts)> = query.build_query_as().fetch_all(conn).await?;
    if rows.len() != bookings.len() {
        return Err(StoreError::NotFound("booking of this customer"));
    }
    for (attendee, at) in rows {
        going.add(Some(from_json(attendee, "attendee")?), at.0);
    }
    Ok(())
}

async fn read_external(
    conn: &mut Conn,
    tenant: TenantId,
    customer: CustomerId,
    bookings: &[MirroredId],
    going: &mut Going,
) -> Result<(), StoreError> {
    if bookings.is_empty() {
        return Ok(());
    }
    let ids = bookings.iter().map(|id| id.uuid());
    let mut query =
        of_customer("SELECT payload, last_synced_at FROM external_bookings", tenant, customer, ids);
    query.push(" AND booking_id IS NULL ORDER BY last_synced_at DESC, id DESC");
    let rows: Vec<(Json<Value>, Ts)> = query.build_query_as().fetch_all(conn).await?;
    if rows.len() != bookings.len() {
        return Err(StoreError::NotFound("external booking of this customer"));
    }
    for (payload, at) in rows {
        let external: ExternalBooking = from_json(payload, "external booking")?;
        going.add(attendee_of(&external).cloned(), at.0);
    }
    Ok(())
}

/// Give what goes its new customer.
async fn give(
    conn: &mut Conn,
    tenant: TenantId,
    (from, to): (CustomerId, CustomerId),
    what: &CustomerSplit,
) -> Result<(), StoreError> {
    let bookings: Vec<Uuid> = what.bookings.iter().map(|id| id.uuid()).collect();
    let external: Vec<Uuid> = what.external_bookings.iter().map(|id| id.uuid()).collect();
    let consents: Vec<Uuid> = what.consents.iter().map(|id| id.uuid()).collect();
    // What a provider has of a booking that goes, goes with it.
    for (table, column, ids) in [
        ("bookings", "id", &bookings),
        ("external_bookings", "booking_id", &bookings),
        ("external_bookings", "id", &external),
        ("consents", "id", &consents),
    ] {
        if ids.is_empty() {
            continue;
        }
        let mut query = QueryBuilder::<Db>::new(format!("UPDATE {table} SET customer_id = "));
        query.push_bind(to.uuid()).push(" WHERE tenant_id = ").push_bind(tenant.uuid());
        query.push(" AND customer_id = ").push_bind(from.uuid()).push(format!(" AND {column} IN ("));
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(*id);
        }
        query.push(")");
        let done = query.build().execute(&mut *conn).await?;
        let all = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        if column == "id" && done.rows_affected() != all {
            return Err(StoreError::NotFound("consent of this customer"));
        }
    }
    if !consents.is_empty() {
        renumber(conn, tenant, from).await?;
        renumber(conn, tenant, to).await?;
    }
    Ok(())
}

/// Addresses that are the customer's without what went: those of their own, and of what they have still.
async fn left(conn: &mut Conn, customer: &Customer, key: &MacKey) -> Result<BTreeSet<Key>, StoreError> {
    let (tenant, id) = (customer.tenant.uuid(), customer.id.uuid());
    let most = limits::CUSTOMER_SPLIT_LOOKED_AT_MAX;
    let mut keys: BTreeSet<Key> = key.known(&person_of(customer), customer.id).keys.into_iter().collect();
    let bookings = sqlx::query_scalar::<Db, Json<Value>>(LEFT).bind(tenant).bind(id).bind(most);
    for attendee in bookings.fetch_all(&mut *conn).await? {
        let attendee: Attendee = from_json(attendee, "attendee")?;
        keys.extend(key.known(&attendee, customer.id).keys);
    }
    let external = sqlx::query_scalar::<Db, Json<Value>>(LEFT_EXTERNAL).bind(tenant).bind(id).bind(most);
    for payload in external.fetch_all(conn).await? {
        let external: ExternalBooking = from_json(payload, "external booking")?;
        if let Some(attendee) = attendee_of(&external) {
            keys.extend(key.known(attendee, customer.id).keys);
        }
    }
    Ok(keys)
}
