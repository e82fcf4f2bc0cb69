//! Texts that people consent to. They are published and read, and never changed.

use berth_model::{
    id::{ConsentTextId, TenantId},
    limits,
    privacy::ConsentText,
};
use serde_json::json;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::super::{super::Db, Conn, or_not_found, page_after, tenants::audit};
use crate::{
    StoreError,
    records::{Audit, NewConsentText},
    types::Ts,
};

const COLUMNS: &str = "tenant_id, id, purpose, language, version, text, sha256, published_at";

queries! {
    // Those who publish go one after the other, so that versions are counted without gaps.
    LOCK = concat!("SELECT id FROM tenants WHERE id = $1", lock_row!());
    LATEST = "SELECT tenant_id, id, purpose, language, version, text, sha256, published_at FROM consent_texts
        WHERE tenant_id = $1 AND purpose = $2 AND language = $3 ORDER BY version DESC LIMIT 1";
    COUNT = "SELECT COUNT(*) FROM consent_texts WHERE tenant_id = $1";
    INSERT = "INSERT INTO consent_texts (tenant_id, id, purpose, language, version, text, sha256, published_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    GET = "SELECT tenant_id, id, purpose, language, version, text, sha256, published_at FROM consent_texts
        WHERE tenant_id = $1 AND id = $2";
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    purpose: String,
    language: String,
    version: i64,
    text: String,
    sha256: Vec<u8>,
    published_at: Ts,
}

impl TryFrom<Row> for ConsentText {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: ConsentTextId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            purpose: row.purpose,
            language: row.language,
            version: row.version,
            text: row.text,
            sha256: row
                .sha256
                .try_into()
                .map_err(|_| StoreError::Corrupt("a hash that is not 32 bytes long".to_owned()))?,
            published_at: row.published_at.0,
        })
    }
}

/// The text as it is published: a new version, or the latest one if that says the same. True: it is new.
pub(crate) async fn publish(
    conn: &mut Conn,
    new: &NewConsentText,
    audit: &Audit,
) -> Result<(ConsentText, bool), StoreError> {
    let tenant = new.tenant.uuid();
    or_not_found(
        sqlx::query_scalar::<Db, Uuid>(LOCK).bind(tenant).fetch_optional(&mut *conn).await?,
        "tenant",
    )?;
    let latest = sqlx::query_as::<Db, Row>(LATEST)
        .bind(tenant)
        .bind(&new.purpose)
        .bind(&new.language)
        .fetch_optional(&mut *conn)
        .await?;
    let latest: Option<ConsentText> = latest.map(TryInto::try_into).transpose()?;
    let version = latest.as_ref().map_or(0, |latest| latest.version).saturating_add(1);
    if let Some(same) = latest.filter(|latest| latest.sha256 == new.sha256) {
        return Ok((same, false));
    }
    if sqlx::query_scalar::<Db, i64>(COUNT).bind(tenant).fetch_one(&mut *conn).await?
        >= limits::CONSENT_TEXTS_MAX
    {
        return Err(StoreError::TooMany(limits::CONSENT_TEXTS_MAX));
    }
    sqlx::query::<Db>(INSERT)
        .bind(tenant)
        .bind(new.id.uuid())
        .bind(&new.purpose)
        .bind(&new.language)
        .bind(version)
        .bind(&new.text)
        .bind(new.sha256.as_slice())
        .bind(Ts(audit.at))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("a text with this id"))?;
    let data = json!({ "purpose": new.purpose, "language": new.language, "version": version });
    audit::append(conn, audit, Some(new.tenant), "consent_text.published", new.id.uuid(), data).await?;
    Ok((get(conn, new.tenant, new.id).await?, true))
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    text: ConsentTextId,
) -> Result<ConsentText, StoreError> {
    let row =
        sqlx::query_as::<Db, Row>(GET).bind(tenant.uuid()).bind(text.uuid()).fetch_optional(conn).await?;
    or_not_found(row, "consent text")?.try_into()
}

/// A page, by age.
pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    purpose: Option<&str>,
    language: Option<&str>,
    from: Option<ConsentTextId>,
    limit: u32,
) -> Result<Vec<ConsentText>, StoreError> {
    let mut query = QueryBuilder::<Db>::new("SELECT ");
    query.push(COLUMNS).push(" FROM consent_texts WHERE tenant_id = ").push_bind(tenant.uuid());
    query.push(" AND id > ").push_bind(page_after(from));
    for (column, value) in [(" AND purpose = ", purpose), (" AND language = ", language)] {
        if let Some(value) = value {
            query.push(column).push_bind(value);
        }
    }
    query.push(" ORDER BY id LIMIT ").push_bind(i64::from(limit));
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}
