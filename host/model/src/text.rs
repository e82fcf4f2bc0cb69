//! Text that others wrote: what is taken out of it before a person sees it, what is not taken at all, and what is an address that a
//! person may be sent to. Unicode's "Trojan source" characters (UTR 36, UAX 9) turn what is read into something else than what is there.

use icu_normalizer::DecomposingNormalizer;
use url::Url;

/// Letters with a stroke or a tail, which have no decomposition and are written without one where a keyboard has none.
const PLAIN: [(char, &str); 8] =
    [('ł', "l"), ('ø', "o"), ('đ', "d"), ('ħ', "h"), ('æ', "ae"), ('œ', "oe"), ('ð', "d"), ('þ', "th")];

/// Marks that stand on, under or through letters.
const fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// A text as it is compared where case and accents say nothing: "Żółć" is "zolc".
#[must_use]
pub fn plain(text: &str) -> String {
    let mut folded = String::new();
    for c in text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase) {
        match PLAIN.iter().find(|(with, _)| *with == c) {
            Some((_, without)) => folded.push_str(without),
            None => folded.push(c),
        }
    }
    let folded = DecomposingNormalizer::new_nfkd().normalize(&folded).into_owned();
    folded.chars().filter(|c| !is_accent(*c)).collect()
}

/// What stands where a character was taken out or a text was cut off.
const ELLIPSIS: char = '…';

/// May this character not be in a text at all? Controls (line break and tab are for the caller to allow), what turns the direction of
/// the text around it, other line separators, tags, annotations, and what is no character.
#[must_use]
pub const fn is_forbidden(c: char) -> bool {
    c.is_ascii_control()
        || matches!(c,
            '\u{80}'..='\u{9f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{e0000}'..='\u{e007f}')
        || (c as u32) & 0xfffe == 0xfffe
}

/// Does this character show nothing? Two names that differ only in such read the same. The joiners U+200C and U+200D are not among
/// them: Persian and emoji need them.
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2060}'..='\u{2065}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
    )
}

/// Would a person see nothing?
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace() || is_invisible(c) || is_forbidden(c) || matches!(c, '\u{200c}' | '\u{200d}')
    })
}

/// A text for people, of several lines: at most so many characters, the last an ellipsis if it was cut. What may not be in a text is
/// replaced by U+FFFD, what shows nothing is left out; line breaks become U+000A, tabs stay.
#[must_use]
pub fn clean(text: &str, chars_max: usize) -> String {
    cleaned(text, chars_max, |c| match c {
        '\n' | '\t' => Some(c),
        c => one(c),
    })
}

/// The same on one line: line breaks and tabs are spaces.
#[must_use]
pub fn clean_line(text: &str, chars_max: usize) -> String {
    cleaned(text, chars_max, |c| match c {
        '\n' | '\t' => Some(' '),
        c => one(c),
    })
}

const fn one(c: char) -> Option<char> {
    if is_invisible(c) {
        None
    } else if is_forbidden(c) {
        Some(char::REPLACEMENT_CHARACTER)
    } else {
        Some(c)
    }
}

fn cleaned(text: &str, chars_max: usize, keep: impl Fn(char) -> Option<char>) -> String {
    let mut kept = String::new();
    let mut length = 0;
    // Where it is cut if one more character comes.
    let mut last_at = 0;
    let mut before = None;
    for c in text.chars() {
        let was = before.replace(c);
        let c = match c {
            '\n' if was == Some('\r') => continue,
            '\r' => '\n',
            c => c,
        };
        let Some(c) = keep(c) else { continue };
        if length == chars_max {
            kept.truncate(last_at);
            if chars_max > 0 {
                kept.push(ELLIPSIS);
            }
            break;
        }
        last_at = kept.len();
        kept.push(c);
        length += 1;
    }
    kept
}

/// Is a text what [`clean`] would leave as it is, whatever its length?
#[must_use]
pub fn is_clean(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '\n' | '\t') || !(is_forbidden(c) || is_invisible(c)))
}

/// Is it an address of the web that a person may be sent to? Absolute, `https` or `http`, with a host, without user or password, at
/// most so many bytes, and nothing in it that is not seen. `javascript:` and `data:` are none.
#[must_use]
pub fn is_web_address(text: &str, bytes_max: usize) -> bool {
    // The parser passes over spaces and controls, so that "java\nscript:" would be read: they are refused before.
    text.len() <= bytes_max
        && !text.chars().any(|c| c.is_whitespace() || is_forbidden(c) || is_invisible(c))
        && Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "https" | "http")
                && url.host_str().is_some_and(|host| !host.is_empty())
                && url.username().is_empty()
                && url.password().is_none()
        })
}

