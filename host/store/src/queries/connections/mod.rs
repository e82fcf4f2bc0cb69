//! Connections to providers. Credentials come and go sealed; see `vault`.

pub(crate) mod by_provider;
pub(crate) mod calls;
pub(crate) mod domain_events;
pub(crate) mod oauth;
pub(crate) mod recovery;
pub(crate) mod secret_rotation;
pub(crate) mod state;
pub(crate) mod states;

use berth_model::{
    connections::connection::{ConnectionRecord, ConnectionState, ConnectionStatus},
    events::EventKind,
    id::{ConnectionId, ListingId, MemberId, TenantId},
    limits,
    mirror::sync::SyncRules,
    outbound::provider::Subscription,
    plugins::manifest::PluginId,
    time::Instant,
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    super::Db, Conn, bookings::occupancy, expect_affected, from_json, mirror::external, or_not_found,
    page_after, parse_enum, parsed, tenants::audit,
};
use crate::{StoreError, records::Audit, types::Ts};

queries! {
    INSERT = "INSERT INTO connections (tenant_id, id, listing_id, plugin, name, settings, granted_hosts, status, account,
            subscription, credential_names, sealed_credentials, revision, created_at, updated_at, webhook_sources,
            subscription_due_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    GET = "SELECT tenant_id, id, listing_id, plugin, name, settings, granted_hosts, state, status, status_detail, account,
            subscription, subscription_detail, webhook_sources, credential_names, webhook_address, revision, created_at, updated_at, reads_busy, writes_busy
        FROM connections WHERE tenant_id = $1 AND id = $2";
    BY_ID = "SELECT tenant_id, id, listing_id, plugin, name, settings, granted_hosts, state, status, status_detail, account,
            subscription, subscription_detail, webhook_sources, credential_names, webhook_address, revision, created_at, updated_at, reads_busy, writes_busy
        FROM connections WHERE id = $1";
    LIST = "SELECT tenant_id, id, listing_id, plugin, name, settings, granted_hosts, state, status, status_detail, account,
            subscription, subscription_detail, webhook_sources, credential_names, webhook_address, revision, created_at, updated_at, reads_busy, writes_busy
        FROM connections WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    OF_PLUGIN = "SELECT tenant_id, id, listing_id, plugin, name, settings, granted_hosts, state, status, status_detail, account,
            subscription, subscription_detail, webhook_sources, credential_names, webhook_address, revision, created_at, updated_at, reads_busy, writes_busy
        FROM connections WHERE plugin = $1 AND id > $2 ORDER BY id LIMIT $3";
    UPDATE = "UPDATE connections SET listing_id = $4, name = $5, settings = $6, granted_hosts = $7, status = $8,
            account = $9, subscription = $10, revision = revision + 1, updated_at = $11, status_detail = $12,
            webhook_sources = $13
        WHERE tenant_id = $1 AND id = $2 AND revision = $3
        RETURNING tenant_id, id, listing_id, plugin, name, settings, granted_hosts, state, status, status_detail, account,
            subscription, subscription_detail, webhook_sources, credential_names, webhook_address, revision, created_at, updated_at, reads_busy, writes_busy";
    SET_CREDENTIALS = "UPDATE connections SET credential_names = $3, sealed_credentials = $4
        WHERE tenant_id = $1 AND id = $2";
    SET_SUBSCRIPTION = "UPDATE connections SET subscription = $3, revision = revision + 1, updated_at = $4,
            subscription_due_at = $5, subscription_failures = 0, subscription_detail = NULL
        WHERE tenant_id = $1 AND id = $2 AND webhook_address = $6 AND state <> 'disconnected'";
    LOOKED_AFTER = "UPDATE connections SET subscription_due_at = $3, subscription_failures = 0, subscription_detail = $4
        WHERE tenant_id = $1 AND id = $2 AND webhook_address = $5";
    NOT_LOOKED_AFTER = "UPDATE connections SET subscription_due_at = $3, subscription_failures = subscription_failures + 1,
            subscription_detail = $4
        WHERE tenant_id = $1 AND id = $2 AND webhook_address = $5";
    CLAIM_SUBSCRIPTIONS = concat!("UPDATE connections SET subscription_due_at = $2
        WHERE (tenant_id, id) IN (
            SELECT tenant_id, id FROM connections WHERE subscription_due_at <= $1 AND state = 'active'
                AND EXISTS (SELECT 1 FROM tenants t WHERE t.id = connections.tenant_id AND t.state = 'active')
            ORDER BY subscription_due_at LIMIT $3", lock_rows_skipping!(), ")
        RETURNING tenant_id, id, subscription_failures");
    OF_ACCOUNT = "SELECT tenant_id, id, listing_id, plugin, name, settings, granted_hosts, state, status, status_detail, account,
            subscription, subscription_detail, webhook_sources, credential_names, webhook_address, revision, created_at, updated_at, reads_busy, writes_busy
        FROM connections WHERE plugin = $1 AND account ->> 'id' = $2 AND state <> 'disconnected' ORDER BY id LIMIT $3";
    DELETE = "DELETE FROM connections WHERE tenant_id = $1 AND id = $2";
    // Asked first, since all that goes with a connection would be removed before a refusal.
    CARRIED = "SELECT 1 FROM bookings WHERE tenant_id = $1 AND connection_id = $2 LIMIT 1";
    MIRRORED_MEMBERS = "SELECT DISTINCT member_id FROM external_bookings
        WHERE tenant_id = $1 AND connection_id = $2 AND member_id IS NOT NULL";
    CREDENTIALS = "SELECT sealed_credentials FROM connections WHERE tenant_id = $1 AND id = $2";
    ALL_SEALED = "SELECT tenant_id, id, sealed_credentials FROM connections WHERE id > $1 ORDER BY id LIMIT $2";
    RESEAL = "UPDATE connections SET sealed_credentials = $4
        WHERE tenant_id = $1 AND id = $2 AND sealed_credentials = $3";
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    listing_id: Option<Uuid>,
    plugin: String,
    name: String,
    settings: Json<Value>,
    granted_hosts: Option<Json<Value>>,
    state: String,
    status: String,
    status_detail: Option<String>,
    account: Json<Value>,
    subscription: Option<Json<Value>>,
    subscription_detail: Option<String>,
    webhook_sources: Option<Json<Value>>,
    credential_names: Json<Value>,
    webhook_address: i64,
    revision: i64,
    created_at: Ts,
    updated_at: Ts,
    reads_busy: bool,
    writes_busy: bool,
}

impl TryFrom<Row> for ConnectionRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: ConnectionId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            listing: row.listing_id.map(ListingId::from_uuid),
            plugin: parsed(&row.plugin, "plugin")?,
            name: row.name,
            settings: row.settings.0,
            granted_hosts: row.granted_hosts.map(|hosts| from_json(hosts, "granted hosts")).transpose()?,
            state: parse_enum(
                &ConnectionState::ALL,
                ConnectionState::as_str,
                &row.state,
                "connection state",
            )?,
            status: parse_enum(
                &ConnectionStatus::ALL,
                ConnectionStatus::as_str,
                &row.status,
                "connection status",
            )?,
            status_detail: row.status_detail,
            account: row.account.0,
            subscription: row.subscription.map(|value| from_json(value, "subscription")).transpose()?,
            subscription_detail: row.subscription_detail,
            webhook_sources: row
                .webhook_sources
                .map(|value| from_json(value, "webhook sources"))
                .transpose()?,
            credential_names: from_json(row.credential_names, "credential names")?,
            webhook_address: row.webhook_address,
            revision: row.revision,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
            reads_busy: row.reads_busy,
            writes_busy: row.writes_busy,
        })
    }
}

