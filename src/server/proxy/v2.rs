//! Version 2: twelve octets that no text protocol begins with, version and command, family, length, addresses, fields (TLVs).

use super::{Addresses, Header, Parsed, Wrong};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const START: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// The signature, the kind and the length.
const FIXED: usize = 16;
/// The most that may follow the fixed part, in octets.
pub(super) const REST_MAX: usize = 4096;
/// The addresses of two Unix sockets.
const UNIX: usize = 216;

const AUTHORITY: u8 = 0x02;
const CHECKSUM: u8 = 0x03;
const SSL: u8 = 0x20;
const SSL_VERSION: u8 = 0x21;
/// Verdict on the certificate and flags, before the fields within.
const SSL_FIXED: usize = 5;
/// Texts of fields that are kept, in octets.
const TEXT_MAX: usize = 255;

pub(super) fn parse(octets: &[u8]) -> Result<Parsed, Wrong> {
    if !octets.iter().zip(START).all(|(have, want)| have == want) {
        return Err(Wrong::NoHeader);
    }
    let Some((fixed, rest)) = octets.split_at_checked(FIXED) else { return Ok(Parsed::More(FIXED - octets.len())) };
    let [.., kind, family, high, low] = *fixed else { return Err(Wrong::Length) };
    let local = match kind {
        0x20 => true,
        0x21 => false,
        _ => return Err(Wrong::Kind),
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len > REST_MAX {
        return Err(Wrong::TooLong);
    }
    match len.checked_sub(rest.len()) {
        None => Err(Wrong::Length),
        Some(0) => {
            let header = whole(family, local, rest)?;
            if checksum_is_wrong(octets, rest) { Err(Wrong::Checksum) } else { Ok(Parsed::Whole(header)) }
        }
        Some(missing) => Ok(Parsed::More(missing)),
    }
}

/// The addresses and the fields. Of a connection of the proxy's own (LOCAL) nothing is believed.
fn whole(family: u8, local: bool, rest: &[u8]) -> Result<Header, Wrong> {
    let (addresses, tail) = match family {
        0x11 | 0x12 => pair::<4>(rest)?,
        0x21 | 0x22 => pair::<16>(rest)?,
        0x31 | 0x32 => (None, rest.get(UNIX..).ok_or(Wrong::Length)?),
        0x00 => (None, rest),
        _ if local => (None, &[][..]),
        _ => return Err(Wrong::Kind),
    };
    let stream = family & 0x0f != 2;
    if !local && !stream {
        return Err(Wrong::Kind);
    }
    let mut header = Header { addresses: addresses.filter(|_| !local), ..Header::default() };
    for field in Fields(tail) {
        let (kind, value) = field?;
        match kind {
            AUTHORITY => header.authority = text(value),
            SSL => header.tls = ssl_version(value)?,
            _ => {}
        }
    }
    if local { Ok(Header::default()) } else { Ok(header) }
}

fn pair<const N: usize>(rest: &[u8]) -> Result<(Option<Addresses>, &[u8]), Wrong>
where
    [u8; N]: Address,
{
    let (source, rest) = rest.split_first_chunk::<N>().ok_or(Wrong::Length)?;
    let (destination, rest) = rest.split_first_chunk::<N>().ok_or(Wrong::Length)?;
    let (ports, tail) = rest.split_first_chunk::<4>().ok_or(Wrong::Length)?;
    let [a, b, c, d] = *ports;
    let addresses = Addresses {
        source: SocketAddr::new(source.address(), u16::from_be_bytes([a, b])),
        destination: SocketAddr::new(destination.address(), u16::from_be_bytes([c, d])),
    };
    Ok((Some(addresses), tail))
}

/// Octets that are an address.
trait Address {
    fn address(&self) -> IpAddr;
}

impl Address for [u8; 4] {
    fn address(&self) -> IpAddr {
        Ipv4Addr::from(*self).into()
    }
}

impl Address for [u8; 16] {
    fn address(&self) -> IpAddr {
        Ipv6Addr::from(*self).into()
    }
}

/// Fields: a kind, a length of two octets, and as many octets.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u8, &'a [u8]), Wrong>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.0);
        let Some(([kind, high, low], rest)) = rest.split_first_chunk() else { return Some(Err(Wrong::Length)) };
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((value, rest)) = rest.split_at_checked(len) else { return Some(Err(Wrong::Length)) };
        self.0 = rest;
        Some(Ok((*kind, value)))
    }
}

