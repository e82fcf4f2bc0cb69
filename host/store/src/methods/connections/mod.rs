//! Connections, and the vault that keeps their credentials.

pub(crate) mod by_provider;
pub(crate) mod calls;
pub(crate) mod oauth;
pub(crate) mod recovery;
pub(crate) mod secret_rotation;
pub(crate) mod state;
pub(crate) mod states;

use berth_model::{
    connections::{
        connection::{ConnectionRecord, ConnectionStatus},
        secret::Credentials,
    },
    id::{ConnectionId, TenantId},
    limits,
    mirror::sync::SyncRules,
    outbound::provider::Subscription,
    plugins::manifest::PluginId,
    time::Instant,
};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    records::{Audit, SealedState},
};

impl Store {
    fn seal(
        &self,
        connection: &ConnectionRecord,
        credentials: &Credentials,
    ) -> Result<(Vec<String>, Vec<u8>), StoreError> {
        let sealed = self.keys.seal(self.random.as_ref(), connection.tenant, connection.id, credentials)?;
        Ok((credentials.keys().cloned().collect(), sealed))
    }

    /// Add a connection with its credentials, which are sealed. `credential_names` is set to the names given.
    pub async fn create_connection(
        &self,
        connection: ConnectionRecord,
        credentials: Credentials,
        audit: Audit,
    ) -> Result<(), StoreError> {
        self.create_connection_with(connection, credentials, SyncRules::default(), audit).await
    }

    /// The same, kept in step by these rules.
    pub async fn create_connection_with(
        &self,
        connection: ConnectionRecord,
        credentials: Credentials,
        rules: SyncRules,
        audit: Audit,
    ) -> Result<(), StoreError> {
        let (credential_names, sealed) = self.seal(&connection, &credentials)?;
        let connection = ConnectionRecord { credential_names, ..connection };
        write_tx!(self, [connection, sealed, rules, audit], |q, conn| q::connections::insert(
            conn,
            &connection,
            &sealed,
            &rules,
            &audit
        ))
    }

