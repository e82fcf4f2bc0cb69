//! API keys: `berth_` and 43 characters of base64url (256 random bits). Only the SHA-256 of a key is stored; a random key needs
//! no slower hash.

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth_model::{
    catalog::listing::TenantState,
    connections::{connection::Stopped, secret::Secret},
    id::{ApiKeyId, TenantId},
    limits,
    problem::{Code, Problem},
    tenants::{scope::Scope, version::ApiVersion},
    time::Instant,
};
use berth_store::{
    StoreError,
    records::{ApiKeyRecord, KeyPatch},
};
use ring::digest::{SHA256, digest};

use super::removal::not_deleting;
use crate::{
    Outcome,
    networks::{is_from, network},
    tenants::Tenants,
    validate::Fields,
};

/// What a tenant's key may be allowed.
pub const TENANT_SCOPES: &[&str] = Scope::TENANT_NAMES;

/// The one scope of an operator's key.
pub const OPERATOR_SCOPE: &str = Scope::Operator.as_str();

/// How often the time of last use is written, in seconds: a write per request would be too much.
const TOUCH_SECONDS: i64 = 60;

/// A key to be made.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "see ApiKeyRecord")]
pub struct NewKey {
    pub tenant: Option<TenantId>,
    pub name: String,
    pub scopes: Vec<String>,
    pub requests_per_minute: Option<u32>,
    pub sources: Vec<String>,
    pub expires_at: Option<Instant>,
}

/// May this key be used from there? One without sources may be used from anywhere.
#[must_use]
pub fn may_come_from(key: &ApiKeyRecord, source: Option<IpAddr>) -> bool {
    key.sources.is_empty() || is_from(&key.sources, source)
}

/// Networks, as they are kept: without the bits that do not count.
fn networks(fields: &mut Fields, sources: &[String]) -> Vec<String> {
    if sources.len() > limits::KEY_SOURCES_MAX {
        fields.bad("/sources", format!("at most {}", limits::KEY_SOURCES_MAX));
        return Vec::new();
    }
    let mut kept = Vec::new();
    for (i, text) in sources.iter().enumerate() {
        if let Some(network) = network(text) {
            kept.push(network.trunc().to_string());
        } else {
            fields.bad(&format!("/sources/{i}"), "must be a network such as 192.0.2.0/24, or an address");
        }
    }
    kept
}

fn hash(key: &str) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest(&SHA256, key.as_bytes()).as_ref()) {
        *to = *from;
    }
    out
}

/// What tells keys apart without being one.
fn prefix_of(text: &str) -> String {
    text.chars().take(12).collect()
}