async fn note(
    conn: &mut Conn,
    audit: &Audit,
    action: &'static str,
    connection: &ConnectionRecord,
) -> Result<(), StoreError> {
    let data = json!({
        "plugin": connection.plugin.as_str(), "name": connection.name, "listing": connection.listing,
        "granted_hosts": connection.granted_hosts, "state": connection.state.as_str(), "status": connection.status.as_str(),
        "credential_names": connection.credential_names, "revision": connection.revision,
    });
    audit::append(conn, audit, Some(connection.tenant), action, connection.id.uuid(), data).await
}

pub(crate) async fn insert(
    conn: &mut Conn,
    connection: &ConnectionRecord,
    sealed: &[u8],
    rules: &SyncRules,
    audit: &Audit,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(INSERT)
        .bind(connection.tenant.uuid())
        .bind(connection.id.uuid())
        .bind(connection.listing.map(ListingId::uuid))
        .bind(connection.plugin.as_str())
        .bind(&connection.name)
        .bind(Json(&connection.settings))
        .bind(connection.granted_hosts.as_ref().map(Json))
        .bind(connection.status.as_str())
        .bind(Json(&connection.account))
        .bind(connection.subscription.as_ref().map(Json))
        .bind(Json(&connection.credential_names))
        .bind(sealed)
        .bind(connection.revision)
        .bind(Ts(connection.created_at))
        .bind(Ts(connection.updated_at))
        .bind(connection.webhook_sources.as_ref().map(Json))
        .bind(Ts(connection.created_at.plus_seconds(limits::SUBSCRIPTION_LEASE_SECONDS)))
        .execute(&mut *conn)
        .await
        .map_err(|e| {
            StoreError::from(e).duplicate("a connection with this id").missing("tenant or listing")
        })?;
    external::begin(conn, connection.tenant, connection.id, rules, connection.created_at).await?;
    let statuses = (None, connection.status);
    domain_events::append_status(conn, (connection.tenant, connection.id), statuses, audit.at, &audit.actor)
        .await?;
    note(conn, audit, "connection.created", connection).await
}

