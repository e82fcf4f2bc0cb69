//! Is an inbound webhook what its sender signed? Pure: the manifest's rules, the raw bytes and the time in, a verdict out.
//!
//! Always on the raw body, before anything reads it. Whatever cannot be checked is refused: a missing or empty header, an
//! empty secret, a placeholder that a provider sends when it has no secret. The reason is for logs and the tenant's own
//! console; the sender is told no more than "not valid".

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::{
    digest, hmac,
    signature::{self, UnparsedPublicKey},
};

use crate::{
    connections::secret::Credentials,
    hex::{from_hex, to_hex},
    limits,
    plugins::manifest::{SignatureEncoding, WebhookScheme, WebhookSpec},
    time::Instant,
};

mod encoding;
mod handshake;
mod timestamp;
mod token;

pub use handshake::handshake;

/// Why a webhook is refused. Holds no part of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The signature header is not there.
    #[error("the header {0} is missing")]
    MissingHeader(String),
    /// A header that must be there once is there more than once.
    #[error("the header {0} is there more than once")]
    RepeatedHeader(String),
    /// The header holds nothing, or lacks the part or prefix that the signature follows.
    #[error("the header {0} holds no signature")]
    NoSignature(String),
    /// More signatures than [`limits::WEBHOOK_SIGNATURES_MAX`].
    #[error("the header {0} holds too many signatures")]
    TooManySignatures(String),
    /// The body is no JSON, or does not repeat the token where the manifest says, or not in every item.
    #[error("the body does not repeat the token in every place")]
    NoToken,
    /// More tokens than [`limits::WEBHOOK_TOKENS_MAX`].
    #[error("the body repeats the token too often")]
    TooManyTokens,
    /// Not hexadecimal or base64, as the manifest says it should be.
    #[error("the signature is not written as the manifest says")]
    MalformedSignature,
    /// The tenant has not given the secret, or it is empty: nothing can be proven.
    #[error("the connection has no secret {0}")]
    NoSecret(String),
    /// The manifest's public key cannot be used.
    #[error("the manifest's public key cannot be read")]
    BadPublicKey,
    /// The time of sending is not where the manifest says.
    #[error("the message does not say when it was sent")]
    NoTimestamp,
    /// The time of sending is not written as the manifest says.
    #[error("the time of sending cannot be read")]
    MalformedTimestamp,
    /// Sent too long ago: perhaps an old message played again.
    #[error("the message was sent too long ago")]
    TooOld,
    /// Sent too far in the future: one of the two clocks is wrong.
    #[error("the message was sent in the future")]
    InFuture,
    /// The challenge of a handshake is empty, too long or no text.
    #[error("the challenge cannot be repeated")]
    MalformedChallenge,
    /// Everything is in its place, and the signature is wrong.
    #[error("the signature is not that of this message")]
    Mismatch,
}

impl Refused {
    /// Constant name for metrics, logs and audit rows.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::MissingHeader(_) => "missing_header",
            Self::RepeatedHeader(_) => "repeated_header",
            Self::NoSignature(_) => "no_signature",
            Self::TooManySignatures(_) => "too_many_signatures",
            Self::NoToken => "no_token",
            Self::TooManyTokens => "too_many_tokens",
            Self::MalformedSignature => "malformed_signature",
            Self::NoSecret(_) => "no_secret",
            Self::BadPublicKey => "bad_public_key",
            Self::NoTimestamp => "no_timestamp",
            Self::MalformedTimestamp => "malformed_timestamp",
            Self::TooOld => "too_old",
            Self::InFuture => "in_future",
            Self::MalformedChallenge => "malformed_challenge",
            Self::Mismatch => "mismatch",
        }
    }
}

