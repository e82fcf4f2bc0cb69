//! Consents: a text is published, a customer agrees to it or takes that back, and the last word on a purpose counts.

use std::net::IpAddr;

use berth_model::{
    id::{ConsentTextId, CustomerId},
    limits,
    privacy::{Consent, ConsentText, PURPOSES, address::truncated, is_language, is_purpose, months_after},
    problem::{Code, FieldError, Problem},
    time::Instant,
};
use berth_store::{
    StoreError,
    records::{BookingConsent, NewConsent, NewConsentText},
};
use ring::digest::{SHA256, digest};

use crate::{Caller, Outcome, base::Base, validate::Fields};

/// A text to be published.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "see ConsentText")]
pub struct ConsentTextDraft {
    pub purpose: String,
    pub language: String,
    pub text: String,
}

/// Where somebody said something.
#[derive(Debug, Clone)]
pub struct ConsentEvidence {
    /// A page, a form, a letter: for people.
    pub source: String,
    /// The address of whoever said it.
    pub ip_address: Option<IpAddr>,
    /// The program that they used.
    pub user_agent: Option<String>,
}

/// A consent that is given.
#[derive(Debug, Clone)]
pub struct GiveConsent {
    /// What for.
    pub purpose: String,
    /// The text that they read.
    pub text: ConsentTextId,
    /// The language in which they read it, if it is to be checked.
    pub language: Option<String>,
    /// Until when; none: for `CONSENT_MONTHS_DEFAULT`.
    pub expires_at: Option<Instant>,
    /// Where.
    pub evidence: ConsentEvidence,
}

/// A consent that is taken back, or refused.
#[derive(Debug, Clone)]
pub struct WithdrawConsent {
    /// What for.
    pub purpose: String,
    /// Where.
    pub evidence: ConsentEvidence,
}

impl ConsentEvidence {
    fn check(&self, fields: &mut Fields) {
        fields.text("/source", &self.source, limits::CONSENT_SOURCE_CHARS_MAX);
        if let Some(user_agent) = &self.user_agent {
            fields.text("/user_agent", user_agent, limits::USER_AGENT_CHARS_MAX);
        }
    }
}

fn known(purpose: &str) -> Outcome<()> {
    if is_purpose(purpose) {
        return Ok(());
    }
    let mut problem = Problem::new(Code::UnknownPurpose, format!("There is no purpose {purpose:?}."));
    let names: Vec<&str> = PURPOSES.iter().map(|purpose| purpose.name).collect();
    problem.extra.insert("purposes".to_owned(), names.into());
    Err(problem)
}

/// What customers consented to.
pub struct Privacy {
    pub(crate) base: Base,
}