/// A text that can stand in a log.
fn text(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok().filter(|text| (1..=TEXT_MAX).contains(&text.len()))?;
    (!text.contains(|c: char| !c.is_ascii_graphic())).then(|| text.to_owned())
}

fn ssl_version(value: &[u8]) -> Result<Option<String>, Wrong> {
    let mut version = None;
    for field in Fields(value.get(SSL_FIXED..).ok_or(Wrong::Length)?) {
        let (kind, value) = field?;
        if kind == SSL_VERSION {
            version = text(value);
        }
    }
    Ok(version)
}

/// CRC-32C over the header, its own four octets taken as zeros. A header without one is right.
fn checksum_is_wrong(octets: &[u8], rest: &[u8]) -> bool {
    let Some(told) = told_checksum(octets, rest) else { return false };
    let mut sum = Crc::new();
    octets.iter().enumerate().for_each(|(at, &octet)| {
        let own = (told.at..told.at + 4).contains(&at);
        sum.take(if own { 0 } else { octet });
    });
    sum.end() != told.value
}

struct Told {
    at: usize,
    value: u32,
}

fn told_checksum(octets: &[u8], rest: &[u8]) -> Option<Told> {
    let family = octets.get(13)?;
    let skip = match family >> 4 {
        1 => 12,
        2 => 36,
        3 => UNIX,
        _ => 0,
    };
    let mut at = FIXED + skip;
    for field in Fields(rest.get(skip..)?) {
        let (kind, value) = field.ok()?;
        if kind == CHECKSUM {
            // One of another length is none that could be right.
            return Some(Told { at: at + 3, value: value.try_into().map(u32::from_be_bytes).unwrap_or_default() });
        }
        at += 3 + value.len();
    }
    None
}

/// CRC-32C (Castagnoli), bit by bit: headers are short and rarely have one.
struct Crc(u32);

impl Crc {
    fn new() -> Self {
        Self(u32::MAX)
    }

    fn take(&mut self, octet: u8) {
        self.0 ^= u32::from(octet);
        for _ in 0..8 {
            let carry = self.0 & 1;
            self.0 = (self.0 >> 1) ^ (0x82f6_3b78 * carry);
        }
    }