/// The account that a message names, where the manifest says that it does. Not checked yet: see [`verify`].
#[must_use]
pub fn account(spec: &WebhookSpec, headers: &[(String, String)], body: &[u8]) -> Option<String> {
    let source = spec.account.as_ref()?;
    if let Some(name) = &source.header {
        return single_header(headers, name)
            .ok()
            .flatten()
            .map(|value| value.trim().to_owned())
            .filter(|v| !v.is_empty());
    }
    let message: serde_json::Value = serde_json::from_slice(body).ok()?;
    match message.pointer(source.body_field.as_ref()?)? {
        serde_json::Value::String(text) if !text.is_empty() => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Is there anything that could prove a message, whether or not it does? What has nothing costs nothing more.
#[must_use]
pub fn is_signed(spec: &WebhookSpec, headers: &[(String, String)]) -> bool {
    let has = |name: &str| {
        headers.iter().any(|(n, value)| n.eq_ignore_ascii_case(name) && !value.trim().is_empty())
    };
    spec.body_field.is_some()
        || has(&spec.header)
        || spec.legacy.as_ref().is_some_and(|legacy| has(&legacy.header))
}

/// Check the signature and the age of a webhook message. `headers` as they arrived, names in any case; `body` the raw
/// bytes. The age is judged in both directions: a message from the future is refused like an old one, though clocks may differ a little.
///
/// `spec` as it is under the connection's settings ([`WebhookSpec::under`]). Its legacy signature counts only for messages that do
/// not carry the current one: whoever can break the old must not get past the new.
pub fn verify(
    spec: &WebhookSpec,
    credentials: &Credentials,
    headers: &[(String, String)],
    body: &[u8],
    now: Instant,
) -> Result<(), Refused> {
    let has = |name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    let legacy = spec.legacy.as_ref().filter(|legacy| !has(&spec.header) && has(&legacy.header));
    match legacy {
        Some(legacy) => verify_one(&legacy.within(spec), credentials, headers, body, now),
        None => verify_one(spec, credentials, headers, body, now),
    }
}

/// The verdict on a message that several credentials may prove, such as the secrets before and after a rotation: it is good if it is under
/// any of them, else the first one's reason counts. All are tried, so that the time tells nothing of which it was.
pub fn any<T>(verdicts: impl Iterator<Item = Result<T, Refused>>) -> Option<Result<T, Refused>> {
    verdicts.reduce(|best, next| if best.is_err() && next.is_ok() { next } else { best })
}

fn verify_one(
    spec: &WebhookSpec,
    credentials: &Credentials,
    headers: &[(String, String)],
    body: &[u8],
    now: Instant,
) -> Result<(), Refused> {
    if let Some(place) = &spec.body_field {
        return token::verify(place, spec.secret.as_deref().unwrap_or_default(), credentials, body);
    }
    let header = single_header(headers, &spec.header)?
        .ok_or_else(|| Refused::MissingHeader(spec.header.clone()))?
        .trim();
    let signatures = signatures(spec, header)?;
    let wants_time = spec.tolerance_seconds > 0 || spec.input.contains("{timestamp}");
    let sent_at = match &spec.timestamp {
        Some(source) if wants_time => Some(timestamp::text(source, headers, header, body)?),
        _ => None,
    };
    let key = Key::of(spec, credentials)?;
    let input = signed_bytes(&spec.input, sent_at.as_deref().unwrap_or_default(), body);
    let mut verdict = Err(Refused::MalformedSignature);
    for written in signatures {
        match key.check(spec, written, &input) {
            Ok(()) => {
                verdict = Ok(());
                break;
            }
            // A wrong signature says more than one that cannot be read.
            Err(refused) if verdict == Err(Refused::MalformedSignature) => verdict = Err(refused),
            Err(_) => {}
        }
    }
    verdict?;
    match (&spec.timestamp, sent_at) {
        (Some(source), Some(text)) if spec.tolerance_seconds > 0 => {
            timestamp::check(source.format, &text, spec.tolerance_seconds, now)
        }
        _ => Ok(()),
    }
}

/// The body as it is kept after it was verified: a token that it repeats (`body-field` of the manifest) is blanked.
#[must_use]
pub fn kept_body(spec: &WebhookSpec, body: Vec<u8>) -> Vec<u8> {
    match &spec.body_field {
        Some(place) => token::blanked(place, body),
        None => body,
    }
}

/// The headers as they are kept after they were verified: a shared token in one of them is blanked. A signature stays, since it
/// proves nothing but its own message.
#[must_use]
pub fn kept_headers(spec: &WebhookSpec, mut headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let current = (spec.scheme, &spec.header);
    let legacy = spec.legacy.as_ref().map(|legacy| (legacy.scheme, &legacy.header));
    for (scheme, token) in [Some(current), legacy].into_iter().flatten() {
        let is_token = |name: &str| scheme == WebhookScheme::SharedToken && name.eq_ignore_ascii_case(token);
        for (_, value) in headers.iter_mut().filter(|(name, _)| is_token(name)) {
            token::BLANK.clone_into(value);
        }
    }
    headers
}

/// The name under which a message is stored: the same bytes sent again are the same message. SHA-256 of the raw body, 64
/// lower-case hex digits.
#[must_use]
pub fn dedup_key(body: &[u8]) -> String {
    to_hex(digest::digest(&digest::SHA256, body).as_ref())
}

/// The value of a header that may be there once.
fn single_header<'a>(headers: &'a [(String, String)], name: &str) -> Result<Option<&'a str>, Refused> {
    let mut found = headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
    let first = found.next().map(|(_, value)| value.as_str());
    // Two different readers may pick different ones.
    if found.next().is_some() { Err(Refused::RepeatedHeader(name.to_owned())) } else { Ok(first) }
}

