//! Where an incremental sync stands. First every event that is not over, then what changed since a token (RFC 6578). Servers give
//! either in one piece, so that pages are cut here: in the order of addresses, each asking again and going on after the last.

use berth_sdk::types::Instant;
use serde::{Deserialize, Serialize};

/// A position, kept as JSON text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cursor {
    pub(crate) listing: Listing,
    /// A listing that was served in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) page: Option<Page>,
}

/// What is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Listing {
    /// Everything that is not over at this time.
    From(Instant),
    /// What changed since this token.
    Since(String),
}

/// How far a listing was served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// The token that the listing began with, so that what changes meanwhile is told next.
    pub(crate) next: String,
    /// The last address that was served.
    pub(crate) after: String,
    /// The server itself has more after `next`.
    #[serde(default)]
    pub(crate) more: bool,
}

impl Cursor {
    /// The addresses of the next page, and the position after it with whether there is more at once. `next` and `more` are those of
    /// the listing at hand; those of its first page count.
    pub(crate) fn cut(
        self,
        mut listed: Vec<String>,
        next: String,
        more: bool,
        size: usize,
    ) -> (Vec<String>, Self, bool) {
        let page = self.page.unwrap_or(Page { next, after: String::new(), more });
        listed.sort();
        listed.dedup();
        listed.retain(|address| *address > page.after);
        if listed.len() > size {
            listed.truncate(size);
            let after = listed.last().cloned().unwrap_or_default();
            return (listed, Self { listing: self.listing, page: Some(Page { after, ..page }) }, true);
        }
        (listed, Self { listing: Listing::Since(page.next), page: None }, page.more)
    }
}

#[cfg(test)]
mod tests {
    use berth_sdk::{cursor, types::ProviderError};

    use super::*;

    fn listed(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_listing_is_served_in_pages_and_what_changes_meanwhile_comes_next() {
        let first = Cursor { listing: Listing::Since("t1".to_owned()), page: None };
        let (page, cursor, more) = first.cut(listed(&["c", "a", "b"]), "t2".to_owned(), false, 2);
        assert_eq!((page, more), (listed(&["a", "b"]), true));
        let cursor = cursor::parse::<Cursor>(&cursor::text(&cursor).unwrap()).unwrap();
        assert_eq!(cursor.listing, Listing::Since("t1".to_owned()), "the same listing is asked for again");
        // Meanwhile "a" changed again and "d" is new: the token is the first page's, so that both are told once more.
        let (page, cursor, more) = cursor.cut(listed(&["a", "b", "c", "d"]), "t3".to_owned(), false, 2);
        assert_eq!((page, more), (listed(&["c", "d"]), false));
        assert_eq!(cursor, Cursor { listing: Listing::Since("t2".to_owned()), page: None });
    }

    #[test]
    fn a_server_that_cuts_by_itself_is_asked_again_at_once() {
        let first = Cursor { listing: Listing::Since("t1".to_owned()), page: None };
        let (_, second, more) = first.cut(listed(&["a", "b"]), "t2".to_owned(), true, 1);
        assert!(more);
        let (page, cursor, more) = second.cut(listed(&["a", "b"]), "t9".to_owned(), false, 1);
        assert_eq!((page, more), (listed(&["b"]), true), "the first listing was cut");
        assert_eq!(cursor.listing, Listing::Since("t2".to_owned()));
    }

    #[test]
    fn an_empty_listing_still_moves_on() {
        let first = Cursor { listing: Listing::From(7), page: None };
        let (page, cursor, more) = first.cut(Vec::new(), "t1".to_owned(), false, 5);
        assert_eq!((page.len(), more), (0, false));
        assert_eq!(cursor.listing, Listing::Since("t1".to_owned()));
    }

    #[test]
    fn what_is_no_position_has_expired() {
        for text in
            ["", "{}", r#"{"listing":"x"}"#, r#"{"listing":{"since":1}}"#, r#"{"listing":{"from":1},"x":1}"#]
        {
            assert_eq!(cursor::parse::<Cursor>(text), Err(ProviderError::CursorExpired), "{text}");
        }
    }
}
