//! Webhook secrets and subscriptions that others have taken the place of.

use berth_model::{
    connections::secret::Credentials,
    id::{ConnectionId, TenantId},
    limits,
    outbound::provider::Subscription,
    time::Instant,
};
use uuid::Uuid;

use crate::{Store, StoreError};

impl Store {
    /// What messages may be verified with: the credentials, and then the credentials with each secret before that is accepted still.
    pub async fn webhook_credentials(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        now: Instant,
    ) -> Result<Vec<Credentials>, StoreError> {
        let sealed =
            read!(self, |q, conn| q::connections::secret_rotation::accepted(conn, tenant, connection, now))?;
        let mut accepted: Vec<Credentials> = Vec::with_capacity(sealed.len());
        for sealed in sealed {
            match (self.keys.open(tenant, connection, &sealed), accepted.first().cloned()) {
                (Ok(current), None) => accepted.push(current),
                (Ok(before), Some(mut credentials)) => {
                    credentials.extend(before);
                    accepted.push(credentials);
                }
                (Err(error), None) => return Err(error),
                // What is signed with the current one shall still come in.
                (Err(error), Some(_)) => {
                    tracing::error!(%error, %connection, "an old webhook secret cannot be opened");
                }
            }
        }
        Ok(accepted)
    }

    /// Subscriptions of a connection that are to be ended at the provider.
    pub async fn old_subscriptions(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<Vec<Subscription>, StoreError> {
        read!(self, |q, conn| q::connections::secret_rotation::old_subscriptions(conn, tenant, connection))
    }

    /// One of them is ended.
    pub async fn remove_old_subscription(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        id: String,
    ) -> Result<(), StoreError> {
        write_tx!(self, [id], |q, conn| q::connections::secret_rotation::remove_old_subscription(
            conn, tenant, connection, &id
        ))
    }

    /// See [`Self::reseal_credentials`].
    pub(crate) async fn reseal_old_secrets(&self) -> Result<(), StoreError> {
        let mut after = (TenantId::from_uuid(Uuid::nil()), ConnectionId::from_uuid(Uuid::nil()), Uuid::nil());
        loop {
            let page = read!(self, |q, conn| q::connections::secret_rotation::sealed_secrets(
                conn,
                after,
                limits::LIST_ROWS_MAX
            ))?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            for (key, old) in page {
                let (tenant, connection, _) = key;
                if self.keys.is_current(&old) {
                    continue;
                }
                let secret = self.keys.open(tenant, connection, &old)?;
                let new = self.keys.seal(self.random.as_ref(), tenant, connection, &secret)?;
                write_tx!(self, [new], |q, conn| q::connections::secret_rotation::reseal(conn, key, &new))?;
            }
        }
    }
}
