//! Berth's reference in `external_ref`, which is free text of any caller.

use serde_json::Value;

/// What stands before it.
pub(super) const REFERENCE: &str = "berth:";

/// Does this item carry Berth's reference?
pub(crate) fn carries(item: &Value, reference: &str) -> bool {
    let text = item.get("external_ref").and_then(Value::as_str);
    text.and_then(|text| text.strip_prefix(REFERENCE)) == Some(reference)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_of_others_are_not_ours() {
        let mut item = json!({ "external_ref": "berth:b_1" });
        assert!(carries(&item, "b_1") && !carries(&item, "b_2") && !carries(&item, "berth:b_1"));
        for other in [json!("b_1"), json!("other:b_1"), Value::Null] {
            item["external_ref"] = other;
            assert!(!carries(&item, "b_1"));
        }
    }
}
