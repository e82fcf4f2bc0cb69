//! How customers are looked for by parts of their names and addresses: a text of each that is kept beside it, and the terms that must be in
//! it. Both without case and accents, so that one text of SQL compares them on both databases.

use super::{
    keys::{email_key, phone_key},
    names::words,
};
use crate::limits;

/// The name as lists are in its order: without case, accents and punctuation.
#[must_use]
pub fn name_key(name: &str) -> String {
    let words = words(name);
    let key = if words.is_empty() { name.trim().to_lowercase() } else { words.join(" ") };
    cut(key, limits::CUSTOMER_NAME_KEY_BYTES_MAX)
}

/// Where parts of a customer's name and addresses are looked for: a line for each.
#[must_use]
pub fn search_text(name: &str, email: Option<&str>, phone: Option<&str>) -> String {
    let email = email.map(|email| email_key(email).unwrap_or_else(|| email.to_lowercase()));
    let phone = phone.map(|phone| phone_key(phone).unwrap_or_else(|| phone.to_lowercase()));
    let lines = [Some(name_key(name)), email, phone];
    let lines: Vec<String> =
        lines.into_iter().flatten().map(|line| cut(line, limits::CUSTOMER_NAME_KEY_BYTES_MAX)).collect();
    lines.join("\n")
}

/// What must all be in a customer's text, for these words: patterns of `LIKE` with the escape `\`. At most `CUSTOMER_SEARCH_TERMS_MAX`.
#[must_use]
pub fn patterns(query: &str) -> Vec<String> {
    let mut terms: Vec<String> = Vec::new();
    for word in query.split_whitespace() {
        let is_number = word.chars().all(|c| c.is_ascii_digit() || "+()-./".contains(c));
        let digits: String = word.chars().filter(char::is_ascii_digit).collect();
        if word.contains('@') {
            terms.push(word.to_lowercase());
        } else if is_number && !digits.is_empty() {
            terms.push(digits);
        } else {
            let folded = words(word);
            terms.extend(if folded.is_empty() { vec![word.to_lowercase()] } else { folded });
        }
    }
    terms.truncate(limits::CUSTOMER_SEARCH_TERMS_MAX);
    terms.iter().map(|term| format!("%{}%", escaped(term))).collect()
}

/// A text that stands for itself in a pattern.
fn escaped(term: &str) -> String {
    let mut text = String::new();
    for c in term.chars() {
        if matches!(c, '%' | '_' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// Its beginning, of at most so many bytes.
fn cut(mut text: String, bytes_max: usize) -> String {
    let end = (0..=bytes_max.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finds(query: &str, name: &str, email: Option<&str>, phone: Option<&str>) -> bool {
        let text = search_text(name, email, phone);
        patterns(query).iter().all(|pattern| {
            let term = pattern.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')).unwrap();
            let plain = term.replace("\\%", "%").replace("\\_", "_").replace("\\\\", "\\");
            text.contains(&plain)
        })
    }

    #[test]
    fn parts_are_found_however_they_are_written() {
        let (email, phone) = (Some("Lukasz.Z@Bücher.example"), Some("+48 600-100-200"));
        for query in [
            "Łukasz",
            "LUKASZ zolc",
            "żół",
            "kasz",
            "lukasz.z@",
            "@xn--bcher",
            "600100",
            "600-100",
            "+48600",
            "zolc luka",
        ] {
            assert!(finds(query, "Łukasz Żółć", email, phone), "{query}");
        }
        for query in ["Ada", "lukasz ada", "600101", "%", "_", "\\"] {
            assert!(!finds(query, "Łukasz Żółć", email, phone), "{query}");
        }
        assert!(finds("🙂", "🙂", None, None));
        assert_eq!(patterns("50%_\\"), ["%50%"]);
        assert_eq!(patterns("% _"), ["%\\%%", "%\\_%"]);
        assert_eq!(patterns(&"a ".repeat(100)).len(), limits::CUSTOMER_SEARCH_TERMS_MAX);
        assert_eq!(name_key("Nowak, Ada"), "nowak ada");
    }

    proptest! {
        /// Whoever is looked for by a word of their name, or a whole address, is found; nothing is longer than an index takes.
        #[test]
        fn a_word_of_a_name_finds_it(name in "\\PC{1,80}", local in "[a-zA-Z0-9.]{1,20}") {
            let email = format!("{local}@example.com");
            let text = search_text(&name, Some(&email), None);
            prop_assert!(text.len() <= 3 * limits::CUSTOMER_NAME_KEY_BYTES_MAX + 2);
            prop_assert!(name_key(&name).len() <= limits::CUSTOMER_NAME_KEY_BYTES_MAX);
            if let Some(word) = name.split(|c: char| !c.is_alphanumeric()).find(|w| !w.is_empty())
                && name_key(&name).len() < limits::CUSTOMER_NAME_KEY_BYTES_MAX
            {
                prop_assert!(finds(word, &name, Some(&email), None), "{word}");
            }
            prop_assert!(finds(&email, &name, Some(&email), None));
        }
    }
}
