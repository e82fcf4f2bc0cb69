//! Names of fields as they are sent: `listingId` and `listing` are read as `listing_id`, where a type has a field of that name. What is free
//! (answers to questions, settings, metadata) keeps the names that it came with.

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, Visitor, value},
    forward_to_deserialize_any,
};

/// Is this a name in camelCase? One with a capital after its first letter.
fn is_camel(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// `eventTypeId` as `event_type_id`; any other name as it is.
#[must_use]
pub fn snake_case(name: &str) -> Cow<'_, str> {
    if !is_camel(name) {
        return Cow::Borrowed(name);
    }
    let mut snake = String::with_capacity(name.len().saturating_add(4));
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    Cow::Owned(snake)
}

/// The field that is meant by a name, out of those that there are; the name itself if it is none of them, to be refused as such.
///
/// Before 2026-11-30 references stood without their ending: `member` is read as `member_id`, `members` as `member_ids`.
#[must_use]
pub fn field_of<'a>(name: &'a str, fields: &[&'a str]) -> Cow<'a, str> {
    let known = |name: &str| fields.iter().find(|field| **field == name).copied();
    if known(name).is_some() {
        return Cow::Borrowed(name);
    }
    let snake = snake_case(name);
    let reference = || known(&format!("{snake}_id"));
    let references = || known(&format!("{}_ids", snake.strip_suffix('s')?));
    known(&snake).or_else(reference).or_else(references).map_or(Cow::Borrowed(name), Cow::Borrowed)
}

/// The names of a type's fields; none for what is no struct.
#[must_use]
pub fn fields_of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // Refused by `Fields` in any case: all that counts is what it was asked for.
    let _ = T::deserialize(Fields(&mut fields));
    fields
}

/// Reads nothing, and keeps the names of what it was asked for.
struct Fields<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, value::Error> {
        Err(value::Error::custom("nothing is read here"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map enum option newtype_struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_found() {
        let fields = ["listing_id", "member_ids", "event_type_id", "rule", "rule_id", "address_line1"];
        for (sent, meant) in [
            ("listing_id", "listing_id"),
            ("listingId", "listing_id"),
            ("listing", "listing_id"),
            ("members", "member_ids"),
            ("memberIds", "member_ids"),
            ("eventType", "event_type_id"),
            ("event_type", "event_type_id"),
            // What is there is meant.
            ("rule", "rule"),
            ("ruleId", "rule_id"),
            ("addressLine1", "address_line1"),
            // Not ours: refused under the name that it has.
            ("ListingId", "ListingId"),
            ("listingID", "listingID"),
            ("listing_Id", "listing_Id"),
            ("", ""),
            ("_id", "_id"),
            ("s", "s"),
        ] {
            assert_eq!(field_of(sent, &fields), meant, "{sent}");
        }
    }
}
