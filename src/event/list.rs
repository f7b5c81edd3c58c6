//! List files: one entry per line.
//!
//! Blanks at both ends of a line don't count. A `#` at the start of a line or behind a blank begins a comment; elsewhere
//! it belongs to the entry, since a local part may hold one. A list is read as networks or as patterns, whichever it is
//! for. A pattern is a [`Glob`] and says all it means: `example.com` is not `a@example.com`, `*@example.com` is.
//!
//! Reading is whole or not at all: a file with a bad line gives errors and no list.

use super::glob::Glob;
use super::networks::{self, Networks};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// As many errors are told; a file with more is no list at all.
const ERRORS_MAX: usize = 50;

const CONTROL: &str = "a control character: is this a text file with one entry per line?";

/// A line that can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListError {
    /// The line, from 1.
    pub line: usize,
    /// The character in it, from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ListError {}

/// Reads a list of IP addresses and networks.
pub fn networks(file: &[u8]) -> Result<Networks, Vec<ListError>> {
    let mut set = Networks::default();
    read(file, |entry| networks::parse(entry).map(|net| set.insert(net)).map_err(|e| format!("`{entry}`: {e}")))?;
    Ok(set)
}

/// Texts and globs to look values up in. Texts are hashed; globs are tried one by one.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    /// In lower case.
    exact: HashSet<Box<str>>,
    globs: Vec<Glob>,
}

impl Patterns {
    /// Reads a list.
    pub fn parse(file: &[u8]) -> Result<Self, Vec<ListError>> {
        let mut list = Self::default();
        read(file, |entry| {
            // In a list nothing is parted by it.
            if entry.contains('\t') {
                return Err(CONTROL.to_owned());
            }
            list.insert(entry);
            Ok(())
        })?;
        Ok(list)
    }

    /// Adds an entry.
    pub fn insert(&mut self, entry: &str) {
        let glob = Glob::new(entry);
        match glob.literal() {
            Some(text) => drop(self.exact.insert(lower(text).into())),
            None => self.globs.push(glob),
        }
    }

    /// The entry that matches the value: the text itself in lower case, or else the first glob in the order of the file.
    pub fn find(&self, value: &str) -> Option<&str> {
        let exact = self.exact.get(&*lower(value)).map(|text| &**text);
        exact.or_else(|| self.globs.iter().find(|glob| glob.matches(value)).map(Glob::as_str))
    }

    /// Whether an entry matches the value.
    pub fn contains(&self, value: &str) -> bool {
        self.find(value).is_some()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.exact.len() + self.globs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The text in lower case.
pub(super) fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Hands every entry to `take` and gathers what is wrong. The only control character that an entry can have is a tab.
pub(super) fn read(file: &[u8], mut take: impl FnMut(&str) -> Result<(), String>) -> Result<(), Vec<ListError>> {
    let file = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file);
    let mut errors = Vec::new();
    for (index, line) in file.split(|&b| b == b'\n').enumerate() {
        if let Err((column, message)) = read_line(line, &mut take) {
            errors.push(ListError { line: index + 1, column, message });
        }
        if errors.len() == ERRORS_MAX {
            break;
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// One line, or the column and text of what is wrong with it.
fn read_line(line: &[u8], take: &mut impl FnMut(&str) -> Result<(), String>) -> Result<(), (usize, String)> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|e| {
        let column = String::from_utf8_lossy(&line[..e.valid_up_to()]).chars().count() + 1;
        (column, "not UTF-8: save the file as UTF-8".to_owned())
    })?;
    let entry = entry_of(text);
    let start = text.chars().take_while(|c| c.is_whitespace()).count() + 1;
    if let Some(at) = entry.chars().position(|c| c.is_control() && c != '\t') {
        return Err((start + at, CONTROL.to_owned()));
    }
    if entry.is_empty() { Ok(()) } else { take(entry).map_err(|message| (start, message)) }
}

/// The line without its comment and the blanks at both ends.
fn entry_of(line: &str) -> &str {
    let begins_comment = |(at, _): &(usize, &str)| line[..*at].chars().next_back().is_none_or(char::is_whitespace);
    let end = line.match_indices('#').find(begins_comment).map_or(line.len(), |(at, _)| at);
    line[..end].trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entries_comments_and_blanks() {
        let file = "\u{feff}# who may\r\n\r\n  Alice@Example.com  # the boss\r\n*@vip.example\nc#1@x\n\t#\nlast line";
        let list = Patterns::parse(file.as_bytes()).unwrap();
        assert_eq!(list.len(), 4);
        for (value, entry) in [
            ("ALICE@example.com", Some("alice@example.com")),
            ("anyone@VIP.example", Some("*@vip.example")),
            ("c#1@x", Some("c#1@x")),
            ("last line", Some("last line")),
            ("example.com", None),
            ("xalice@example.com", None),
            ("", None),
        ] {
            assert_eq!(list.find(value), entry, "{value:?}");
        }
        assert!(Patterns::parse(b"# nothing\n").unwrap().is_empty());
    }

    #[test]
    fn networks_with_every_mistake_in_one_pass() {
        let set = networks(b"10.0.0.0/8 # inside\n2001:db8::1\n\n").unwrap();
        assert!(set.contains("10.9.9.9".parse().unwrap()) && set.contains("2001:db8::1".parse().unwrap()));
        let errors = networks(b"10.0.0.0/8\n  10.0.0.1/8\nlocalhost # here\n\xc3\xbc\xff\n1.2.3.4\0\n").unwrap_err();
        let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "line 2, column 3: `10.0.0.1/8`: the address has bits beyond its /8: write 10.0.0.0/8 for the whole network",
                "line 3, column 1: `localhost`: not an IP address or network, such as 192.0.2.1 or 2001:db8::/32",
                "line 4, column 2: not UTF-8: save the file as UTF-8",
                "line 5, column 8: a control character: is this a text file with one entry per line?",
            ]
        );
    }

    #[test]
    fn a_file_of_rubbish_gives_so_many_errors_and_no_more() {
        assert_eq!(Patterns::parse(&b"\xff\n".repeat(10_000)).unwrap_err().len(), ERRORS_MAX);
    }

    proptest! {
        #[test]
        fn as_trying_every_entry_finds(entries in prop::collection::vec("[aB*?@]{1,4}", 0..12), value in "[aAbB@]{0,4}") {
            let list = Patterns::parse(entries.join("\n").as_bytes()).unwrap();
            prop_assert_eq!(list.contains(&value), entries.iter().any(|e| Glob::new(e).matches(&value)));
        }

        #[test]
        fn any_bytes_are_a_list_or_errors(file: Vec<u8>) {
            let _ = (Patterns::parse(&file), networks(&file));
        }
    }
}
