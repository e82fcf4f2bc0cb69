//! Prices as people write them: a bare number is major units of the currency of the place (50.00), an object its smallest (5000).

use iso_currency::Currency;
use serde_json::Value;

use crate::{json, limits, outbound::provider::Money, problem::FieldError};

/// What a price means at a place with this currency. Refusals name the field at `at`, or below it.
///
/// # Errors
/// When it is neither a number nor an object, the place has no currency to which a bare number could belong, or the currency has fewer decimals.
pub fn price(value: &Value, currency: Option<&str>, at: &str) -> Result<Money, FieldError> {
    let number = match value {
        Value::Number(number) => number,
        Value::Object(_) => {
            return json::read(value).map_err(|e| FieldError::new(format!("{at}{}", e.field), e.message));
        }
        _ => {
            return Err(FieldError::new(
                at,
                "must be a number of major units, or an object with minor_units and currency",
            ));
        }
    };
    let Some(code) = currency else {
        let message = "the listing has no currency; give it one, or send an object with minor_units and currency";
        return Err(FieldError::new(at, message));
    };
    let decimals = Currency::from_code(code).and_then(Currency::exponent).unwrap_or(0);
    match minor_units(&number.to_string(), usize::from(decimals)) {
        Some(minor_units) => Ok(Money { minor_units, currency: code.to_owned() }),
        None => Err(FieldError::new(
            at,
            format!("must be a number of {code}, not negative, with at most {decimals} decimals"),
        )),
    }
}

/// A number as its digits say it: no fraction of two could stand for it.
fn minor_units(digits: &str, decimals: usize) -> Option<i64> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || fraction.len() > decimals {
        return None;
    }
    let units = format!("{whole}{fraction:0<decimals$}").parse::<i64>().ok()?;
    (units <= limits::PRICE_MINOR_UNITS_MAX).then_some(units)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bare_number_is_major_units_and_an_object_minor_ones() {
        for (value, currency, minor) in [
            (json!(50.00), "EUR", 5_000),
            (json!(50), "EUR", 5_000),
            (json!(0.1), "EUR", 10),
            (json!(1.15), "EUR", 115),
            (json!(8.29), "EUR", 829),
            (json!(0), "EUR", 0),
            (json!(4_900), "JPY", 4_900),
            (json!(4_900.0), "JPY", 4_900),
            (json!(12.345), "KWD", 12_345),
            (json!(12.5), "KWD", 12_500),
            (json!({ "minor_units": 12_345, "currency": "KWD" }), "JPY", 12_345),
        ] {
            let money = price(&value, Some(currency), "/price").unwrap();
            assert_eq!(money.minor_units, minor, "{value} {currency}");
        }
        for (value, currency) in [
            (json!(4_900.5), Some("JPY")),
            (json!(50.005), Some("EUR")),
            (json!(12.3456), Some("KWD")),
            (json!(-1), Some("EUR")),
            (json!(1e30), Some("EUR")),
            (json!(1_000_000_000_000_i64), Some("EUR")),
            (json!(u64::MAX), Some("JPY")),
            (json!("50.00"), Some("EUR")),
            (json!(true), Some("EUR")),
            (json!(50), None),
        ] {
            let error = price(&value, currency, "/price").unwrap_err();
            assert_eq!(error.field, "/price", "{value} {currency:?}");
        }
        let odd = price(&json!({ "minor_units": "x", "currency": "EUR" }), None, "/price").unwrap_err();
        assert_eq!(odd.field, "/price/minor_units");
    }
}