pub(crate) async fn get(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<ConnectionRecord, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .fetch_optional(conn)
        .await?;
    or_not_found(row, "connection")?.try_into()
}

pub(crate) async fn by_id(conn: &mut Conn, connection: ConnectionId) -> Result<ConnectionRecord, StoreError> {
    let row = sqlx::query_as::<Db, Row>(BY_ID).bind(connection.uuid()).fetch_optional(conn).await?;
    or_not_found(row, "connection")?.try_into()
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    after: Option<ConnectionId>,
    limit: u32,
) -> Result<Vec<ConnectionRecord>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(LIST)
        .bind(tenant.uuid())
        .bind(page_after(after))
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// A page of all tenants' connections of a plugin. For an operator, who asks seldom: no index is kept for it.
pub(crate) async fn of_plugin(
    conn: &mut Conn,
    plugin: &PluginId,
    after: Option<ConnectionId>,
    limit: u32,
) -> Result<Vec<ConnectionRecord>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(OF_PLUGIN)
        .bind(plugin.as_str())
        .bind(page_after(after))
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn update(
    conn: &mut Conn,
    connection: &ConnectionRecord,
    credentials: Option<&(Vec<String>, Vec<u8>)>,
    expected_revision: i64,
    audit: &Audit,
) -> Result<ConnectionRecord, StoreError> {
    let updated = replace(conn, connection, credentials, expected_revision, audit).await?;
    note(conn, audit, "connection.updated", &updated).await?;
    Ok(updated)
}

/// The same with another webhook secret: the one before and its subscription are kept, and messages are asked to the next address.
pub(crate) async fn change_secret(
    conn: &mut Conn,
    connection: &ConnectionRecord,
    credentials: &(Vec<String>, Vec<u8>),
    before: Option<&(Vec<u8>, Instant)>,
    expected_revision: i64,
    audit: &Audit,
) -> Result<ConnectionRecord, StoreError> {
    let updated = replace(conn, connection, Some(credentials), expected_revision, audit).await?;
    secret_rotation::put_aside(conn, &updated, before, audit).await?;
    note(conn, audit, "connection.webhook_secret_changed", &updated).await?;
    get(conn, connection.tenant, connection.id).await
}

async fn replace(
    conn: &mut Conn,
    connection: &ConnectionRecord,
    credentials: Option<&(Vec<String>, Vec<u8>)>,
    expected_revision: i64,
    audit: &Audit,
) -> Result<ConnectionRecord, StoreError> {
    let before = domain_events::lock_status(conn, connection.tenant, connection.id).await?;
    let row = sqlx::query_as::<Db, Row>(UPDATE)
        .bind(connection.tenant.uuid())
        .bind(connection.id.uuid())
        .bind(expected_revision)
        .bind(connection.listing.map(ListingId::uuid))
        .bind(&connection.name)
        .bind(Json(&connection.settings))
        .bind(connection.granted_hosts.as_ref().map(Json))
        .bind(connection.status.as_str())
        .bind(Json(&connection.account))
        .bind(connection.subscription.as_ref().map(Json))
        .bind(Ts(audit.at))
        .bind(&connection.status_detail)
        .bind(connection.webhook_sources.as_ref().map(Json))
        .fetch_optional(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).missing("listing"))?;
    let Some(row) = row else {
        get(conn, connection.tenant, connection.id).await?;
        return Err(StoreError::Stale);
    };
    let mut updated = ConnectionRecord::try_from(row)?;
    if let Some((names, sealed)) = credentials {
        sqlx::query::<Db>(SET_CREDENTIALS)
            .bind(connection.tenant.uuid())
            .bind(connection.id.uuid())
            .bind(Json(names))
            .bind(sealed)
            .execute(&mut *conn)
            .await?;
        updated.credential_names.clone_from(names);
    }
    let statuses = (before, updated.status);
    domain_events::append_status(conn, (updated.tenant, updated.id), statuses, audit.at, &audit.actor)
        .await?;
    Ok(updated)
}

