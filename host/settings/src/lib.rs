//! Manifests whose settings schema is one, and the settings of a connection checked against it.
//!
//! Apart from the model, which stays quick to build: a JSON Schema engine brings regular expressions, Unicode tables and arithmetic of
//! its own. Everything else about manifests is in [`berth_model::plugins::manifest`].
#![forbid(unsafe_code)]

use berth_model::plugins::manifest::{Manifest, ManifestProblem};
use serde_json::Value;

/// Read and check a manifest, its settings schema (JSON Schema, draft 2020-12 if it names no other) included. All problems at once.
///
/// # Errors
/// What is wrong, each by its key; `settings-schema` if it is no schema.
pub fn read(text: &str) -> Result<Manifest, Vec<ManifestProblem>> {
    Manifest::parse_with(text, |schema| jsonschema::validator_for(schema).is_ok())
}

/// Check a settings object against the manifest's schema and fill in top-level defaults. All problems at once, by JSON Pointer.
///
/// # Errors
/// One for each thing that is wrong, its path beginning with `settings`.
pub fn check(manifest: &Manifest, settings: &Value) -> Result<Value, Vec<ManifestProblem>> {
    let mut filled = settings.clone();
    let properties = manifest.settings_schema.get("properties").and_then(Value::as_object);
    if let (Some(object), Some(properties)) = (filled.as_object_mut(), properties) {
        for (name, schema) in properties {
            if let (false, Some(default)) = (object.contains_key(name), schema.get("default")) {
                object.insert(name.clone(), default.clone());
            }
        }
    }
    let validator = jsonschema::validator_for(&manifest.settings_schema)
        .map_err(|e| vec![ManifestProblem { path: "settings-schema".to_owned(), message: e.to_string() }])?;
    let problem = |error: jsonschema::ValidationError<'_>| ManifestProblem {
        path: format!("settings{}", error.instance_path()),
        message: error.to_string(),
    };
    let problems: Vec<_> = validator.iter_errors(&filled).map(problem).collect();
    if problems.is_empty() { Ok(filled) } else { Err(problems) }
}

#[cfg(test)]
mod tests;
