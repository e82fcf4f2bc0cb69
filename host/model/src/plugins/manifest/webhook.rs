//! What a manifest says about inbound webhooks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CredentialSpec, HandshakeSpec, LegacySignature};
use crate::limits;

/// How the signature of an inbound webhook is checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WebhookSpec {
    /// What kind of signature.
    pub scheme: WebhookScheme,
    /// Header that holds the signature or token; empty where `body-field` names another place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub header: String,
    /// For a token that is repeated in the JSON body in place of a header: JSON Pointer (RFC 6901), in which `*` stands for every item
    /// of an array: `/value/*/clientState`. There must be one, and all of them must be the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_field: Option<String>,
    /// For a header of `name=value` parts (`t=…,v1=…`): the part with the signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_part: Option<String>,
    /// Text before the signature that is not part of it: `sha256=`.
    #[serde(default)]
    pub prefix: String,
    /// How the signature is written.
    #[serde(default)]
    pub encoding: SignatureEncoding,
    /// Credential with the shared secret, for HMAC and tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Public key for Ed25519 (raw, base64) and RSA (PKCS#1 or SPKI DER, base64).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// Setting with a public key in place of that one, for when the provider changes its key. Empty or absent: as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key_setting: Option<String>,
    /// What is signed: `{body}` and `{timestamp}` stand for themselves; the default is the body alone.
    #[serde(default = "body_only")]
    pub input: String,
    /// Where the time of sending is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<TimestampSource>,
    /// Oldest message that is accepted, in seconds; 0 for any age. Needs `timestamp`. A time in a header is made anew with each try: minutes
    /// are enough. One in the body stays what it was in all retries: as long as the provider retries. A message that came is not taken
    /// again, whatever its age.
    #[serde(default)]
    pub tolerance_seconds: u32,
    /// How the provider asks whether this is really the receiver, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake: Option<HandshakeSpec>,
    /// An older signature, for messages that do not carry this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legacy: Option<LegacySignature>,
    /// Where a message names the account, for providers that send all messages of an app to one address
    /// (`/api/webhooks/{provider}`). The value is the `id` of the account that `connection.validate` returns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountSource>,
}

/// Where a message names the account at the provider. Exactly one is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountSource {
    /// A header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// JSON Pointer into the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_field: Option<String>,
}

fn body_only() -> String {
    "{body}".to_owned()
}

/// Kinds of webhook signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookScheme {
    /// HMAC-SHA256 under the secret.
    HmacSha256,
    /// Ed25519 (RFC 8032) under the public key.
    Ed25519,
    /// RSASSA-PKCS1-v1_5 with SHA-256 under the public key.
    RsaSha256,
    /// The header, or a field of the body, is the secret itself.
    SharedToken,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureEncoding {
    /// Hexadecimal digits of either case.
    #[default]
    Hex,
    /// Standard base64, padded.
    Base64,
}

/// Where a webhook says when it was sent. Exactly one is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TimestampSource {
    /// A header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// A part of the signature header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_part: Option<String>,
    /// JSON Pointer into the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_field: Option<String>,
    /// RFC 3339 text, seconds or milliseconds since 1970.
    #[serde(default)]
    pub format: TimestampFormat,
}

/// How a time of sending is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum TimestampFormat {
    #[default]
    Rfc3339,
    UnixSeconds,
    UnixMillis,
}

impl WebhookSpec {
    /// The rule for a connection with these settings: with the keys that they name, and without a legacy signature that they do
    /// not allow.
    #[must_use]
    pub fn under(&self, settings: &Value) -> Self {
        let mut spec = self.clone();
        spec.take_key(settings);
        let allowed = |legacy: &LegacySignature| {
            settings.get(&legacy.allowed_by_setting).and_then(Value::as_bool) == Some(true)
        };
        spec.legacy = spec.legacy.filter(allowed).map(|mut legacy| {
            let mut whole = legacy.within(self);
            whole.take_key(settings);
            legacy.public_key = whole.public_key;
            legacy
        });
        spec
    }

    fn take_key(&mut self, settings: &Value) {
        let named =
            self.public_key_setting.as_ref().and_then(|name| settings.get(name)).and_then(Value::as_str);
        if let Some(key) = named.filter(|key| !key.trim().is_empty()) {
            self.public_key = Some(key.to_owned());
        }
    }

