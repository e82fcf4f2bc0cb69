//! Customers: whom bookings are for. They come to be with their bookings; who is the same person is decided in `berth_model::customers`.

use berth_model::{
    customers::{Customer, MaybeSame},
    id::CustomerId,
    limits,
};

use crate::{Caller, Outcome, base::Base};

/// Whom bookings are for.
pub struct Customers {
    pub(crate) base: Base,
}

impl Customers {
    /// A page of customers, by age.
    pub async fn list_customers(
        &self,
        caller: &Caller,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Outcome<Vec<Customer>> {
        Ok(self.base.store().customers(caller.tenant, after, limit).await?)
    }

    /// A customer, with those who may be the same person: for somebody to say.
    pub async fn customer(&self, caller: &Caller, id: CustomerId) -> Outcome<(Customer, Vec<MaybeSame>)> {
        Ok(self.base.store().customer_and_maybe_same(caller.tenant, id).await?)
    }

    /// Give bookings of before there were customers theirs, of all tenants, as many as there are. A tenant whose key cannot be opened stops
    /// no other; what is wrong is said at the end. Returns how many bookings were looked at.
    pub async fn fill_customers(&self) -> Outcome<i64> {
        let (mut filled, mut after, mut trouble) = (0, None, None);
        // Ends: each tenant once, and what was looked at is not found again.
        while let Some(tenant) = self.base.store().tenant_without_customers(after).await? {
            loop {
                match self.base.store().fill_customers(tenant).await {
                    Ok(some) => {
                        filled += some;
                        if some < limits::CUSTOMERS_FILLED_AT_ONCE {
                            break;
                        }
                    }
                    Err(error) => {
                        trouble = Some(error.into());
                        break;
                    }
                }
            }
            after = Some(tenant);
        }
        trouble.map_or(Ok(filled), Err)
    }
}
