//! What a program that was written for the first version reads in answers: `tests/snapshots/versions/<version>/<domain>/<resource>.txt` has a
//! line for each member that it was answered then, with its type. These files are never changed: they were written by the interface as it was,
//! and each walk compares what that version is answered now.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use berth_model::tenants::version::ApiVersion;
use serde_json::Value;

/// What is not ours: its names are the sender's or the provider's.
const FREE: [&str; 6] = ["answers", "metadata", "settings", "payload", "data", "account"];

/// Members of answers and their types, by operation and status.
#[derive(Default)]
pub(crate) struct Shapes(BTreeMap<String, BTreeMap<String, BTreeSet<&'static str>>>);

impl Shapes {
    pub(crate) fn note(&mut self, operation: &str, body: &Value) {
        let of = self.0.entry(operation.to_owned()).or_default();
        shape(of, String::new(), body);
    }

    /// Everything that was read then is there now, as what it was or as null where nothing is to be said.
    pub(crate) fn hold(&self, domain: &str, resource: &str) {
        let version = ApiVersion::FIRST;
        let file = format!("snapshots/versions/{version}/{domain}/{resource}.txt");
        let Ok(frozen) = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)) else {
            return;
        };
        let mut broken = Vec::new();
        for line in frozen.lines() {
            let (rest, kind) = line.rsplit_once(' ').unwrap();
            let (operation, at) = rest.rsplit_once(' ').unwrap();
            // A POST whose answer is not kept, since it has secrets, cannot be repeated; one that the walk leaves out is not compared.
            let Some(of) = self.0.get(operation) else { continue };
            let now = of.get(at);
            let fits =
                now.is_some_and(|kinds| kind == "null" || kinds.contains(kind) || kinds.contains("null"));
            if !fits {
                broken.push(format!("{line}: is {now:?}"));
            }
        }
        assert!(broken.is_empty(), "a program of {version} does not read any more: {broken:#?}");
        let asked =
            frozen.lines().filter(|line| self.0.keys().any(|of| line.starts_with(of.as_str()))).count();
        assert!(asked > 0, "nothing of {domain}/{resource} was asked in {version}");
    }
}

fn shape(of: &mut BTreeMap<String, BTreeSet<&'static str>>, at: String, value: &Value) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            for item in items {
                shape(of, format!("{at}/-"), item);
            }
            "array"
        }
        Value::Object(members) => {
            for (name, value) in members {
                let at = format!("{at}/{name}");
                if FREE.contains(&name.as_str()) {
                    of.entry(at).or_default().insert(if value.is_null() { "null" } else { "object" });
                } else {
                    shape(of, at, value);
                }
            }
            "object"
        }
    };
    of.entry(if at.is_empty() { "/".to_owned() } else { at }).or_default().insert(kind);
}
