//! Version 1: `PROXY TCP4 192.0.2.7 198.51.100.1 4711 25` and CRLF.
//!
//! One space between words, addresses of the family that is named and in no odd spelling, ports without signs or zeros in front.

use super::{Addresses, Header, Parsed, Wrong};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// The longest line, with its end.
const LEN_MAX: usize = 107;
/// The shortest: `PROXY UNKNOWN`.
pub(super) const LEN_MIN: usize = 15;
const START: &[u8] = b"PROXY ";

pub(super) fn parse(octets: &[u8]) -> Result<Parsed, Wrong> {
    if !octets.iter().zip(START).all(|(have, want)| have == want) {
        return Err(Wrong::NoHeader);
    }
    match octets.iter().position(|&octet| octet == b'\n') {
        Some(at) if at + 1 == octets.len() && at < LEN_MAX => line(octets).map(Parsed::Whole),
        Some(_) => Err(Wrong::Line),
        None if octets.len() >= LEN_MAX => Err(Wrong::TooLong),
        None => {
            let end = if octets.ends_with(b"\r") { 1 } else { 2 };
            Ok(Parsed::More(LEN_MIN.saturating_sub(octets.len()).max(end)))
        }
    }
}

fn line(octets: &[u8]) -> Result<Header, Wrong> {
    let text = octets.strip_prefix(START).and_then(|rest| rest.strip_suffix(b"\r\n")).ok_or(Wrong::Line)?;
    let text = std::str::from_utf8(text).map_err(|_| Wrong::Line)?;
    if text.contains(|c: char| !matches!(c, ' '..='~')) {
        return Err(Wrong::Line);
    }
    let mut words = text.split(' ');
    let addresses = match words.next() {
        Some("TCP4") => Some(addresses::<Ipv4Addr>(words)?),
        Some("TCP6") => Some(addresses::<Ipv6Addr>(words)?),
        // Whatever follows says nothing that we may believe.
        Some("UNKNOWN") => None,
        _ => return Err(Wrong::Line),
    };
    Ok(Header { addresses, ..Header::default() })
}

fn addresses<'a, A: FromStr + Into<IpAddr>>(words: impl Iterator<Item = &'a str>) -> Result<Addresses, Wrong> {
    let words: Vec<&str> = words.take(5).collect();
    let [from, to, from_port, to_port] = words[..] else { return Err(Wrong::Line) };
    let end = |ip: &str, of_ip: &str| {
        let ip = A::from_str(ip).ok()?.into();
        Some(SocketAddr::new(ip, port(of_ip)?))
    };
    let source = end(from, from_port).ok_or(Wrong::Line)?;
    let destination = end(to, to_port).ok_or(Wrong::Line)?;
    Ok(Addresses { source, destination })
}

/// A port as a number is written, and not as one could read it.
fn port(text: &str) -> Option<u16> {
    let plain = text == "0" || text.starts_with(|c: char| matches!(c, '1'..='9'));
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<(String, String)>, Wrong> {
        match parse(line.as_bytes())? {
            Parsed::Whole(header) => Ok(header.addresses.map(|a| (a.source.to_string(), a.destination.to_string()))),
            Parsed::More(_) => panic!("{line:?} is whole"),
        }
    }

    #[test]
    fn lines_as_they_must_be() {
        let both = |a: &str, b: &str| Ok(Some((a.to_owned(), b.to_owned())));
        assert_eq!(read("PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n"), both("192.0.2.7:4711", "198.51.100.1:25"));
        assert_eq!(
            read("PROXY TCP6 2001:db8::7 2001:db8::1 65535 0\r\n"),
            both("[2001:db8::7]:65535", "[2001:db8::1]:0")
        );
        assert_eq!(read("PROXY UNKNOWN\r\n"), Ok(None));
        let longest = format!("PROXY UNKNOWN {}\r\n", "f".repeat(91));
        assert_eq!((longest.len(), read(&longest)), (107, Ok(None)));
    }

    #[test]
    fn whatever_else_is_refused() {
        for bad in [
            "PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 4711 25 \r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 4711\r\n",
            "PROXY TCP4 192.0.2.7  198.51.100.1 4711 25\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 +4711 25\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 04711 25\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 65536 25\r\n",
            "PROXY TCP4 192.0.2.07 198.51.100.1 4711 25\r\n",
            "PROXY TCP4 2001:db8::7 2001:db8::1 4711 25\r\n",
            "PROXY TCP6 192.0.2.7 198.51.100.1 4711 25\r\n",
            "PROXY tcp4 192.0.2.7 198.51.100.1 4711 25\r\n",
            "PROXY TCP6 fe80::1%eth0 2001:db8::1 4711 25\r\n",
            "PROXY UNKNOWNS\r\n",
            "PROXY  UNKNOWN\r\n",
            "PROXY UNKNOWN \0\r\n",
            "PROXY \r\n",
            "PROXY UNKNOWN\r\nEHLO x\r\n",
        ] {
            assert_eq!(read(bad), Err(Wrong::Line), "{bad:?}");
        }
        assert_eq!(read("PROXXY"), Err(Wrong::NoHeader));
        assert_eq!(read("PO"), Err(Wrong::NoHeader));
        assert_eq!(read(&format!("PROXY UNKNOWN {}\r\n", "f".repeat(92))), Err(Wrong::Line));
        assert_eq!(read(&format!("PROXY {}", "f".repeat(101))), Err(Wrong::TooLong));
    }
}
