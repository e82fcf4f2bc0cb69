//! Versions of the HTTP interface, by the day on which each began.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};

/// A version of the interface. What answers look like follows from it; names of every version are read in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ApiVersion {
    /// The first: references stand without `_id`.
    V20261120,
    /// References end in `_id`, a provider is a name and a connection an account at it.
    V20261130,
}

impl ApiVersion {
    /// All of them, by age.
    pub const ALL: [Self; 2] = [Self::V20261120, Self::V20261130];
    /// What a key is made with.
    pub const LATEST: Self = Self::V20261130;
    /// What whoever came before there were versions stays on.
    pub const FIRST: Self = Self::V20261120;

    /// As it stands in headers: the day on which it began.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V20261120 => "2026-11-20",
            Self::V20261130 => "2026-11-30",
        }
    }

    /// The version with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.as_str() == name)
    }

    /// The version after it, from which it is deprecated.
    fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|other| *other > self)
    }

    fn began(self) -> Option<NaiveDate> {
        self.as_str().parse().ok()
    }

    /// Since when it is deprecated: since there is a newer one. None for the latest.
    #[must_use]
    pub fn deprecated_at(self) -> Option<DateTime<Utc>> {
        Some(self.next()?.began()?.and_time(chrono::NaiveTime::MIN).and_utc())
    }

    /// Until when it is answered: 24 months after it was deprecated.
    #[must_use]
    pub fn ends_at(self) -> Option<DateTime<Utc>> {
        self.deprecated_at()?.checked_add_months(chrono::Months::new(LIVES_MONTHS))
    }
}

/// How long a version is answered after a newer one has begun, in months: a team that looks at it once a year has time.
pub const LIVES_MONTHS: u32 = 24;

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_days_in_order() {
        let names: Vec<_> = ApiVersion::ALL.iter().map(|version| version.as_str()).collect();
        assert!(names.is_sorted());
        assert_eq!(
            (Some(&ApiVersion::FIRST), Some(&ApiVersion::LATEST)),
            (ApiVersion::ALL.first(), ApiVersion::ALL.last())
        );
        for version in ApiVersion::ALL {
            assert_eq!(ApiVersion::named(version.as_str()), Some(version));
            assert!(version.began().is_some(), "{version} is no day");
        }
        assert_eq!(ApiVersion::named("2026-11-21"), None);
    }

    #[test]
    fn what_is_deprecated_ends_two_years_later() {
        let text = |at: Option<DateTime<Utc>>| at.map(|at| at.to_rfc3339());
        assert_eq!(text(ApiVersion::FIRST.deprecated_at()).as_deref(), Some("2026-11-30T00:00:00+00:00"));
        assert_eq!(text(ApiVersion::FIRST.ends_at()).as_deref(), Some("2028-11-30T00:00:00+00:00"));
        assert_eq!((ApiVersion::LATEST.deprecated_at(), ApiVersion::LATEST.ends_at()), (None, None));
    }
}
