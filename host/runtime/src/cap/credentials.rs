//! `berth:provider/credentials`: keyed hashes under a credential, never the credential itself.

use berth_model::{connections::secret::Credentials, plugins::manifest::Manifest};
use ring::hmac;

use crate::{
    contract::bindings::berth::provider::credentials::{CredentialError, Host, MacAlgorithm},
    sandbox::Sandbox,
};

impl Host for Sandbox {
    fn has(&mut self, name: String) -> wasmtime::Result<bool> {
        self.count_host_call()?;
        Ok(self.manifest.credentials.contains_key(&name) && self.cx.credentials.contains_key(&name))
    }

    fn sign(
        &mut self,
        name: String,
        algorithm: MacAlgorithm,
        message: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, CredentialError>> {
        self.count_host_call()?;
        Ok(key(&self.manifest, &self.cx.credentials, &name, algorithm)
            .map(|key| hmac::sign(&key, &message).as_ref().to_vec()))
    }

    fn mac_equal(
        &mut self,
        name: String,
        algorithm: MacAlgorithm,
        message: Vec<u8>,
        mac: Vec<u8>,
    ) -> wasmtime::Result<Result<bool, CredentialError>> {
        self.count_host_call()?;
        Ok(key(&self.manifest, &self.cx.credentials, &name, algorithm)
            .map(|key| hmac::verify(&key, &message, &mac).is_ok()))
    }
}

/// The credential as a key, if the manifest lets the component hash under it.
fn key(
    manifest: &Manifest,
    credentials: &Credentials,
    name: &str,
    algorithm: MacAlgorithm,
) -> Result<hmac::Key, CredentialError> {
    let spec = manifest.credentials.get(name).ok_or(CredentialError::Missing)?;
    if !spec.sign {
        return Err(CredentialError::NotAllowed);
    }
    let secret = credentials.get(name).ok_or(CredentialError::Missing)?;
    let algorithm = match algorithm {
        MacAlgorithm::HmacSha256 => hmac::HMAC_SHA256,
        MacAlgorithm::HmacSha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    };
    Ok(hmac::Key::new(algorithm, secret.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use berth_model::connections::secret::Secret;

    use super::*;

    fn world() -> (Manifest, Credentials) {
        let manifest = Manifest::parse(
            r#"
            id = "sample"
            version = "1.0.0"
            contract = "0.1"
            name = "Sample"
            [credentials.signing]
            label = "Signing key"
            kind = "api-key"
            sign = true
            [credentials.token]
            label = "Token"
            kind = "api-key"
            [credentials.absent]
            label = "Absent"
            kind = "api-key"
            sign = true
            "#,
        )
        .expect("a manifest");
        let credentials = ["signing", "token", "undeclared"]
            .map(|name| (name.to_owned(), Secret::new("Jefe".to_owned())))
            .into_iter()
            .collect();
        (manifest, credentials)
    }

    #[test]
    fn only_declared_and_allowed_credentials_are_keys() {
        let (manifest, credentials) = world();
        let find = |name| key(&manifest, &credentials, name, MacAlgorithm::HmacSha256).map(|_| ());
        assert!(find("signing").is_ok());
        assert!(matches!(find("token"), Err(CredentialError::NotAllowed)));
        assert!(matches!(find("absent"), Err(CredentialError::Missing)));
        assert!(matches!(find("undeclared"), Err(CredentialError::Missing)));
    }

    /// Key, message and digests of RFC 2202 and RFC 4231, test case 2.
    #[test]
    fn hashes_are_the_published_ones() {
        let (manifest, credentials) = world();
        let message = b"what do ya want for nothing?";
        for (algorithm, start) in [
            (MacAlgorithm::HmacSha256, [0x5b, 0xdc, 0xc1, 0x46]),
            (MacAlgorithm::HmacSha1, [0xef, 0xfc, 0xdf, 0x6a]),
        ] {
            let Ok(key) = key(&manifest, &credentials, "signing", algorithm) else { panic!("a key") };
            assert_eq!(hmac::sign(&key, message).as_ref()[..4], start);
        }
    }
}
