//! Web origins: scheme, host and port, as `allow.http` lists them and as a URL names one (RFC 6454).
//!
//! The forms that URL parsers quarrel about are refused here and not understood: names and passwords before the host,
//! back-slashes, white space, anything that is not ASCII. What passes means the same to every parser.

use std::fmt;
use std::net::Ipv6Addr;

/// The longest URL, in octets.
pub const URL_MAX: usize = 8 * 1024;

/// A scheme, a host and a port. Two are equal if they lead to the same place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebOrigin {
    https: bool,
    /// In lower case; an IPv6 address in brackets.
    host: Box<str>,
    port: u16,
}

impl WebOrigin {
    /// Reads an origin: `https://host` or `https://host:port`, nothing behind. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        match split(text)? {
            (origin, "") => Ok(origin),
            _ => Err("there is something behind the host and the port"),
        }
    }

    /// The origin that a URL leads to. The error says what is wrong with the URL.
    pub fn of_url(url: &str) -> Result<Self, &'static str> {
        if url.len() > URL_MAX {
            return Err("it is longer than 8192 octets");
        }
        let (origin, rest) = split(url)?;
        if !rest.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
            return Err("white space, back-slashes and what is not ASCII must be percent-encoded");
        }
        if rest.contains('#') {
            return Err("a fragment is not sent to the server: leave out `#` and what follows");
        }
        Ok(origin)
    }

    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The host in lower case; an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; that of the scheme if none was written.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// An origin, and what follows it: nothing, or something that begins with `/` or `?`.
fn split(text: &str) -> Result<(WebOrigin, &str), &'static str> {
    let (scheme, rest) = text.split_once("://").ok_or("it must begin with `https://` or `http://`")?;
    let https = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return Err("the scheme must be `https` or `http`"),
    };
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err("a name or password before the host is not allowed: use a header field");
    }
    let (host, port) = match authority.rfind(':').filter(|colon| authority.rfind(']').is_none_or(|end| end < *colon)) {
        Some(colon) => (authority.get(..colon).unwrap_or_default(), authority.get(colon + 1..)),
        None => (authority, None),
    };
    let port = match port {
        None if https => 443,
        None => 80,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port != 0).ok_or("the port is not a number from 1 to 65535")?
        }
        Some(_) => return Err("the port is not a number from 1 to 65535"),
    };
    Ok((WebOrigin { https, host: host_of(host)?, port }, rest))
}

fn host_of(text: &str) -> Result<Box<str>, &'static str> {
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        let ip: Ipv6Addr = inner.parse().map_err(|_| "what stands in brackets is not an IPv6 address")?;
        return Ok(format!("[{ip}]").into());
    }
    if text.is_empty() {
        return Err("there is no host");
    }
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) {
        return Err(
            "the host may have letters, digits, dots and hyphens: write other names in their ASCII form, `xn--…`",
        );
    }
    Ok(text.to_ascii_lowercase().into())
}

/// As it is written, without the scheme's own port.
impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, own) = if self.https { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == own { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_place_however_it_is_written() {
        for (text, written) in [
            ("https://policy.example.com", "https://policy.example.com"),
            ("HTTPS://Policy.Example.com:443", "https://policy.example.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[2001:DB8:0::1]", "http://[2001:db8::1]"),
            ("https://[::1]:8443", "https://[::1]:8443"),
        ] {
            let origin = WebOrigin::parse(text).unwrap();
            assert_eq!(origin.to_string(), written);
            assert_eq!(WebOrigin::of_url(&format!("{text}/a/b?c=d@e:f")), Ok(origin.clone()));
            assert_eq!(WebOrigin::of_url(&format!("{text}?c")), Ok(origin));
        }
        assert_ne!(WebOrigin::parse("https://a"), WebOrigin::parse("http://a"));
        assert_ne!(WebOrigin::parse("https://a"), WebOrigin::parse("https://a:8443"));
    }

    #[test]
    fn what_parsers_quarrel_about_is_refused() {
        for url in [
            "",
            "policy.example.com",
            "ftp://a",
            "file:///etc/passwd",
            "https://",
            "https:///a",
            "https://a@b/",
            "https://a:b@c/",
            "https://a\\@b/",
            "https://a\\b",
            "https://a/\\b",
            "https://a /",
            "https:// a/",
            "https://a/ b",
            "https://a/\tb",
            "https://a\r\nHost: b/",
            "https://bücher.example/",
            "https://a/ü",
            "https://a%2eb/",
            "https://a:0/",
            "https://a:65536/",
            "https://a:+80/",
            "https://a:/",
            "https://[::1/",
            "https://[::1%25lo]/",
            "https://::1/",
            "https://a/b#c",
            "https://a#@b/",
        ] {
            assert!(WebOrigin::of_url(url).is_err(), "{url:?}");
        }
        assert!(WebOrigin::parse("https://a/").is_err());
        assert!(WebOrigin::of_url(&format!("https://a/{}", "b".repeat(URL_MAX))).is_err());
    }
}
