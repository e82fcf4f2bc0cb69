//! What somebody gives who connects: values under the names that they know, sorted into credentials and settings as the manifest has them.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::secret::{Credentials, Secret};
use crate::{
    json::pointer_part,
    mirror::sync::SyncMode,
    plugins::manifest::{CredentialSpec, Manifest, folded},
    problem::FieldError,
};

/// What is given under one name. Never printed.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Given {
    /// A value.
    Text(Secret),
    /// The parts of a credential by their names.
    Parts(BTreeMap<String, Secret>),
    /// What only a setting can be: a number, a list.
    Other(Value),
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given(…)")
    }
}

/// Which way a connection is kept in step, where it is given with the settings.
const DIRECTION: &str = "sync_direction";

/// What is given, by name.
pub type GivenCredentials = BTreeMap<String, Given>;

/// What a name under `credentials` stands for.
enum Meaning<'a> {
    Credential(&'a str, &'a CredentialSpec),
    Part(&'a str, usize),
    Setting(&'a str),
}

fn meaning<'a>(manifest: &'a Manifest, name: &str) -> Option<Meaning<'a>> {
    if let Some((name, spec)) = manifest.credentials.get_key_value(name) {
        return Some(Meaning::Credential(name, spec));
    }
    let wanted = folded(name);
    let is_it = |known: &str| folded(known) == wanted;
    if let Some((name, spec)) = manifest.credentials.iter().find(|(known, _)| is_it(known)) {
        return Some(Meaning::Credential(name, spec));
    }
    for (credential, spec) in &manifest.credentials {
        if let Some(part) = spec.parts.iter().position(|part| is_it(&part.name)) {
            return Some(Meaning::Part(credential, part));
        }
    }
    setting(manifest, name).map(Meaning::Setting)
}

/// The setting that is meant by a name: itself, or the one that differs in nothing but its spelling.
fn setting<'a>(manifest: &'a Manifest, name: &str) -> Option<&'a str> {
    let declared = manifest.settings_schema.get("properties")?.as_object()?;
    if let Some((name, _)) = declared.get_key_value(name) {
        return Some(name);
    }
    let wanted = folded(name);
    let mut alike = declared.keys().filter(|known| folded(known) == wanted);
    alike.next().filter(|_| alike.next().is_none()).map(String::as_str)
}

/// All names that something may be given by, for people.
fn known(manifest: &Manifest) -> String {
    let parts = manifest.credentials.values().flat_map(|spec| &spec.parts).map(|part| part.name.as_str());
    manifest.credentials.keys().map(String::as_str).chain(parts).collect::<Vec<_>>().join(", ")
}

/// Settings by the manifest's own names, whatever their spelling. What it does not declare stays, to be refused by name.
#[must_use]
pub fn settings(manifest: &Manifest, given: Value) -> Value {
    let Value::Object(given) = given else { return given };
    let mut named = Map::new();
    for (name, value) in given {
        let own = setting(manifest, &name).filter(|own| !named.contains_key(*own));
        named.insert(own.map_or(name, str::to_owned), value);
    }
    Value::Object(named)
}

/// Take out of settings which way the connection is kept in step (`sync_direction`), unless that is a setting of the provider's own.
///
/// # Errors
/// It is none of the modes.
pub fn take_direction(manifest: &Manifest, settings: &mut Value) -> Result<Option<SyncMode>, FieldError> {
    if setting(manifest, DIRECTION).is_some() {
        return Ok(None);
    }
    let Some(settings) = settings.as_object_mut() else { return Ok(None) };
    let Some(name) = settings.keys().find(|name| folded(name) == folded(DIRECTION)).cloned() else {
        return Ok(None);
    };
    let given = settings.remove(&name).unwrap_or_default();
    let mode = SyncMode::ALL.into_iter().find(|mode| given.as_str() == Some(mode.as_str()));
    mode.map(Some).ok_or_else(|| {
        let names: Vec<&str> = SyncMode::ALL.iter().map(|mode| mode.as_str()).collect();
        FieldError::new(
            format!("/settings/{}", pointer_part(&name)),
            format!("must be one of: {}", names.join(", ")),
        )
    })
}

