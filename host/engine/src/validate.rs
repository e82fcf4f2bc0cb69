//! Checks of what callers send. All problems of a body at once, each with its JSON Pointer.

use berth_model::{
    problem::{FieldError, Problem},
    provider::Attendee,
    time::Zone,
};

/// Collects what is wrong.
#[derive(Default)]
pub(crate) struct Fields(Vec<FieldError>);

impl Fields {
    pub(crate) fn bad(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError::new(field, message));
    }

    /// Refuse if anything is wrong.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }

    /// A name in URLs.
    pub(crate) fn slug(&mut self, field: &str, slug: &str) {
        let good = (2..=64).contains(&slug.len())
            && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !slug.starts_with('-')
            && !slug.ends_with('-');
        if !good {
            self.bad(field, "must be 2 to 64 of a-z, 0-9 and -, not beginning or ending with -");
        }
    }

    /// Text of so many characters, without control characters.
    pub(crate) fn text(&mut self, field: &str, text: &str, most: usize) {
        let length = text.chars().count();
        if text.trim().is_empty() || length > most {
            self.bad(field, format!("must be 1 to {most} characters"));
        } else if text.chars().any(char::is_control) {
            self.bad(field, "must not contain control characters");
        }
    }

    /// Text that may be empty and have line breaks.
    pub(crate) fn long_text(&mut self, field: &str, text: &str, most: usize) {
        if text.chars().count() > most {
            self.bad(field, format!("must be at most {most} characters"));
        } else if text.chars().any(|c| c.is_control() && c != '\n' && c != '\r' && c != '\t') {
            self.bad(field, "must not contain control characters");
        }
    }

    /// A number within bounds.
    pub(crate) fn range(&mut self, field: &str, value: u32, least: u32, most: u32) {
        if !(least..=most).contains(&value) {
            self.bad(field, format!("must be {least} to {most}"));
        }
    }

    /// The shape of a mailbox; whether it exists only a message can tell.
    pub(crate) fn email(&mut self, field: &str, email: &str) {
        let good = email.len() <= 254
            && email.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty()
                    && local.len() <= 64
                    && domain.len() >= 3
                    && domain.contains('.')
                    && !domain.contains('@')
            })
            && !email.chars().any(|c| c.is_whitespace() || c.is_control());
        if !good {
            self.bad(field, "must be an e-mail address such as ada@example.com");
        }
    }

    pub(crate) fn attendee(&mut self, attendee: &Attendee) {
        self.text("/attendee/name", &attendee.name, 200);
        if let Some(email) = &attendee.email {
            self.email("/attendee/email", email);
        }
        if let Some(phone) = &attendee.phone {
            let digits = phone.strip_prefix('+').unwrap_or_default();
            if !(7..=15).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
                self.bad("/attendee/phone", "must be an E.164 number such as +48600100200");
            }
        }
        if attendee.time_zone.parse::<Zone>().is_err() {
            self.bad("/attendee/time_zone", "must be an IANA time zone such as Europe/Warsaw");
        }
        if let Some(language) = &attendee.language {
            self.text("/attendee/language", language, 35);
        }
    }
}
