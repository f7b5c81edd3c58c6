//! An SMTP client that says exactly what a test tells it to say, line by line.
//!
//! It checks the form of replies and nothing else: what they mean is the test's business. Reading gives up, and fails the
//! test, after [`PATIENCE`].

use crate::stream::Stream;
use crate::wait::PATIENCE;
use rustls::ClientConfig;
use std::fmt;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

/// A reply, all of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    /// The text of each line, behind the code and its separator.
    pub(crate) lines: Vec<String>,
}

impl Reply {
    /// Itself, if its code is this one.
    #[track_caller]
    pub(crate) fn must_be(self, code: u16) -> Self {
        assert_eq!(self.code, code, "the reply was: {self}");
        self
    }

    /// The id that ends a reply: `… (6F2K)` or `… as 6F2K`.
    pub(crate) fn id(&self) -> &str {
        let last = self.lines.last().map_or("", String::as_str);
        let word = last.rsplit(' ').next().unwrap_or_default();
        word.trim_matches(['(', ')', '.'])
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.lines.join(" / "))
    }
}

/// A connection to a server.
pub(crate) struct SmtpClient {
    stream: BufReader<Stream>,
}

impl SmtpClient {
    /// Connects, and leaves the greeting to be read.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).unwrap_or_else(|e| panic!("connecting to {address}: {e}"))
    }

    /// The same, where there may be no server.
    pub(crate) fn try_connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(Stream::Clear(stream)) })
    }

    /// Connects, reads the greeting and says EHLO.
    pub(crate) fn greeted(address: SocketAddr) -> Self {
        let mut client = Self::connect(address);
        client.expect(220);
        client.command("EHLO client.example").must_be(250);
        client
    }

    /// Does the client's part of a TLS handshake.
    pub(crate) fn secure(&mut self, trust: &Arc<ClientConfig>) {
        self.try_secure(trust).expect("a handshake");
    }

    /// The same, where it may fail.
    pub(crate) fn try_secure(&mut self, trust: &Arc<ClientConfig>) -> io::Result<()> {
        assert!(self.stream.buffer().is_empty(), "the server spoke before the handshake");
        self.stream.get_mut().secure(trust)
    }

    /// The certificate that the server has shown.
    pub(crate) fn shown(&self) -> Option<&[u8]> {
        self.stream.get_ref().shown()
    }

    /// Reads octets to the end of the connection.
    pub(crate) fn rest(mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        // A server that resets the connection has ended it, too.
        let _ = self.stream.read_to_end(&mut octets);
        octets
    }

    /// Sends octets as they are.
    pub(crate) fn send(&mut self, octets: &[u8]) {
        self.try_send(octets).expect("sending to the server");
    }

    /// The same, where the connection may break.
    pub(crate) fn try_send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(octets)?;
        self.stream.get_mut().flush()
    }

    /// Sends a line and reads the reply.
    pub(crate) fn command(&mut self, line: &str) -> Reply {
        self.send(format!("{line}\r\n").as_bytes());
        self.reply()
    }

    /// Reads a reply, which must be well-formed.
    pub(crate) fn reply(&mut self) -> Reply {
        self.try_reply().unwrap_or_else(|e| panic!("instead of a reply: {e}"))
    }

    /// The same, where the connection may break.
    pub(crate) fn try_reply(&mut self) -> io::Result<Reply> {
        let mut lines = Vec::new();
        loop {
            let (code, last, text) = self.reply_line()?;
            lines.push((code, text));
            if last {
                break;
            }
        }
        let code = lines[0].0;
        assert!(lines.iter().all(|(c, _)| *c == code), "one reply with several codes: {lines:?}");
        Ok(Reply { code, lines: lines.into_iter().map(|(_, text)| text).collect() })
    }

    /// Reads a line that is no reply, without its end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a line of the server");
        line.strip_suffix("\r\n").unwrap_or_else(|| panic!("no line: {line:?}")).to_owned()
    }

    fn reply_line(&mut self) -> io::Result<(u16, bool, String)> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        // What was cut off by the end of the connection is no reply either.
        if !line.ends_with('\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = line.strip_suffix("\r\n").unwrap_or_else(|| panic!("a reply line without CRLF: {line:?}"));
        let (code, rest) = text.split_at_checked(3).unwrap_or_else(|| panic!("not a reply: {text:?}"));
        let code = code.parse().unwrap_or_else(|_| panic!("not a reply: {text:?}"));
        let last = match rest.as_bytes().first() {
            None | Some(b' ') => true,
            Some(b'-') => false,
            Some(_) => panic!("not a reply: {text:?}"),
        };
        Ok((code, last, rest.get(1..).unwrap_or_default().to_owned()))
    }

    /// Reads a reply, which must have this code.
    pub(crate) fn expect(&mut self, code: u16) -> Reply {
        self.reply().must_be(code)
    }

    /// Sends one message to all recipients, who must be accepted, and returns the reply to its content.
    pub(crate) fn deliver(&mut self, sender: &str, recipients: &[&str], message: &str) -> Reply {
        self.command(&format!("MAIL FROM:<{sender}>")).must_be(250);
        for recipient in recipients {
            self.command(&format!("RCPT TO:<{recipient}>")).must_be(250);
        }
        self.command("DATA").must_be(354);
        self.content(message);
        self.reply()
    }

    /// Sends a message whose lines end in CRLF, dots stuffed, and the end of the data.
    pub(crate) fn content(&mut self, message: &str) {
        let stuffed = message.replace("\r\n.", "\r\n..");
        let first = if stuffed.starts_with('.') { "." } else { "" };
        let end = if stuffed.ends_with("\r\n") || stuffed.is_empty() { "" } else { "\r\n" };
        self.send(format!("{first}{stuffed}{end}.\r\n").as_bytes());
    }

    /// Reads to the end of the connection, which must come without anything further.
    pub(crate) fn closed(mut self) {
        let mut rest = String::new();
        match self.stream.read_line(&mut rest) {
            Ok(_) => assert_eq!(rest, "", "the server went on talking"),
            Err(e) => assert_eq!(e.kind(), ErrorKind::ConnectionReset, "the connection was not closed: {e}"),
        }
    }

    /// Once the roles are swapped: takes one message of this sender for this recipient as a server would, up to QUIT.
    pub(crate) fn serve_one(mut self, sender: &str, recipient: &str) {
        self.send(b"220 site.example.org\r\n");
        for (said, reply) in [
            ("EHLO mx.example.com", "250 site.example.org"),
            (&format!("MAIL FROM:<{sender}>"), "250 ok"),
            (&format!("RCPT TO:<{recipient}>"), "250 ok"),
            ("DATA", "354 go on"),
        ] {
            assert_eq!(self.line(), said);
            self.send(format!("{reply}\r\n").as_bytes());
        }
        while self.line() != "." {}
        self.send(b"250 2.0.0 taken\r\n");
        assert_eq!(self.line(), "QUIT");
        self.send(b"221 bye\r\n");
        self.closed();
    }

    /// Says QUIT and reads to the end.
    pub(crate) fn quit(mut self) {
        self.command("QUIT").must_be(221);
        self.closed();
    }
}
