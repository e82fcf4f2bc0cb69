//! What a manifest says about an older signature, which a provider sends beside or in place of the one it has now.

use serde::{Deserialize, Serialize};

use super::{SignatureEncoding, WebhookScheme, WebhookSpec};

/// An older signature of the same bytes. It counts only for messages without the current one, and only where a setting of
/// the connection allows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LegacySignature {
    /// Setting (true or false) that allows it.
    pub allowed_by_setting: String,
    /// What kind of signature.
    pub scheme: WebhookScheme,
    /// Header that holds the signature or token.
    pub header: String,
    /// Text before the signature that is not part of it.
    #[serde(default)]
    pub prefix: String,
    /// How the signature is written.
    #[serde(default)]
    pub encoding: SignatureEncoding,
    /// Credential with the shared secret, for HMAC and tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Public key for Ed25519 and RSA, as in `webhook.public-key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// As `webhook.public-key-setting`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key_setting: Option<String>,
}

impl LegacySignature {
    /// The whole rule for a message that carries this signature: where the time stands and what is signed stay as they are.
    #[must_use]
    pub fn within(&self, current: &WebhookSpec) -> WebhookSpec {
        WebhookSpec {
            body_field: None,
            scheme: self.scheme,
            header: self.header.clone(),
            header_part: None,
            prefix: self.prefix.clone(),
            encoding: self.encoding,
            secret: self.secret.clone(),
            public_key: self.public_key.clone(),
            public_key_setting: self.public_key_setting.clone(),
            input: current.input.clone(),
            timestamp: current.timestamp.clone(),
            tolerance_seconds: current.tolerance_seconds,
            handshake: None,
            legacy: None,
            account: None,
        }
    }
}