/// Sort what is given. A value under the name of a setting goes into `settings`, where it must not contradict what is there.
///
/// # Errors
/// What has no meaning for this provider, and what lacks a part.
pub fn sorted(
    manifest: &Manifest,
    given: GivenCredentials,
    settings: &mut Value,
) -> Result<Credentials, Vec<FieldError>> {
    let mut credentials = Credentials::new();
    let mut parts: BTreeMap<&str, BTreeMap<usize, Secret>> = BTreeMap::new();
    let mut errors = Vec::new();
    for (name, value) in given {
        let field = format!("/credentials/{}", pointer_part(&name));
        let mut bad = |message: String| errors.push(FieldError::new(field.clone(), message));
        match (meaning(manifest, &name), value) {
            (Some(Meaning::Credential(own, _)), Given::Text(secret)) => {
                if credentials.insert(own.to_owned(), secret).is_some() {
                    bad(format!("{own} is given twice"));
                }
            }
            (Some(Meaning::Credential(own, spec)), Given::Parts(given)) if !spec.parts.is_empty() => {
                for (name, secret) in given {
                    match spec.parts.iter().position(|part| folded(&part.name) == folded(&name)) {
                        Some(i) if parts.entry(own).or_default().insert(i, secret).is_none() => {}
                        Some(_) => bad(format!("its part {name} is given twice")),
                        None => bad(format!("has no such part: {name}")),
                    }
                }
            }
            (Some(Meaning::Part(own, i)), Given::Text(secret)) => {
                if parts.entry(own).or_default().insert(i, secret).is_some() {
                    bad("this part is given twice".to_owned());
                }
            }
            (Some(Meaning::Credential(..) | Meaning::Part(..)), _) => bad("must be text".to_owned()),
            (Some(Meaning::Setting(own)), value) => {
                let value = match value {
                    Given::Text(text) => Value::String(text.expose().to_owned()),
                    Given::Other(value) => value,
                    Given::Parts(_) => {
                        bad("is a setting, and must not be an object here".to_owned());
                        continue;
                    }
                };
                let Some(settings) = settings.as_object_mut() else { continue };
                if settings.get(own).is_some_and(|other| *other != value) {
                    bad(format!("is the setting {own}, which says otherwise under settings"));
                } else {
                    settings.insert(own.to_owned(), value);
                }
            }
            (None, _) => bad(format!(
                "the provider has no such credential or setting; its credentials are: {}",
                known(manifest)
            )),
        }
    }
    for (name, given) in parts {
        let spec = manifest.credentials.get(name).map(|spec| spec.parts.as_slice()).unwrap_or_default();
        match joined(spec.len(), &given) {
            Ok(secret) if !credentials.contains_key(name) => {
                credentials.insert(name.to_owned(), secret);
            }
            Ok(_) => errors.push(FieldError::new(
                format!("/credentials/{name}"),
                "is given whole and in parts; give one of both",
            )),
            Err(i) => {
                let (part, why) = spec.get(i).map_or(("", ""), |part| {
                    let holds = given.contains_key(&i);
                    (part.name.as_str(), if holds { "must hold no colon" } else { "is needed, too" })
                });
                errors.push(FieldError::new(format!("/credentials/{part}"), why));
            }
        }
    }
    if errors.is_empty() { Ok(credentials) } else { Err(errors) }
}

