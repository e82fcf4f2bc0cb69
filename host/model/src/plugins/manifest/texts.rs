//! What a manifest says to people: names, descriptions, labels, titles of settings, the icon. A component's author wrote it, consoles
//! show it, so it may hold nothing that deceives or runs.

use serde_json::Value;

use super::Manifest;
use crate::{limits, text};

/// Longest icon, in bytes.
const ICON_BYTES_MAX: usize = 16 * 1024;
/// Longest name and longest label, in bytes: what a form has room for.
const NAME_BYTES_MAX: usize = 64;
const LABEL_CHARS_MAX: usize = 200;
const FORBIDDEN: &str = "must not contain control characters, nor ones that change the direction of the text";
const ACTIVE: &str = "must not be an address that runs something, such as javascript:";

/// Note what is not acceptable.
pub(super) fn problems(manifest: &Manifest, bad: &mut impl FnMut(String, &str)) {
    if text::is_blank(&manifest.name) || manifest.name.len() > NAME_BYTES_MAX {
        bad("name".to_owned(), "must be 1 to 64 bytes");
    }
    if manifest.name.chars().any(text::is_forbidden) {
        bad("name".to_owned(), FORBIDDEN);
    }
    shown("description", &manifest.description, limits::MANIFEST_TEXT_CHARS_MAX, bad);
    for (name, spec) in &manifest.credentials {
        shown(&format!("credentials.{name}.label"), &spec.label, LABEL_CHARS_MAX, bad);
        for (i, part) in spec.parts.iter().enumerate() {
            shown(&format!("credentials.{name}.parts[{i}].label"), &part.label, LABEL_CHARS_MAX, bad);
        }
    }
    if manifest.icon.as_ref().is_some_and(|icon| !is_icon(icon)) {
        bad("icon".to_owned(), "must be a data:image/… URL of at most 16 KiB");
    }
    schema("settings-schema", &manifest.settings_schema, bad);
}

/// Without what would end an attribute of a page in which it is put.
fn is_icon(icon: &str) -> bool {
    icon.starts_with("data:image/")
        && icon.len() <= ICON_BYTES_MAX
        && icon.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>\\`".contains(&b))
}

fn shown(path: &str, shown: &str, chars_max: usize, bad: &mut impl FnMut(String, &str)) {
    if shown.chars().count() > chars_max {
        bad(path.to_owned(), &format!("must be at most {chars_max} characters"));
    }
    if !text::is_clean(shown) {
        bad(path.to_owned(), FORBIDDEN);
    }
    if text::is_active_address(shown) {
        bad(path.to_owned(), ACTIVE);
    }
}

/// Every text of the schema, whatever its name: a form is made of it. As deep as the reader of TOML goes.
fn schema(path: &str, value: &Value, bad: &mut impl FnMut(String, &str)) {
    match value {
        Value::String(of) => shown(path, of, limits::MANIFEST_TEXT_CHARS_MAX, bad),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                schema(&format!("{path}[{i}]"), item, bad);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                if text::is_clean(name) {
                    schema(&format!("{path}.{name}"), member, bad);
                } else {
                    bad(path.to_owned(), FORBIDDEN);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "id = \"acme\"\nversion = \"1.0.0\"\ncontract = \"0.1\"\nname = \"Acme\"\n";

    fn paths(more: &str) -> Vec<String> {
        let text = format!("{GOOD}{more}");
        Manifest::parse(&text).err().unwrap_or_default().into_iter().map(|problem| problem.path).collect()
    }

    #[test]
    fn texts_that_deceive_are_refused_wherever_they_are() {
        assert_eq!(paths(""), Vec::<String>::new());
        for (more, path) in [
            ("description = \"a\\u202eb\"", "description"),
            ("description = \"\\u200b\"", "description"),
            ("icon = \"data:image/png,\\\" onload=x\"", "icon"),
            ("icon = \"javascript:x\"", "icon"),
            ("[credentials.key]\nlabel = \"a\\u2066\"\nkind = \"api-key\"", "credentials.key.label"),
            (
                "[settings-schema]\ntype = \"object\"\n[settings-schema.properties.a]\ntitle = \"a\\u0007\"",
                "settings-schema.properties.a.title",
            ),
            (
                "[settings-schema]\ntype = \"object\"\n[settings-schema.properties.a]\nexamples = [\"JAVAscript:x\"]",
                "settings-schema.properties.a.examples[0]",
            ),
        ] {
            assert_eq!(paths(more), [path], "{more}");
        }
        assert_eq!(paths(&format!("description = \"{}\"", "x".repeat(1_001))), ["description"]);
    }
}
