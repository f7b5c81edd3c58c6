//! Globs, as rules and lists of the server have them.

use serde::{Deserialize, Deserializer};

/// A glob: `*` is any run of characters, `?` is one, everything else is itself. It matches the whole value, without regard to
/// ASCII case, in at most pattern times value steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// Reads a pattern. Every text is one.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `value` is as the pattern says.
    pub fn matches(&self, value: &str) -> bool {
        let (mut pattern, mut value) = (self.0.chars(), value.chars());
        // Behind the last star: what of the pattern follows it, and what of the value it has not yet taken.
        let mut star: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
        loop {
            let mut rest = value.clone();
            match (pattern.next(), rest.next()) {
                (Some('*'), _) => star = Some((pattern.clone(), value.clone())),
                (Some(p), Some(v)) if p == '?' || p.eq_ignore_ascii_case(&v) => value = rest,
                (None, None) => return true,
                _ => {
                    let Some((behind, taken)) = &mut star else { return false };
                    if taken.next().is_none() {
                        return false;
                    }
                    (pattern, value) = (behind.clone(), taken.clone());
                }
            }
        }
    }
}

// By hand, so that a sink without a configuration needs no derive macros.
impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_matches_the_whole_value() {
        for (pattern, value, matches) in [
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
            ("*.example.com", "a.b.EXAMPLE.com", true),
            ("*.example.com", "example.com", false),
            ("a*b*c", "aXbXXbXc", true),
            ("a*b*c", "aXbXXbX", false),
            ("a?c", "aéc", true),
            ("exe", "exes", false),
            ("***a", "aaaa", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(value), matches, "{pattern} {value}");
        }
    }
}