impl Tenants {
    /// Make a key. The text is returned this once and never again.
    pub async fn create_key(
        &self,
        actor: &str,
        request_id: &str,
        new: NewKey,
    ) -> Outcome<(ApiKeyRecord, Secret)> {
        let mut fields = Fields::default();
        fields.text("/name", &new.name, 100);
        let allowed: &[&str] = if new.tenant.is_some() { TENANT_SCOPES } else { &[OPERATOR_SCOPE] };
        if new.scopes.is_empty() {
            fields.bad("/scopes", format!("at least one of: {}", allowed.join(", ")));
        }
        for (i, scope) in new.scopes.iter().enumerate() {
            if !allowed.contains(&scope.as_str()) {
                fields.bad(&format!("/scopes/{i}"), format!("must be one of: {}", allowed.join(", ")));
            }
        }
        if new.requests_per_minute.is_some_and(|n| !(1..=limits::KEY_REQUESTS_PER_MINUTE_MAX).contains(&n)) {
            let most = limits::KEY_REQUESTS_PER_MINUTE_MAX;
            fields.bad("/requests_per_minute", format!("must be 1 to {most}"));
        }
        if new.expires_at.is_some_and(|at| at <= self.base.now()) {
            fields.bad("/expires_at", "must be in the future");
        }
        let sources = networks(&mut fields, &new.sources);
        fields.finish()?;
        if let Some(tenant) = new.tenant {
            not_deleting(&self.tenant(tenant).await?)?;
        }

        let text = self.key_text();
        let record = ApiKeyRecord {
            id: self.base.new_id(),
            tenant: new.tenant,
            name: new.name,
            prefix: prefix_of(&text),
            scopes: new.scopes,
            requests_per_minute: new.requests_per_minute,
            sources,
            version: ApiVersion::LATEST,
            created_at: self.base.now(),
            expires_at: new.expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        self.base
            .store()
            .create_key(record.clone(), hash(&text), self.base.audit_by(actor, request_id))
            .await?;
        Ok((record, Secret::new(text)))
    }

    fn key_text(&self) -> String {
        let mut bytes = [0; 32];
        self.base.random().fill(&mut bytes);
        format!("berth_{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The key behind this text, if it is one that may be used now. Refused for a tenant that is suspended.
    pub async fn authenticate(&self, key: &str) -> Outcome<Option<ApiKeyRecord>> {
        // Looked up by hash: the time it takes says nothing about how much of a guess was right.
        let (record, tenant) = match self.base.store().key_by_hash(hash(key)).await {
            Ok(found) => found,
            Err(StoreError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let now = self.base.now();
        if record.revoked_at.is_some() || record.expires_at.is_some_and(|at| at <= now) {
            return Ok(None);
        }
        match tenant {
            Some(TenantState::Suspended) => return Err(Problem::from(Stopped::Suspended)),
            // Its keys were revoked with it.
            Some(TenantState::Deleting) => return Ok(None),
            // Without its row a tenant is deleted.
            None if record.tenant.is_some() => return Ok(None),
            Some(TenantState::Active) | None => {}
        }
        if record.last_used_at.is_none_or(|at| at.plus_seconds(TOUCH_SECONDS) <= now)
            && let Err(error) = self.base.store().touch_key(record.tenant, record.id, now).await
            // Said by the store, and not at each request here.
            && error.trouble().is_none()
        {
            tracing::warn!(%error, "time of last use was not written");
        }
        Ok(Some(record))
    }

    /// The keys of a tenant, or of the operators.
    pub async fn list_keys(&self, tenant: Option<TenantId>) -> Outcome<Vec<ApiKeyRecord>> {
        Ok(self.base.store().list_keys(tenant).await?)
    }

    /// End a key now.
    pub async fn revoke_key(
        &self,
        actor: &str,
        request_id: &str,
        tenant: Option<TenantId>,
        key: ApiKeyId,
    ) -> Outcome<()> {
        Ok(self.base.store().revoke_key(tenant, key, self.base.audit_by(actor, request_id)).await?)
    }

    /// Say where a key may be used from (from anywhere, if there is nothing in the list), or in which version it is answered.
    pub async fn change_key(
        &self,
        actor: &str,
        request_id: &str,
        tenant: Option<TenantId>,
        key: ApiKeyId,
        mut patch: KeyPatch,
    ) -> Outcome<ApiKeyRecord> {
        let mut fields = Fields::default();
        patch.sources = patch.sources.map(|sources| networks(&mut fields, &sources));
        fields.finish()?;
        let audit = self.base.audit_by(actor, request_id);
        self.base.store().change_key(tenant, key, patch, audit).await?;
        let keys = self.list_keys(tenant).await?;
        keys.into_iter().find(|k| k.id == key).ok_or_else(|| Problem::not_found("key"))
    }

    /// Give a key another text; the one before ends now. It stays the same key, with its id and rights.
    pub async fn rotate_key(
        &self,
        actor: &str,
        request_id: &str,
        tenant: Option<TenantId>,
        key: ApiKeyId,
    ) -> Outcome<(ApiKeyRecord, Secret)> {
        let text = self.key_text();
        let audit = self.base.audit_by(actor, request_id);
        let rotated = self.base.store().rotate_key(tenant, key, prefix_of(&text), hash(&text), audit).await;
        let record = rotated.map_err(|error| match error {
            StoreError::WrongState => {
                Problem::new(Code::WrongState, "The key is revoked or expired already.")
            }
            other => Problem::from(other),
        })?;
        Ok((record, Secret::new(text)))
    }
}
