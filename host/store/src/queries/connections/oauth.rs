//! OAuth 2: clients that operators registered, flows that wait for consent, and who renews a connection's token.

use berth_model::{
    id::{ConnectionId, TenantId},
    limits,
    plugins::manifest::PluginId,
    time::Instant,
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::super::{super::Db, Conn, expect_affected, from_json, or_not_found, parsed, tenants::audit};
use crate::{
    StoreError,
    records::{Audit, OAuthClientRecord, OAuthFlow},
    types::Ts,
};

queries! {
    SET_CLIENT = "INSERT INTO oauth_clients (plugin, credential, client_id, sealed_secret, endpoints, return_addresses, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (plugin, credential) DO UPDATE SET client_id = excluded.client_id, sealed_secret = excluded.sealed_secret,
            endpoints = excluded.endpoints, return_addresses = excluded.return_addresses, updated_at = excluded.updated_at";
    CLIENT = "SELECT plugin, credential, client_id, sealed_secret, endpoints, return_addresses, updated_at
        FROM oauth_clients WHERE plugin = $1 AND credential = $2";
    CLIENTS = "SELECT plugin, credential, client_id, sealed_secret, endpoints, return_addresses, updated_at
        FROM oauth_clients WHERE plugin = $1 ORDER BY credential LIMIT $2";
    SEALED_CLIENTS = "SELECT plugin, credential, sealed_secret FROM oauth_clients WHERE sealed_secret IS NOT NULL
        ORDER BY plugin, credential";
    RESEAL_CLIENT = "UPDATE oauth_clients SET sealed_secret = $4 WHERE plugin = $1 AND credential = $2 AND sealed_secret = $3";
    DELETE_CLIENT = "DELETE FROM oauth_clients WHERE plugin = $1 AND credential = $2";
    WAITING = "SELECT COUNT(*) FROM oauth_flows WHERE tenant_id = $1 AND expires_at > $2";
    ADD_FLOW = "INSERT INTO oauth_flows (state_hash, tenant_id, connection_id, is_new, plugin, credential, sealed, return_to,
            started_by, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    TAKE_FLOW = "DELETE FROM oauth_flows WHERE state_hash = $1
        RETURNING state_hash, tenant_id, connection_id, is_new, plugin, credential, sealed, return_to, started_by, expires_at";
    CLAIM = "UPDATE connections SET renewing_until = $4
        WHERE tenant_id = $1 AND id = $2 AND (renewing_until IS NULL OR renewing_until <= $3)";
    RELEASE = "UPDATE connections SET renewing_until = NULL WHERE tenant_id = $1 AND id = $2 AND renewing_until = $3";
}

#[derive(sqlx::FromRow)]
struct ClientRow {
    plugin: String,
    credential: String,
    client_id: String,
    sealed_secret: Option<Vec<u8>>,
    endpoints: Json<Value>,
    return_addresses: Json<Value>,
    updated_at: Ts,
}

/// A client, and its secret as it is sealed.
pub(crate) type SealedClient = (OAuthClientRecord, Option<Vec<u8>>);

fn client_of(row: ClientRow) -> Result<SealedClient, StoreError> {
    let record = OAuthClientRecord {
        plugin: parsed(&row.plugin, "plugin")?,
        credential: row.credential,
        client_id: row.client_id,
        endpoints: from_json(row.endpoints, "endpoints")?,
        return_addresses: from_json(row.return_addresses, "return addresses")?,
        updated_at: row.updated_at.0,
    };
    Ok((record, row.sealed_secret))
}

pub(crate) async fn set_client(
    conn: &mut Conn,
    client: &OAuthClientRecord,
    sealed: Option<&[u8]>,
    audit: &Audit,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(SET_CLIENT)
        .bind(client.plugin.as_str())
        .bind(&client.credential)
        .bind(&client.client_id)
        .bind(sealed)
        .bind(Json(&client.endpoints))
        .bind(Json(&client.return_addresses))
        .bind(Ts(client.updated_at))
        .execute(&mut *conn)
        .await?;
    let data = json!({
        "plugin": client.plugin.as_str(), "credential": client.credential, "client_id": client.client_id,
        "endpoints": client.endpoints, "return_addresses": client.return_addresses,
    });
    audit::append(conn, audit, None, "oauth_client.changed", Uuid::nil(), data).await
}

pub(crate) async fn client(
    conn: &mut Conn,
    plugin: &PluginId,
    credential: &str,
) -> Result<SealedClient, StoreError> {
    let row = sqlx::query_as::<Db, ClientRow>(CLIENT)
        .bind(plugin.as_str())
        .bind(credential)
        .fetch_optional(conn)
        .await?;
    client_of(or_not_found(row, "OAuth client")?)
}

pub(crate) async fn clients(
    conn: &mut Conn,
    plugin: &PluginId,
) -> Result<Vec<OAuthClientRecord>, StoreError> {
    let rows = sqlx::query_as::<Db, ClientRow>(CLIENTS)
        .bind(plugin.as_str())
        .bind(limits::LIST_ROWS_MAX)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(|row| client_of(row).map(|(record, _)| record)).collect()
}

/// The sealed secrets of all clients, of which there are a few per plugin.
pub(crate) async fn sealed_clients(conn: &mut Conn) -> Result<Vec<(PluginId, String, Vec<u8>)>, StoreError> {
    let rows = sqlx::query_as::<Db, (String, String, Vec<u8>)>(SEALED_CLIENTS).fetch_all(conn).await?;
    let of = |(plugin, credential, sealed): (String, String, Vec<u8>)| {
        Ok((parsed(&plugin, "plugin")?, credential, sealed))
    };
    rows.into_iter().map(of).collect()
}

/// Put another seal on a client's secret, unless it was changed in between.
pub(crate) async fn reseal_client(
    conn: &mut Conn,
    plugin: &PluginId,
    credential: &str,
    old: &[u8],
    new: &[u8],
) -> Result<(), StoreError> {
    sqlx::query::<Db>(RESEAL_CLIENT)
        .bind(plugin.as_str())
        .bind(credential)
        .bind(old)
        .bind(new)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn delete_client(
    conn: &mut Conn,
    plugin: &PluginId,
    credential: &str,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done =
        sqlx::query::<Db>(DELETE_CLIENT).bind(plugin.as_str()).bind(credential).execute(&mut *conn).await?;
    expect_affected(&done, StoreError::NotFound("OAuth client"))?;
    let data = json!({ "plugin": plugin.as_str(), "credential": credential });
    audit::append(conn, audit, None, "oauth_client.deleted", Uuid::nil(), data).await
}

#[derive(sqlx::FromRow)]
struct FlowRow {
    state_hash: Vec<u8>,
    tenant_id: Uuid,
    connection_id: Uuid,
    is_new: bool,
    plugin: String,
    credential: String,
    sealed: Vec<u8>,
    return_to: Option<String>,
    started_by: String,
    expires_at: Ts,
}

/// Remember a flow. `Busy` if the tenant has too many that wait.
pub(crate) async fn add_flow(
    conn: &mut Conn,
    flow: &OAuthFlow,
    sealed: &[u8],
    audit: &Audit,
) -> Result<(), StoreError> {
    let waiting = sqlx::query_scalar::<Db, i64>(WAITING)
        .bind(flow.tenant.uuid())
        .bind(Ts(audit.at))
        .fetch_one(&mut *conn)
        .await?;
    if waiting >= limits::OAUTH_FLOWS_MAX {
        return Err(StoreError::Busy);
    }
    sqlx::query::<Db>(ADD_FLOW)
        .bind(&flow.state_hash)
        .bind(flow.tenant.uuid())
        .bind(flow.connection.uuid())
        .bind(flow.is_new)
        .bind(flow.plugin.as_str())
        .bind(&flow.credential)
        .bind(sealed)
        .bind(&flow.return_to)
        .bind(&flow.started_by)
        .bind(Ts(flow.expires_at))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).missing("tenant"))?;
    let data = json!({ "plugin": flow.plugin.as_str(), "credential": flow.credential });
    audit::append(conn, audit, Some(flow.tenant), "oauth.started", flow.connection.uuid(), data).await
}