/// Write the subscription of an address. If messages are asked to another one by now, it is one to be ended.
pub(crate) async fn set_subscription(
    conn: &mut Conn,
    (tenant, connection): (TenantId, ConnectionId),
    address: i64,
    subscription: Option<&Subscription>,
    due_at: Option<Instant>,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(SET_SUBSCRIPTION)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(subscription.map(Json))
        .bind(Ts(audit.at))
        .bind(due_at.map(Ts))
        .bind(address)
        .execute(&mut *conn)
        .await?;
    if done.rows_affected() == 0 {
        let now = get(conn, tenant, connection).await?;
        return match subscription {
            // Nobody can end it any more: what it sends is refused.
            _ if now.state == ConnectionState::Disconnected => Ok(()),
            Some(subscription) => {
                secret_rotation::too_late(conn, tenant, connection, subscription, audit.at).await
            }
            None => Ok(()),
        };
    }
    let data = json!({
        "id": subscription.map(|s| &s.id), "expires_at": subscription.and_then(|s| s.expires_at),
    });
    audit::append(conn, audit, Some(tenant), "connection.subscription_changed", connection.uuid(), data).await
}

/// Note that the subscription of an address was looked after, and when that is to happen again.
pub(crate) async fn looked_after(
    conn: &mut Conn,
    (tenant, connection): (TenantId, ConnectionId),
    address: i64,
    due_at: Option<Instant>,
    well: bool,
    detail: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(if well { LOOKED_AFTER } else { NOT_LOOKED_AFTER })
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(due_at.map(Ts))
        .bind(detail)
        .bind(address)
        .execute(conn)
        .await?;
    Ok(())
}

/// Take connections whose subscriptions are to be looked after, until then; with how often that failed in a row.
pub(crate) async fn claim_subscriptions(
    conn: &mut Conn,
    now: Instant,
    until: Instant,
    limit: u32,
) -> Result<Vec<(TenantId, ConnectionId, i64)>, StoreError> {
    let rows = sqlx::query_as::<Db, (Uuid, Uuid, i64)>(CLAIM_SUBSCRIPTIONS)
        .bind(Ts(now))
        .bind(Ts(until))
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(tenant, id, failures)| (TenantId::from_uuid(tenant), ConnectionId::from_uuid(id), failures))
        .collect())
}

/// Connections of a plugin, of any tenant, to this account at the provider.
pub(crate) async fn of_account(
    conn: &mut Conn,
    plugin: &PluginId,
    account: &str,
    limit: i64,
) -> Result<Vec<ConnectionRecord>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(OF_ACCOUNT)
        .bind(plugin.as_str())
        .bind(account)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    audit: &Audit,
) -> Result<(), StoreError> {
    const USERS: &str = "bookings, listings or the tenant's default";
    let carried = sqlx::query_scalar::<Db, i32>(CARRIED)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    if carried.is_some() {
        return Err(StoreError::InUse(USERS));
    }
    let (kind, actor) = (EventKind::ConnectionDeleted, &audit.actor);
    domain_events::append(conn, (tenant, connection), kind, audit.at, actor).await?;
    // What the provider had there is gone with it, and takes nobody's time any more.
    let members = sqlx::query_scalar::<Db, Uuid>(MIRRORED_MEMBERS)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .fetch_all(&mut *conn)
        .await?;
    let members: Vec<MemberId> = members.into_iter().map(MemberId::from_uuid).collect();
    occupancy::lock_members(conn, tenant, &members).await?;
    let done = sqlx::query::<Db>(DELETE)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).used_by(USERS))?;
    expect_affected(&done, StoreError::NotFound("connection"))?;
    audit::append(conn, audit, Some(tenant), "connection.deleted", connection.uuid(), json!({})).await
}

pub(crate) async fn sealed_credentials(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<Vec<u8>, StoreError> {
    let sealed = sqlx::query_scalar::<Db, Vec<u8>>(CREDENTIALS)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .fetch_optional(conn)
        .await?;
    or_not_found(sealed, "connection")
}

/// A page of sealed credentials over all tenants, in the order of ids.
pub(crate) async fn all_sealed(
    conn: &mut Conn,
    page_after: Uuid,
    limit: i64,
) -> Result<Vec<(TenantId, ConnectionId, Vec<u8>)>, StoreError> {
    let rows = sqlx::query_as::<Db, (Uuid, Uuid, Vec<u8>)>(ALL_SEALED)
        .bind(page_after)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(tenant, id, sealed)| (TenantId::from_uuid(tenant), ConnectionId::from_uuid(id), sealed))
        .collect())
}

/// Replace sealed credentials, unless they were changed in between.
pub(crate) async fn reseal(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    old: &[u8],
    new: &[u8],
) -> Result<bool, StoreError> {
    let done = sqlx::query::<Db>(RESEAL)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(old)
        .bind(new)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}
