//! Texts that people consent to, and what they said.

use std::net::IpAddr;

use berth_model::{
    id::{ConsentTextId, CustomerId, TenantId},
    privacy::{Consent, ConsentText},
};

use crate::{
    Store, StoreError,
    records::{Audit, NewConsent, NewConsentText},
};

impl Store {
    /// Publish a text, as the next version of its purpose and language; the latest one, if that says the same. True: it is new.
    /// `TooMany` beyond `CONSENT_TEXTS_MAX`.
    pub async fn publish_consent_text(
        &self,
        new: NewConsentText,
        audit: Audit,
    ) -> Result<(ConsentText, bool), StoreError> {
        write_tx!(self, [new, audit], |q, conn| q::privacy::texts::publish(conn, &new, &audit))
    }

    /// A text.
    pub async fn consent_text(
        &self,
        tenant: TenantId,
        text: ConsentTextId,
    ) -> Result<ConsentText, StoreError> {
        read!(self, |q, conn| q::privacy::texts::get(conn, tenant, text))
    }

    /// A page of texts, by age, of a purpose and in a language if these are given.
    pub async fn consent_texts(
        &self,
        tenant: TenantId,
        purpose: Option<&str>,
        language: Option<&str>,
        after: Option<ConsentTextId>,
        limit: u32,
    ) -> Result<Vec<ConsentText>, StoreError> {
        let (purpose, language) = (purpose.map(str::to_owned), language.map(str::to_owned));
        read!(self, |q, conn| async move {
            q::privacy::texts::list(conn, tenant, purpose.as_deref(), language.as_deref(), after, limit).await
        })
    }

    /// Write what a customer said; it is their last word from then on. Of the address from which they did, a MAC is kept. `NotFound`
    /// without the customer or the text.
    pub async fn say_consent(
        &self,
        new: NewConsent,
        address: Option<IpAddr>,
        audit: Audit,
    ) -> Result<Consent, StoreError> {
        let mac = match address {
            Some(address) => Some(self.address_mac(new.tenant, address).await?),
            None => None,
        };
        write_tx!(self, [new, mac, audit], |q, conn| q::privacy::consents::say(
            conn,
            &new,
            mac.as_deref(),
            &audit
        ))
    }

    /// The last word of a customer on each purpose on which they said something. `NotFound` without the customer.
    pub async fn current_consents(
        &self,
        tenant: TenantId,
        customer: CustomerId,
    ) -> Result<Vec<Consent>, StoreError> {
        read!(self, |q, conn| q::privacy::consents::current(conn, tenant, customer))
    }

    /// A page of all that a customer said, by purpose and then in its order, after this one.
    pub async fn consent_history(
        &self,
        tenant: TenantId,
        customer: CustomerId,
        after: Option<(String, i64)>,
        limit: u32,
    ) -> Result<Vec<Consent>, StoreError> {
        let (purpose, ordinal) = after.unwrap_or_default();
        read!(self, |q, conn| async move {
            q::privacy::consents::history(conn, tenant, customer, (&purpose, ordinal), limit).await
        })
    }
}
