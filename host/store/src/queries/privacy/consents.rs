//! What customers agreed to: rows are added, and the last one of a purpose counts.

use berth_model::{
    events::{EventKind, NewEvent},
    id::{ConsentId, ConsentTextId, CustomerId, TenantId},
    privacy::Consent,
};
use serde_json::json;
use uuid::Uuid;

use super::super::{super::Db, Conn, events, opt_instant, or_not_found, tenants::audit};
use crate::{
    StoreError,
    records::{Audit, NewConsent},
    types::Ts,
};

queries! {
    // What one customer says is written one after the other, so that there is a last word.
    LOCK = concat!("SELECT merged_into FROM customers WHERE tenant_id = $1 AND id = $2", lock_row!());
    INSERT = "INSERT INTO consents (tenant_id, id, customer_id, purpose, ordinal, given, text_id, source, ip_mac, ip_truncated,
            user_agent, expires_at, at)
        SELECT $1, $2, $3, $4, COALESCE(MAX(ordinal), 0) + 1, $5, $6, $7, $8, $9, $10, $11, $12 FROM consents
            WHERE tenant_id = $1 AND customer_id = $3 AND purpose = $4
        RETURNING tenant_id, id, customer_id, purpose, ordinal, given, text_id, source, ip_truncated, user_agent, expires_at, at";
    CURRENT = "SELECT tenant_id, id, customer_id, purpose, ordinal, given, text_id, source, ip_truncated, user_agent, expires_at, at
        FROM consents c WHERE tenant_id = $1 AND customer_id = $2
            AND ordinal = (SELECT MAX(ordinal) FROM consents l
                WHERE l.tenant_id = c.tenant_id AND l.customer_id = c.customer_id AND l.purpose = c.purpose)
        ORDER BY purpose";
    HISTORY = "SELECT tenant_id, id, customer_id, purpose, ordinal, given, text_id, source, ip_truncated, user_agent, expires_at, at
        FROM consents WHERE tenant_id = $1 AND customer_id = $2 AND (purpose, ordinal) > ($3, $4) ORDER BY purpose, ordinal LIMIT $5";
    CUSTOMER = "SELECT merged_into FROM customers WHERE tenant_id = $1 AND id = $2";
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    customer_id: Uuid,
    purpose: String,
    ordinal: i64,
    given: bool,
    text_id: Option<Uuid>,
    source: String,
    ip_truncated: Option<String>,
    user_agent: Option<String>,
    expires_at: Option<Ts>,
    at: Ts,
}

impl From<Row> for Consent {
    fn from(row: Row) -> Self {
        Self {
            id: ConsentId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            customer: CustomerId::from_uuid(row.customer_id),
            purpose: row.purpose,
            ordinal: row.ordinal,
            given: row.given,
            text: row.text_id.map(ConsentTextId::from_uuid),
            source: row.source,
            ip_truncated: row.ip_truncated,
            user_agent: row.user_agent,
            expires_at: opt_instant(row.expires_at),
            at: row.at.0,
        }
    }
}

/// Is there such a customer, who is not part of another one?
fn alone(row: Option<(Option<Uuid>,)>, customer: CustomerId) -> Result<(), StoreError> {
    match or_not_found(row, "customer")? {
        (None,) => Ok(()),
        (Some(into),) => Err(StoreError::Merged { customer, into: CustomerId::from_uuid(into) }),
    }
}

/// Write what a customer said. `NotFound` without the customer or the text.
pub(crate) async fn say(
    conn: &mut Conn,
    new: &NewConsent,
    ip_mac: Option<&[u8]>,
    audit: &Audit,
) -> Result<Consent, StoreError> {
    let (tenant, customer) = (new.tenant.uuid(), new.customer.uuid());
    let lock = sqlx::query_as::<Db, (Option<Uuid>,)>(LOCK).bind(tenant).bind(customer);
    alone(lock.fetch_optional(&mut *conn).await?, new.customer)?;
    let row = sqlx::query_as::<Db, Row>(INSERT)
        .bind(tenant)
        .bind(new.id.uuid())
        .bind(customer)
        .bind(&new.purpose)
        .bind(new.given)
        .bind(new.text.map(ConsentTextId::uuid))
        .bind(&new.source)
        .bind(ip_mac)
        .bind(&new.ip_truncated)
        .bind(&new.user_agent)
        .bind(new.expires_at.map(Ts))
        .bind(Ts(audit.at))
        .fetch_one(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("a consent with this id").missing("consent text"))?;
    let consent = Consent::from(row);
    let action = if consent.given { "consent.given" } else { "consent.withdrawn" };
    let data = json!({ "customer": consent.customer, "purpose": consent.purpose, "text": consent.text });
    audit::append(conn, audit, Some(new.tenant), action, consent.id.uuid(), data).await?;
    tell(conn, &consent, audit).await?;
    Ok(consent)
}

async fn tell(conn: &mut Conn, consent: &Consent, audit: &Audit) -> Result<(), StoreError> {
    let (kind, status) = if consent.given {
        (EventKind::ConsentGiven, "given")
    } else {
        (EventKind::ConsentWithdrawn, "withdrawn")
    };
    let data = json!({
        "status": status, "customer_id": consent.customer, "purpose": consent.purpose, "text_id": consent.text,
    });
    let (subject, sequence) = (consent.id.uuid(), consent.ordinal);
    let (occurred_at, actor) = (consent.at, audit.actor.clone());
    events::append(conn, consent.tenant, &NewEvent { kind, subject, sequence, occurred_at, actor, data })
        .await
}

/// The last word of a customer on each purpose, by its name. `NotFound` without the customer.
pub(crate) async fn current(
    conn: &mut Conn,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<Vec<Consent>, StoreError> {
    let there = sqlx::query_as::<Db, (Option<Uuid>,)>(CUSTOMER).bind(tenant.uuid()).bind(customer.uuid());
    alone(there.fetch_optional(&mut *conn).await?, customer)?;
    let rows =
        sqlx::query_as::<Db, Row>(CURRENT).bind(tenant.uuid()).bind(customer.uuid()).fetch_all(conn).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Everything that a customer said after this, by purpose and then in its order.
pub(crate) async fn history(
    conn: &mut Conn,
    tenant: TenantId,
    customer: CustomerId,
    (purpose, ordinal): (&str, i64),
    limit: u32,
) -> Result<Vec<Consent>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(HISTORY)
        .bind(tenant.uuid())
        .bind(customer.uuid())
        .bind(purpose)
        .bind(ordinal)
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}