    fn end(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proxy_header::{ProxiedAddress, ProxyHeader, SslInfo, Tlv};

    fn header(kind: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let len = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [START, &[kind, family], &len, rest].concat()
    }

    fn read(octets: &[u8]) -> Result<Header, Wrong> {
        match parse(octets)? {
            Parsed::Whole(header) => Ok(header),
            Parsed::More(count) => panic!("{count} more"),
        }
    }

    #[test]
    fn as_another_library_writes_it() {
        let mut ssl = SslInfo::new(true, false, false, 0);
        ssl.append_tlv(Tlv::SslVersion("TLSv1.3".into()));
        ssl.append_tlv(Tlv::SslCn("client".into()));
        for (source, destination) in [("192.0.2.7:4711", "198.51.100.1:25"), ("[2001:db8::7]:1", "[2001:db8::1]:465")] {
            let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
            let tlvs = [Tlv::Authority("mx.example.com".into()), Tlv::Noop(9), Tlv::Ssl(ssl.clone())];
            let mut octets = Vec::new();
            let theirs = ProxyHeader::with_tlvs(Some(ProxiedAddress::stream(source, destination)), tlvs);
            theirs.encode_v2(&mut octets).unwrap();
            let ours = read(&octets).unwrap();
            assert_eq!(ours.addresses, Some(Addresses { source, destination }));
            assert_eq!((ours.authority.as_deref(), ours.tls.as_deref()), (Some("mx.example.com"), Some("TLSv1.3")));
        }
        let mut local = Vec::new();
        ProxyHeader::with_local().encode_v2(&mut local).unwrap();
        assert_eq!(read(&local), Ok(Header::default()));
    }

    #[test]
    fn the_proxy_s_own_connections_and_unix_sockets_have_no_client() {
        let four = [192, 0, 2, 7, 198, 51, 100, 1, 0, 1, 0, 25];
        assert_eq!(read(&header(0x20, 0x11, &four)), Ok(Header::default()));
        assert_eq!(read(&header(0x20, 0x99, b"whatever")), Ok(Header::default()));
        assert_eq!(read(&header(0x21, 0x31, &[0; UNIX])), Ok(Header::default()));
        assert_eq!(read(&header(0x21, 0x00, b"")), Ok(Header::default()));
    }

    #[test]
    fn whatever_else_is_refused() {
        let four = [192, 0, 2, 7, 198, 51, 100, 1, 0, 1, 0, 25];
        for (octets, wrong) in [
            (header(0x11, 0x11, &four), Wrong::Kind),
            (header(0x22, 0x11, &four), Wrong::Kind),
            (header(0x21, 0x12, &four), Wrong::Kind),
            (header(0x21, 0x41, &four), Wrong::Kind),
            (header(0x21, 0x11, &four[..11]), Wrong::Length),
            (header(0x21, 0x21, &four), Wrong::Length),
            (header(0x21, 0x31, &four), Wrong::Length),
            (header(0x21, 0x11, &[&four[..], b"\x02\0"].concat()), Wrong::Length),
            (header(0x21, 0x11, &[&four[..], b"\x02\0\x05abcd"].concat()), Wrong::Length),
            (header(0x21, 0x11, &[&four[..], b"\x20\0\x02ab"].concat()), Wrong::Length),
            (header(0x21, 0x00, &vec![4; REST_MAX + 1]), Wrong::TooLong),
            ([header(0x21, 0x11, &four), b"E".to_vec()].concat(), Wrong::Length),
            (b"\r\n\r\n\0\r\nQUIX".to_vec(), Wrong::NoHeader),
        ] {
            assert_eq!(read(&octets), Err(wrong), "{}", octets.escape_ascii());
        }
        let announced = [START, &[0x21, 0x11, 0xff, 0xff]].concat();
        assert_eq!(parse(&announced), Err(Wrong::TooLong), "before anything of it is there");
    }

    #[test]
    fn texts_that_can_t_be_logged_are_left_out() {
        let four = [192, 0, 2, 7, 198, 51, 100, 1, 0, 1, 0, 25];
        for bad in [&b"a\nb"[..], b"", b"\xff", b"a b", &[b'a'; 256]] {
            let len = u16::try_from(bad.len()).unwrap().to_be_bytes();
            let tlv = [&[AUTHORITY], &len[..], bad].concat();
            assert_eq!(read(&header(0x21, 0x11, &[&four[..], &tlv].concat())).unwrap().authority, None);
        }
    }

    #[test]
    fn a_checksum_is_held_against_the_header() {
        let mut crc = Crc::new();
        b"123456789".iter().for_each(|&octet| crc.take(octet));
        assert_eq!(crc.end(), 0xe306_9283, "the check value of CRC-32C");
        let four = [192, 0, 2, 7, 198, 51, 100, 1, 0, 1, 0, 25];
        let with = |sum: u32| header(0x21, 0x11, &[&four[..], b"\x04\0\x01x\x03\0\x04", &sum.to_be_bytes()].concat());
        let mut crc = Crc::new();
        with(0).iter().for_each(|&octet| crc.take(octet));
        let right = crc.end();
        assert!(read(&with(right)).is_ok());
        assert_eq!(read(&with(right ^ 1)), Err(Wrong::Checksum));
    }
}
