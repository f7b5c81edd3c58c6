//! The PROXY protocol, versions 1 and 2, as a receiver: a proxy says in front of everything else whose connection it hands on.
//!
//! A header is read to its last octet and not beyond, so that TLS may follow. Its length is known to be bounded before memory is
//! taken, and the first octet that can't belong to one ends it. There is no guessing: where a header is due, a connection without
//! one is no connection.
//!
//! The parser is our own, for the crates that read these headers take `+25` for a port, skip the space behind `PROXY`, and
//! know no bound for a line that comes in one piece. `proxy-header` writes the headers of the tests.
//!
//! # Layout
//! * [`v1`]: the line of text; [`v2`]: the binary form
//! * [`receive`] reads one from a connection, in time

mod v1;
mod v2;

use bytes::BytesMut;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};

/// How long a proxy may take. It sends the header before anything else, usually in its first packet.
pub const TIME: Duration = Duration::from_secs(5);
/// The longest header, in octets: the 16 of a version 2 header and what it may announce. Certificates that some proxies send along
/// are longer than an address.
pub const LEN_MAX: usize = 16 + v2::REST_MAX;

/// What a header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Whose connection it is, and where that went. None: the proxy's own (LOCAL), or one whose addresses it does not tell
    /// (UNKNOWN).
    pub addresses: Option<Addresses>,
    /// The name that the client asked for in the TLS handshake with the proxy, if it was said.
    pub authority: Option<String>,
    /// The TLS version between client and proxy, if that was said.
    pub tls: Option<String>,
}

/// Both ends of the connection that the proxy hands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The client.
    pub source: SocketAddr,
    /// What the client connected to.
    pub destination: SocketAddr,
}

/// How much of a header is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// At least so many more octets belong to it. Never 0.
    More(usize),
    /// All of it.
    Whole(Header),
}

/// Why octets are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// They begin like none.
    NoHeader,
    /// A version 1 line that is not as it must be.
    Line,
    /// A version 2 header with another version, command, family or protocol.
    Kind,
    /// A version 2 header whose length does not hold its addresses or fields.
    Length,
    /// Longer than [`LEN_MAX`], or a version 1 line of more than 107 octets.
    TooLong,
    /// The checksum is not that of the header.
    Checksum,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHeader => "it does not begin with a PROXY header",
            Self::Line => "its PROXY line is malformed",
            Self::Kind => "its PROXY header is of a version, command or family that is not known",
            Self::Length => "its PROXY header is shorter than what it should hold",
            Self::TooLong => "its PROXY header is too long",
            Self::Checksum => "its PROXY header has a wrong checksum",
        })
    }
}

/// Why a connection has no header.
#[derive(Debug)]
pub enum Trouble {
    /// It came with something else.
    Wrong(Wrong),
    /// It did not come within [`TIME`].
    Late,
    /// The connection ended or broke before it was complete.
    Broken(io::Error),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(wrong) => wrong.fmt(f),
            Self::Late => write!(f, "no PROXY header came within {} s", TIME.as_secs()),
            Self::Broken(error) => write!(f, "it broke before its PROXY header was complete: {error}"),
        }
    }
}

/// Reads octets that are a header, or the beginning of one. Nothing may follow it.
pub fn parse(octets: &[u8]) -> Result<Parsed, Wrong> {
    match octets.first() {
        None => Ok(Parsed::More(v1::LEN_MIN)),
        Some(b'P') => v1::parse(octets),
        Some(_) => v2::parse(octets),
    }
}

/// Takes the header from a connection, and not an octet more.
pub async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> Result<Header, Trouble> {
    tokio::time::timeout(TIME, read(stream)).await.unwrap_or(Err(Trouble::Late))
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Header, Trouble> {
    let mut octets = BytesMut::new();
    loop {
        match parse(&octets).map_err(Trouble::Wrong)? {
            Parsed::Whole(header) => return Ok(header),
            Parsed::More(count) => {
                let mut bounded = (&mut *stream).take(count as u64);
                if bounded.read_buf(&mut octets).await.map_err(Trouble::Broken)? == 0 {
                    return Err(Trouble::Broken(io::ErrorKind::UnexpectedEof.into()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncWriteExt, duplex};

    const LINE: &[u8] = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n";

    #[tokio::test(start_paused = true)]
    async fn what_follows_the_header_stays_in_the_connection() {
        let (mut proxy, mut us) = duplex(1024);
        proxy.write_all(&[LINE, b"EHLO x\r\n"].concat()).await.unwrap();
        let header = receive(&mut us).await.unwrap();
        assert_eq!(header.addresses.unwrap().source, "192.0.2.7:4711".parse().unwrap());
        let mut rest = [0; 8];
        us.read_exact(&mut rest).await.unwrap();
        assert_eq!(&rest, b"EHLO x\r\n");
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_or_something_else_is_not_waited_for() {
        let (mut proxy, mut us) = duplex(1024);
        proxy.write_all(&LINE[..20]).await.unwrap();
        let before = tokio::time::Instant::now();
        assert!(matches!(receive(&mut us).await, Err(Trouble::Late)));
        assert_eq!(before.elapsed(), TIME);
        proxy.write_all(b"EHLO x\r\n").await.unwrap();
        let (mut other, mut us) = duplex(1024);
        other.write_all(b"E").await.unwrap();
        assert!(matches!(receive(&mut us).await, Err(Trouble::Wrong(Wrong::NoHeader))), "at the first octet");
        drop(proxy);
        drop(other);
        assert!(matches!(receive(&mut us).await, Err(Trouble::Broken(_))));
    }

    /// Cut anywhere, it is the beginning of a header, and never asks for an octet that is not its own.
    #[test]
    fn every_beginning_asks_for_more_and_not_for_too_much() {
        let mut binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\0\x19".to_vec();
        binary.extend(b"\x04\0\0");
        for header in [LINE, b"PROXY UNKNOWN\r\n", &binary] {
            for at in 0..header.len() {
                let Ok(Parsed::More(count)) = parse(&header[..at]) else { panic!("{at}") };
                assert!(count >= 1 && at + count <= header.len(), "{at} {count}");
            }
            assert!(matches!(parse(header), Ok(Parsed::Whole(_))));
        }
    }
}
