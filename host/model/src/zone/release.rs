//! Releases of the tz data: `2026f` comes after `2026e`, and `2026za` after `2026z`.

use std::{cmp::Ordering, fmt, str::FromStr};

/// A release of the tz data, as IANA names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Release(Box<str>);

/// A text that is no name of a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a release of the tz data such as 2026f")]
pub struct UnknownRelease;

const YEAR_DIGITS: usize = 4;
const LETTERS_MAX: usize = 2;

impl Release {
    /// One that is older than all.
    pub(super) fn unnamed() -> Self {
        Self("0000a".into())
    }

    /// The year it was made in.
    #[must_use]
    pub fn year(&self) -> i32 {
        self.0.get(..YEAR_DIGITS).and_then(|year| year.parse().ok()).unwrap_or_default()
    }
}
impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl FromStr for Release {
    type Err = UnknownRelease;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (year, letters) = text.split_at_checked(YEAR_DIGITS).ok_or(UnknownRelease)?;
        let good = year.bytes().all(|byte| byte.is_ascii_digit())
            && (1..=LETTERS_MAX).contains(&letters.len())
            && letters.bytes().all(|byte| byte.is_ascii_lowercase());
        if good { Ok(Self(text.into())) } else { Err(UnknownRelease) }
    }
}
impl Ord for Release {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |release: &Self| (release.year(), release.0.len());
        key(self).cmp(&key(other)).then_with(|| self.0.cmp(&other.0))
    }
}
impl PartialOrd for Release {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_come_in_the_order_in_which_they_were_made() {
        let order = ["2019c", "2025b", "2025c", "2026a", "2026z", "2026za", "2026zb", "2027a"];
        let releases: Vec<Release> = order.iter().map(|text| text.parse().unwrap()).collect();
        assert!(releases.is_sorted() && releases.windows(2).all(|two| two[0] < two[1]));
        for text in
            ["", "2026", "2026F", "2026f ", "2026f-dirty", "26f", "2026abc", "\u{0662}026a", "unknown"]
        {
            assert_eq!(text.parse::<Release>(), Err(UnknownRelease), "{text}");
        }
    }
}
