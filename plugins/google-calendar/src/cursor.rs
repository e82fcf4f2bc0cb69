//! Where an incremental sync stands. First every event that is not over, page by page; the last page gives a token, with which only
//! changes are listed, again page by page. What the first question asked, every later one must ask again.

use berth_sdk::{
    Result, cursor,
    types::{Instant, ProviderError},
};
use serde::{Deserialize, Serialize};

/// A position, kept as JSON text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cursor {
    /// In the first listing: what ends before this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Instant>,
    /// After the first listing: what changed since this token was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sync: Option<String>,
    /// The next page, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) page: Option<String>,
    /// Events on a page.
    pub(crate) size: u32,
}

impl Cursor {
    pub(crate) const fn begin(now: Instant, size: u32) -> Self {
        Self { since: Some(now), sync: None, page: None, size }
    }

    /// Read one that was given out; what cannot be read is of no use any more.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let cursor: Self = cursor::parse(text)?;
        let is_one = cursor.since.is_some() != cursor.sync.is_some();
        if is_one { Ok(cursor) } else { Err(ProviderError::CursorExpired) }
    }

    /// The position after a page, and whether there is more at once. A page without any token is no usable answer.
    pub(crate) fn next(self, page: Option<String>, sync: Option<String>) -> Result<(Self, bool)> {
        match (page, sync) {
            // The same page again would never end.
            (Some(page), _) if self.page.as_ref() == Some(&page) => Err(ProviderError::vendor(
                200,
                "page-repeated",
                "the provider gave the same page token twice",
            )),
            (Some(page), _) => Ok((Self { page: Some(page), ..self }, true)),
            (None, Some(sync)) => {
                Ok((Self { since: None, sync: Some(sync), page: None, size: self.size }, false))
            }
            (None, None) => Err(ProviderError::Unavailable(None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn first_everything_page_by_page_and_then_changes_page_by_page() {
        let first = Cursor::begin(7, 20);
        let (second, more) = first.next(Some(named("p2")), None).unwrap();
        assert_eq!((second.since, second.page.as_deref(), more), (Some(7), Some("p2"), true));
        let (synced, more) = second.next(None, Some(named("s1"))).unwrap();
        assert_eq!(synced, Cursor { since: None, sync: Some(named("s1")), page: None, size: 20 });
        assert!(!more);
        let (paged, _) = synced.next(Some(named("p3")), None).unwrap();
        assert_eq!((paged.sync.as_deref(), paged.page.as_deref()), (Some("s1"), Some("p3")));
        assert_eq!(Cursor::parse(&cursor::text(&paged).unwrap()), Ok(paged.clone()));
        assert!(matches!(paged.next(Some(named("p3")), None), Err(ProviderError::Vendor(_))));
    }

    #[test]
    fn what_is_no_position_has_expired() {
        for text in ["", "{}", r#"{"size":20}"#, r#"{"since":1,"sync":"x","size":20}"#, r#"{"sync":"x"}"#] {
            assert_eq!(Cursor::parse(text), Err(ProviderError::CursorExpired), "{text}");
        }
        assert_eq!(Cursor::begin(7, 20).next(None, None), Err(ProviderError::Unavailable(None)));
    }
}
