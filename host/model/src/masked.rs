//! Addresses of people without what one needs to reach them: enough is left for whoever knows the address to recognise it.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

/// What stands for what is not shown.
pub const WHOLE: &str = "***";
/// Digits in a row, with what may stand between them, from which on a text is a telephone number: the shortest of E.164.
const PHONE_DIGITS_MIN: usize = 7;
/// Members of records that hold a telephone number, by a part of their name.
const PHONE_NAMES: [&str; 4] = ["phone", "mobile", "whatsapp", "telef"];

/// An e-mail address as `a***@***`.
#[must_use]
pub fn email(text: &str) -> String {
    let first: String = text.chars().next().filter(|c| c.is_alphanumeric()).into_iter().collect();
    format!("{first}{WHOLE}@{WHOLE}")
}

/// A telephone number as `***00`, with its last two digits.
#[must_use]
pub fn phone(text: &str) -> String {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    let last: String = digits.iter().skip(digits.len().saturating_sub(2).max(PHONE_DIGITS_MIN - 2)).collect();
    format!("{WHOLE}{last}")
}

/// Text in which every e-mail address, and every number with a plus or of seven digits and more, is masked.
#[must_use]
pub fn words(text: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || "<>(),;:\"'[]{}|=&?/\\".contains(c);
    let (mut masked, mut rest) = (String::new(), text);
    // Ends: each step takes at least one character.
    while let Some(c) = rest.chars().next() {
        let number = number(rest);
        if number > 0 && (c == '+' || !masked.ends_with(|c: char| c.is_alphanumeric() || c == '-')) {
            let (taken, left) = rest.split_at(number);
            masked.push_str(&phone(taken));
            rest = left;
            continue;
        }
        let end = rest.find(is_end).unwrap_or(rest.len());
        let (word, left) = rest.split_at(end);
        if is_address(word) {
            masked.push_str(&email(word));
            rest = left;
        } else if end > 0 && number_within(word).is_none() {
            masked.push_str(word);
            rest = left;
        } else {
            masked.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    masked
}

/// Is this word an e-mail address, perhaps as it stands in a URL?
fn is_address(word: &str) -> bool {
    let word = word.replace("%40", "@");
    word.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
}

/// Where in a word a number with a plus begins, that is not its beginning.
fn number_within(word: &str) -> Option<usize> {
    word.char_indices()
        .skip(1)
        .map(|(at, _)| at)
        .find(|at| word.get(*at..).is_some_and(|rest| rest.starts_with('+') && number(rest) > 0))
}

/// How many bytes at the beginning are a telephone number: with a plus, or of digits that are not the beginning of a date, a time, an amount or
/// an id.
fn number(text: &str) -> usize {
    let is_plus = text.starts_with('+');
    // How many digits there are up to the end of the last group, and where that is.
    let (mut digits, mut end, mut grouped) = (0, 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '0'..='9' => {
                digits += 1;
                end = at + 1;
            }
            '+' if at == 0 => {}
            ' ' | '(' | ')' | '/' | '.' | '-' if is_plus => {}
            ' ' if digits > 0 => {
                if digits >= PHONE_DIGITS_MIN {
                    grouped = end;
                }
            }
            _ => break,
        }
    }
    let follows = text.get(end..).and_then(|rest| rest.chars().next());
    let goes_on = !is_plus && follows.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | ':' | '_'));
    match digits {
        ..PHONE_DIGITS_MIN => 0,
        _ if goes_on => grouped,
        _ => end,
    }
}

/// A record of any form, written without addresses of people.
#[derive(Debug)]
pub struct Masked<'a>(pub &'a Value);

impl Serialize for Masked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            // Digits alone are an id or a time.
            Value::String(text) if text.bytes().all(|b| b.is_ascii_digit()) => serializer.serialize_str(text),
            Value::String(text) => serializer.serialize_str(&words(text)),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Masked)),
            Value::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    match value {
                        Value::String(text) if is_phone_name(name) => {
                            map.serialize_entry(name, &phone(text))?;
                        }
                        Value::Number(number) if is_phone_name(name) => {
                            map.serialize_entry(name, &phone(&number.to_string()))?;
                        }
                        value => map.serialize_entry(&words(name), &Masked(value))?,
                    }
                }
                map.end()
            }
            other => other.serialize(serializer),
        }
    }
}

fn is_phone_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "tel" || name == "sms" || PHONE_NAMES.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::validate::{is_email, is_phone};

    #[test]
    fn addresses_are_masked_wherever_they_stand() {
        for (text, masked) in [
            ("ada@example.com", "a***@***"),
            ("+48600100200", "***00"),
            ("call +48 600 100 200, or ada@example.com!", "call ***00, or a***@***"),
            ("mailto:ada@example.com?x=1", "mailto:a***@***?x=1"),
            ("to=ada%40example.com&n=1", "to=a***@***&n=1"),
            ("x+48600100200", "x***00"),
            ("600 100 200", "***00"),
            ("2026-11-24T09:00:00Z", "2026-11-24T09:00:00Z"),
            ("019387c1-5a10-7cc4-9df6-3b6f0e2a7c11", "019387c1-5a10-7cc4-9df6-3b6f0e2a7c11"),
            ("12345678-5a10-7cc4-9df6-3b6f0e2a7c11", "12345678-5a10-7cc4-9df6-3b6f0e2a7c11"),
            ("600 100 200 2026-11-24", "***00 2026-11-24"),
            ("room 12, 50 EUR", "room 12, 50 EUR"),
            ("", ""),
            ("@", "@"),
        ] {
            assert_eq!(words(text), masked, "{text}");
        }
        let of = json!({
            "attendees": [{ "email": "ada@example.com", "phoneNumber": "600100200", "name": "Ada" }],
            "mobile": 48_600_100_200_i64, "ada@example.com": true, "minutes": 30, "external_id": "600100200",
            "hotel": "+48 600 100 200",
        });
        assert_eq!(
            serde_json::to_value(Masked(&of)).unwrap(),
            json!({
                "attendees": [{ "email": "a***@***", "phoneNumber": "***00", "name": "Ada" }],
                "mobile": "***00", "a***@***": true, "minutes": 30, "external_id": "600100200", "hotel": "***00",
            })
        );
    }

    proptest! {
        /// Whatever is around it, no address and no number is left; and what is masked is none.
        #[test]
        fn none_is_left(before in "[a-z ,;<]{0,8}", local in "[a-z0-9.]{1,12}", digits in "[1-9][0-9]{6,14}", after in "[ ,;>]\\PC{0,8}") {
            let (address, number) = (format!("{local}@example.com"), format!("+{digits}"));
            let text = words(&format!("{before} {address} {number}{after}"));
            prop_assert!(!text.contains(&address), "{text}");
            prop_assert!(!text.contains(&digits), "{text}");
            prop_assert!(!is_email(&email(&address)) && !is_phone(&phone(&number)));
            let _ = words(&after);
        }
    }
}
