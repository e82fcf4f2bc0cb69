//! The addresses by which a customer is found, each in one form however it is written.

use url::Host;

/// Kinds of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// A mailbox.
    Email,
    /// A telephone number.
    Phone,
}

impl KeyKind {
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
}

/// Fewer digits are no number by which a person is found.
const PHONE_DIGITS_MIN: usize = 4;
/// A number of ITU-T E.164 has no more.
const PHONE_DIGITS_MAX: usize = 15;

/// A mailbox in its one form: without space around it, in small letters, its domain as DNS knows it. None if it has no two sides.
#[must_use]
pub fn email_key(text: &str) -> Option<String> {
    let (local, domain) = text.trim().rsplit_once('@')?;
    let (local, domain) = (local.trim(), domain.trim().trim_end_matches('.'));
    if local.is_empty() || domain.is_empty() {
        return None;
    }
    let domain = Host::parse(domain).map_or_else(|_| domain.to_lowercase(), |host| host.to_string());
    Some(format!("{}@{domain}", local.to_lowercase()))
}

/// A telephone number in its one form: a plus and its digits where it says its country (`+` or `00`), else its digits alone, which are the
/// same as nothing but themselves. None if it is no number.
#[must_use]
pub fn phone_key(text: &str) -> Option<String> {
    // The zero of "+49 (0)30" is dialled inside of the country only.
    let text = text.trim().replace("(0)", "");
    let (is_international, rest) = match text.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => text.strip_prefix("00").map_or((false, text.as_str()), |rest| (true, rest)),
    };
    let mut digits = String::new();
    for c in rest.chars() {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '\u{a0}' | '(' | ')' | '-' | '.' | '/' | '‑' | '–' => {}
            _ => return None,
        }
    }
    if !(PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&digits.len()) {
        return None;
    }
    Some(if is_international { format!("+{digits}") } else { digits })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{email_key, phone_key};

    #[test]
    fn one_mailbox_has_one_form() {
        for text in ["ada@example.com", " Ada@Example.COM ", "ADA@example.com.", "ada@EXAMPLE.com"] {
            assert_eq!(email_key(text).as_deref(), Some("ada@example.com"), "{text}");
        }
        assert_eq!(email_key("Ada@Bücher.example").as_deref(), Some("ada@xn--bcher-kva.example"));
        assert_eq!(email_key("ada@xn--bcher-kva.example").as_deref(), Some("ada@xn--bcher-kva.example"));
        assert_eq!(email_key("ada+berth@example.com").as_deref(), Some("ada+berth@example.com"));
        for text in ["", "ada", "@example.com", "ada@", " @ ", "ada@."] {
            assert_eq!(email_key(text), None, "{text}");
        }
    }

    #[test]
    fn one_number_has_one_form() {
        for text in
            ["+48600100200", "+48 600 100 200", "0048 600-100-200", "+48 (0)600.100.200", " +48/600100200"]
        {
            assert_eq!(phone_key(text).as_deref(), Some("+48600100200"), "{text}");
        }
        assert_eq!(phone_key("600 100 200").as_deref(), Some("600100200"), "of a country that nobody said");
        for text in ["", "+", "12", "+48 600 100 200 ext 3", "none", "+1234567890123456"] {
            assert_eq!(phone_key(text), None, "{text}");
        }
    }

    proptest! {
        /// What is in its one form already stays as it is, whatever was written.
        #[test]
        fn the_form_of_a_form_is_itself(text in "\\PC{0,12}@?\\PC{0,12}", phone in "[+0-9 ()/-]{0,20}") {
            if let Some(key) = email_key(&text) {
                prop_assert_eq!(email_key(&key), Some(key));
            }
            if let Some(key) = phone_key(&phone) {
                prop_assert_eq!(phone_key(&key), Some(key));
            }
        }
    }
}
