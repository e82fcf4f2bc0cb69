//! All pages of a list, bounded, for providers whose answers come in pieces.

use std::collections::BTreeSet;

use crate::{Result, limits, types::ProviderError};

/// One piece of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<I> {
    /// The items.
    pub items: Vec<I>,
    /// Token of the next piece; none on the last.
    pub next: Option<String>,
}

/// Fetch piece after piece until there is no next one.
///
/// A provider that gives a token twice would be asked for ever: `vendor` with code `page-repeated`. More than
/// [`limits::PAGES_MAX`] pieces are refused with `too-many-pages` rather than cut off in silence.
pub fn all<I>(mut fetch: impl FnMut(Option<&str>) -> Result<Piece<I>>) -> Result<Vec<I>> {
    let mut items = Vec::new();
    let mut seen = BTreeSet::new();
    let mut token: Option<String> = None;
    for _ in 0..limits::PAGES_MAX {
        let piece = fetch(token.as_deref())?;
        items.extend(piece.items);
        let Some(next) = piece.next else { return Ok(items) };
        if !seen.insert(next.clone()) {
            return Err(ProviderError::vendor(
                200,
                "page-repeated",
                "the provider gave the same page token twice",
            ));
        }
        token = Some(next);
    }
    let message = format!("the list has more than {} pages", limits::PAGES_MAX);
    Err(ProviderError::vendor(200, "too-many-pages", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_joined_in_order() {
        let items = all(|token| {
            Ok(match token {
                None => Piece { items: vec![1, 2], next: Some("a".to_owned()) },
                Some("a") => Piece { items: vec![3], next: None },
                Some(other) => unreachable!("{other}"),
            })
        });
        assert_eq!(items.unwrap(), [1, 2, 3]);
    }

    #[test]
    fn a_repeated_token_is_refused() {
        let mut asked = 0;
        let result = all(|_| {
            asked += 1;
            Ok(Piece { items: vec![()], next: Some("same".to_owned()) })
        });
        assert!(matches!(result, Err(ProviderError::Vendor(e)) if e.code == "page-repeated"));
        assert_eq!(asked, 2);
    }

    #[test]
    fn endless_lists_end() {
        let mut asked = 0;
        let result = all(|_| {
            asked += 1;
            Ok(Piece { items: vec![()], next: Some(asked.to_string()) })
        });
        assert!(matches!(result, Err(ProviderError::Vendor(e)) if e.code == "too-many-pages"));
        assert_eq!(asked, limits::PAGES_MAX);
    }
}
