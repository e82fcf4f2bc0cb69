//! What a tenant may write of a customer by hand.

use crate::{
    customers::Customer,
    limits,
    privacy::is_language,
    text,
    validate::{FORBIDDEN, Fields},
};

/// Tags in their one form: without space around them, each once, in the order of the alphabet.
#[must_use]
pub fn tags(given: &[String]) -> Vec<String> {
    let mut tags: Vec<String> = given.iter().map(|tag| tag.trim().to_owned()).collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// Is everything that stands there acceptable? Notes all that is not.
pub fn check(fields: &mut Fields, customer: &Customer) {
    fields.text("/name", &customer.name, 200);
    if let Some(email) = &customer.email {
        fields.email("/email", email);
    }
    if let Some(phone) = &customer.phone {
        fields.phone("/phone", phone);
    }
    if let Some(notes) = &customer.notes {
        fields.long_text("/notes", notes, limits::CUSTOMER_NOTES_CHARS_MAX);
    }
    if customer.language.as_deref().is_some_and(|language| !is_language(language)) {
        fields.bad("/language", "must be a BCP 47 tag such as de or en-GB");
    }
    if customer.tags.len() > limits::CUSTOMER_TAGS_MAX {
        fields.bad("/tags", format!("must have at most {} items", limits::CUSTOMER_TAGS_MAX));
    } else {
        for (i, tag) in customer.tags.iter().enumerate() {
            if text::is_blank(tag) || tag.chars().count() > limits::CUSTOMER_TAG_CHARS_MAX {
                let most = limits::CUSTOMER_TAG_CHARS_MAX;
                fields.bad(&format!("/tags/{i}"), format!("must be 1 to {most} characters"));
            } else if tag.chars().any(text::is_forbidden) {
                fields.bad(&format!("/tags/{i}"), FORBIDDEN);
            }
        }
    }
    if let Some(blocked) = &customer.blocked {
        fields.text("/blocked/reason", &blocked.reason, limits::CUSTOMER_BLOCKED_REASON_CHARS_MAX);
    }
}
