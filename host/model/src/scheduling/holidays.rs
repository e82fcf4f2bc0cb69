//! Public holidays by country, from the data set that `data/README.md` describes.

use std::{collections::BTreeMap, sync::LazyLock};

use chrono::NaiveDate;

/// The data set.
const DATA: &str = include_str!("../../data/holidays.txt");

/// A public holiday.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicHoliday {
    /// The day.
    pub date: NaiveDate,
    /// Its name, in English where there is one.
    pub name: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoHolidays {
    /// No such country.
    #[error("is no country of the data set; give its ISO 3166-1 code, such as PT")]
    Country,
    /// No such part of it. Those that differ from their country.
    #[error("is no part of this country with holidays of its own; there are: {0}")]
    Subdivision(String),
    /// Outside of the data.
    #[error("must be {0} to {1}")]
    Years(i32, i32),
}

/// The lines of each block by its title, and the years.
struct Data {
    first_year: i32,
    last_year: i32,
    blocks: BTreeMap<&'static str, Vec<(&'static str, &'static str)>>,
}

static ALL: LazyLock<Data> = LazyLock::new(|| {
    let mut data = Data { first_year: 0, last_year: 0, blocks: BTreeMap::new() };
    let mut title = "";
    for line in DATA.lines() {
        if let Some(years) = line.strip_prefix('#') {
            let mut years = years.split(' ').filter_map(|year| year.parse().ok());
            data.first_year = years.next().unwrap_or_default();
            data.last_year = years.next().unwrap_or_default();
        } else if let Some(holiday) = line.split_once('=') {
            data.blocks.entry(title).or_default().push(holiday);
        } else {
            title = line;
            data.blocks.entry(title).or_default();
        }
    }
    data
});

/// The years that the data set knows: first and last.
#[must_use]
pub fn years() -> (i32, i32) {
    (ALL.first_year, ALL.last_year)
}

/// Every country with the parts of it that have holidays of their own.
pub fn countries() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    ALL.blocks.keys().filter(|title| !title.contains('-')).map(|country| (*country, subdivisions(country)))
}

fn subdivisions(country: &str) -> Vec<&'static str> {
    let parts = ALL.blocks.keys().filter_map(|title| title.strip_prefix(country)?.strip_prefix('-'));
    let mut parts: Vec<&str> = parts.map(|part| part.trim_end_matches('!')).collect();
    parts.dedup();
    parts
}

/// The public holidays of a country, or of a part of it, in these years (both included), by date.
///
/// # Errors
/// Names what is not in the data set.
pub fn holidays(
    country: &str,
    subdivision: Option<&str>,
    from_year: i32,
    to_year: i32,
) -> Result<Vec<PublicHoliday>, NoHolidays> {
    let known = ALL.blocks.get_key_value(country).filter(|(title, _)| !title.contains('-'));
    let (_, national) = known.ok_or(NoHolidays::Country)?;
    let (first, last) = years();
    if from_year < first || to_year > last || from_year > to_year {
        return Err(NoHolidays::Years(first, last));
    }
    let mut found = dates(national, from_year, to_year);
    if let Some(part) = subdivision {
        let parts = subdivisions(country);
        if !parts.contains(&part) {
            return Err(NoHolidays::Subdivision(parts.join(", ")));
        }
        let block = |suffix: &str| {
            let title = format!("{country}-{part}{suffix}");
            ALL.blocks.get(title.as_str()).map(|block| dates(block, from_year, to_year)).unwrap_or_default()
        };
        let gone = block("!");
        found.retain(|holiday| !gone.contains(holiday));
        found.extend(block(""));
    }
    found.sort();
    Ok(found)
}

fn dates(block: &[(&str, &str)], from_year: i32, to_year: i32) -> Vec<PublicHoliday> {
    let mut found = Vec::new();
    for (name, days) in block {
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<u32>().ok());
        let mut add = |year: i32, month_and_day: &str| {
            let (month, day) = (number(month_and_day.get(..2)), number(month_and_day.get(2..)));
            let date = month.zip(day).and_then(|(month, day)| NaiveDate::from_ymd_opt(year, month, day));
            if let Some(date) = date.filter(|_| (from_year..=to_year).contains(&year)) {
                found.push(PublicHoliday { date, name: (*name).to_owned() });
            }
        };
        if days.len() == 4 {
            (from_year..=to_year).for_each(|year| add(year, days));
            continue;
        }
        for day in days.split(',') {
            if let (Some(year), Some(rest)) = (number(day.get(..2)), day.get(2..)) {
                add(2000_i32.saturating_add_unsigned(year), rest);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(date: &str, country: &str, part: Option<&str>) -> Vec<String> {
        let date: NaiveDate = date.parse().unwrap();
        let all = holidays(country, part, 2024, 2036).unwrap();
        all.into_iter().filter(|h| h.date == date).map(|h| h.name).collect()
    }

    #[test]
    fn known_days_are_there() {
        assert_eq!(on("2026-12-25", "PT", None), ["Christmas Day"]);
        // Easter and what hangs on it.
        assert_eq!(on("2027-03-29", "DE", None), ["Easter Monday"]);
        assert_eq!(on("2026-06-04", "PL", None), ["Corpus Christi"]);
        // A law of 2024.
        assert!(on("2024-12-24", "PL", None).is_empty());
        assert_eq!(on("2025-12-24", "PL", None), ["Christmas Eve"]);
        // Moved to the Monday.
        assert!(on("2027-07-05", "US", None).iter().any(|name| name.contains("Independence Day")));
        // Of a part of a country, and not of the whole.
        assert!(on("2026-01-06", "DE", None).is_empty());
        assert_eq!(on("2026-01-06", "DE", Some("BY")), ["Epiphany"]);
        assert_eq!(on("2026-12-25", "DE", Some("BY")), ["Christmas Day"], "the country's are the part's");
    }

    #[test]
    fn every_line_of_the_data_is_understood() {
        let (first, last) = years();
        assert_eq!((first, last), (2024, 2036));
        let mut all = 0;
        for (country, parts) in countries() {
            let national = holidays(country, None, first, last).unwrap();
            all += national.len();
            assert!(national.is_sorted());
            for part in parts {
                assert!(!holidays(country, Some(part), first, last).unwrap().is_empty(), "{country}-{part}");
            }
        }
        assert!(all > 30_000, "{all}");
        // Each name stands for at least one day.
        for (title, block) in &ALL.blocks {
            assert_eq!(
                block.iter().filter(|one| dates(&[**one], first, last).is_empty()).count(),
                0,
                "{title}"
            );
        }
    }

    #[test]
    fn what_is_not_known_is_said() {
        assert_eq!(holidays("XX", None, 2026, 2026), Err(NoHolidays::Country));
        assert_eq!(holidays("DE-BY", None, 2026, 2026), Err(NoHolidays::Country));
        assert_eq!(holidays("PT", None, 2020, 2026), Err(NoHolidays::Years(2024, 2036)));
        assert_eq!(holidays("PT", None, 2027, 2026), Err(NoHolidays::Years(2024, 2036)));
        let Err(NoHolidays::Subdivision(parts)) = holidays("DE", Some("XX"), 2026, 2026) else {
            panic!("a part")
        };
        assert!(parts.contains("BY"), "{parts}");
    }
}