/// Take a flow: it is there once.
pub(crate) async fn take_flow(
    conn: &mut Conn,
    state_hash: &[u8],
) -> Result<Option<(OAuthFlow, Vec<u8>)>, StoreError> {
    let row = sqlx::query_as::<Db, FlowRow>(TAKE_FLOW).bind(state_hash).fetch_optional(conn).await?;
    let Some(row) = row else { return Ok(None) };
    let flow = OAuthFlow {
        state_hash: row.state_hash,
        tenant: TenantId::from_uuid(row.tenant_id),
        connection: ConnectionId::from_uuid(row.connection_id),
        is_new: row.is_new,
        plugin: parsed(&row.plugin, "plugin")?,
        credential: row.credential,
        return_to: row.return_to,
        started_by: row.started_by,
        expires_at: row.expires_at.0,
    };
    Ok(Some((flow, row.sealed)))
}

/// May this replica renew the connection's token until then?
pub(crate) async fn claim(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    now: Instant,
    until: Instant,
) -> Result<bool, StoreError> {
    let done = sqlx::query::<Db>(CLAIM)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(Ts(now))
        .bind(Ts(until))
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Let go of what [`claim`] took until then.
pub(crate) async fn release(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    until: Instant,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(RELEASE)
        .bind(tenant.uuid())
        .bind(connection.uuid())
        .bind(Ts(until))
        .execute(conn)
        .await?;
    Ok(())
}
