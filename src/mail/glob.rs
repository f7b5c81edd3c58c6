//! Globs: `*` is any run of characters, `?` is one, everything else is itself.
//!
//! A glob matches the whole value, without regard to ASCII case. Nothing escapes: `*` and `?` can't be asked for as
//! themselves. Matching allocates nothing and takes at most pattern times value steps, however many `*` there are,
//! so a hostile value can't make it slow.

use std::fmt;

/// A pattern, looked through once.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Glob {
    pattern: Box<str>,
    shape: Shape,
}

/// What a pattern needs. The common ones are one comparison.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Shape {
    Any,
    Literal,
    /// `text*`
    Prefix,
    /// `*text`
    Suffix,
    Mixed,
}

impl Glob {
    /// Reads a pattern. Every text is one.
    pub fn new(pattern: &str) -> Self {
        let literal = |part: &str| !part.contains(['*', '?']);
        let shape = match pattern {
            "*" => Shape::Any,
            p if literal(p) => Shape::Literal,
            p if p.strip_suffix('*').is_some_and(literal) => Shape::Prefix,
            p if p.strip_prefix('*').is_some_and(literal) => Shape::Suffix,
            _ => Shape::Mixed,
        };
        Self { pattern: pattern.into(), shape }
    }

    /// Whether the whole of `value` is as the pattern says.
    pub fn matches(&self, value: &str) -> bool {
        self.matches_bytes(value.as_bytes())
    }

    /// As [`Glob::matches`], for text that may not be UTF-8: there, `?` is one octet of what is not.
    pub fn matches_bytes(&self, value: &[u8]) -> bool {
        let pattern = self.pattern.as_bytes();
        match self.shape {
            Shape::Any => true,
            Shape::Literal => value.eq_ignore_ascii_case(pattern),
            Shape::Prefix => starts(value, &pattern[..pattern.len() - 1]),
            Shape::Suffix => ends(value, &pattern[1..]),
            Shape::Mixed => walk(pattern, value),
        }
    }

    /// The text itself, if the pattern has neither `*` nor `?`: such a one may go into a hash set.
    pub fn literal(&self) -> Option<&str> {
        (self.shape == Shape::Literal).then_some(&*self.pattern)
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pattern)
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glob({:?})", self.pattern)
    }
}

fn starts(value: &[u8], with: &[u8]) -> bool {
    value.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with))
}

fn ends(value: &[u8], with: &[u8]) -> bool {
    let start = value.len().checked_sub(with.len());
    start.is_some_and(|start| value[start..].eq_ignore_ascii_case(with))
}

/// Walks both at once. On a mismatch the last `*` takes one character more; an earlier one need never be tried
/// again, since the last matched as far left as it could.
fn walk(mut pattern: &[u8], mut value: &[u8]) -> bool {
    // What follows the last `*`, and the part of the value that it has not taken yet.
    let mut last_star: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern.split_first(), value.split_first()) {
            (Some((b'*', after)), _) => {
                pattern = after;
                last_star = Some((after, value));
                continue;
            }
            (Some((b'?', after)), Some(_)) => {
                (pattern, value) = (after, &value[char_len(value)..]);
                continue;
            }
            (Some((p, after)), Some((v, rest))) if p.eq_ignore_ascii_case(v) => {
                (pattern, value) = (after, rest);
                continue;
            }
            (None, None) => return true,
            _ => {}
        }
        match last_star {
            Some((after, untaken)) if !untaken.is_empty() => {
                let untaken = &untaken[char_len(untaken)..];
                last_star = Some((after, untaken));
                (pattern, value) = (after, untaken);
            }
            _ => return false,
        }
    }
}

/// The octets of the first character of a text that is not empty; one for what is no UTF-8.
fn char_len(text: &[u8]) -> usize {
    let length = match text.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => 1,
    };
    match text.get(1..length) {
        Some(rest) if rest.iter().all(|b| b & 0xc0 == 0x80) => length,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_whole_value_without_regard_to_ascii_case() {
        for (pattern, value, fits) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "abc", true),
            ("?", "", false),
            ("?", "ü", true),
            ("??", "ü", false),
            ("*?", "ü", true),
            ("Example.COM", "example.com", true),
            ("example.com", "example.com.", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "example.com", false),
            ("*@example.com", "a@b@EXAMPLE.com", true),
            ("postmaster@*", "Postmaster@x", true),
            ("postmaster@*", "postmaster", false),
            ("*invoice*", "Your INVOICE 12", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXcXb", false),
            ("mx??.example", "mx01.example", true),
            ("Ü", "ü", false),
            ("[a-z]", "b", false),
            ("a\\*", "a*", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(value), fits, "{pattern:?} on {value:?}");
        }
    }

    #[test]
    fn only_a_text_without_wildcards_is_literal() {
        assert_eq!(Glob::new("a.b").literal(), Some("a.b"));
        for pattern in ["*", "a*", "*a", "a?", "a*b"] {
            assert_eq!(Glob::new(pattern).literal(), None, "{pattern}");
        }
    }

    /// With a step back for each star this would take 2^40 steps or more.
    #[test]
    fn many_stars_are_not_slow() {
        let glob = Glob::new(&("*a?".repeat(40) + "b"));
        assert!(!glob.matches(&"a".repeat(20_000)));
    }

    #[test]
    fn octets_that_are_no_utf8_count_one_each() {
        let glob = Glob::new("a??b");
        assert!(glob.matches_bytes(b"a\xff\xfeb"));
        assert!(glob.matches_bytes(b"a\xc3\xc3b"));
        assert!(!glob.matches_bytes("aüb".as_bytes()));
    }

    /// The definition, with a step back for each star.
    fn naive(pattern: &[char], value: &[char]) -> bool {
        match (pattern.split_first(), value.split_first()) {
            (None, None) => true,
            (Some(('*', after)), None) => naive(after, value),
            (Some(('*', after)), Some((_, rest))) => naive(after, value) || naive(pattern, rest),
            (Some(('?', after)), Some((_, rest))) => naive(after, rest),
            (Some((p, after)), Some((v, rest))) => p.eq_ignore_ascii_case(v) && naive(after, rest),
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn as_the_definition_says(pattern in "[aAbüÜ€.*?]{0,9}", value in "[aAbüÜ€.*?]{0,12}") {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            prop_assert_eq!(Glob::new(&pattern).matches(&value), naive(&chars(&pattern), &chars(&value)));
        }
    }
}