    /// One connection.
    pub async fn connection(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<ConnectionRecord, StoreError> {
        read!(self, |q, conn| q::connections::get(conn, tenant, connection))
    }

    /// One connection of any tenant: for webhooks, whose address names only the connection.
    pub async fn connection_by_id(&self, connection: ConnectionId) -> Result<ConnectionRecord, StoreError> {
        read!(self, |q, conn| q::connections::by_id(conn, connection))
    }

    /// A page of connections in the order of their ids, after this one.
    pub async fn list_connections(
        &self,
        tenant: TenantId,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<ConnectionRecord>, StoreError> {
        read!(self, |q, conn| q::connections::list(conn, tenant, after, limit))
    }

    /// A page of all tenants' connections of a plugin, in the order of their ids, after this one.
    pub async fn plugin_connections(
        &self,
        plugin: &PluginId,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<ConnectionRecord>, StoreError> {
        let plugin = plugin.clone();
        read!(self, |q, conn| q::connections::of_plugin(conn, &plugin, after, limit))
    }

    /// Replace a connection (not its plugin); `Stale` if its revision is not the expected one. Credentials of none leaves the
    /// sealed ones as they are; given ones replace all.
    pub async fn update_connection(
        &self,
        connection: ConnectionRecord,
        credentials: Option<Credentials>,
        expected_revision: i64,
        audit: Audit,
    ) -> Result<ConnectionRecord, StoreError> {
        let sealed = credentials.map(|credentials| self.seal(&connection, &credentials)).transpose()?;
        write_tx!(self, [connection, sealed, audit], |q, conn| q::connections::update(
            conn,
            &connection,
            sealed.as_ref(),
            expected_revision,
            &audit
        ))
    }

    /// The same with another webhook secret, which gets an address for messages of its own. The secret before (its name and value) is sealed
    /// and accepted until then; without one, earlier ones are erased. `WrongState` if too many are accepted still.
    pub async fn change_webhook_secret(
        &self,
        connection: ConnectionRecord,
        credentials: Credentials,
        before: Option<(Credentials, Instant)>,
        expected_revision: i64,
        audit: Audit,
    ) -> Result<ConnectionRecord, StoreError> {
        let sealed = self.seal(&connection, &credentials)?;
        let before = match before {
            Some((secret, until)) => Some((self.seal(&connection, &secret)?.1, until)),
            None => None,
        };
        write_tx!(self, [connection, sealed, before, audit], |q, conn| q::connections::change_secret(
            conn,
            &connection,
            &sealed,
            before.as_ref(),
            expected_revision,
            &audit
        ))
    }

    /// Status only; neither checks nor counts a revision, so that a health check does not disturb an edit.
    pub async fn set_connection_health(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        status: ConnectionStatus,
        detail: Option<String>,
        now: Instant,
    ) -> Result<(), StoreError> {
        write_tx!(self, [detail], |q, conn| q::connections::domain_events::set_health(
            conn,
            tenant,
            connection,
            status,
            detail.as_deref(),
            now
        ))
    }

    /// The subscription at an address only, and when it is to be looked after next; checks no revision, but counts one, so that an edit
    /// under way does not bring the old one back. If the connection has another address by now, the subscription is one to be ended.
    pub async fn set_connection_subscription(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        address: i64,
        subscription: Option<Subscription>,
        due_at: Option<Instant>,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [subscription, audit], |q, conn| q::connections::set_subscription(
            conn,
            (tenant, connection),
            address,
            subscription.as_ref(),
            due_at,
            &audit
        ))
    }

    /// Note that the subscription at an address was looked after, well or not, and when that is to happen again; none: not by itself.
    pub async fn subscription_looked_after(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        address: i64,
        due_at: Option<Instant>,
        well: bool,
        detail: Option<String>,
    ) -> Result<(), StoreError> {
        write_tx!(self, [detail], |q, conn| q::connections::looked_after(
            conn,
            (tenant, connection),
            address,
            due_at,
            well,
            detail.as_deref()
        ))
    }

    /// Take connections whose subscriptions are to be looked after; nobody else takes them until then. With how often it failed in a row.
    pub async fn claim_subscriptions(
        &self,
        now: Instant,
        until: Instant,
        limit: u32,
    ) -> Result<Vec<(TenantId, ConnectionId, i64)>, StoreError> {
        write_tx!(self, [], |q, conn| q::connections::claim_subscriptions(conn, now, until, limit))
    }

    /// Connections of a plugin, of any tenant, to this account at the provider.
    pub async fn connections_of_account(
        &self,
        plugin: &PluginId,
        account: &str,
    ) -> Result<Vec<ConnectionRecord>, StoreError> {
        let (plugin, account) = (plugin.clone(), account.to_owned());
        let limit = i64::try_from(limits::WEBHOOK_CONNECTIONS_MAX).unwrap_or(i64::MAX);
        read!(self, |q, conn| q::connections::of_account(conn, &plugin, &account, limit))
    }

    /// Remove a connection, its credentials, state and webhooks; `InUse` while bookings or routing refer to it.
    pub async fn delete_connection(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::connections::delete(conn, tenant, connection, &audit))
    }

    /// The credentials of a connection. `Vault` if no key at hand opens them.
    pub async fn connection_credentials(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<Credentials, StoreError> {
        let sealed = read!(self, |q, conn| q::connections::sealed_credentials(conn, tenant, connection))?;
        self.keys.open(tenant, connection, &sealed)
    }

    /// How the credentials of all connections and the keys of all tenants are sealed, found out by opening them.
    pub async fn sealed_state(&self) -> Result<SealedState, StoreError> {
        let (tenants_older, tenants_closed) = self.mac_keys_sealed().await?;
        let mut state = SealedState { tenants_older, tenants_closed, ..SealedState::default() };
        let mut after = Uuid::nil();
        loop {
            let page = read!(self, |q, conn| q::connections::all_sealed(conn, after, limits::LIST_ROWS_MAX))?;
            let Some((_, last, _)) = page.last() else { return Ok(state) };
            after = last.uuid();
            for (tenant, connection, sealed) in page {
                let opened = self.keys.open(tenant, connection, &sealed).is_ok();
                let count = match (opened, self.keys.is_current(&sealed)) {
                    (true, true) => &mut state.current,
                    (true, false) => &mut state.older,
                    (false, _) => &mut state.closed,
                };
                *count += 1;
            }
        }
    }

    /// Seal all credentials that an older key sealed with the first one, and what else is sealed for longer than minutes; then the older key
    /// may go. Returns how many.
    /// Credentials that change meanwhile are left as they are, since they are sealed anew anyway.
    pub async fn reseal_credentials(&self) -> Result<u64, StoreError> {
        let mut count = 0;
        let mut after = Uuid::nil();
        loop {
            let page = read!(self, |q, conn| q::connections::all_sealed(conn, after, limits::LIST_ROWS_MAX))?;
            let Some((_, last, _)) = page.last() else { break };
            after = last.uuid();
            for (tenant, connection, old) in page {
                if self.keys.is_current(&old) {
                    continue;
                }
                let credentials = self.keys.open(tenant, connection, &old)?;
                let new = self.keys.seal(self.random.as_ref(), tenant, connection, &credentials)?;
                let changed = write_tx!(self, [old, new], |q, conn| q::connections::reseal(
                    conn, tenant, connection, &old, &new
                ))?;
                count += u64::from(changed);
            }
        }
        self.reseal_old_secrets().await?;
        self.reseal_oauth_clients().await?;
        self.reseal_mac_keys().await?;
        Ok(count)
    }
}
