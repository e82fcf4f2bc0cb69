//! The audit log as it is told over the API: it refers to what was changed, and quotes nothing that somebody wrote. Reasons, names and notes
//! stand on the things themselves, where whoever may read those reads them.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::time::Instant;

/// Members whose texts are words of ours and not somebody's.
const WORDS: [&str; 21] = [
    "changed",
    "credential_names",
    "from_state",
    "kind",
    "language",
    "local_changes",
    "mode",
    "of",
    "plugin",
    "provider",
    "provider_task",
    "purpose",
    "resolution",
    "role",
    "scopes",
    "source_of_truth",
    "state",
    "status",
    "task",
    "time_zone",
    "to_state",
];
/// Items of a list that are shown.
const ITEMS_MAX: usize = 200;
/// Values in values that are looked at.
const DEPTH_MAX: usize = 3;

/// What an entry says of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Referred {
    /// Ids, instants, numbers, states.
    pub data: Map<String, Value>,
    /// Names of what is left out, since it is or may have text of people.
    pub withheld: Vec<String>,
}

/// What of an entry's data refers, and what is left out.
#[must_use]
pub fn referring(data: Value) -> Referred {
    let mut of = Referred { data: Map::new(), withheld: Vec::new() };
    let Value::Object(members) = data else { return of };
    for (name, value) in members {
        if refers(&name, &value, 0) {
            of.data.insert(name, value);
        } else {
            of.withheld.push(name);
        }
    }
    of
}

fn refers(name: &str, value: &Value, depth: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => {
            WORDS.contains(&name) || Uuid::try_parse(text).is_ok() || text.parse::<Instant>().is_ok()
        }
        Value::Array(items) => {
            depth < DEPTH_MAX
                && items.len() <= ITEMS_MAX
                && items.iter().all(|item| refers(name, item, depth.saturating_add(1)))
        }
        Value::Object(members) => {
            depth < DEPTH_MAX
                && members.iter().all(|(name, value)| refers(name, value, depth.saturating_add(1)))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_people_wrote_is_left_out_and_named() {
        let data = json!({
            "state": "cancelled", "from_state": "confirmed", "reason": "my mother is ill", "revision": 3,
            "member": "01a22e48-446b-7f00-801e-952a290354ee",
            "when": { "start": "2027-01-01T10:00:00Z", "end": "2027-01-01T10:30:00Z" },
            "other_members": ["01a22e48-446b-7f00-801e-952a290354ee"], "tags": ["allergic"],
            "assignment": { "reason": "the only one who is free" }, "changed": ["notes", "attendee"],
        });
        let of = referring(data);
        let shown: Vec<_> = of.data.keys().map(String::as_str).collect();
        assert_eq!(shown, ["changed", "from_state", "member", "other_members", "revision", "state", "when"]);
        assert_eq!(of.withheld, ["assignment", "reason", "tags"]);
    }

    proptest! {
        /// Whatever somebody wrote, wherever it stands: it is not shown.
        #[test]
        fn no_text_of_people_is_shown(text in "[A-Z][a-z]{2,20} [a-z ]{1,40}", name in "[a-z]{3,12}", depth in 0_usize..6) {
            prop_assume!(!WORDS.contains(&name.as_str()));
            let mut value = json!(text);
            for level in 0..depth {
                value = if level % 2 == 0 { json!([value]) } else { json!({ "more": value, "revision": 1 }) };
            }
            let of = referring(json!({ name.clone(): value, "revision": 7 }));
            prop_assert!(!serde_json::to_string(&of.data).unwrap().contains(&text));
            prop_assert_eq!(of.withheld, [name]);
        }
    }
}
