//! Bookings found by what somebody types: a part of the attendee's name, the beginning of their e-mail address, the beginning of an id.
//!
//! Each booking is kept under some *words*, and what is typed is looked up among them from their beginning: that is what an index can do.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::{customers::names::folded, limits, outbound::provider::Attendee, problem::FieldError};

/// What e-mail addresses begin with among the words, so that they are told apart from words of names.
const ADDRESS: char = '@';
/// After every text that begins with the same.
const LAST: char = '\u{10ffff}';

/// The words by which a booking of this attendee is found.
#[must_use]
pub fn words(attendee: &Attendee) -> BTreeSet<String> {
    let name = form(&attendee.name);
    let mut words: BTreeSet<String> =
        name.split_whitespace().map(cut).take(limits::SEARCH_WORDS_MAX).collect();
    if let Some(email) = &attendee.email {
        words.insert(cut(&format!("{ADDRESS}{}", email.trim().to_lowercase())));
    }
    words.remove("");
    words
}

/// A name, as it is looked for. Once more, since letters that are made plain may be capitals then.
fn form(name: &str) -> String {
    folded(&folded(name))
}

fn cut(word: &str) -> String {
    word.chars().take(limits::SEARCH_WORD_CHARS_MAX).collect()
}

/// All texts that begin alike: from the first one to the second, which is not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning(pub String, pub String);

impl Beginning {
    fn of(text: &str) -> Self {
        let text = cut(text);
        let end = format!("{text}{LAST}");
        Self(text, end)
    }

    /// Is this one of them?
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        self.0.as_str() <= word && word < self.1.as_str()
    }
}

/// What somebody looks for. A booking is found if one of the three fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Words of the name, each from its beginning, in any order; all must be there. Empty: no name can be meant.
    pub name: Vec<Beginning>,
    /// Beginning of the e-mail address.
    pub email: Option<Beginning>,
    /// First and last id that begin so.
    pub ids: Option<(Uuid, Uuid)>,
}

impl Search {
    /// What this text asks for. With `contacts` false e-mail addresses are not looked at: whoever may not see them must not find them out
    /// letter by letter.
    pub fn of(text: &str, contacts: bool) -> Result<Self, FieldError> {
        let text = text.trim();
        if text.is_empty()
            || text.chars().count() > limits::SEARCH_CHARS_MAX
            || text.chars().any(char::is_control)
        {
            let most = limits::SEARCH_CHARS_MAX;
            return Err(FieldError::new(
                "q",
                format!("must be 1 to {most} characters of a name, an e-mail address or an id"),
            ));
        }
        let is_address = text.contains(ADDRESS);
        let form = form(text);
        let name = form.split_whitespace().filter(|_| !is_address);
        let email = contacts && !text.contains(char::is_whitespace);
        Ok(Self {
            name: name.take(limits::SEARCH_WORDS_MAX).map(Beginning::of).collect(),
            email: email.then(|| Beginning::of(&format!("{ADDRESS}{}", text.to_lowercase()))),
            ids: ids(text),
        })
    }

    /// Does it find a booking with these words and this id?
    #[must_use]
    pub fn finds(&self, words: &BTreeSet<String>, id: Uuid) -> bool {
        let has = |beginning: &Beginning| words.iter().any(|word| beginning.has(word));
        (!self.name.is_empty() && self.name.iter().all(has))
            || self.email.as_ref().is_some_and(has)
            || self.ids.is_some_and(|(first, last)| first <= id && id <= last)
    }
}

/// The ids that begin with this text: hexadecimal digits, hyphens wherever they are.
fn ids(text: &str) -> Option<(Uuid, Uuid)> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    if digits.is_empty() || digits.len() > 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let filled = |with: &str| {
        let rest = 32_usize.saturating_sub(digits.len());
        Uuid::try_parse(&format!("{digits}{}", with.repeat(rest))).ok()
    };
    filled("0").zip(filled("f"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attendee(name: &str, email: Option<&str>) -> Attendee {
        Attendee {
            name: name.to_owned(),
            email: email.map(str::to_owned),
            phone: None,
            time_zone: "UTC".to_owned(),
            language: None,
        }
    }

    #[test]
    fn people_are_found_as_they_are_called() {
        let id: Uuid = "0193b3f0-12ab-7000-8000-000000000001".parse().unwrap();
        let lukasz = words(&attendee("Łukasz Jan O'Żółć", Some("L.Zolc@Example.com")));
        for (text, finds) in [
            ("lukasz", true),
            ("ŻÓŁĆ", false),
            ("ozol", true),
            ("jan łuk", true),
            ("jan ada", false),
            ("l.zolc@ex", true),
            ("L.ZOLC", true),
            ("zolc@", false),
            ("example.com", false),
            ("0193b3f0", true),
            ("0193B3F012a", true),
            ("0193b3f0-12ab-7000-8000-000000000001", true),
            ("0193b3f0-12ab-7000-8000-000000000002", false),
            ("0193b3f1", false),
            ("%", false),
            ("_", false),
        ] {
            assert_eq!(Search::of(text, true).unwrap().finds(&lukasz, id), finds, "{text}");
        }
        for text in ["l.zolc@ex", "l.zolc@example.com"] {
            assert!(!Search::of(text, false).unwrap().finds(&lukasz, id), "{text}: no contact data");
        }
        let nameless = words(&attendee("🙂", None));
        assert!(Search::of("🙂", true).unwrap().finds(&nameless, id));
        for text in ["", "  ", "a\0b", &"x".repeat(201)] {
            assert!(Search::of(text, true).is_err(), "{text:?}");
        }
    }

    proptest! {
        /// Whoever types the beginning of each word of a name finds it.
        #[test]
        fn beginnings_find(name in "[\\p{L}]{1,20}( [\\p{L}]{1,20}){0,3}", letters in 1_usize..5) {
            let beginning = |word: &str| word.chars().take(letters).collect::<String>();
            let typed: Vec<String> = form(&name).split_whitespace().map(beginning).collect();
            let search = Search::of(&typed.join(" "), false).unwrap();
            prop_assert!(search.finds(&words(&attendee(&name, None)), Uuid::nil()));
        }

        /// Whatever is typed is an answer, and what is found begins so.
        #[test]
        fn anything_may_be_typed(text in any::<String>(), name in any::<String>()) {
            if let Ok(search) = Search::of(&text, true) {
                let _ = search.finds(&words(&attendee(&name, Some(&text))), Uuid::max());
                prop_assert!(search.name.len() <= limits::SEARCH_WORDS_MAX);
            }
        }
    }
}
