//! Documents as YAML: read within limits, and written so that people read them.

use std::fmt::Write as _;

use berth_model::limits;
use serde_json::{Map, Value, json};

use super::document::{Document, FORM, Policy};
use crate::cli::CliError;

/// Read a document. What is wrong is said with line and column.
pub(super) fn read(text: &str) -> Result<Document, CliError> {
    let most = limits::CONFIG_DOCUMENT_BYTES_MAX;
    if text.len() > most {
        return Err(CliError::Usage(format!("the document is longer than {most} bytes")));
    }
    let budget = serde_saphyr::budget! {
        max_anchors: 0,
        max_aliases: 0,
        max_merge_keys: 0,
        max_documents: 1,
        max_depth: limits::CONFIG_DOCUMENT_DEPTH_MAX,
    };
    let options = serde_saphyr::options! { budget: budget, strict_booleans: true, with_snippet: false };
    let document: Document = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let said = error.render();
        // What is missing says itself where.
        let place = error.location().filter(|_| !said.contains(" at line "));
        let place = place.map(|at| format!("line {}, column {}: ", at.line(), at.column()));
        CliError::Usage(format!("the document cannot be read: {}{said}", place.unwrap_or_default()))
    })?;
    if document.berth == FORM {
        Ok(document)
    } else {
        Err(CliError::Usage(format!("the document must begin with berth: {FORM}")))
    }
}

/// What a document says, without what goes without saying.
pub(super) fn lean(document: &Document) -> Value {
    let value = serde_json::to_value(document).unwrap_or_default();
    let mut lean = lean_of(value, &defaults());
    // Sections that are there and empty say that there is nothing.
    if let (Value::Object(lean), Ok(Value::Object(whole))) = (&mut lean, serde_json::to_value(document)) {
        for (name, section) in whole {
            if section.as_object().is_some_and(Map::is_empty) {
                lean.insert(name, section);
            }
        }
    }
    lean
}

/// What members are when they are left out, besides null and what is empty. `*` is any key.
fn defaults() -> Value {
    let of = |value: Result<Value, serde_json::Error>| value.unwrap_or_default();
    json!({
        "tenant": { "settings": of(serde_json::to_value(berth_model::tenants::settings::TenantSettings::default())) },
        "members": { "*": {
            "role": berth_model::catalog::member::MemberRole::default(),
            "turns": of(serde_json::to_value(berth_model::catalog::member::RoundRobinShare::default())), "active": true,
            "calendars": { "*": { "reads": true, "writes": true } },
        } },
        "listings": { "*": { "offer_when_degraded": false, "active": true, "event_types": { "*": {
            "buffer_before_minutes": 0, "buffer_after_minutes": 0, "minimum_notice_minutes": 0, "booking_window_days": 60,
            "policy": of(serde_json::to_value(Policy::default())), "active": true,
        } } } },
    })
}

/// A value without what is as by default. Of what is free (`settings` of a connection) everything stays.
fn lean_of(value: Value, default: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let is_connection = members.contains_key("provider");
            let mut lean = Map::new();
            for (name, member) in members {
                let default = default.get(&name).or_else(|| default.get("*")).unwrap_or(&Value::Null);
                if member == *default {
                    continue;
                }
                let free = is_connection && name == "settings";
                let member = if free { member } else { lean_of(member, default) };
                let is_empty = match &member {
                    Value::Null => true,
                    Value::String(text) => text.is_empty(),
                    Value::Array(items) => items.is_empty(),
                    Value::Object(members) => members.is_empty(),
                    Value::Bool(_) | Value::Number(_) => false,
                };
                // No hosts are another thing than all of them.
                if !is_empty
                    || matches!(name.as_str(), "granted_hosts" | "webhook_sources") && !member.is_null()
                {
                    lean.insert(name, member);
                }
            }
            Value::Object(lean)
        }
        Value::Array(items) => {
            let default = default.get("*").unwrap_or(&Value::Null);
            Value::Array(items.into_iter().map(|item| lean_of(item, default)).collect())
        }
        other => other,
    }
}

/// The document, to be read by people and again here.
pub(super) fn written(document: &Document) -> String {
    let Value::Object(mut members) = lean(document) else { return String::new() };
    members.remove("berth");
    let mut text = format!("berth: {FORM}\n");
    for section in [
        "tenant",
        "connections",
        "members",
        "restriction_schedules",
        "schedules",
        "listings",
        "consent_texts",
    ] {
        if let Some(value) = members.remove(section) {
            text.push('\n');
            member(&mut text, 0, section, &value);
        }
    }
    text
}

fn member(text: &mut String, indent: usize, name: &str, value: &Value) {
    let _ = write!(text, "{:indent$}{}:", "", key(name));
    after(text, indent, value);
}

/// A value behind its name or dash: on the same line if it is short, else below it.
fn after(text: &mut String, indent: usize, value: &Value) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            text.push('\n');
            for (name, value) in members {
                member(text, indent + 2, name, value);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            text.push('\n');
            for item in items {
                let _ = write!(text, "{:1$}- ", "", indent + 2);
                self::item(text, indent + 2, item);
            }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(scalar).collect();
            let _ = writeln!(text, " [{}]", items.join(", "));
        }
        other => {
            let _ = writeln!(text, " {}", scalar(other));
        }
    }
}