impl Privacy {
    /// Publish a text. One that says what the latest version of its purpose and language says is that version. True: it is new.
    pub async fn publish_consent_text(
        &self,
        caller: &Caller,
        draft: ConsentTextDraft,
    ) -> Outcome<(ConsentText, bool)> {
        known(&draft.purpose)?;
        let mut fields = Fields::default();
        if !is_language(&draft.language) {
            fields.bad("/language", "must be a BCP 47 tag such as de or en-GB");
        }
        if draft.text.trim().is_empty() {
            fields.bad("/text", "must not be empty");
        }
        fields.long_text("/text", &draft.text, limits::CONSENT_TEXT_CHARS_MAX);
        fields.finish()?;
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, draft.text.as_bytes()).as_ref());
        let ConsentTextDraft { purpose, language, text } = draft;
        let language = language.to_ascii_lowercase();
        let new =
            NewConsentText { id: self.base.new_id(), tenant: caller.tenant, purpose, language, text, sha256 };
        Ok(self.base.store().publish_consent_text(new, self.base.audit(caller)).await?)
    }

    /// A page of texts, by age.
    pub async fn list_consent_texts(
        &self,
        caller: &Caller,
        (purpose, language): (Option<&str>, Option<&str>),
        after: Option<ConsentTextId>,
        limit: u32,
    ) -> Outcome<Vec<ConsentText>> {
        if let Some(purpose) = purpose {
            known(purpose)?;
        }
        let language = language.map(str::to_ascii_lowercase);
        let found =
            self.base.store().consent_texts(caller.tenant, purpose, language.as_deref(), after, limit);
        Ok(found.await?)
    }

    /// A customer agrees to a text, for its purpose.
    pub async fn give_consent(
        &self,
        caller: &Caller,
        customer: CustomerId,
        give: GiveConsent,
    ) -> Outcome<Consent> {
        known(&give.purpose)?;
        let now = self.base.now();
        let mut fields = Fields::default();
        give.evidence.check(&mut fields);
        let latest = months_after(now, limits::CONSENT_MONTHS_MAX);
        if give.expires_at.is_some_and(|end| end <= now || end > latest) {
            let years = limits::CONSENT_MONTHS_MAX / 12;
            fields.bad("/expires_at", format!("must be ahead, and within {years} years"));
        }
        fields.finish()?;
        self.base.store().customer(caller.tenant, customer).await?;
        self.fits(caller, &give).await?;
        let expires_at = give.expires_at.unwrap_or(months_after(now, limits::CONSENT_MONTHS_DEFAULT));
        self.say(caller, customer, give.purpose, Some((give.text, expires_at)), give.evidence).await
    }

    /// What somebody agrees to while they book, checked; it is written with the booking. Each purpose once.
    pub async fn consents_of_booking(
        &self,
        caller: &Caller,
        given: Vec<GiveConsent>,
    ) -> Outcome<Vec<BookingConsent>> {
        let mut fields = Fields::default();
        fields.count("/consents", given.len(), 0, PURPOSES.len());
        fields.distinct("/consents", given.iter().map(|give| &give.purpose));
        fields.finish()?;
        let expires_at = months_after(self.base.now(), limits::CONSENT_MONTHS_DEFAULT);
        let mut checked = Vec::with_capacity(given.len());
        for (i, give) in given.into_iter().enumerate() {
            let at = |field: &'static str| {
                move |mut problem: Problem| {
                    let message = problem.detail.clone();
                    problem.errors.push(FieldError::new(format!("/consents/{i}/{field}"), message));
                    problem
                }
            };
            known(&give.purpose).map_err(at("purpose"))?;
            self.fits(caller, &give).await.map_err(at("text_id"))?;
            let ConsentEvidence { source, ip_address, user_agent } = give.evidence;
            // No browser is refused for how it calls itself.
            let user_agent = user_agent.map(|name| name.chars().take(limits::USER_AGENT_CHARS_MAX).collect());
            let said = NewConsent {
                id: self.base.new_id(),
                tenant: caller.tenant,
                customer: CustomerId::from_uuid(uuid::Uuid::nil()),
                purpose: give.purpose,
                given: true,
                text: Some(give.text),
                source,
                ip_truncated: ip_address.map(truncated),
                user_agent,
                expires_at: Some(give.expires_at.unwrap_or(expires_at)),
            };
            let audit = self.base.audit(caller);
            checked.push(BookingConsent { said, address: ip_address, ip_mac: None, audit });
        }
        Ok(checked)
    }

    /// A customer takes a consent back, or says no before anybody asked: both are rows, so that what they said last is known.
    pub async fn withdraw_consent(
        &self,
        caller: &Caller,
        customer: CustomerId,
        withdraw: WithdrawConsent,
    ) -> Outcome<Consent> {
        known(&withdraw.purpose)?;
        let mut fields = Fields::default();
        withdraw.evidence.check(&mut fields);
        fields.finish()?;
        self.say(caller, customer, withdraw.purpose, None, withdraw.evidence).await
    }

    /// The last word of a customer on each purpose on which they said something.
    pub async fn current_consents(&self, caller: &Caller, customer: CustomerId) -> Outcome<Vec<Consent>> {
        Ok(self.base.store().current_consents(caller.tenant, customer).await?)
    }

    /// A page of all that a customer said, by purpose and then in its order.
    pub async fn consent_history(
        &self,
        caller: &Caller,
        customer: CustomerId,
        after: Option<(String, i64)>,
        limit: u32,
    ) -> Outcome<Vec<Consent>> {
        Ok(self.base.store().consent_history(caller.tenant, customer, after, limit).await?)
    }

    /// Is the text one that was published, for this purpose and in this language?
    async fn fits(&self, caller: &Caller, give: &GiveConsent) -> Outcome<()> {
        let text = match self.base.store().consent_text(caller.tenant, give.text).await {
            Ok(text) => text,
            Err(StoreError::NotFound(_)) => {
                return Err(Problem::new(Code::TextNotPublished, format!("There is no text {}.", give.text)));
            }
            Err(error) => return Err(error.into()),
        };
        if text.purpose != give.purpose {
            let detail = format!("The text is for {}, and not for {}.", text.purpose, give.purpose);
            return Err(Problem::new(Code::TextDoesNotFit, detail));
        }
        if let Some(language) = give.language.as_ref().filter(|l| !l.eq_ignore_ascii_case(&text.language)) {
            let detail = format!("The text is in {}, and not in {language:?}.", text.language);
            return Err(Problem::new(Code::TextDoesNotFit, detail));
        }
        Ok(())
    }

    async fn say(
        &self,
        caller: &Caller,
        customer: CustomerId,
        purpose: String,
        given: Option<(ConsentTextId, Instant)>,
        evidence: ConsentEvidence,
    ) -> Outcome<Consent> {
        let ConsentEvidence { source, ip_address, user_agent } = evidence;
        let new = NewConsent {
            id: self.base.new_id(),
            tenant: caller.tenant,
            customer,
            purpose,
            given: given.is_some(),
            text: given.map(|(text, _)| text),
            source,
            ip_truncated: ip_address.map(truncated),
            user_agent,
            expires_at: given.map(|(_, end)| end),
        };
        Ok(self.base.store().say_consent(new, ip_address, self.base.audit(caller)).await?)
    }
}
