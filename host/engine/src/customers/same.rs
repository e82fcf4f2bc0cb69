//! Who is the same person and who is not, as somebody says it.

use berth_model::{
    id::CustomerId,
    limits,
    problem::{FieldError, Problem},
};
use berth_store::records::CustomerSplit;

use super::{Customers, WholeCustomer};
use crate::{Caller, Outcome, validate::Fields};

/// Two of whom something is said must be two.
fn must_differ(one: CustomerId, other: CustomerId) -> Outcome<()> {
    if one != other {
        return Ok(());
    }
    Err(Problem::invalid(vec![FieldError::new("/customer_id", "must be another customer")]))
}

impl Customers {
    /// Make another customer part of this one: what finds them, bookings, external bookings, consents and tags are this one's from then on.
    /// What was done before is not done again.
    pub async fn merge_customer(
        &self,
        caller: &Caller,
        id: CustomerId,
        other: CustomerId,
    ) -> Outcome<WholeCustomer> {
        must_differ(id, other)?;
        self.base.store().merge_customers(caller.tenant, id, other, self.base.audit(caller)).await?;
        self.whole_customer(caller, id).await
    }

    /// Take bookings, bookings at providers and consents from a customer and make a new one of them, with the names and addresses that the
    /// bookings carry. Returns the new one.
    pub async fn split_customer(
        &self,
        caller: &Caller,
        id: CustomerId,
        what: CustomerSplit,
    ) -> Outcome<WholeCustomer> {
        let mut fields = Fields::default();
        let most = limits::CUSTOMER_SPLIT_MAX;
        if what.bookings.is_empty() && what.external_bookings.is_empty() {
            fields.bad("/booking_ids", "must name at least one booking, or `external_booking_ids` must");
        }
        fields.count("/booking_ids", what.bookings.len(), 0, most);
        fields.count("/external_booking_ids", what.external_bookings.len(), 0, most);
        fields.count("/consent_ids", what.consents.len(), 0, most);
        fields.distinct("/booking_ids", &what.bookings);
        fields.distinct("/external_booking_ids", &what.external_bookings);
        fields.distinct("/consent_ids", &what.consents);
        fields.finish()?;
        let new = self.base.new_id();
        self.base.store().split_customer(caller.tenant, id, new, what, self.base.audit(caller)).await?;
        self.whole_customer(caller, new).await
    }

    /// Somebody says that another customer is somebody else: it is not asked again.
    pub async fn part_customer(
        &self,
        caller: &Caller,
        id: CustomerId,
        other: CustomerId,
    ) -> Outcome<WholeCustomer> {
        must_differ(id, other)?;
        self.base.store().part_customers(caller.tenant, id, other, self.base.audit(caller)).await?;
        self.whole_customer(caller, id).await
    }
}
