//! Numbers as they are written. What reads them as floats loses digits, and an exponent.

use std::collections::BTreeMap;

use serde_json::{Value, value::RawValue};

/// Put the text of the number that stands at these names of a JSON text in the place of the number: `50.00` becomes `"50.00"`. Whatever else
/// stands there stays as it is. `value` is what was read of the text.
pub fn as_written(text: &[u8], value: &mut Value, path: &[&str]) {
    let Some((last, above)) = path.split_last() else { return };
    let there = above.iter().try_fold(value, |value, name| value.get_mut(*name));
    let Some(number) = there.and_then(|value| value.get_mut(*last)).filter(|value| value.is_number()) else {
        return;
    };
    if let Some(written) = std::str::from_utf8(text).ok().and_then(|text| number_at(text, path)) {
        *number = Value::String(written);
    }
}

/// The text of what stands at these names of an object.
fn number_at(text: &str, path: &[&str]) -> Option<String> {
    let Some((name, below)) = path.split_first() else { return Some(text.to_owned()) };
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    number_at(members.get(*name)?.get(), below)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str, path: &[&str]) -> Value {
        let mut value = serde_json::from_str(text).unwrap();
        as_written(text.as_bytes(), &mut value, path);
        value
    }

    #[test]
    fn digits_and_exponents_are_kept() {
        for (text, read_as) in [
            (r#"{"price": 50.00 }"#, json!({ "price": "50.00" })),
            (
                r#"{"a":[1,{"price":2}],"price":49.99999999999999999999}"#,
                json!({ "a": [1, { "price": 2 }], "price": "49.99999999999999999999" }),
            ),
            (r#"{"price":1e2}"#, json!({ "price": "1e2" })),
            (r#"{"pric\u0065":-0}"#, json!({ "price": "-0" })),
            (r#"{"price":"7"}"#, json!({ "price": "7" })),
            (r#"{"price":null}"#, json!({ "price": null })),
            (r#"{"price":{"minor_units":1}}"#, json!({ "price": { "minor_units": 1 } })),
            ("[1]", json!([1])),
            ("1", json!(1)),
        ] {
            assert_eq!(read(text, &["price"]), read_as, "{text}");
        }
        let nested = r#"{"price":1,"policy":{"price":5.10}}"#;
        assert_eq!(read(nested, &["policy", "price"]), json!({ "price": 1, "policy": { "price": "5.10" } }));
        assert_eq!(read(nested, &["policy", "x", "y"]), json!({ "price": 1, "policy": { "price": 5.1 } }));
    }

    proptest! {
        #[test]
        fn the_text_is_found_whatever_stands_around_it(
            number in "-?(0|[1-9][0-9]{0,15})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
            before in "\\PC{0,12}",
            after in any::<i64>(),
        ) {
            let text = format!("{{ {}: [{{\"price\": 1}}], \"price\" :{number} , \"z\": {after} }}", json!(format!("x{before}")));
            let value = read(&text, &["price"]);
            prop_assert_eq!(value["price"].as_str(), Some(number.as_str()));
            prop_assert_eq!(&value["z"], &json!(after));
        }
    }
}