    pub(super) fn problems(
        &self,
        credentials: &BTreeMap<String, CredentialSpec>,
        settings_schema: &Value,
        bad: &mut impl FnMut(String, &str),
    ) {
        let declared =
            |name: &String| settings_schema.pointer("/properties").and_then(|p| p.get(name)).is_some();
        if self.public_key_setting.as_ref().is_some_and(|name| !declared(name)) {
            bad(
                "webhook.public-key-setting".to_owned(),
                "names a setting that settings-schema does not declare",
            );
        }
        if let Some(legacy) = &self.legacy {
            if !declared(&legacy.allowed_by_setting) {
                bad(
                    "webhook.legacy.allowed-by-setting".to_owned(),
                    "names a setting that settings-schema does not declare",
                );
            }
            let mut below = |path: String, message: &str| {
                bad(path.replacen("webhook.", "webhook.legacy.", 1), message);
            };
            legacy.within(self).own_problems(credentials, &mut below);
        }
        self.own_problems(credentials, bad);
    }

    fn own_problems(
        &self,
        credentials: &BTreeMap<String, CredentialSpec>,
        bad: &mut impl FnMut(String, &str),
    ) {
        let wants_secret = matches!(self.scheme, WebhookScheme::HmacSha256 | WebhookScheme::SharedToken);
        if wants_secret && self.secret.as_ref().is_none_or(|s| !credentials.contains_key(s)) {
            bad("webhook.secret".to_owned(), "must name one of the credentials");
        }
        if !wants_secret && self.public_key.is_none() {
            bad("webhook.public-key".to_owned(), "is needed for this scheme");
        }
        if self.account.as_ref().is_some_and(|a| a.header.is_some() == a.body_field.is_some()) {
            bad("webhook.account".to_owned(), "must have exactly one of header, body-field");
        }
        match &self.body_field {
            Some(place) => self.token_problems(place, bad),
            None if self.header.is_empty() || self.header.bytes().any(|b| b.is_ascii_uppercase()) => {
                bad("webhook.header".to_owned(), "must be a header name in lower case");
            }
            None => {}
        }
        if !self.input.contains("{body}") && self.scheme != WebhookScheme::SharedToken {
            bad("webhook.input".to_owned(), "must contain {body}: what is not signed is not proven");
        }
        if self.input.contains("{timestamp}") && self.timestamp.is_none() {
            bad("webhook.timestamp".to_owned(), "is needed because input contains {timestamp}");
        }
        if self.tolerance_seconds > 0 && self.timestamp.is_none() {
            bad("webhook.timestamp".to_owned(), "is needed because tolerance-seconds is set");
        }
        if i64::from(self.tolerance_seconds) > limits::WEBHOOKS_KEPT_SECONDS {
            bad(
                "webhook.tolerance-seconds".to_owned(),
                &format!(
                    "must be at most {}: messages are not remembered longer, and could be played again",
                    limits::WEBHOOKS_KEPT_SECONDS
                ),
            );
        }
        if let Some(t) = &self.timestamp {
            let ways = [&t.header, &t.header_part, &t.body_field].iter().filter(|w| w.is_some()).count();
            if ways != 1 {
                bad(
                    "webhook.timestamp".to_owned(),
                    "must have exactly one of header, header-part, body-field",
                );
            }
        }
        if let Some(handshake) = &self.handshake {
            handshake.problems(self.secret.is_some(), bad);
        }
    }

    /// A token in the body: nothing else can be there, since it proves no more than that its sender knows it.
    fn token_problems(&self, place: &str, bad: &mut impl FnMut(String, &str)) {
        if self.scheme != WebhookScheme::SharedToken {
            bad(
                "webhook.body-field".to_owned(),
                "goes with scheme = \"shared-token\": a signature is in a header",
            );
        }
        if !place.starts_with('/') {
            bad(
                "webhook.body-field".to_owned(),
                "must be a JSON Pointer such as /token, * standing for every item of an array",
            );
        }
        if !self.header.is_empty() {
            bad("webhook.header".to_owned(), "must be left out: body-field says where the token is");
        }
        if self.tolerance_seconds > 0 {
            bad(
                "webhook.tolerance-seconds".to_owned(),
                "goes with a signature: a token proves no time of sending",
            );
        }
    }
}
