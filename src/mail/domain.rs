//! Domain names and address literals (RFC 5321 4.1.2 and 4.1.3, RFC 6531 3.3).
//!
//! The text survives as it was written. Comparison goes by [`Domain::key`], in which case and the two
//! spellings of an internationalised label are one.

use super::address::AddressError;
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest domain, in octets (RFC 5321 4.5.3.1.2).
pub const DOMAIN_MAX: usize = 255;
const LABEL_MAX: usize = 63;

/// What stands right of the `@`, or after HELO: a name or a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// A domain name as written.
    Name(&'a str),
    /// An address literal, `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
    Address(IpAddr),
    /// A literal of another registered kind, brackets included.
    General(&'a str),
}

/// A checked domain name or address literal, kept as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Domain(Box<str>);

impl Domain {
    /// Checks a name or literal. The error names what is wrong.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        check(text)?;
        Ok(Self(text.into()))
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name or literal as a value.
    pub fn host(&self) -> Host<'_> {
        host(&self.0)
    }

    /// The form to compare by; see [`key`].
    pub fn key(&self) -> Cow<'_, str> {
        key(&self.0)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The form of a checked domain to compare by: lower case, internationalised labels as A-labels.
/// Borrows where the text is already in that form.
pub fn key(text: &str) -> Cow<'_, str> {
    if text.starts_with('[') {
        return if text.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    if !text.is_ascii() {
        // A name that IDNA can't map is no name of ours; its own lower case is as good a key as any.
        return Cow::Owned(idna::domain_to_ascii(text).unwrap_or_else(|_| text.to_lowercase()));
    }
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// The form of a checked domain to look up: its [`key`], and one spelling for each IPv6 address, as `[ipv6:::1]`.
pub fn lookup_key(text: &str) -> Cow<'_, str> {
    match host(text) {
        Host::Address(IpAddr::V6(ip)) => Cow::Owned(format!("[ipv6:{ip}]")),
        _ => key(text),
    }
}

/// The value of a checked domain.
pub(super) fn host(text: &str) -> Host<'_> {
    let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) else {
        return Host::Name(text);
    };
    match address(inner) {
        Some(ip) => Host::Address(ip),
        None => Host::General(text),
    }
}

fn address(inner: &str) -> Option<IpAddr> {
    match inner.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => inner[5..].parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => inner.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

/// Checks the grammar of a domain or literal.
pub(super) fn check(text: &str) -> Result<(), AddressError> {
    if text.is_empty() {
        return Err(AddressError::EmptyDomain);
    }
    if text.len() > DOMAIN_MAX {
        return Err(AddressError::DomainTooLong);
    }
    match text.strip_prefix('[') {
        Some(rest) => check_literal(rest.strip_suffix(']').ok_or(AddressError::BadLiteral)?),
        None => text.split('.').try_for_each(check_label).and_then(|()| check_mapping(text)),
    }
}

/// What IDNA makes of a name must be one of as many labels: some characters stand for several, and `℀`, which is `a/c`,
/// would bring a separator into paths and look-ups. What IDNA can't map stays as it is, see [`key`].
fn check_mapping(text: &str) -> Result<(), AddressError> {
    if text.is_ascii() {
        return Ok(());
    }
    let Ok(mapped) = idna::domain_to_ascii(text) else { return Ok(()) };
    let is_name = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let ok = mapped.split('.').all(is_name) && mapped.split('.').count() == text.split('.').count();
    if ok { Ok(()) } else { Err(AddressError::BadDomain) }
}

fn check_literal(inner: &str) -> Result<(), AddressError> {
    if address(inner).is_some() {
        return Ok(());
    }
    let (tag, content) = inner.split_once(':').ok_or(AddressError::BadLiteral)?;
    let tag_ok = tag.ends_with(|c: char| c.is_ascii_alphanumeric())
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !tag.eq_ignore_ascii_case("IPv6");
    let content_ok = !content.is_empty() && content.bytes().all(|b| matches!(b, 33..=90 | 94..=126));
    if tag_ok && content_ok { Ok(()) } else { Err(AddressError::BadLiteral) }
}

fn check_label(label: &str) -> Result<(), AddressError> {
    let ok = !label.is_empty()
        && label.len() <= LABEL_MAX
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| match c {
            '-' => true,
            c if c.is_ascii() => c.is_ascii_alphanumeric(),
            // IDNA forbids more than this; these are the ones that split parsers.
            c => !c.is_control() && !c.is_whitespace() && !FULL_WIDTH_SPECIALS.contains(&c),
        });
    if ok { Ok(()) } else { Err(AddressError::BadDomain) }
}

/// Characters that normalise to `.`, `@`, `<`, `>` or `/`: another parser behind us might see a separator.
const FULL_WIDTH_SPECIALS: [char; 9] = ['。', '．', '｡', '＠', '﹫', '＜', '＞', '／', '％'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_literals() {
        for good in [
            "a",
            "example.com",
            "xn--bcher-kva.example",
            "bücher.example",
            "1.2.3",
            "[192.0.2.1]",
            "[IPv6:2001:db8::1]",
            "[ipv6:::1]",
            "[x-net:abc]",
        ] {
            assert!(Domain::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "-a",
            "a-",
            "a_b",
            "a b",
            "[",
            "[]",
            "[300.1.1.1]",
            "[IPv6:zz]",
            "[1.2.3.4",
            "a@b",
            "a\u{85}b",
            "a＠b",
            "a。b",
            "x℀y",
            "x＿y",
            "a.\u{ad}.b",
            "[x:a]b]",
        ] {
            assert!(Domain::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Domain::parse(&"a".repeat(63)).is_ok());
        assert!(Domain::parse(&"a".repeat(64)).is_err());
        assert_eq!(Domain::parse(&["a"; 129].join(".")), Err(AddressError::DomainTooLong));
    }

    #[test]
    fn one_key_for_every_spelling() {
        assert_eq!(key("Example.COM"), "example.com");
        assert_eq!(key("BÜCHER.example"), key("xn--BCHER-kva.Example"));
        assert_eq!(key("[IPv6:2001:DB8::1]"), "[ipv6:2001:db8::1]");
    }

    #[test]
    fn literals_are_values() {
        assert_eq!(Domain::parse("[192.0.2.1]").unwrap().host(), Host::Address("192.0.2.1".parse().unwrap()));
        assert_eq!(Domain::parse("[x-net:abc]").unwrap().host(), Host::General("[x-net:abc]"));
    }
}
