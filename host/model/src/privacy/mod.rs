//! Consents: what a customer agreed to, in which words, and until when.

pub mod address;

use chrono::Months;
use serde::Serialize;

use crate::{
    id::{ConsentId, ConsentTextId, CustomerId, TenantId},
    time::Instant,
};

/// What a customer's data may be used for. A booking itself rests on the contract, and needs none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purpose {
    /// Its name.
    pub name: &'static str,
    /// What it allows, for people.
    pub allows: &'static str,
}

/// The purposes that are built in.
pub const PURPOSES: [Purpose; 5] = [
    Purpose { name: "data_sync", allows: "their record goes to a provider beyond what one booking needs" },
    Purpose {
        name: "appointment_history",
        allows: "their earlier appointments are taken over from a provider",
    },
    Purpose {
        name: "contact_info",
        allows: "their addresses are shared with members and providers' address books",
    },
    Purpose { name: "service_preferences", allows: "what they prefer is kept" },
    Purpose { name: "marketing", allows: "they are written to about more than their bookings" },
];

/// Is this the name of a purpose?
#[must_use]
pub fn is_purpose(name: &str) -> bool {
    PURPOSES.iter().any(|purpose| purpose.name == name)
}

/// A text that people consent to. Never edited: another text is another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentText {
    /// Its id.
    pub id: ConsentTextId,
    /// Whose.
    pub tenant: TenantId,
    /// What for.
    pub purpose: String,
    /// BCP 47 tag, in small letters.
    pub language: String,
    /// Counts the texts of this purpose in this language, from 1.
    pub version: i64,
    /// What people read.
    pub text: String,
    /// SHA-256 of the text.
    pub sha256: [u8; 32],
    /// Since when.
    pub published_at: Instant,
}

/// What a customer said. Never edited: the last one of a purpose counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Its id.
    pub id: ConsentId,
    /// Whose.
    pub tenant: TenantId,
    /// Who said it.
    pub customer: CustomerId,
    /// What for.
    pub purpose: String,
    /// Counts what this customer said of this purpose, from 1.
    pub ordinal: i64,
    /// Given, or withdrawn.
    pub given: bool,
    /// The text that they agreed to; none of a withdrawal.
    pub text: Option<ConsentTextId>,
    /// Where: a page, a form, a letter.
    pub source: String,
    /// The network that it came from, without what names one line.
    pub ip_truncated: Option<String>,
    /// The program that it came by.
    pub user_agent: Option<String>,
    /// Until when it holds; none of a withdrawal.
    pub expires_at: Option<Instant>,
    /// When.
    pub at: Instant,
}

/// How a purpose stands with a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// Nothing was said.
    Never,
    /// Given, and it holds.
    Given,
    /// Given, and over.
    Expired,
    /// Withdrawn, or refused.
    Withdrawn,
}

/// How a purpose stands, by the last that was said of it.
#[must_use]
pub fn state(last: Option<&Consent>, now: Instant) -> ConsentState {
    match last {
        None => ConsentState::Never,
        Some(Consent { given: false, .. }) => ConsentState::Withdrawn,
        Some(Consent { expires_at: Some(end), .. }) if *end <= now => ConsentState::Expired,
        Some(_) => ConsentState::Given,
    }
}

/// The same day and time so many months later, the last day of a month where there is no such day; the end of known time at the latest.
#[must_use]
pub fn months_after(at: Instant, months: u32) -> Instant {
    let later = at.to_chrono().checked_add_months(Months::new(months)).map(Instant::from_chrono);
    later.map_or(Instant::MAX, |later| later.min(Instant::MAX))
}

/// Is it a language tag as far as its shape says: letters, then parts of letters and digits?
#[must_use]
pub fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    (2..=8).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && tag.len() <= 35
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_last_word_counts_until_it_is_over() {
        let at = Instant::from_seconds(1_800_000_000);
        let said = |given, expires_at| Consent {
            id: ConsentId::from_uuid(Uuid::from_u128(1)),
            tenant: TenantId::from_uuid(Uuid::from_u128(2)),
            customer: CustomerId::from_uuid(Uuid::from_u128(3)),
            purpose: "marketing".to_owned(),
            ordinal: 1,
            given,
            text: None,
            source: "form".to_owned(),
            ip_truncated: None,
            user_agent: None,
            expires_at,
            at,
        };
        let end = at.plus_seconds(60);
        assert_eq!(state(None, at), ConsentState::Never);
        assert_eq!(state(Some(&said(true, Some(end))), end.plus_seconds(-1)), ConsentState::Given);
        assert_eq!(state(Some(&said(true, Some(end))), end), ConsentState::Expired);
        assert_eq!(state(Some(&said(true, None)), end), ConsentState::Given);
        assert_eq!(state(Some(&said(false, None)), at), ConsentState::Withdrawn);
    }

    #[test]
    fn months_have_an_end() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        assert_eq!(months_after(at("2026-11-30T12:00:00Z"), 24), at("2028-11-30T12:00:00Z"));
        assert_eq!(months_after(at("2026-08-31T12:00:00Z"), 6), at("2027-02-28T12:00:00Z"));
        assert_eq!(months_after(Instant::MAX, 1), Instant::MAX);
    }

    #[test]
    fn tags_have_a_shape() {
        for tag in ["de", "en-GB", "zh-Hant-TW", "es-419", "pl"] {
            assert!(is_language(tag), "{tag}");
        }
        for tag in [
            "",
            "d",
            "1e",
            "de_AT",
            "de-",
            "de-und-mehr-als-das-und-mehr-als-35-x",
            "de-zuvieleszeichen",
            "de-überall",
        ] {
            assert!(!is_language(tag), "{tag}");
        }
    }
}