/// The values of a part in a header such as `t=1,v1=aa,v1=bb`.
fn header_parts<'a>(header: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    header.split(',').filter_map(move |part| {
        let (n, value) = part.split_once('=')?;
        (n.trim() == name).then(|| value.trim())
    })
}

/// The signatures as they are written in the header, without the prefix. At least one, none of them empty.
fn signatures<'a>(spec: &'a WebhookSpec, header: &'a str) -> Result<Vec<&'a str>, Refused> {
    let written: Vec<&str> = match &spec.header_part {
        Some(name) => header_parts(header, name).take(limits::WEBHOOK_SIGNATURES_MAX + 1).collect(),
        None => vec![header],
    };
    if written.len() > limits::WEBHOOK_SIGNATURES_MAX {
        return Err(Refused::TooManySignatures(spec.header.clone()));
    }
    let bare: Vec<&str> = written
        .into_iter()
        .filter_map(|w| w.strip_prefix(spec.prefix.as_str()))
        .filter(|w| !w.is_empty())
        .collect();
    if bare.is_empty() { Err(Refused::NoSignature(spec.header.clone())) } else { Ok(bare) }
}

/// The manifest's input with the placeholders filled in. One pass, so that a body cannot bring a placeholder of its own.
fn signed_bytes(template: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(template.len() + timestamp.len() + body.len());
    let mut rest = template;
    while let Some((before, from_brace)) = rest.find('{').map(|at| rest.split_at(at)) {
        bytes.extend_from_slice(before.as_bytes());
        if let Some(after) = from_brace.strip_prefix("{body}") {
            bytes.extend_from_slice(body);
            rest = after;
        } else if let Some(after) = from_brace.strip_prefix("{timestamp}") {
            bytes.extend_from_slice(timestamp.as_bytes());
            rest = after;
        } else {
            bytes.push(b'{');
            rest = from_brace.get(1..).unwrap_or_default();
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// What a signature is checked with.
enum Key {
    Hmac(hmac::Key),
    /// A keyed hash is compared, not the token: that takes the same time whatever the token is.
    Token(hmac::Key, hmac::Tag),
    Public(UnparsedPublicKey<Vec<u8>>),
}

impl Key {
    fn of(spec: &WebhookSpec, credentials: &Credentials) -> Result<Self, Refused> {
        let secret = || {
            let name = spec.secret.as_deref().unwrap_or_default();
            let secret = credentials.get(name).map(|s| s.expose().as_bytes()).filter(|s| !s.is_empty());
            secret.ok_or_else(|| Refused::NoSecret(name.to_owned()))
        };
        let public = || {
            let text: String =
                spec.public_key.iter().flat_map(|k| k.chars()).filter(|c| !c.is_whitespace()).collect();
            BASE64.decode(text).map_err(|_| Refused::BadPublicKey)
        };
        Ok(match spec.scheme {
            WebhookScheme::HmacSha256 => Self::Hmac(hmac::Key::new(hmac::HMAC_SHA256, secret()?)),
            WebhookScheme::SharedToken => {
                let token = secret()?;
                let key = hmac::Key::new(hmac::HMAC_SHA256, token);
                let tag = hmac::sign(&key, token);
                Self::Token(key, tag)
            }
            WebhookScheme::Ed25519 => {
                let key = encoding::ed25519_key(&public()?).ok_or(Refused::BadPublicKey)?;
                Self::Public(UnparsedPublicKey::new(&signature::ED25519, key))
            }
            WebhookScheme::RsaSha256 => {
                let key = encoding::rsa_key(&public()?).ok_or(Refused::BadPublicKey)?;
                Self::Public(UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, key))
            }
        })
    }

    fn check(&self, spec: &WebhookSpec, written: &str, input: &[u8]) -> Result<(), Refused> {
        let raw = || match spec.encoding {
            SignatureEncoding::Hex => from_hex(written).ok_or(Refused::MalformedSignature),
            SignatureEncoding::Base64 => BASE64.decode(written).map_err(|_| Refused::MalformedSignature),
        };
        let good = match self {
            Self::Hmac(key) => hmac::verify(key, input, &raw()?).is_ok(),
            Self::Token(key, tag) => hmac::verify(key, written.as_bytes(), tag.as_ref()).is_ok(),
            Self::Public(key) => key.verify(input, &raw()?).is_ok(),
        };
        if good { Ok(()) } else { Err(Refused::Mismatch) }
    }
}

#[cfg(test)]
mod tests;
