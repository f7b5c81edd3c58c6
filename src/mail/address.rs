//! Mailboxes and paths (RFC 5321 4.1.2, RFC 6531 3.3).
//!
//! The one place that decides where the local part ends. What was written survives byte for byte,
//! quotes and case included; [`Mailbox::local_unquoted`] and [`Mailbox::domain_key`] give the forms to look
//! things up by. Source routes belong to the command and are dropped by its parser.

use super::domain::{self, Host};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest local part, in octets as written (RFC 5321 4.5.3.1.1).
pub const LOCAL_MAX: usize = 64;
/// The longest path, in octets, brackets included (RFC 5321 4.5.3.1.3).
pub const PATH_MAX: usize = 256;

/// What is wrong with an address. The text is fit for the peer and for an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Nothing left of the `@`.
    EmptyLocal,
    /// A character that needs quoting, a dot at an end, or a control character.
    BadLocal,
    /// Over [`LOCAL_MAX`] octets.
    LocalTooLong,
    /// No `@` where one must stand.
    NoDomain,
    /// Nothing right of the `@`.
    EmptyDomain,
    /// A label that is empty, too long or has a character that no name has.
    BadDomain,
    /// Over [`domain::DOMAIN_MAX`] octets.
    DomainTooLong,
    /// A literal that is no IPv4, IPv6 or tagged address.
    BadLiteral,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// Text after the address.
    Trailing,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyLocal => "the local part is empty",
            Self::BadLocal => "the local part has a character that is not allowed there",
            Self::LocalTooLong => "the local part is longer than 64 octets",
            Self::NoDomain => "the address has no domain",
            Self::EmptyDomain => "the domain is empty",
            Self::BadDomain => "the domain is not a valid name",
            Self::DomainTooLong => "the domain is longer than 255 octets",
            Self::BadLiteral => "the address literal is not valid",
            Self::NotUtf8 => "the address is not valid UTF-8",
            Self::Trailing => "there is text after the address",
        })
    }
}

impl std::error::Error for AddressError {}

/// `local@domain`, as written. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Mailbox {
    text: Arc<str>,
    at: usize,
}

impl Mailbox {
    /// Parses a whole text as one mailbox.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (mailbox, rest) = Self::parse_prefix(text.as_bytes())?;
        if rest.is_empty() { Ok(mailbox) } else { Err(AddressError::Trailing) }
    }

    /// Parses the mailbox at the start of `input` up to `>`, a space or the end, and returns what follows.
    pub fn parse_prefix(input: &[u8]) -> Result<(Self, &[u8]), AddressError> {
        let at = scan_local(input)?;
        if input.get(at) != Some(&b'@') {
            return Err(if at < input.len() { AddressError::BadLocal } else { AddressError::NoDomain });
        }
        if at == 0 {
            return Err(AddressError::EmptyLocal);
        }
        if at > LOCAL_MAX {
            return Err(AddressError::LocalTooLong);
        }
        let end = at + 1 + scan_domain(&input[at + 1..]);
        let text = std::str::from_utf8(&input[..end]).map_err(|_| AddressError::NotUtf8)?;
        check_local(&text[..at])?;
        domain::check(&text[at + 1..])?;
        Ok((Self { text: text.into(), at }, &input[end..]))
    }

    /// The whole, as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The local part as written, quotes included.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// The local part without quotes and quoted pairs: the form to look up.
    pub fn local_unquoted(&self) -> Cow<'_, str> {
        let local = self.local();
        let Some(inner) = local.strip_prefix('"').and_then(|l| l.strip_suffix('"')) else {
            return Cow::Borrowed(local);
        };
        if !inner.contains('\\') {
            return Cow::Borrowed(inner);
        }
        let mut out = String::with_capacity(inner.len());
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            out.extend(if c == '\\' { chars.next() } else { Some(c) });
        }
        Cow::Owned(out)
    }

    /// The domain as written, brackets of a literal included.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// The domain as a value.
    pub fn host(&self) -> Host<'_> {
        domain::host(self.domain())
    }

    /// The domain in the form to compare by.
    pub fn domain_key(&self) -> Cow<'_, str> {
        domain::key(self.domain())
    }

    /// Whether the address needs SMTPUTF8 on its way (RFC 6531).
    pub fn is_international(&self) -> bool {
        !self.text.is_ascii()
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.text)
    }
}

impl FromStr for Mailbox {
    type Err = AddressError;
    fn from_str(s: &str) -> Result<Self, AddressError> {
        Self::parse(s)
    }
}

/// The length of the local part: up to the first `@` outside of quotes.
fn scan_local(input: &[u8]) -> Result<usize, AddressError> {
    if input.first() != Some(&b'"') {
        return Ok(input.iter().position(|&b| matches!(b, b'@' | b'>' | b' ')).unwrap_or(input.len()));
    }
    let mut i = 1;
    while let Some(&b) = input.get(i) {
        match b {
            b'\\' => i += 2,
            b'"' => return Ok(i + 1),
            _ => i += 1,
        }
    }
    Err(AddressError::BadLocal)
}

