//! The keys that sign messages, made up.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};

/// Which signatures a message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signatures {
    /// `X-GHL-Signature`.
    Current,
    /// `X-WH-Signature` alone, as before.
    Legacy,
    /// Both, as during the change.
    Both,
    /// `X-GHL-Signature: N/A`, as on test sends.
    None,
}

/// The keys that sign, made up for this simulator.
pub(super) struct Keys {
    current: Ed25519KeyPair,
    legacy: RsaKeyPair,
}

impl Keys {
    /// The keys of every simulator: nothing else in the world is signed with them.
    pub(super) fn made_up() -> Self {
        let seed: [u8; 32] = std::array::from_fn(|n| u8::try_from(n).unwrap_or(0));
        let pkcs8: String = include_str!("made_up_rsa_key.b64").split_whitespace().collect();
        Self {
            current: Ed25519KeyPair::from_seed_unchecked(&seed).expect("32 bytes"),
            legacy: RsaKeyPair::from_pkcs8(&BASE64.decode(pkcs8).expect("base64")).expect("an RSA key"),
        }
    }

    pub(super) fn current_public(&self) -> String {
        BASE64.encode(self.current.public_key().as_ref())
    }

    pub(super) fn legacy_public(&self) -> String {
        BASE64.encode(self.legacy.public_key().as_ref())
    }

    pub(super) fn headers(&self, signatures: Signatures, body: &[u8]) -> Vec<(String, String)> {
        let current = || ("x-ghl-signature".to_owned(), BASE64.encode(self.current.sign(body).as_ref()));
        let legacy = || {
            let mut signature = vec![0; self.legacy.public().modulus_len()];
            self.legacy
                .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), body, &mut signature)
                .expect("room for the signature");
            ("x-wh-signature".to_owned(), BASE64.encode(signature))
        };
        match signatures {
            Signatures::Current => vec![current()],
            Signatures::Legacy => vec![legacy()],
            Signatures::Both => vec![current(), legacy()],
            Signatures::None => vec![("x-ghl-signature".to_owned(), "N/A".to_owned())],
        }
    }
}
