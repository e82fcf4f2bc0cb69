//! From octets to content lines (RFC 5545 section 3.1). Lines are joined before they are decoded: a fold may cut a character.

/// Content lines with the number of their first line, counted from 1. Lines end with CRLF, LF or CR; empty ones are passed over. What is not
/// UTF-8 shows as U+FFFD, in its own line only.
pub(crate) fn unfolded(octets: &[u8]) -> impl Iterator<Item = (usize, String)> {
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    let mut lines = physical(octets).peekable();
    std::iter::from_fn(move || {
        let (number, first) = lines.find(|(_, line)| !line.is_empty())?;
        let mut whole: Option<Vec<u8>> = None;
        // Empty lines come between where line ends were doubled on the way.
        while let Some((_, next)) = lines.next_if(|(_, line)| matches!(line, [] | [b' ' | b'\t', ..])) {
            if let Some((_, more)) = next.split_first() {
                whole.get_or_insert_with(|| first.to_vec()).extend_from_slice(more);
            }
        }
        let whole = whole.as_deref().unwrap_or(first);
        Some((number, String::from_utf8_lossy(whole).into_owned()))
    })
}

/// Lines as they are, each with its number.
fn physical(octets: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = Some(octets);
    let lines = std::iter::from_fn(move || {
        let all = rest?;
        let Some(end) = all.iter().position(|octet| matches!(octet, b'\r' | b'\n')) else {
            rest = None;
            return Some(all);
        };
        let (line, ending) = all.split_at_checked(end)?;
        rest = ending.strip_prefix(b"\r\n").or_else(|| ending.get(1..));
        Some(line)
    });
    lines.enumerate().map(|(at, line)| (at.saturating_add(1), line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    fn lines(octets: &[u8]) -> Vec<(usize, String)> {
        unfolded(octets).collect()
    }

    #[test]
    fn lines_end_with_each_of_the_three_and_are_joined_before_they_are_decoded() {
        let expected = [(1, "A:1".to_owned()), (2, "SUMMARY:Święto".to_owned()), (4, "C:3".to_owned())];
        for end in ["\r\n", "\n", "\r"] {
            let mut file = format!("\u{feff}A:1{end}SUMMARY:").into_bytes();
            // Ś is C5 9A: the fold is between them.
            file.extend_from_slice(b"\xc5");
            file.extend_from_slice(format!("{end} ").as_bytes());
            file.extend_from_slice(b"\x9awi\xc4\x99to");
            file.extend_from_slice(format!("{end}C:3").as_bytes());
            assert_eq!(lines(&file), expected, "{end:?}");
        }
        assert_eq!(lines(b"A:1\r\r\n 2\r\r\nB:3"), [(1, "A:12".into()), (5, "B:3".into())], "doubled ends");
        assert_eq!(lines(b"A:\xff\nB:1"), [(1, "A:\u{fffd}".into()), (2, "B:1".into())]);
        assert_eq!((lines(b""), lines(b"\r\n\n")), (Vec::new(), Vec::new()));
    }

    proptest! {
        /// Wherever a fold cuts, the line is the same.
        #[test]
        fn any_fold_is_undone(text in "[^\r\n\u{0}]{1,80}", cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
            let line = format!("X:{text}").into_bytes();
            let mut folded = line.clone();
            for cut in cuts {
                let at = cut.index(folded.len()).max(2);
                // Not between the CR and the LF of another fold.
                if folded.get(at) != Some(&b'\n') && folded.get(at) != Some(&b' ') {
                    folded.splice(at..at, *b"\r\n ");
                }
            }
            prop_assert_eq!(lines(&folded), [(1, String::from_utf8(line).unwrap())]);
        }
    }
}
