//! What is published of a type, held against values of it: every property, every variant, what is required and what is left out.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What may not be left out though the schema says so, by a rule that a schema cannot say.
const NEEDED_BY_RULE: [(&str, &str); 3] =
    [("Limit", "max_bookings"), ("Limit", "max_minutes"), ("Question", "options")];

/// A type of the model and what is published of it.
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) schema: Value,
    /// The schemas that it refers to.
    components: BTreeMap<String, Value>,
    /// As the model writes them.
    pub(super) values: Vec<Value>,
    /// How the model reads one and writes it again, if it reads them.
    again: Option<fn(Value) -> Option<Value>>,
}

/// A type of answers.
pub(super) fn told<S: ToSchema, M: Serialize>(values: &[M]) -> Checked {
    let mut parts = Vec::new();
    S::schemas(&mut parts);
    let json = |schema| serde_json::to_value(schema).unwrap();
    Checked {
        name: S::name().into_owned(),
        schema: json(S::schema()),
        components: parts.into_iter().map(|(name, schema)| (name, json(schema))).collect(),
        values: values.iter().map(|value| serde_json::to_value(value).unwrap()).collect(),
        again: None,
    }
}

/// A type of requests, too.
pub(super) fn both<S: ToSchema, M: Serialize + DeserializeOwned>(values: &[M]) -> Checked {
    let again = |value| Some(serde_json::to_value(serde_json::from_value::<M>(value).ok()?).unwrap());
    Checked { again: Some(again), ..told::<S, M>(values) }
}

/// All variants: one that is not named does not compile.
macro_rules! every {
    ($type:ident: $($variant:ident),+) => {{
        let _ = |value: &$type| match value { $($type::$variant => ()),+ };
        [$($type::$variant),+]
    }};
}
pub(super) use every;

impl Checked {
    /// Where the schema and the values differ.
    pub(super) fn differences(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut document = self.schema.clone();
        document["components"] = json!({ "schemas": self.components });
        let valid = jsonschema::options().should_validate_formats(true).build(&document).unwrap();
        for value in &self.values {
            found.extend(valid.iter_errors(value).map(|error| format!("{value}: {error}")));
        }
        match &self.schema {
            schema if schema.get("oneOf").is_some() => self.compare_variants(&mut found),
            schema if schema.get("enum").is_some() => {
                let said: BTreeSet<_> = texts(&schema["enum"]).collect();
                let written: BTreeSet<_> = self.values.iter().filter_map(Value::as_str).collect();
                if said != written {
                    found.push(format!("published {said:?}, written {written:?}"));
                }
            }
            schema => {
                compare_properties(schema, &self.values.iter().collect::<Vec<_>>(), &mut found);
                self.compare_reading(&mut found);
            }
        }
        found.into_iter().map(|difference| format!("{}: {difference}", self.name)).collect()
    }

    /// Each variant has its tag, and its own properties.
    fn compare_variants(&self, found: &mut Vec<String>) {
        let variants = self.schema["oneOf"].as_array().unwrap();
        let mut said = BTreeSet::new();
        for variant in variants {
            let tag = &variant["properties"]["type"]["enum"][0];
            said.insert(tag.to_string());
            let values: Vec<_> = self.values.iter().filter(|value| value["type"] == *tag).collect();
            compare_properties(variant, &values, found);
        }
        let written: BTreeSet<_> = self.values.iter().map(|value| value["type"].to_string()).collect();
        if said != written {
            found.push(format!("published {said:?}, written {written:?}"));
        }
    }

    /// What is required cannot be left out; what is left out is its default; what is unknown is refused where the schema says so.
    fn compare_reading(&self, found: &mut Vec<String>) {
        let Some(again) = self.again else { return };
        let required: BTreeSet<_> = texts(&self.schema["required"]).collect();
        let strict = self.schema["additionalProperties"] == false;
        for value in &self.values {
            for name in value.as_object().unwrap().keys() {
                let mut without = value.clone();
                without.as_object_mut().unwrap().remove(name);
                let read = again(without);
                let needed = required.contains(name.as_str())
                    || NEEDED_BY_RULE.contains(&(self.name.as_str(), name.as_str()));
                if read.is_some() == needed {
                    found.push(format!("{name} left out of {value} is read as {read:?}"));
                }
                let default = self.schema["properties"][name].get("default");
                if let (Some(default), Some(read)) = (default, &read)
                    && read[name] != *default
                {
                    found.push(format!("{name} is {} where it is left out, published {default}", read[name]));
                }
            }
            let mut with = value.clone();
            with["unheard_of"] = json!(1);
            if again(with).is_none() != strict {
                found.push(format!("what is unknown is not treated as published: strict {strict}"));
            }
        }
    }
}

/// Every property occurs, and nothing else does.
fn compare_properties(schema: &Value, values: &[&Value], found: &mut Vec<String>) {
    let said: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();
    let members = || values.iter().flat_map(|value| value.as_object().unwrap());
    let written: BTreeSet<_> = members().map(|(name, _)| name).collect();
    let filled: BTreeSet<_> = members().filter(|(_, value)| !value.is_null()).map(|(name, _)| name).collect();
    if said != written || said != filled {
        found.push(format!("published {said:?}, written {written:?}, of them with a value {filled:?}"));
    }
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}
