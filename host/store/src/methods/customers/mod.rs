//! Customers, and the key by which each tenant finds them.

use std::sync::Arc;

use berth_model::{
    customers::{AtProvider, Counts, Customer, Questions, Visit},
    id::{CustomerId, TenantId},
    outbound::provider::Attendee,
    time::Instant,
};
use zeroize::Zeroizing;

use crate::{
    Store, StoreError,
    macs::{Known, MAC_KEY_BYTES, MacKey, context, person_of},
    records::{Audit, CustomerFilter, CustomerPage, CustomerSplit},
};

impl Store {
    /// A customer.
    pub async fn customer(&self, tenant: TenantId, customer: CustomerId) -> Result<Customer, StoreError> {
        read!(self, |q, conn| q::customers::get(conn, tenant, customer))
    }

    /// A page of customers. A whole address that is looked for is found by its MAC; if the vault does not open the tenant's key, it is looked
    /// for like any part of one.
    pub async fn customers(
        &self,
        tenant: TenantId,
        filter: CustomerFilter,
        limit: u32,
    ) -> Result<CustomerPage, StoreError> {
        let mac = match filter.words.as_ref().and_then(|words| words.key.as_ref()) {
            None => None,
            Some((kind, key)) => match self.mac_key(tenant).await {
                Ok(macs) => Some((*kind, macs.key(*kind, key))),
                Err(StoreError::Vault(_) | StoreError::NotFound(_)) => None,
                Err(error) => return Err(error),
            },
        };
        read!(self, |q, conn| q::customers::list::list(conn, tenant, &filter, mac.as_ref(), limit))
    }

    /// A customer with those who may be the same person, by age.
    pub async fn customer_and_maybe_same(
        &self,
        tenant: TenantId,
        customer: CustomerId,
    ) -> Result<Questions, StoreError> {
        read!(self, |q, conn| q::customers::with_maybe_same(conn, tenant, customer))
    }

    /// How often a customer booked here.
    pub async fn customer_counts(
        &self,
        tenant: TenantId,
        customer: CustomerId,
        now: Instant,
    ) -> Result<Counts, StoreError> {
        read!(self, |q, conn| q::customers::history::counts(conn, tenant, customer, now))
    }

    /// What providers call a customer of this name.
    pub async fn customer_at_providers(
        &self,
        tenant: TenantId,
        customer: CustomerId,
        name: &str,
    ) -> Result<Vec<AtProvider>, StoreError> {
        let name = name.to_owned();
        read!(self, |q, conn| q::customers::history::at_providers(conn, tenant, customer, &name))
    }

    /// What a customer booked, the latest start first, before this one.
    pub async fn customer_history(
        &self,
        tenant: TenantId,
        customer: CustomerId,
        before: Option<(Instant, uuid::Uuid)>,
        limit: u32,
    ) -> Result<Vec<Visit>, StoreError> {
        read!(self, |q, conn| q::customers::history::history(conn, tenant, customer, before, limit))
    }

    /// Who this is among those who are known; none if it would be somebody new. `Vault` if no key at hand opens the tenant's.
    pub async fn known_customer(&self, customer: &Customer) -> Result<Option<CustomerId>, StoreError> {
        let (tenant, person) = (customer.tenant, person_of(customer));
        let known = self.mac_key(tenant).await?.known(&person, customer.id);
        read!(self, |q, conn| q::customers::identify::known_as(conn, tenant, &known))
    }

    /// Make a customer by hand. Who they are, if they are known already by name and address: nothing is made then. `Vault` if no key at
    /// hand opens the tenant's.
    pub async fn create_customer(
        &self,
        customer: Customer,
        audit: Audit,
    ) -> Result<Option<CustomerId>, StoreError> {
        let known = self.mac_key(customer.tenant).await?.known(&person_of(&customer), customer.id);
        write_tx!(self, [customer, known, audit], |q, conn| q::customers::change::create(
            conn, &customer, &known, &audit
        ))
    }

    /// Replace what is written of a customer who was read as `old`, and what finds them. `Stale` if they were changed since.
    pub async fn update_customer(
        &self,
        old: Customer,
        new: Customer,
        audit: Audit,
    ) -> Result<Customer, StoreError> {
        let key = self.mac_key(new.tenant).await?;
        let (before, known) = (key.known(&person_of(&old), old.id), key.known(&person_of(&new), new.id));
        write_tx!(self, [new, before, known, audit], |q, conn| q::customers::change::update(
            conn,
            &new,
            (&before, &known),
            &audit
        ))
    }

    /// Make `other` part of `into`. True: it was done; false: it was done before. `Merged` if `into` is part of another one, or `other` of a
    /// third.
    pub async fn merge_customers(
        &self,
        tenant: TenantId,
        into: CustomerId,
        other: CustomerId,
        audit: Audit,
    ) -> Result<bool, StoreError> {
        let key = self.mac_key(tenant).await?;
        write_tx!(self, [key, audit], |q, conn| q::customers::merge::merge(
            conn,
            tenant,
            (into, other),
            &key,
            &audit
        ))
    }

    /// Give bookings and consents of a customer to a new one, with the addresses that they carry. `NotFound` if any is not theirs.
    pub async fn split_customer(
        &self,
        tenant: TenantId,
        from: CustomerId,
        new: CustomerId,
        what: CustomerSplit,
        audit: Audit,
    ) -> Result<(), StoreError> {
        let key = self.mac_key(tenant).await?;
        write_tx!(self, [key, what, audit], |q, conn| q::customers::split::split(
            conn,
            tenant,
            (from, new),
            &what,
            &key,
            &audit
        ))
    }

    /// Somebody says that two customers are two people: it is not asked again.
    pub async fn part_customers(
        &self,
        tenant: TenantId,
        one: CustomerId,
        other: CustomerId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::customers::change::apart(conn, tenant, (one, other), &audit))
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