fn scan_domain(input: &[u8]) -> usize {
    if input.first() == Some(&b'[')
        && let Some(close) = input.iter().position(|&b| matches!(b, b']' | b'>' | b' '))
        && input[close] == b']'
    {
        return close + 1;
    }
    input.iter().position(|&b| matches!(b, b'>' | b' ')).unwrap_or(input.len())
}

fn check_local(local: &str) -> Result<(), AddressError> {
    let ok = match local.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').is_some_and(quoted_ok),
        None => local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext)),
    };
    if ok { Ok(()) } else { Err(AddressError::BadLocal) }
}

fn quoted_ok(inner: &str) -> bool {
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            // A quoted pair may quote printable ASCII only.
            '\\' if !chars.next().is_some_and(|c| (' '..='~').contains(&c)) => return false,
            '\\' => {}
            '"' => return false,
            c if c.is_control() => return false,
            _ => {}
        }
    }
    true
}

fn is_atext(c: char) -> bool {
    match c {
        c if c.is_ascii() => c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c),
        c => !c.is_control() && !c.is_whitespace(),
    }
}

/// The envelope's sender: a mailbox, or `<>`, which no report may answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReversePath {
    /// `<>`.
    Null,
    /// `<local@domain>`.
    Mailbox(Mailbox),
}

impl ReversePath {
    /// Parses the text form used in manifests and on the command line: an address, `<address>`, `<>` or nothing.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        match unbracket(text) {
            "" => Ok(Self::Null),
            inner => Mailbox::parse(inner).map(Self::Mailbox),
        }
    }

    /// The mailbox, unless null.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Self::Null => None,
            Self::Mailbox(m) => Some(m),
        }
    }

    /// The text between the brackets.
    pub fn as_str(&self) -> &str {
        self.mailbox().map_or("", Mailbox::as_str)
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.as_str())
    }
}

/// The envelope's recipient: a mailbox, or `<Postmaster>` without a domain (RFC 5321 4.1.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ForwardPath {
    /// `<Postmaster>`, as it was spelled.
    Postmaster(Arc<str>),
    /// `<local@domain>`.
    Mailbox(Mailbox),
}

impl ForwardPath {
    /// Parses an address, `<address>`, or `postmaster` in any case.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let inner = unbracket(text);
        if inner.eq_ignore_ascii_case("postmaster") {
            return Ok(Self::Postmaster(inner.into()));
        }
        Mailbox::parse(inner).map(Self::Mailbox)
    }

    /// The mailbox, unless the bare postmaster.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Self::Postmaster(_) => None,
            Self::Mailbox(m) => Some(m),
        }
    }

    /// The text between the brackets.
    pub fn as_str(&self) -> &str {
        self.shared()
    }

    /// The text between the brackets, to be kept without a copy.
    pub fn shared(&self) -> &Arc<str> {
        match self {
            Self::Postmaster(text) => text,
            Self::Mailbox(m) => &m.text,
        }
    }
}

impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.as_str())
    }
}

fn unbracket(text: &str) -> &str {
    text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(text)
}

macro_rules! serde_as_text {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <Cow<'de, str>>::deserialize(d)?;
                Self::parse(&text).map_err(|e| serde::de::Error::custom(format!("`{text}` is not an address: {e}")))
            }
        }
    )*};
}
serde_as_text!(Mailbox, ReversePath, ForwardPath);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_survives() {
        for text in [
            "Alice@Example.COM",
            "\"a@b\"@example.com",
            "\"a\\\"b\\\\ c\"@x",
            "a@[192.0.2.1]",
            "a@[IPv6:2001:db8::1]",
            "üñ@bücher.example",
            "\"\"@x",
        ] {
            assert_eq!(Mailbox::parse(text).unwrap().as_str(), text);
        }
        let m = Mailbox::parse("\"a\\\"b@c\"@x").unwrap();
        assert_eq!((m.local(), m.domain(), &*m.local_unquoted()), ("\"a\\\"b@c\"", "x", "a\"b@c"));
    }

    #[test]
    fn spellings_that_have_split_parsers_are_refused() {
        for bad in [
            "",
            "a",
            "@x",
            "a@",
            "a@b@c",
            "a b@x",
            ".a@x",
            "a.@x",
            "a..b@x",
            "a@x ",
            "<a@x>",
            "a(c)@x",
            "a\u{0}@x",
            "a\r@x",
            "\"a@x",
            "\"a\"b@x",
            "\"a\n\"@x",
            "a@x,b@y",
            "a@x<b@y>",
            "a\u{85}@x",
            "a@x\u{0}y",
            "\"a\\\u{7f}\"@x",
        ] {
            assert!(Mailbox::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Mailbox::parse_prefix(b"\xff@x").unwrap_err(), AddressError::NotUtf8);
    }

    #[test]
    fn a_local_part_has_64_octets() {
        assert!(Mailbox::parse(&format!("{}@x", "a".repeat(64))).is_ok());
        assert_eq!(Mailbox::parse(&format!("{}@x", "a".repeat(65))), Err(AddressError::LocalTooLong));
    }

    #[test]
    fn null_and_postmaster() {
        assert_eq!(ReversePath::parse("<>").unwrap(), ReversePath::Null);
        assert_eq!(ForwardPath::parse("<PostMaster>").unwrap().as_str(), "PostMaster");
        assert!(ForwardPath::parse("<>").is_err());
    }
}
