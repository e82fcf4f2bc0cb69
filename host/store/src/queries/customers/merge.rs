//! One customer becomes part of another: what finds them, their bookings, consents and tags are that one's from then on. What was written of
//! them stays with their row, which names the other.

use berth_model::{
    customers::Customer,
    events::EventKind,
    id::{CustomerId, TenantId},
    limits,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    super::{super::Db, Conn, or_not_found, tenants::audit},
    change::{tell, write},
    get,
};
use crate::{
    StoreError,
    macs::{MacKey, person_of},
    records::Audit,
};

/// Ordinals are given anew from here, so that none is there twice meanwhile.
macro_rules! apart {
    () => {
        "1099511627776"
    };
}

queries! {
    // In the order of ids, whoever becomes part of whom; nothing that refers to either is written meanwhile.
    LOCK = concat!("SELECT id, merged_into FROM customers WHERE tenant_id = $1 AND (id = $2 OR id = $3) ORDER BY id", lock_rows_whole!());
    PART = "UPDATE customers SET merged_into = $3, search = '', blocked_at = NULL, blocked_reason = NULL, revision = revision + 1
        WHERE tenant_id = $1 AND id = $2";
    // Those that became part of it before.
    PARTS = "UPDATE customers SET merged_into = $3 WHERE tenant_id = $1 AND merged_into = $2";
    KEYS = "INSERT INTO customer_keys (tenant_id, kind, mac, customer_id)
        SELECT tenant_id, kind, mac, $3 FROM customer_keys WHERE tenant_id = $1 AND customer_id = $2 ON CONFLICT DO NOTHING";
    FORGET_KEYS = "DELETE FROM customer_keys WHERE tenant_id = $1 AND customer_id = $2";
    BOOKINGS = "UPDATE bookings SET customer_id = $3 WHERE tenant_id = $1 AND customer_id = $2";
    EXTERNAL = "UPDATE external_bookings SET customer_id = $3 WHERE tenant_id = $1 AND customer_id = $2";
    // Consents of both in the order in which they were said.
    CONSENTS = concat!("UPDATE consents SET customer_id = $3, ordinal = r.n + ", apart!(), "
        FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY purpose ORDER BY at, ordinal, id) AS n FROM consents
            WHERE tenant_id = $1 AND (customer_id = $2 OR customer_id = $3)) r
        WHERE consents.tenant_id = $1 AND consents.id = r.id");
    ORDINALS = concat!("UPDATE consents SET ordinal = ordinal - ", apart!(), " WHERE tenant_id = $1 AND customer_id = $2 AND ordinal > ", apart!());
    // Who is somebody else than it is somebody else than what it became part of.
    APART = "INSERT INTO customers_apart (tenant_id, one_id, other_id, at)
        SELECT tenant_id, CASE WHEN z < $3 THEN z ELSE $3 END, CASE WHEN z < $3 THEN $3 ELSE z END, at
        FROM (SELECT tenant_id, at, CASE WHEN one_id = $2 THEN other_id ELSE one_id END AS z FROM customers_apart
            WHERE tenant_id = $1 AND (one_id = $2 OR other_id = $2)) p
        WHERE z <> $3 ON CONFLICT DO NOTHING";
    FORGET_APART = "DELETE FROM customers_apart WHERE tenant_id = $1 AND (one_id = $2 OR other_id = $2)";
}

