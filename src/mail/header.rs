//! The header of a message: its fields in order, each kept octet for octet (RFC 5322 2.2).
//!
//! An edit replaces, adds or drops whole fields; the others are not touched. What is no field (a line without
//! a colon) is kept where it stands and seen by nobody.

use bytes::Bytes;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// The longest value that a sink may set, in octets.
pub const VALUE_MAX: usize = 64 * 1024;
/// Lines are folded to at most this many octets where there is white space (RFC 5322 2.1.1).
const FOLD_AT: usize = 78;
/// No line may be longer than this, without its CRLF (RFC 5322 2.1.1).
const LINE_MAX: usize = 998;

/// Why a field can't be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// A name is printable ASCII without a colon or space.
    BadName(String),
    /// A value holds no CR, LF, NUL or other control character than tab.
    BadValue(String),
    /// Over [`VALUE_MAX`], or a word that no line can hold.
    TooLong(String),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadName(name) => write!(f, "`{}` is not a header field name", name.escape_debug()),
            Self::BadValue(name) => write!(f, "the value for `{name}` has a line break or control character"),
            Self::TooLong(name) => write!(f, "the value for `{name}` is too long"),
        }
    }
}

impl std::error::Error for HeaderError {}

/// A field as it stands in the header.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// As written.
    pub name: &'a str,
    raw: &'a [u8],
    colon: usize,
}

impl<'a> Field<'a> {
    /// Name, colon, value and CRLF, octet for octet.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The value unfolded and trimmed; octets that are not UTF-8 are replaced.
    pub fn value(&self) -> Cow<'a, str> {
        let raw = &self.raw[self.colon + 1..];
        match String::from_utf8_lossy(raw) {
            Cow::Borrowed(text) => match text.trim_matches([' ', '\t', '\r', '\n']) {
                trimmed if trimmed.contains(['\r', '\n']) => Cow::Owned(unfold(trimmed)),
                trimmed => Cow::Borrowed(trimmed),
            },
            Cow::Owned(text) => Cow::Owned(unfold(text.trim_matches([' ', '\t', '\r', '\n']))),
        }
    }
}

fn unfold(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect()
}

/// The header block: fields, each ended by CRLF, without the blank line. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    raw: Bytes,
}

impl Header {
    /// The header block as received, without the blank line that ends it.
    pub fn from_raw(raw: Bytes) -> Self {
        Self { raw }
    }

    /// Octet for octet.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The fields from the top.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        Lines { raw: &self.raw, at: 0 }.filter_map(|range| field(&self.raw[range]))
    }

    /// The fields of that name, from the top; case does not matter.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Field<'a>> {
        self.fields().filter(move |f| f.name.eq_ignore_ascii_case(name))
    }

    /// The value of the first field of that name.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.fields().find(|f| f.name.eq_ignore_ascii_case(name)).map(|f| f.value())
    }

    /// Whether such a field could be added.
    pub fn check(name: &str, value: &str) -> Result<(), HeaderError> {
        build(name, value).map(drop)
    }

    /// Adds a field on top, as trace fields are.
    pub fn prepend(&mut self, name: &str, value: &str) -> Result<(), HeaderError> {
        let field = build(name, value)?;
        self.raw = [&field[..], &self.raw[..]].concat().into();
        Ok(())
    }

    /// Adds a field below the others.
    pub fn append(&mut self, name: &str, value: &str) -> Result<(), HeaderError> {
        let field = build(name, value)?;
        let gap: &[u8] = if self.raw.is_empty() || self.raw.ends_with(b"\r\n") { b"" } else { b"\r\n" };
        self.raw = [&self.raw[..], gap, &field[..]].concat().into();
        Ok(())
    }

    /// Replaces the first field of that name, drops the others, and appends if there is none.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), HeaderError> {
        let new = build(name, value)?;
        let mut out = Vec::with_capacity(self.raw.len() + new.len());
        let mut done = false;
        for range in (Lines { raw: &self.raw, at: 0 }) {
            let old = &self.raw[range];
            match field(old) {
                Some(f) if f.name.eq_ignore_ascii_case(name) => {
                    if !std::mem::replace(&mut done, true) {
                        out.extend_from_slice(&new);
                    }
                }
                _ => out.extend_from_slice(old),
            }
        }
        if !done {
            return self.append(name, value);
        }
        self.raw = out.into();
        Ok(())
    }

    /// Drops every field of that name and says how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let mut out = Vec::with_capacity(self.raw.len());
        let mut dropped = 0;
        for range in (Lines { raw: &self.raw, at: 0 }) {
            let old = &self.raw[range];
            match field(old) {
                Some(f) if f.name.eq_ignore_ascii_case(name) => dropped += 1,
                _ => out.extend_from_slice(old),
            }
        }
        if dropped > 0 {
            self.raw = out.into();
        }
        dropped
    }
}

