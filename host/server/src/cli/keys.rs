//! `berth key` and `berth tenant`.

use berth_engine::{NewKey, NewTenant, OPERATOR_SCOPE, TENANT_SCOPES};
use berth_model::id::{ApiKeyId, TenantId};
use berth_store::{StoreError, records::TenantCounts};
use clap::Subcommand;
use serde_json::{Value, json};

use super::{CliError, Context, OfTenant, output};
use crate::wiring::{self, Wired};

/// Who acts, in audit rows.
pub(super) const ACTOR: &str = "operator";
/// From where.
pub(super) const REQUEST: &str = "cli";

#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Make a key. Its text is shown this once.
    Create {
        /// Name for people.
        #[arg(long)]
        name: String,
        /// Slug of the tenant.
        #[arg(long, required_unless_present = "operator")]
        tenant: Option<String>,
        /// An operator's key instead of a tenant's.
        #[arg(long, conflicts_with = "tenant")]
        operator: bool,
        /// What it may do (default: everything that a tenant may).
        #[arg(long, value_delimiter = ',')]
        scopes: Vec<String>,
        /// Requests per minute that it may make (default: as the server is configured).
        #[arg(long, value_name = "COUNT")]
        requests_per_minute: Option<u32>,
        /// Network (192.0.2.0/24) or address that it may be used from; can be given again (default: from anywhere).
        #[arg(long = "source", value_name = "NETWORK", value_delimiter = ',')]
        sources: Vec<String>,
        /// Days until it ends by itself.
        #[arg(long)]
        days: Option<u32>,
    },
    /// List keys.
    List {
        /// Slug of the tenant; absent: operators' keys.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// End a key now.
    Revoke {
        /// Its id.
        id: ApiKeyId,
        /// Slug of the tenant; absent: an operator's key.
        #[arg(long)]
        tenant: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Tenant {
    /// Make a tenant.
    Create {
        #[command(flatten)]
        of: OfTenant,
        /// Name for people.
        #[arg(long)]
        name: String,
    },
    /// List tenants.
    List,
    /// Refuse a tenant's keys and links, and let nothing of it be read or sent, until it is resumed.
    Suspend(OfTenant),
    /// Let a suspended tenant go on; what waits is told.
    Resume(OfTenant),
    /// Show what deleting a tenant would remove and, with --yes, do it: its keys end at once, the running server removes the rest.
    Delete {
        #[command(flatten)]
        of: OfTenant,
        /// Delete it. Nothing brings it back.
        #[arg(long)]
        yes: bool,
    },
}

async fn tenant_id(wired: &Wired, slug: Option<&String>) -> Result<Option<TenantId>, CliError> {
    let Some(slug) = slug else { return Ok(None) };
    let tenant = wired.engine.store().tenant_by_slug(slug).await;
    match tenant {
        Ok(tenant) => Ok(Some(tenant.id)),
        Err(StoreError::NotFound(_)) => {
            Err(CliError::Other(format!("there is no tenant {slug:?}; see: berth tenant list")))
        }
        Err(error) => Err(CliError::Other(error.to_string())),
    }
}

async fn known_tenant(wired: &Wired, of: &OfTenant) -> Result<TenantId, CliError> {
    tenant_id(wired, Some(&of.tenant)).await?.ok_or_else(|| CliError::Other("no tenant was named".to_owned()))
}

fn goes_rows(goes: TenantCounts) -> Vec<(&'static str, Value)> {
    vec![
        ("upcoming_bookings", json!(goes.upcoming_bookings)),
        ("past_bookings", json!(goes.past_bookings)),
        ("listings", json!(goes.listings)),
        ("event_types", json!(goes.event_types)),
        ("members", json!(goes.members)),
        ("rules", json!(goes.rules)),
        ("calendars", json!(goes.calendars)),
        ("connections", json!(goes.connections)),
        ("keys", json!(goes.keys)),
        ("next", json!("nothing is deleted yet; add --yes to delete all of it for good")),
    ]
}

pub(super) async fn key(context: &Context, command: Key) -> Result<(), CliError> {
    let wired = wiring::wire(&context.config).await?;
    match command {
        Key::Create { name, tenant, operator, scopes, requests_per_minute, sources, days } => {
            let tenant = tenant_id(&wired, tenant.as_ref()).await?;
            let all = if operator { vec![OPERATOR_SCOPE] } else { TENANT_SCOPES.to_vec() };
            let scopes =
                if scopes.is_empty() { all.into_iter().map(str::to_owned).collect() } else { scopes };
            let expires_at =
                days.map(|d| wired.engine.now().plus_seconds(i64::from(d).saturating_mul(86_400)));
            let new = NewKey { tenant, name, scopes, requests_per_minute, sources, expires_at };
            let (record, text) = wired.engine.tenants.create_key(ACTOR, REQUEST, new).await?;
            output::rows(
                context.json,
                &[vec![
                    ("id", json!(record.id)),
                    ("key", json!(text.expose())),
                    ("scopes", json!(record.scopes)),
                    ("requests_per_minute", json!(record.requests_per_minute)),
                    ("sources", json!(record.sources)),
                    ("expires_at", json!(record.expires_at)),
                ]],
            );
        }
        Key::List { tenant } => {
            let tenant = tenant_id(&wired, tenant.as_ref()).await?;
            let keys = wired.engine.tenants.list_keys(tenant).await?;
            let rows: Vec<_> = keys
                .into_iter()
                .map(|k| {
                    vec![
                        ("id", json!(k.id)),
                        ("name", json!(k.name)),
                        ("prefix", json!(k.prefix)),
                        ("scopes", json!(k.scopes)),
                        ("requests_per_minute", json!(k.requests_per_minute)),
                        ("sources", json!(k.sources)),
                        ("expires_at", json!(k.expires_at)),
                        ("revoked_at", json!(k.revoked_at)),
                        ("last_used_at", json!(k.last_used_at)),
                    ]
                })
                .collect();
            output::rows(context.json, &rows);
        }
        Key::Revoke { id, tenant } => {
            let tenant = tenant_id(&wired, tenant.as_ref()).await?;
            wired.engine.tenants.revoke_key(ACTOR, REQUEST, tenant, id).await?;
            output::rows(context.json, &[vec![("revoked", json!(id))]]);
        }
    }
    Ok(())
}

pub(super) async fn tenant(context: &Context, command: Tenant) -> Result<(), CliError> {
    let wired = wiring::wire(&context.config).await?;
    let tenants = match command {
        Tenant::Create { of, name } => {
            vec![
                wired
                    .engine
                    .tenants
                    .create_tenant(ACTOR, REQUEST, NewTenant { slug: of.tenant, name })
                    .await?,
            ]
        }
        Tenant::List => wired.engine.tenants.list_tenants().await?,
        Tenant::Suspend(of) => {
            let id = known_tenant(&wired, &of).await?;
            vec![wired.engine.tenant_removal.suspend_tenant(ACTOR, REQUEST, id).await?]
        }
        Tenant::Resume(of) => {
            let id = known_tenant(&wired, &of).await?;
            vec![wired.engine.tenant_removal.resume_tenant(ACTOR, REQUEST, id).await?]
        }
        Tenant::Delete { of, yes } => {
            let id = known_tenant(&wired, &of).await?;
            if !yes {
                let goes = wired.engine.tenant_removal.tenant_deletion(id).await?;
                output::rows(context.json, &[goes_rows(goes)]);
                return Ok(());
            }
            vec![wired.engine.tenant_removal.delete_tenant(ACTOR, REQUEST, id).await?]
        }
    };
    let rows: Vec<_> = tenants
        .into_iter()
        .map(|t| {
            let state = json!(t.state.as_str());
            vec![("id", json!(t.id)), ("slug", json!(t.slug)), ("name", json!(t.name)), ("state", state)]
        })
        .collect();
    output::rows(context.json, &rows);
    Ok(())
}