/// Make `other` part of `into`. True: it was done; false: it was done before. `Merged` if `into` is part of another one, or `other` of a third.
pub(crate) async fn merge(
    conn: &mut Conn,
    tenant: TenantId,
    (into, other): (CustomerId, CustomerId),
    key: &MacKey,
    audit: &Audit,
) -> Result<bool, StoreError> {
    let locked = lock(conn, tenant, [into, other]).await?;
    let merged = |customer: CustomerId| {
        let row = locked.iter().find(|(id, _)| *id == customer.uuid());
        or_not_found(row.map(|(_, merged)| merged.map(CustomerId::from_uuid)), "customer")
    };
    if let Some(survivor) = merged(into)? {
        return Err(StoreError::Merged { customer: into, into: survivor });
    }
    match merged(other)? {
        None => {}
        Some(already) if already == into => return Ok(false),
        Some(third) => return Err(StoreError::Merged { customer: other, into: third }),
    }
    let (survivor, part) = (get(conn, tenant, into).await?, get(conn, tenant, other).await?);
    // First who is part of whom: what comes by the old name from now on waits, and comes to the survivor.
    let mut bookings = 0;
    for statement in [PART, PARTS, KEYS, FORGET_KEYS, BOOKINGS, EXTERNAL, CONSENTS, APART, FORGET_APART] {
        let mut query = sqlx::query::<Db>(statement).bind(tenant.uuid()).bind(other.uuid());
        if statement != FORGET_KEYS && statement != FORGET_APART {
            query = query.bind(into.uuid());
        }
        let done = query.execute(&mut *conn).await?;
        if statement == BOOKINGS {
            bookings = done.rows_affected();
        }
    }
    ordinals(conn, tenant, into).await?;
    let whole = united(survivor, &part);
    write(conn, &whole, &key.known(&person_of(&whole), whole.id)).await?;
    let whole = get(conn, tenant, into).await?;
    let data = json!({ "merged": other, "bookings": bookings, "revision": whole.revision });
    audit::append(conn, audit, Some(tenant), "customer.merged", into.uuid(), data).await?;
    let data = json!({ "merged_customer_id": other, "bookings": bookings });
    tell(conn, EventKind::CustomerMerged, &whole, data, audit).await?;
    Ok(true)
}

/// Two rows, and of whom each is part.
pub(super) async fn lock(
    conn: &mut Conn,
    tenant: TenantId,
    [one, other]: [CustomerId; 2],
) -> Result<Vec<(Uuid, Option<Uuid>)>, StoreError> {
    let lock = sqlx::query_as::<Db, (Uuid, Option<Uuid>)>(LOCK).bind(tenant.uuid());
    Ok(lock.bind(one.uuid()).bind(other.uuid()).fetch_all(conn).await?)
}

/// Give a customer's consents their ordinals anew, in the order in which they were said.
pub(super) async fn renumber(
    conn: &mut Conn,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<(), StoreError> {
    let (tenant_id, id) = (tenant.uuid(), customer.uuid());
    sqlx::query::<Db>(CONSENTS).bind(tenant_id).bind(id).bind(id).execute(&mut *conn).await?;
    ordinals(conn, tenant, customer).await
}

async fn ordinals(conn: &mut Conn, tenant: TenantId, customer: CustomerId) -> Result<(), StoreError> {
    sqlx::query::<Db>(ORDINALS).bind(tenant.uuid()).bind(customer.uuid()).execute(conn).await?;
    Ok(())
}

/// What is written of both together: the survivor's, and the other's where the survivor has none. Who is blocked stays blocked.
fn united(survivor: Customer, part: &Customer) -> Customer {
    let mut tags = survivor.tags.clone();
    tags.extend(part.tags.iter().filter(|tag| !survivor.tags.contains(tag)).cloned());
    tags.truncate(limits::CUSTOMER_TAGS_MAX);
    tags.sort_unstable();
    let notes = match (&survivor.notes, &part.notes) {
        (Some(own), Some(theirs)) => {
            let both = format!("{own}\n\n{theirs}");
            let fits = both.chars().count() <= limits::CUSTOMER_NOTES_CHARS_MAX;
            Some(if fits { both } else { own.clone() })
        }
        (own, theirs) => own.clone().or_else(|| theirs.clone()),
    };
    Customer {
        email: survivor.email.clone().or_else(|| part.email.clone()),
        phone: survivor.phone.clone().or_else(|| part.phone.clone()),
        language: survivor.language.clone().or_else(|| part.language.clone()),
        blocked: survivor.blocked.clone().or_else(|| part.blocked.clone()),
        last_seen_at: survivor.last_seen_at.max(part.last_seen_at),
        tags,
        notes,
        ..survivor
    }
}
