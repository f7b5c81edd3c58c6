//! What holds for the names that a pattern matches, most specific first, whatever the order in the file.
//!
//! A name itself goes before `*text`, the longer one first, and that before any other glob, the one with more text first.
//! All without regard to ASCII case.

use crate::mail::Glob;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Values by pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Patterns<T> {
    /// In lower case.
    exact: BTreeMap<String, T>,
    /// The most specific first.
    globs: Vec<(Glob, T)>,
}

impl<T> Default for Patterns<T> {
    fn default() -> Self {
        Self { exact: BTreeMap::new(), globs: Vec::new() }
    }
}

impl<T> Patterns<T> {
    /// Adds one. False, and nothing has changed, if the pattern is there.
    pub(super) fn add(&mut self, pattern: &str, value: T) -> bool {
        let glob = Glob::new(&pattern.to_ascii_lowercase());
        if let Some(name) = glob.literal() {
            let new = !self.exact.contains_key(name);
            if new {
                self.exact.insert(name.to_owned(), value);
            }
            return new;
        }
        match self.globs.binary_search_by(|(known, _)| rank(known).cmp(&rank(&glob))) {
            Ok(_) => false,
            Err(place) => {
                self.globs.insert(place, (glob, value));
                true
            }
        }
    }

    /// The values whose pattern matches, the most specific first.
    pub(super) fn matching<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s T> {
        let exact = match name.bytes().any(|b| b.is_ascii_uppercase()) {
            true => self.exact.get(&name.to_ascii_lowercase()),
            false => self.exact.get(name),
        };
        let globs = self.globs.iter().filter(move |(glob, _)| glob.matches(name));
        exact.into_iter().chain(globs.map(|(_, value)| value))
    }
}

/// The less, the more specific; no two patterns have the same.
fn rank(glob: &Glob) -> (bool, Reverse<usize>, &str) {
    let text = glob.as_str();
    let suffix = text.strip_prefix('*').is_some_and(|rest| !rest.is_empty() && !rest.contains(['*', '?']));
    (!suffix, Reverse(text.chars().filter(|c| !matches!(c, '*' | '?')).count()), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_first_whatever_the_order() {
        let mut patterns = Patterns::default();
        for text in ["*", "a*.b.example", "*.example", "A.b.example", "*.b.example", "*.b.*", "?.b.example"] {
            assert!(patterns.add(text, text));
            assert!(!patterns.add(&text.to_ascii_uppercase(), "again"));
        }
        let matching = |name| patterns.matching(name).copied().collect::<Vec<_>>();
        let all = ["A.b.example", "*.b.example", "*.example", "a*.b.example", "?.b.example", "*.b.*", "*"];
        assert_eq!(matching("a.b.example"), all);
        assert_eq!(matching("A.B.Example"), all);
        assert_eq!(matching("example"), ["*"]);
        assert_eq!(matching("xy.b.example"), ["*.b.example", "*.example", "*.b.*", "*"]);
    }
}
