//! Customers: whom bookings are for. They come to be with their bookings, or by hand; who is the same person is decided in
//! `berth_model::customers`, or by a person.

mod same;

use berth_model::{
    customers::{
        AtProvider, Blocked, Counts, Customer, Questions, Visit,
        keys::{KeyKind, email_key, phone_key},
        profile,
        search::patterns,
    },
    id::CustomerId,
    limits,
    problem::{Code, FieldError, Problem},
    time::Instant,
};
use berth_store::records::{CustomerFilter, CustomerPage, CustomerPosition, CustomerSort, CustomerWords};
use uuid::Uuid;

use crate::{Caller, Outcome, apply, base::Base, validate::Fields};

/// Whom bookings are for.
pub struct Customers {
    pub(crate) base: Base,
}

/// Which customers are wanted.
#[derive(Debug, Clone, Default)]
pub struct CustomerQuery {
    /// Words: parts of names and addresses, or a whole address.
    pub words: Option<String>,
    /// Who has this tag.
    pub tag: Option<String>,
    /// Who may not book, or who may.
    pub blocked: Option<bool>,
    /// In which order.
    pub sort: CustomerSort,
    /// Where the last page ended.
    pub after: Option<CustomerPosition>,
}

/// A customer to be made by hand.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "see Customer")]
pub struct NewCustomer {
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub language: Option<String>,
    pub notes: Option<String>,
    pub tags: Vec<String>,
    /// Why they may not book, if so.
    pub blocked: Option<String>,
}

/// Changes of a customer; what is none stays as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see Customer; null clears one")]
pub struct CustomerPatch {
    pub name: Option<String>,
    pub email: Option<Option<String>>,
    pub phone: Option<Option<String>>,
    pub language: Option<Option<String>>,
    pub notes: Option<Option<String>>,
    pub tags: Option<Vec<String>>,
    /// Why they may not book; null: they may.
    pub blocked: Option<Option<String>>,
}

/// A customer with all that is known of them.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names say it")]
pub struct WholeCustomer {
    pub questions: Questions,
    pub counts: Counts,
    pub at_providers: Vec<AtProvider>,
}

/// What is looked for, as the database looks for it.
fn words_of(text: &str) -> Outcome<CustomerWords> {
    let text = text.trim();
    let most = limits::CUSTOMER_QUERY_CHARS_MAX;
    if text.is_empty() || text.chars().count() > most {
        return Err(Problem::parameter(FieldError::new("q", format!("must be 1 to {most} characters"))));
    }
    let email = email_key(text).map(|key| (KeyKind::Email, key));
    let key = email.or_else(|| phone_key(text).map(|key| (KeyKind::Phone, key)));
    Ok(CustomerWords { key, patterns: patterns(text) })
}

fn check(customer: &Customer) -> Outcome<()> {
    let mut fields = Fields::default();
    profile::check(&mut fields, customer);
    fields.finish()
}

impl Customers {
    /// A page of customers. What a page of a search may look at is limited: it may have fewer items than asked for, and a next one.
    pub async fn list_customers(
        &self,
        caller: &Caller,
        query: CustomerQuery,
        limit: u32,
    ) -> Outcome<CustomerPage> {
        let CustomerQuery { words, tag, blocked, sort, after } = query;
        let words = words.as_deref().map(words_of).transpose()?;
        let filter = CustomerFilter { words, tag, blocked, sort, after };
        Ok(self.base.store().customers(caller.tenant, filter, limit).await?)
    }

    /// A customer, as they are written.
    pub async fn customer(&self, caller: &Caller, id: CustomerId) -> Outcome<Customer> {
        Ok(self.base.store().customer(caller.tenant, id).await?)
    }

    /// A customer, with those who may be the same person, for somebody to say; how often they booked; and what providers call them.
    pub async fn whole_customer(&self, caller: &Caller, id: CustomerId) -> Outcome<WholeCustomer> {
        let store = self.base.store();
        let questions = store.customer_and_maybe_same(caller.tenant, id).await?;
        let counts = store.customer_counts(caller.tenant, id, self.base.now()).await?;
        let at_providers = store.customer_at_providers(caller.tenant, id, &questions.customer.name).await?;
        Ok(WholeCustomer { questions, counts, at_providers })
    }

    /// A page of what a customer booked, here and at providers, the latest start first.
    pub async fn customer_history(
        &self,
        caller: &Caller,
        id: CustomerId,
        before: Option<(Instant, Uuid)>,
        limit: u32,
    ) -> Outcome<Vec<Visit>> {
        Ok(self.base.store().customer_history(caller.tenant, id, before, limit).await?)
    }

    /// Make a customer by hand. Refused if somebody of this name and address is known: the problem says who.
    pub async fn create_customer(&self, caller: &Caller, new: NewCustomer) -> Outcome<Customer> {
        let now = self.base.now();
        let customer = Customer {
            id: self.base.new_id(),
            tenant: caller.tenant,
            name: new.name,
            email: new.email,
            phone: new.phone,
            language: new.language,
            notes: new.notes,
            tags: profile::tags(&new.tags),
            blocked: new.blocked.map(|reason| Blocked { at: now, reason }),
            revision: 1,
            created_at: now,
            last_seen_at: now,
        };
        check(&customer)?;
        match self.base.store().create_customer(customer.clone(), self.base.audit(caller)).await? {
            None => Ok(customer),
            Some(there) => {
                let detail = "Somebody of this name and address is a customer already.";
                let mut problem = Problem::new(Code::AlreadyExists, detail)
                    .with_hint("Change the customer that `customer_id` names.");
                problem.extra.insert("customer_id".to_owned(), there.to_string().into());
                Err(problem)
            }
        }
    }

    /// Change what is written of a customer; by other addresses they are found from then on, and by those before no more. Refused as changed
    /// if their revision is another than expected.
    pub async fn update_customer(
        &self,
        caller: &Caller,
        id: CustomerId,
        patch: CustomerPatch,
        expected_revision: Option<i64>,
    ) -> Outcome<Customer> {
        let old = self.base.store().customer(caller.tenant, id).await?;
        let mut new = old.clone();
        apply!(new, patch, name, email, phone, language, notes);
        if let Some(tags) = patch.tags {
            new.tags = profile::tags(&tags);
        }
        if let Some(blocked) = patch.blocked {
            // Blocked already: since then, for whatever reason.
            let since = old.blocked.as_ref().map_or(self.base.now(), |blocked| blocked.at);
            new.blocked = blocked.map(|reason| Blocked { at: since, reason });
        }
        new.revision = expected_revision.unwrap_or(old.revision);
        check(&new)?;
        if new.revision != old.revision {
            return Err(berth_store::StoreError::Stale.into());
        }
        Ok(self.base.store().update_customer(old, new, self.base.audit(caller)).await?)
    }

    /// Give bookings of before there were customers theirs, of all tenants, as many as there are. A tenant whose key cannot be opened stops
    /// no other; what is wrong is said at the end. Returns how many rows were looked at.
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
