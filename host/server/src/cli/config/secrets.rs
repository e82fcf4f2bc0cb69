//! Secrets, which a document names and does not have.

use std::{collections::BTreeMap, io::Read as _};

use berth_model::{connections::secret::Secret, limits};

use crate::cli::CliError;

/// A secret that was found.
pub(super) type Found = Secret;

/// The secrets of a connection. All are found before anything is done.
pub(super) fn found(
    connection: &str,
    references: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Found>, CliError> {
    let found = references.iter().map(|(name, reference)| {
        let secret = secret(reference)
            .map_err(|why| CliError::Usage(format!("connection {connection}, credential {name}: {why}")));
        Ok((name.clone(), secret?))
    });
    found.collect()
}

fn secret(reference: &str) -> Result<Secret, String> {
    let text = if let Some(name) = reference.strip_prefix("env:") {
        std::env::var(name).map_err(|_| format!("the environment has no {name}"))?
    } else if let Some(path) = reference.strip_prefix("file:") {
        let most = limits::CONFIG_SECRET_BYTES_MAX;
        let file = std::fs::File::open(path).map_err(|error| format!("{path}: {error}"))?;
        let mut text = String::new();
        let read = file.take(most.saturating_add(1)).read_to_string(&mut text);
        read.map_err(|error| format!("{path}: {error}"))?;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > most {
            return Err(format!("{path} is longer than {most} bytes"));
        }
        // Editors end a file with a line.
        text.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        return Err("must be env:NAME or file:PATH; no secret stands in a document".to_owned());
    };
    if text.is_empty() { Err(format!("{reference} is empty")) } else { Ok(Secret::new(text)) }
}
