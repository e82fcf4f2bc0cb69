//! What a manifest says about handshakes: a message that carries a challenge, which the receiver repeats to show that it is there.
//! The host answers it, without the component and before anything is signed.

use serde::{Deserialize, Serialize};

/// A handshake, and how it is answered. Three kinds are common: a GET with a challenge and a secret in its query, a POST with a
/// validation token in its query, a POST whose JSON body says that it is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HandshakeSpec {
    /// What is repeated in the answer. A message without it is no handshake.
    pub challenge: HandshakeField,
    /// Only messages with this text at this place are handshakes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<HandshakeCondition>,
    /// Where the provider repeats the webhook's `secret`; a handshake with another one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<HandshakeField>,
    /// Member of a JSON object that the challenge is answered in; absent: it is the whole answer, as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_field: Option<String>,
}

/// A place in a message. Exactly one is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HandshakeField {
    /// A query parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// JSON Pointer (RFC 6901) into the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_field: Option<String>,
}

/// A place in a message, and the text that must stand there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HandshakeCondition {
    /// The place.
    pub field: HandshakeField,
    /// The text.
    pub equals: String,
}

impl HandshakeSpec {
    pub(super) fn problems(&self, has_secret: bool, bad: &mut impl FnMut(String, &str)) {
        let fields = [
            ("challenge", Some(&self.challenge)),
            ("when.field", self.when.as_ref().map(|when| &when.field)),
            ("secret", self.secret.as_ref()),
        ];
        for (name, field) in fields.into_iter().filter_map(|(name, field)| Some((name, field?))) {
            let path = format!("webhook.handshake.{name}");
            match (&field.query, &field.body_field) {
                (Some(query), None) if !query.is_empty() => {}
                (None, Some(pointer)) if pointer.starts_with('/') => {}
                (None, Some(_)) => {
                    bad(format!("{path}.body-field"), "must be a JSON Pointer such as /challenge");
                }
                _ => bad(path, "must have exactly one of query, body-field"),
            }
        }
        if self.secret.is_some() && !has_secret {
            bad("webhook.handshake.secret".to_owned(), "needs webhook.secret, which it is compared with");
        }
        if self.reply_field.as_ref().is_some_and(String::is_empty) {
            bad("webhook.handshake.reply-field".to_owned(), "must not be empty");
        }
    }
}