/// The ranges of whole fields, folded lines included.
struct Lines<'a> {
    raw: &'a [u8],
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = Range<usize>;
    fn next(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        if start >= self.raw.len() {
            return None;
        }
        loop {
            self.at = memchr::memchr(b'\n', &self.raw[self.at..]).map_or(self.raw.len(), |n| self.at + n + 1);
            if !matches!(self.raw.get(self.at), Some(b' ' | b'\t')) {
                return Some(start..self.at);
            }
        }
    }
}

fn field(raw: &[u8]) -> Option<Field<'_>> {
    let colon = memchr::memchr(b':', raw)?;
    // Obsolete syntax allows white space before the colon (RFC 5322 4.5).
    let name = std::str::from_utf8(&raw[..colon]).ok()?.trim_end_matches([' ', '\t']);
    name_ok(name).then_some(Field { name, raw, colon })
}

fn name_ok(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| matches!(b, 33..=57 | 59..=126))
}

fn build(name: &str, value: &str) -> Result<Vec<u8>, HeaderError> {
    if !name_ok(name) || name.len() > FOLD_AT {
        return Err(HeaderError::BadName(name.to_owned()));
    }
    if value.chars().any(|c| c != '\t' && c.is_control()) {
        return Err(HeaderError::BadValue(name.to_owned()));
    }
    let mut out = format!("{name}:");
    let mut line = out.len();
    // An empty word would be a run of spaces; it rides on the line that it stands in.
    for (i, word) in value.split(' ').enumerate() {
        if i > 0 && !word.is_empty() && line + 1 + word.len() > FOLD_AT {
            out.push_str("\r\n");
            line = 0;
        }
        out.push(' ');
        out.push_str(word);
        line += 1 + word.len();
        if line > LINE_MAX {
            return Err(HeaderError::TooLong(name.to_owned()));
        }
    }
    out.push_str("\r\n");
    if out.len() > VALUE_MAX { Err(HeaderError::TooLong(name.to_owned())) } else { Ok(out.into_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &'static str) -> Header {
        Header::from_raw(Bytes::from_static(text.as_bytes()))
    }
    const SAMPLE: &str = "Received: a\r\nSubject: one\r\n two\r\nnot a field\r\nsubject :x\r\nX: \r\n";

    #[test]
    fn fields_are_found_whatever_their_case_and_folding() {
        let h = header(SAMPLE);
        assert_eq!(h.fields().map(|f| f.name).collect::<Vec<_>>(), ["Received", "Subject", "subject", "X"]);
        assert_eq!(h.get("SUBJECT").unwrap(), "one two");
        assert_eq!(h.get("X").unwrap(), "");
        assert_eq!(h.get("To"), None);
    }

    #[test]
    fn edits_leave_the_rest_alone() {
        let mut h = header(SAMPLE);
        h.set("Subject", "new").unwrap();
        assert_eq!(h.raw(), "Received: a\r\nSubject: new\r\nnot a field\r\nX: \r\n");
        assert_eq!(h.remove("x"), 1);
        h.prepend("A", "1").unwrap();
        h.append("B", "2").unwrap();
        assert_eq!(h.raw(), "A: 1\r\nReceived: a\r\nSubject: new\r\nnot a field\r\nB: 2\r\n");
    }

    #[test]
    fn a_value_can_not_break_out() {
        let mut h = Header::default();
        for (name, value) in
            [("A", "x\r\nB: y"), ("A", "x\n"), ("A", "\0"), ("A: b", "x"), ("", "x"), ("A b", "x"), ("Ä", "x")]
        {
            assert!(h.prepend(name, value).is_err(), "{name:?} {value:?}");
        }
        assert!(h.prepend("A", &"x".repeat(1000)).is_err());
        assert!(h.raw().is_empty());
    }

    #[test]
    fn long_values_fold_at_spaces_and_unfold_to_themselves() {
        let value = vec!["word"; 100].join(" ");
        let mut h = Header::default();
        h.append("X-Long", &value).unwrap();
        assert!(h.raw().split(|&b| b == b'\n').all(|l| l.len() <= FOLD_AT + 1));
        assert_eq!(h.get("X-Long").unwrap(), value);
    }
}
