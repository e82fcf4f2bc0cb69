//! Prices as people write them: a decimal number of the currency's large units.

use crate::{limits::PRICE_MINOR_UNITS_MAX, outbound::provider::Money, validate::decimals_of};

/// What is said of a number that is none.
const FORM: &str = "must be a number of the currency's large units such as 49.90";

/// This many large units of a currency, from the text of the number. `0.1` is no float on its way: what is written is what it costs.
///
/// # Errors
/// What is wrong with it, for people.
pub fn in_currency(text: &str, currency: &str) -> Result<Money, String> {
    let decimals = decimals_of(currency).ok_or("must be a currency code of ISO 4217 such as EUR")?;
    if text.starts_with('-') {
        return Err("must not be negative".to_owned());
    }
    if text.contains(['e', 'E']) {
        return Err("must be written without an exponent, such as 1200 or 49.90".to_owned());
    }
    let (whole, part) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || part.is_some_and(|part| !is_number(part)) {
        return Err(FORM.to_owned());
    }
    // Zeros at the end say nothing: there are languages that write 5000 as 5000.0.
    let part = part.unwrap_or_default().trim_end_matches('0');
    let decimals = usize::from(decimals);
    if part.len() > decimals {
        return Err(match decimals {
            0 => format!("must have no decimals: {currency} has none"),
            _ => format!("must have at most {decimals} decimals, as {currency} has"),
        });
    }
    let minor_units = format!("{whole}{part:0<decimals$}").parse().ok();
    match minor_units.filter(|units| *units <= PRICE_MINOR_UNITS_MAX) {
        Some(minor_units) => Ok(Money { minor_units, currency: currency.to_owned() }),
        None => Err(format!("must be at most {PRICE_MINOR_UNITS_MAX} of the currency's smallest units")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(text: &str, currency: &str) -> Result<i64, String> {
        in_currency(text, currency).map(|money| money.minor_units)
    }

    #[test]
    fn a_bare_number_is_of_large_units() {
        for (text, currency, minor_units) in [
            ("50.00", "EUR", 5_000),
            ("50", "EUR", 5_000),
            ("0.1", "EUR", 10),
            ("0.29", "EUR", 29),
            ("0", "EUR", 0),
            ("5000", "JPY", 5_000),
            ("5000.0", "JPY", 5_000),
            ("1.234", "KWD", 1_234),
            ("1.2", "KWD", 1_200),
            ("1.2340000000000000000000", "KWD", 1_234),
            ("1000000000", "EUR", PRICE_MINOR_UNITS_MAX),
        ] {
            assert_eq!(units(text, currency), Ok(minor_units), "{text} {currency}");
        }
        for (text, currency, why) in [
            ("-1", "EUR", "negative"),
            ("-0.00", "EUR", "negative"),
            ("1e2", "EUR", "exponent"),
            ("1E+2", "EUR", "exponent"),
            ("49.999", "EUR", "at most 2 decimals"),
            ("49.9999999999999999999", "EUR", "at most 2 decimals"),
            ("0.5", "JPY", "no decimals"),
            ("1.2345", "KWD", "at most 3 decimals"),
            ("1000000000.01", "EUR", "at most 100000000000"),
            ("99999999999999999999999999", "EUR", "at most 100000000000"),
            ("", "EUR", "must be a number"),
            (".", "EUR", "must be a number"),
            (".5", "EUR", "must be a number"),
            ("5.", "EUR", "must be a number"),
            ("1.2.3", "EUR", "must be a number"),
            ("NaN", "EUR", "must be a number"),
            ("Infinity", "EUR", "must be a number"),
            ("1,50", "EUR", "must be a number"),
            ("+1", "EUR", "must be a number"),
            ("٥", "EUR", "must be a number"),
            ("1 000", "EUR", "must be a number"),
            ("1", "XAU", "currency code"),
            ("1", "eur", "currency code"),
            ("1", "", "currency code"),
        ] {
            let said = units(text, currency).unwrap_err();
            assert!(said.contains(why), "{text} {currency}: {said}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_it_costs(units in 0_i64..=PRICE_MINOR_UNITS_MAX, which in 0_usize..3) {
            let (currency, decimals) = [("JPY", 0_u32), ("EUR", 2), ("KWD", 3)][which];
            let one = 10_i64.pow(decimals);
            let text = match decimals {
                0 => units.to_string(),
                _ => format!("{}.{:0width$}", units / one, units % one, width = decimals as usize),
            };
            prop_assert_eq!(in_currency(&text, currency).map(|money| money.minor_units), Ok(units));
        }

        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,40}", currency in "[A-Z]{0,4}") {
            let _ = in_currency(&text, &currency);
        }
    }
}
