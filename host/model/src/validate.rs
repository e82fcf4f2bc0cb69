//! Checks of what callers send. All problems of a body at once, each with its JSON Pointer.

use std::{collections::HashSet, hash::Hash};

use chrono::NaiveDate;
use iso_currency::Currency;

use crate::{
    limits,
    outbound::provider::{Attendee, Money},
    problem::{FieldError, Problem},
    text,
    time::{KNOWN_YEARS, is_day},
    zone::Zone,
};

/// Collects what is wrong.
#[derive(Debug, Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    /// Note that this field is not acceptable.
    pub fn bad(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError::new(field, message));
    }

    /// Refuse if anything is wrong.
    pub fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }

    /// Note what was found elsewhere.
    pub fn extend(&mut self, errors: impl IntoIterator<Item = FieldError>) {
        self.0.extend(errors);
    }

    /// What is wrong.
    #[must_use]
    pub fn into_errors(self) -> Vec<FieldError> {
        self.0
    }

    /// A name in URLs.
    pub fn slug(&mut self, field: &str, slug: &str) {
        if !is_slug(slug) {
            self.bad(field, "must be 2 to 64 of a-z, 0-9 and -, not beginning or ending with -");
        }
    }

    /// Text of so many characters that a person sees, without control characters.
    pub fn text(&mut self, field: &str, text: &str, most: usize) {
        let length = text.chars().count();
        if text::is_blank(text) || length > most {
            self.bad(field, format!("must be 1 to {most} characters"));
        } else if text.chars().any(text::is_forbidden) {
            self.bad(field, FORBIDDEN);
        }
    }

    /// Text that may be empty and have line breaks.
    pub fn long_text(&mut self, field: &str, text: &str, most: usize) {
        if text.chars().count() > most {
            self.bad(field, format!("must be at most {most} characters"));
        } else if text.chars().any(|c| text::is_forbidden(c) && !matches!(c, '\n' | '\r' | '\t')) {
            self.bad(field, FORBIDDEN);
        }
    }

    /// A number within bounds.
    pub fn range(&mut self, field: &str, value: u32, least: u32, most: u32) {
        if !(least..=most).contains(&value) {
            self.bad(field, format!("must be {least} to {most}"));
        }
    }

    /// So many items of a list.
    pub fn count(&mut self, field: &str, count: usize, least: usize, most: usize) {
        if !(least..=most).contains(&count) {
            self.bad(field, format!("must have {least} to {most} items"));
        }
    }

    /// No item twice; the second one is named.
    pub fn distinct<T: Eq + Hash>(&mut self, field: &str, items: impl IntoIterator<Item = T>) {
        let mut seen = HashSet::new();
        for (i, item) in items.into_iter().enumerate() {
            if !seen.insert(item) {
                self.bad(&format!("{field}/{i}"), "is there twice");
            }
        }
    }

    /// A mailbox.
    pub fn email(&mut self, field: &str, email: &str) {
        if !is_email(email) {
            self.bad(field, EMAIL_FORM);
        }
    }

    /// A telephone number.
    pub fn phone(&mut self, field: &str, phone: &str) {
        if !is_phone(phone) {
            self.bad(field, PHONE_FORM);
        }
    }

    /// A civil day that instants of ours lie on.
    pub fn day(&mut self, field: &str, day: NaiveDate) {
        if !is_day(day) {
            self.bad(field, KNOWN_YEARS);
        }
    }

    /// A price: not negative, in a currency of ISO 4217 that has minor units.
    pub fn price(&mut self, field: &str, price: &Money) {
        if !(0..=limits::PRICE_MINOR_UNITS_MAX).contains(&price.minor_units) {
            self.bad(
                &format!("{field}/minor_units"),
                format!("must be 0 to {} of the currency's smallest units", limits::PRICE_MINOR_UNITS_MAX),
            );
        }
        self.currency(&format!("{field}/currency"), &price.currency);
    }

    /// A currency of ISO 4217 that has minor units.
    pub fn currency(&mut self, field: &str, code: &str) {
        if decimals_of(code).is_none() {
            self.bad(field, "must be a currency code of ISO 4217 such as EUR");
        }
    }

    /// The person who books.
    pub fn attendee(&mut self, attendee: &Attendee) {
        self.text("/attendee/name", &attendee.name, 200);
        if let Some(email) = &attendee.email {
            self.email("/attendee/email", email);
        }
        if let Some(phone) = &attendee.phone {
            self.phone("/attendee/phone", phone);
        }
        if attendee.time_zone.parse::<Zone>().is_err() {
            self.bad("/attendee/time_zone", "must be an IANA time zone such as Europe/Warsaw");
        }
        if let Some(language) = &attendee.language {
            self.text("/attendee/language", language, 35);
        }
    }
}

/// How many decimals amounts of a currency have. None: there is no such currency, or it has no amounts (gold, testing, no currency).
#[must_use]
pub fn decimals_of(currency: &str) -> Option<u16> {
    Currency::from_code(currency)?.exponent()
}

/// Can it be a name in URLs?
#[must_use]
pub fn is_slug(text: &str) -> bool {
    (2..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// What is wrong with a text that has characters nobody sees, or that turn around what is seen.
pub const FORBIDDEN: &str =
    "must not contain control characters, nor ones that change the direction of the text";
/// What an e-mail address looks like, for people.
pub const EMAIL_FORM: &str = "must be an e-mail address such as ada@example.com";
/// What a telephone number looks like, for people.
pub const PHONE_FORM: &str = "must be an E.164 number such as +48600100200";

/// Has it the shape of a mailbox? Whether it exists only a message can tell.
#[must_use]
pub fn is_email(text: &str) -> bool {
    text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && local.len() <= 64
                && domain.len() >= 3
                && domain.contains('.')
                && !domain.contains('@')
        })
        && !text.chars().any(|c| c.is_whitespace() || text::is_forbidden(c) || text::is_invisible(c))
}

/// Is it a telephone number in the form of ITU-T E.164: a plus, then at most 15 digits, the first not zero?
#[must_use]
pub fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(check: impl FnOnce(&mut Fields)) -> bool {
        let mut fields = Fields::default();
        check(&mut fields);
        fields.finish().is_err()
    }

    #[test]
    fn names_that_deceive_are_refused() {
        for bad in ["Ada\u{202e}x", "Ada\u{2066}", "a\u{85}b", "a\nb", "\u{3164}", "\u{200b}", "a\u{2028}b"] {
            assert!(refused(|f| f.text("/name", bad, 100)), "{bad:?}");
        }
        for good in ["Ada", "עדה\u{200f}", "می\u{200c}خواهم"] {
            assert!(!refused(|f| f.text("/name", good, 100)), "{good:?}");
        }
        assert!(refused(|f| f.long_text("/notes", "a\u{202d}b", 100)));
        assert!(!refused(|f| f.long_text("/notes", "a\r\n\tb", 100)));
        assert!(refused(|f| f.email("/email", "a\u{200b}b@example.com")));
    }
}
