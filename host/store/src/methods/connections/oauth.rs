//! OAuth 2: clients, flows, and renewals that only one replica makes.

use berth_model::{
    connections::secret::{Credentials, Secret},
    id::{ConnectionId, TenantId},
    plugins::manifest::PluginId,
    time::Instant,
};
use zeroize::Zeroizing;

use crate::{
    Store, StoreError,
    records::{Audit, OAuthClientRecord, OAuthFlow},
};

fn client_context(plugin: &PluginId, credential: &str) -> Vec<u8> {
    format!("berth:oauth-client:{plugin}:{credential}").into_bytes()
}

fn flow_context(state_hash: &[u8]) -> Vec<u8> {
    [b"berth:oauth-flow".as_slice(), state_hash].concat()
}

impl Store {
    /// Register a client, or replace it. Its secret is sealed.
    pub async fn set_oauth_client(
        &self,
        client: OAuthClientRecord,
        secret: Option<Secret>,
        audit: Audit,
    ) -> Result<(), StoreError> {
        let context = client_context(&client.plugin, &client.credential);
        let seal = |secret: &Secret| {
            self.keys.seal_bytes(self.random.as_ref(), &context, secret.expose().as_bytes())
        };
        let sealed = secret.as_ref().map(seal).transpose()?;
        write_tx!(self, [client, sealed, audit], |q, conn| q::connections::oauth::set_client(
            conn,
            &client,
            sealed.as_deref(),
            &audit
        ))
    }

    /// A client with its secret.
    pub async fn oauth_client(
        &self,
        plugin: &PluginId,
        credential: &str,
    ) -> Result<(OAuthClientRecord, Option<Secret>), StoreError> {
        let (name, of) = (plugin.clone(), credential.to_owned());
        let (record, sealed) = read!(self, |q, conn| q::connections::oauth::client(conn, &name, &of))?;
        let open = |sealed: Vec<u8>| {
            let plain = self.keys.open_bytes(&client_context(plugin, credential), &sealed)?;
            let text =
                std::str::from_utf8(&plain).map_err(|_| StoreError::Vault("its content cannot be read"))?;
            Ok::<_, StoreError>(Secret::new(text.to_owned()))
        };
        Ok((record, sealed.map(open).transpose()?))
    }

    /// The clients of a plugin, without secrets.
    pub async fn list_oauth_clients(&self, plugin: &PluginId) -> Result<Vec<OAuthClientRecord>, StoreError> {
        let plugin = plugin.clone();
        read!(self, |q, conn| q::connections::oauth::clients(conn, &plugin))
    }

    /// See [`Self::reseal_credentials`].
    pub(crate) async fn reseal_oauth_clients(&self) -> Result<(), StoreError> {
        for (plugin, credential, old) in read!(self, |q, conn| q::connections::oauth::sealed_clients(conn))? {
            if self.keys.is_current(&old) {
                continue;
            }
            let context = client_context(&plugin, &credential);
            let secret = self.keys.open_bytes(&context, &old)?;
            let new = self.keys.seal_bytes(self.random.as_ref(), &context, &secret)?;
            write_tx!(self, [plugin, credential, old, new], |q, conn| q::connections::oauth::reseal_client(
                conn,
                &plugin,
                &credential,
                &old,
                &new
            ))?;
        }
        Ok(())
    }

    /// Forget a client. Connections that it made cannot renew their tokens any more.
    pub async fn delete_oauth_client(
        &self,
        plugin: &PluginId,
        credential: &str,
        audit: Audit,
    ) -> Result<(), StoreError> {
        let (plugin, credential) = (plugin.clone(), credential.to_owned());
        write_tx!(self, [plugin, credential, audit], |q, conn| q::connections::oauth::delete_client(
            conn,
            &plugin,
            &credential,
            &audit
        ))
    }

    /// Remember a flow with what only we may know of it. `Busy` if too many of the tenant's wait.
    pub async fn add_oauth_flow(
        &self,
        flow: OAuthFlow,
        secret: &[u8],
        audit: Audit,
    ) -> Result<(), StoreError> {
        let sealed = self.keys.seal_bytes(self.random.as_ref(), &flow_context(&flow.state_hash), secret)?;
        write_tx!(self, [flow, sealed, audit], |q, conn| q::connections::oauth::add_flow(
            conn, &flow, &sealed, &audit
        ))
    }

    /// Take a flow; a second time it is not there any more. Whether it is over is for the caller to see.
    pub async fn take_oauth_flow(
        &self,
        state_hash: Vec<u8>,
    ) -> Result<Option<(OAuthFlow, Zeroizing<Vec<u8>>)>, StoreError> {
        let taken =
            write_tx!(self, [state_hash], |q, conn| q::connections::oauth::take_flow(conn, &state_hash))?;
        let Some((flow, sealed)) = taken else { return Ok(None) };
        let plain = self.keys.open_bytes(&flow_context(&flow.state_hash), &sealed)?;
        Ok(Some((flow, plain)))
    }

    /// May this replica renew the connection's token? True for one at a time, until it lets go or its time is over.
    pub async fn claim_renewal(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        now: Instant,
        until: Instant,
    ) -> Result<bool, StoreError> {
        write_tx!(self, [], |q, conn| q::connections::oauth::claim(conn, tenant, connection, now, until))
    }

    /// Let go of a renewal that was claimed until then.
    pub async fn release_renewal(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        until: Instant,
    ) -> Result<(), StoreError> {
        write_tx!(self, [], |q, conn| q::connections::oauth::release(conn, tenant, connection, until))
    }

    /// Replace one credential of a connection, if it is still what it was; the others stay. False if it changed in between.
    pub async fn replace_credential(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        name: &str,
        before: Option<&Secret>,
        after: &Secret,
    ) -> Result<bool, StoreError> {
        for _ in 0..REPLACE_TRIES {
            let old = read!(self, |q, conn| q::connections::sealed_credentials(conn, tenant, connection))?;
            let mut credentials: Credentials = self.keys.open(tenant, connection, &old)?;
            if credentials.get(name) != before {
                return Ok(false);
            }
            credentials.insert(name.to_owned(), after.clone());
            let new = self.keys.seal(self.random.as_ref(), tenant, connection, &credentials)?;
            let changed = write_tx!(self, [old, new], |q, conn| q::connections::reseal(
                conn, tenant, connection, &old, &new
            ))?;
            if changed {
                return Ok(true);
            }
        }
        Err(StoreError::Busy)
    }
}

/// Tries when another credential of the connection is replaced at the same time.
const REPLACE_TRIES: u32 = 5;