/// The same, and nobody on the way can read what is asked for there: `https` alone.
#[must_use]
pub fn is_https_address(text: &str, bytes_max: usize) -> bool {
    is_web_address(text, bytes_max) && Url::parse(text).is_ok_and(|url| url.scheme() == "https")
}

/// Does a text begin like an address that a program would run or open, and not a web page, a mailbox or a telephone number?
/// Browsers pass over spaces, controls and the case of the letters, so this does, too.
#[must_use]
pub fn is_active_address(text: &str) -> bool {
    let head: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !is_forbidden(*c) && !is_invisible(*c))
        .take(12)
        .collect::<String>()
        .to_ascii_lowercase();
    ["javascript:", "vbscript:", "data:", "file:", "blob:", "filesystem:", "view-source"]
        .iter()
        .any(|scheme| head.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_deceives_is_taken_out() {
        for (text, expected) in [
            ("Ada\u{202e}moc.live\u{202c}", "Ada\u{fffd}moc.live\u{fffd}"),
            ("A\u{200b}d\u{feff}a", "Ada"),
            ("a\u{7}b\u{9b}c\0", "a\u{fffd}b\u{fffd}c\u{fffd}"),
            ("a\r\nb\rc\td", "a\nb\nc\td"),
            ("\u{2066}x\u{2069}\u{e0041}\u{fffe}\u{10ffff}", "\u{fffd}x\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            // Persian with a joiner, Hebrew, an emoji of four.
            ("می\u{200c}خواهم שלום 👩\u{200d}🚀", "می\u{200c}خواهم שלום 👩\u{200d}🚀"),
        ] {
            assert_eq!(clean(text, 100), expected);
        }
        assert_eq!(clean_line("a\r\nb\tc", 100), "a b c");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(clean("zażółć", 4), "zaż…");
        assert_eq!(clean("zażółć", 6), "zażółć");
        assert_eq!((clean("ab", 0), clean("ab", 1)), (String::new(), "…".to_owned()));
        assert_eq!(clean(&"é".repeat(4_000_000), 200).chars().count(), 200);
    }

    #[test]
    fn only_pages_of_the_web_are_addresses() {
        for good in [
            "https://example.com",
            "http://localhost:8080/a?b=c#d",
            "https://[2001:db8::1]/x",
            "HTTPS://A.example",
        ] {
            assert!(is_web_address(good, 100), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\nscript:alert(1)",
            " https://a.example",
            "data:text/html,x",
            "https://user@a.example",
            "https://u:p@a.example",
            "//a.example",
            "/x",
            "",
            "https://",
            "ftp://a.example",
            "mailto:a@b.example",
            "https://a.example/\u{202e}x",
            "https://a.example/ x",
        ] {
            assert!(!is_web_address(bad, 100), "{bad}");
        }
        assert!(!is_web_address(&format!("https://a.example/{}", "x".repeat(100)), 100));
    }

    #[test]
    fn addresses_that_run_are_known_in_every_disguise() {
        for bad in [
            "javascript:x",
            " JAVAscript :x",
            "java\tscript:x",
            "\u{200b}data:text/html",
            "vbscript:x",
            "\u{1}javascript:x",
        ] {
            assert!(is_active_address(bad), "{bad:?}");
        }
        for good in
            ["https://a.example", "Room 4: data", "tel:+48600100200", "Database: 2nd floor", "Java house"]
        {
            assert!(!is_active_address(good), "{good}");
        }
    }

    #[test]
    fn names_of_nothing_are_blank() {
        for blank in ["", "  ", "\u{3164}", "\u{200b}\u{200d}", "\u{202e}"] {
            assert!(is_blank(blank), "{blank:?}");
        }
        assert!(!is_blank("י"));
    }

    proptest! {
        #[test]
        fn cleaned_text_is_clean_and_short(text in ".*", most in 0_usize..40) {
            for cleaned in [clean(&text, most), clean_line(&text, most)] {
                prop_assert!(cleaned.chars().count() <= most);
                prop_assert!(is_clean(&cleaned));
                prop_assert_eq!(&clean(&cleaned, most), &cleaned);
            }
            prop_assert!(!clean_line(&text, most).contains(['\n', '\t']));
        }

        #[test]
        fn an_address_is_never_active(text in "[a-zA-Z]{1,12}:.{0,20}") {
            prop_assert!(!(is_web_address(&text, 100) && is_active_address(&text)));
        }
    }
}
