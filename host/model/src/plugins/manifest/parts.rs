//! Credentials that people are given in parts: a key and its secret, a user and a password. They are kept joined by a colon.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Manifest, PluginId};
use crate::limits;

/// A part of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CredentialPart {
    /// What it is given by, unlike any other name of the manifest.
    pub name: String,
    /// Name for people.
    pub label: String,
}

/// Note what is wrong with the parts of all credentials.
pub(super) fn problems(manifest: &Manifest, bad: &mut impl FnMut(String, &str)) {
    let mut names: BTreeSet<String> = manifest.credentials.keys().map(|name| folded(name)).collect();
    for (credential, spec) in &manifest.credentials {
        let path = format!("credentials.{credential}.parts");
        if spec.parts.len() == 1 || spec.parts.len() > limits::CREDENTIAL_PARTS_MAX {
            bad(path.clone(), &format!("none, or 2 to {}", limits::CREDENTIAL_PARTS_MAX));
        }
        for (i, part) in spec.parts.iter().enumerate() {
            if part.name.parse::<PluginId>().is_err() {
                bad(
                    format!("{path}[{i}].name"),
                    "must be 2 to 32 of a-z, 0-9 and -, beginning with a letter",
                );
            }
            if !names.insert(folded(&part.name)) {
                bad(format!("{path}[{i}].name"), "is the name of a credential or of another part");
            }
        }
    }
}

/// A name without what different spellings do differently: `apiKey`, `api_key` and `api-key` are one.
#[must_use]
pub fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}
