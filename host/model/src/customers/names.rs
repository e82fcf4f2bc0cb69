//! Names, as they are compared.

use crate::text::plain;

/// Signs inside of one word, with which a name is the same as without.
const fn is_inside(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | 'ʼ' | '`' | '´')
}

/// The words of a text in the order in which they stand, without case, accents and punctuation.
pub(super) fn words(text: &str) -> Vec<String> {
    let outside: String = text.chars().filter(|c| !is_inside(*c)).collect();
    let text: String = plain(&outside).chars().filter(|c| !is_inside(*c)).collect();
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// A name without case, accents, spacing, punctuation and the order of its words: "Nowak, Łukasz" is "lukasz nowak". A name without any
/// letter or digit is only itself.
pub(crate) fn folded(name: &str) -> String {
    let mut words = words(name);
    words.sort_unstable();
    if words.is_empty() { name.trim().to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn names_are_alike_however_they_are_written() {
        for (one, other) in [
            ("Ada Nowak", "ada  NOWAK"),
            ("Ada Nowak", "Nowak, Ada"),
            ("Łukasz Żółć", "lukasz zolc"),
            ("Jürgen Groß", "JURGEN GROSS"),
            ("Siobhán O’Brien", "Siobhan O'Brien"),
            ("Siobhán O'Brien", "OBrien Siobhan"),
            ("Anne-Marie Duval", "Anne Marie DUVAL"),
            ("İnci Yılmaz", "inci yilmaz"),
            ("Σοφία Παππάς", "ΣΟΦΙΑ ΠΑΠΠΑΣ"),
            ("Ａｄａ Nowak", "Ada Nowak"),
            ("e\u{301}mile", "Émile"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        for (one, other) in [("Ada Nowak", "Ida Nowak"), ("Ada Nowak", "Ada"), ("🙂", "🙃"), ("", "Ada")]
        {
            assert_ne!(folded(one), folded(other), "{one} {other}");
        }
        assert_eq!(folded(" 🙂 "), "🙂");
    }
}