/// An item behind its dash: its first member stands on the same line.
fn item(text: &mut String, indent: usize, item: &Value) {
    match item {
        Value::Object(members) if !members.is_empty() => {
            for (i, (name, value)) in members.iter().enumerate() {
                if i == 0 {
                    let _ = write!(text, "{}:", key(name));
                    after(text, indent + 2, value);
                } else {
                    member(text, indent + 2, name, value);
                }
            }
        }
        // JSON is YAML.
        other => {
            let _ = writeln!(text, "{other}");
        }
    }
}

/// A word that can be nothing else in YAML needs no quotes.
fn is_plain(text: &str) -> bool {
    let word = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-/".contains(&b));
    let begins = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    let reserved = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];
    word && begins && !reserved.contains(&text.to_ascii_lowercase().as_str())
}

fn key(name: &str) -> String {
    if is_plain(name) { name.to_owned() } else { quoted(name) }
}

/// As JSON writes it, but for what YAML takes for the end of a line.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for character in Value::from(text).to_string().chars() {
        match character {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            other => quoted.push(other),
        }
    }
    quoted
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let unknown =
            refused("berth: 1\nmembers:\n  ada:\n    name: Ada\n    time_zone: UTC\n    hourz: []\n");
        assert!(unknown.contains("line 6, column 5") && unknown.contains("hourz"), "{unknown}");
        let deep = refused(
            "berth: 1\nlistings:\n  s:\n    title: S\n    time_zone: UTC\n    event_types:\n      cut:\n        title: C\n        length_minutes: 30\n        members: [a]\n        policy:\n          grid: { ancor: x }\n",
        );
        assert!(deep.contains("line 12") && deep.contains("ancor"), "{deep}");
        for (text, said) in [
            ("berth: 2\n", "berth: 1"),
            ("tenant:\n  name: A\n", "berth"),
            ("", ""),
            ("berth: 1\nberth: 1\n", "line 2"),
            ("berth: 1\n---\nberth: 1\n", ""),
            ("berth: &a 1\n", ""),
            ("berth: 1\nmembers: &a\n  ada: { name: A, time_zone: UTC }\nlistings: *a\n", ""),
            ("berth: 1\nmembers: {ada: {name: A, time_zone: Mars/Olympus}}\n", "line 2"),
            ("berth: 1\nmembers: {ada: {<<: {name: A}, time_zone: UTC}}\n", ""),
        ] {
            let refused = refused(text);
            assert!(refused.contains(said), "{text}: {refused}");
        }
        assert!(refused(&"#".repeat(limits::CONFIG_DOCUMENT_BYTES_MAX + 1)).contains("longer than"));
        refused(&format!("berth: {}", "[".repeat(100_000)));
        let laughs = "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\nberth: 1\n";
        refused(laughs);
    }

    #[test]
    fn a_document_is_what_people_would_write() {
        let text = "berth: 1\n\nmembers:\n  ada:\n    name: \"Ada Nowak\"\n    patterns:\n      - hours:\n          end: \"17:00\"\n          start: \"09:00\"\n        weekdays: [Mon, Fri]\n    time_zone: Europe/Warsaw\n\nlistings:\n  salon:\n    time_zone: UTC\n    title: \"no\"\n";
        assert_eq!(written(&read(text).unwrap()), text);
    }

    fn words() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            prop::sample::select(vec![
                "no",
                "1e3",
                "~",
                "0x1F",
                "- a",
                "a: b",
                "#",
                "\"",
                "'",
                "",
                " a ",
                "1:30",
                "2026-01-01",
                "a\nb",
                "*a",
                "&a",
                "\u{2028}\u{85}",
                "null",
                "=1"
            ])
            .prop_map(str::to_owned),
        ]
        .prop_filter("YAML has no other control characters", |text| !text.contains('\0'))
    }

    proptest! {
        /// Whatever stands in texts and keys, it is read as it was written.
        #[test]
        fn what_is_written_is_read(texts in prop::collection::vec(words(), 1..6), keys in prop::collection::vec(words(), 1..6)) {
            let texts = serde_json::to_value(&texts).unwrap();
            let settings: Map<String, Value> = keys.iter().cloned().map(|key| (key, texts.clone())).collect();
            let consent: Map<String, Value> = keys.into_iter().zip(texts.as_array().unwrap().clone())
                .filter(|(_, text)| text != "").map(|(key, text)| (key, json!({ "en": text }))).collect();
            let value = json!({ "berth": 1, "consent_texts": consent,
                "connections": { "a": { "provider": "acme", "settings": settings } } });
            let document: Document = serde_json::from_value(value).unwrap();
            let text = written(&document);
            let again = read(&text);
            prop_assert!(again.is_ok(), "{:?} of {}", again, text);
            prop_assert_eq!(again.unwrap(), document, "{}", text);
        }
    }
}