/// So many parts as one credential, or which of them is missing or holds what separates them.
fn joined(count: usize, given: &BTreeMap<usize, Secret>) -> Result<Secret, usize> {
    let mut whole = String::new();
    for i in 0..count {
        let part = given.get(&i).ok_or(i)?.expose();
        if i > 0 {
            whole.push(':');
        }
        // The last one may hold a colon: it goes to the end.
        if part.is_empty() || (part.contains(':') && i.saturating_add(1) < count) {
            return Err(i);
        }
        whole.push_str(part);
    }
    Ok(Secret::new(whole))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest() -> Manifest {
        Manifest::parse(
            r#"
id = "acme"
version = "1.0.0"
contract = "0.1"
name = "Acme"
[credentials.api-key]
label = "Key"
kind = "api-key"
[credentials.client]
label = "Client"
kind = "api-key"
parts = [{ name = "client-key", label = "Key" }, { name = "client-secret", label = "Secret" }]
[settings-schema]
type = "object"
[settings-schema.properties.location_id]
type = "string"
[settings-schema.properties.page_size]
type = "integer"
"#,
        )
        .unwrap()
    }

    /// Credentials and settings.
    type Found = (Vec<(String, String)>, Value);

    fn sort(given: Value, given_settings: Value) -> Result<Found, Vec<String>> {
        let mut settings = settings(&manifest(), given_settings);
        let given = serde_json::from_value(given).unwrap();
        sorted(&manifest(), given, &mut settings)
            .map(|found| {
                (
                    found.into_iter().map(|(name, secret)| (name, secret.expose().to_owned())).collect(),
                    settings,
                )
            })
            .map_err(|errors| errors.into_iter().map(|e| format!("{}: {}", e.field, e.message)).collect())
    }

    #[test]
    fn what_is_given_is_found_by_any_spelling() {
        let (credentials, settings) = sort(
            json!({ "apiKey": "k", "locationId": "loc_1", "clientKey": "a", "client_secret": "b:c" }),
            json!({ "pageSize": 10 }),
        )
        .unwrap();
        let text = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(credentials, [text("api-key", "k"), text("client", "a:b:c")]);
        assert_eq!(settings, json!({ "location_id": "loc_1", "page_size": 10 }));
        let (credentials, _) =
            sort(json!({ "client": { "clientKey": "a", "clientSecret": "b" } }), json!({})).unwrap();
        assert_eq!(credentials, [text("client", "a:b")]);
    }

    #[test]
    fn what_means_nothing_is_refused_by_its_own_name() {
        let refused = |given: Value| sort(given, json!({ "location_id": "loc_1" })).unwrap_err();
        assert_eq!(
            refused(json!({ "token": "x" })),
            [
                "/credentials/token: the provider has no such credential or setting; its credentials are: api-key, client, client-key, client-secret"
            ]
        );
        assert_eq!(
            refused(json!({ "apiKey": "a", "api_key": "b" })),
            ["/credentials/api_key: api-key is given twice"]
        );
        assert_eq!(refused(json!({ "apiKey": 5 })), ["/credentials/apiKey: must be text"]);
        assert_eq!(refused(json!({ "clientKey": "a" })), ["/credentials/client-secret: is needed, too"]);
        assert_eq!(
            refused(json!({ "clientKey": "a:b", "clientSecret": "c" })),
            ["/credentials/client-key: must hold no colon"]
        );
        assert_eq!(
            refused(json!({ "client": "a:b", "clientKey": "a", "clientSecret": "b" })),
            ["/credentials/client: is given whole and in parts; give one of both"]
        );
        assert_eq!(
            refused(json!({ "client": { "clientKey": "a", "other": "b" } })),
            ["/credentials/client: has no such part: other", "/credentials/client-secret: is needed, too"]
        );
        assert_eq!(
            refused(json!({ "locationId": "loc_2" })),
            ["/credentials/locationId: is the setting location_id, which says otherwise under settings"]
        );
    }

    #[test]
    fn a_direction_is_no_setting_unless_the_provider_has_one() {
        let taken = |manifest: &Manifest, mut settings: Value| {
            take_direction(manifest, &mut settings).map(|mode| (mode, settings)).map_err(|error| error.field)
        };
        let mut with = manifest();
        assert_eq!(taken(&with, json!({ "a": 1 })), Ok((None, json!({ "a": 1 }))));
        assert_eq!(
            taken(&with, json!({ "a": 1, "syncDirection": "export" })),
            Ok((Some(SyncMode::Export), json!({ "a": 1 })))
        );
        assert_eq!(taken(&with, json!({ "sync_direction": 5 })), Err("/settings/sync_direction".to_owned()));
        with.settings_schema["properties"]["sync_direction"] = json!({ "type": "string" });
        let own = json!({ "sync_direction": "upwards" });
        assert_eq!(taken(&with, own.clone()), Ok((None, own)));
    }

    #[test]
    fn nothing_of_it_is_printed() {
        let given: GivenCredentials =
            serde_json::from_value(json!({ "a": "secret", "b": { "c": "secret" }, "d": ["secret"] }))
                .unwrap();
        assert!(!format!("{given:?}").contains("secret"), "{given:?}");
    }
}
