//! Customers, and the key by which each tenant finds them.

use std::sync::Arc;

use berth_model::{
    customers::{Customer, MaybeSame},
    id::{CustomerId, TenantId},
    outbound::provider::Attendee,
    time::Instant,
};
use zeroize::Zeroizing;

use crate::{
    Store, StoreError,
    macs::{Known, MAC_KEY_BYTES, MacKey, context},
};

impl Store {
    /// A customer.
    pub async fn customer(&self, tenant: TenantId, customer: CustomerId) -> Result<Customer, StoreError> {
        read!(self, |q, conn| q::customers::get(conn, tenant, customer))
    }

    /// A page of customers, by age.
    pub async fn customers(
        &self,
        tenant: TenantId,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<Customer>, StoreError> {
        read!(self, |q, conn| q::customers::list(conn, tenant, after, limit))
    }

    /// A customer with those who may be the same person, by age.
    pub async fn customer_and_maybe_same(
        &self,
        tenant: TenantId,
        customer: CustomerId,
    ) -> Result<(Customer, Vec<MaybeSame>), StoreError> {
        read!(self, |q, conn| q::customers::with_maybe_same(conn, tenant, customer))
    }

    /// The next tenant, after this one, whose bookings of before there were customers wait for theirs.
    pub async fn tenant_without_customers(
        &self,
        after: Option<TenantId>,
    ) -> Result<Option<TenantId>, StoreError> {
        read!(self, |q, conn| q::customers::identify::waiting(conn, after))
    }

    /// Give some bookings of before there were customers theirs. How many, fewer than `CUSTOMERS_FILLED_AT_ONCE` if none is left. `Vault`
    /// if no key at hand opens the tenant's.
    pub async fn fill_customers(&self, tenant: TenantId) -> Result<i64, StoreError> {
        let (key, random) = (self.mac_key(tenant).await?, Arc::clone(&self.random));
        write_tx!(self, [key, random], |q, conn| q::customers::identify::fill(
            conn,
            tenant,
            &key,
            random.as_ref()
        ))
    }

    /// Somebody as the database looks for them. None if the vault does not open the tenant's key: a booking is not lost for that.
    pub(crate) async fn known(
        &self,
        tenant: TenantId,
        attendee: &Attendee,
        now: Instant,
    ) -> Result<Option<Known>, StoreError> {
        match self.mac_key(tenant).await {
            Ok(key) => Ok(Some(key.known(attendee, CustomerId::new(now, self.random.as_ref())))),
            // What the booking refers to says the same, in its own words.
            Err(StoreError::NotFound(_)) => Ok(None),
            Err(StoreError::Vault(why)) => {
                tracing::error!(%tenant, why, "the key that finds the tenant's customers cannot be opened");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The MAC of an address from which somebody said something. `Vault` if no key at hand opens the tenant's.
    pub(crate) async fn address_mac(
        &self,
        tenant: TenantId,
        address: std::net::IpAddr,
    ) -> Result<Vec<u8>, StoreError> {
        Ok(self.mac_key(tenant).await?.address(address))
    }

    /// A tenant's key, made when it is needed first.
    async fn mac_key(&self, tenant: TenantId) -> Result<Arc<MacKey>, StoreError> {
        if let Some(key) = self.macs.get(&tenant) {
            return Ok(key);
        }
        let there = read!(self, |q, conn| q::customers::mac_key(conn, tenant))?;
        let sealed = if let Some(sealed) = there {
            sealed
        } else {
            let mut bytes = Zeroizing::new([0; MAC_KEY_BYTES]);
            self.random.fill(bytes.as_mut());
            let new = self.keys.seal_bytes(self.random.as_ref(), &context(tenant), bytes.as_ref())?;
            write_tx!(self, [new], |q, conn| q::customers::set_mac_key(conn, tenant, &new))?
        };
        let key = Arc::new(MacKey::new(&self.keys.open_bytes(&context(tenant), &sealed)?));
        self.macs.insert(tenant, Arc::clone(&key));
        Ok(key)
    }

    /// See [`Self::reseal_credentials`]. The keys themselves stay, and with them all that they found.
    pub(crate) async fn reseal_mac_keys(&self) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = read!(self, |q, conn| q::customers::mac_keys(conn, after))?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(*last);
            for (tenant, old) in page {
                if self.keys.is_current(&old) {
                    continue;
                }
                let key = self.keys.open_bytes(&context(tenant), &old)?;
                let new = self.keys.seal_bytes(self.random.as_ref(), &context(tenant), &key)?;
                write_tx!(self, [old, new], |q, conn| q::customers::reseal_mac_key(
                    conn, tenant, &old, &new
                ))?;
            }
        }
    }

    /// Tenants whose key is sealed with an older key of the vault, and those whose key none at hand opens.
    pub(crate) async fn mac_keys_sealed(&self) -> Result<(u64, u64), StoreError> {
        let (mut older, mut closed) = (0, 0);
        let mut after = None;
        loop {
            let page = read!(self, |q, conn| q::customers::mac_keys(conn, after))?;
            let Some((last, _)) = page.last() else { return Ok((older, closed)) };
            after = Some(*last);
            for (tenant, sealed) in page {
                if self.keys.open_bytes(&context(tenant), &sealed).is_err() {
                    closed += 1;
                } else if !self.keys.is_current(&sealed) {
                    older += 1;
                }
            }
        }
    }
}
