//! A message as programs of this machine write it, made into one that may go out: line ends, the header's end, and the
//! fields that every message must have (RFC 5322 3.6).
//!
//! What is there already stays as it is. Whether the message may be sent at all is not judged here.

use crate::config::Settings;
use crate::mail::{Header, HeaderError, Message, ReversePath, Timestamp};
use bytes::Bytes;
use std::io::{self, BufRead};

/// What is added where the message has none.
#[derive(Clone, Debug)]
pub struct Missing {
    from: String,
    date: String,
    message_id: String,
}

impl Missing {
    /// Made of the sender, with his own name if that is plain, the time, and `unique`, which no other message of this host
    /// has: the left side of the Message-ID, an atom with dots (RFC 5322 3.2.3).
    pub fn new(sender: &ReversePath, name: Option<&str>, now: Timestamp, unique: &str, settings: &Settings) -> Self {
        let host = settings.hostname.as_str();
        let daemon = || format!("MAILER-DAEMON@{host}");
        let from = sender.mailbox().map_or_else(daemon, |mailbox| mailbox.as_str().to_owned());
        let plain = |name: &&str| name.chars().all(|c| c == ' ' || c.is_ascii_graphic() && !"\"\\<>".contains(c));
        let from = match name.filter(plain) {
            Some(name) => format!("\"{name}\" <{from}>"),
            None => from,
        };
        Self { from, date: now.rfc5322(), message_id: format!("<{unique}@{host}>") }
    }

    /// Adds the fields that a header lacks.
    pub fn complete(&self, header: &mut Header) -> Result<(), HeaderError> {
        for (name, value) in [("From", &self.from), ("Date", &self.date), ("Message-ID", &self.message_id)] {
            if header.get(name).is_none() {
                header.append(name, value)?;
            }
        }
        Ok(())
    }
}

/// Reads a message whose lines end in LF, CRLF or CR; they will all end in CRLF. `dots`: a line with nothing but a dot
/// ends it. A line that begins like one of an mbox (`From `) is dropped from the top.
pub fn read(mut input: impl BufRead, dots: bool) -> io::Result<Vec<u8>> {
    let (mut out, mut line) = (Vec::new(), Vec::new());
    while input.read_until(b'\n', &mut line)? > 0 {
        let bare = line.strip_suffix(b"\n").unwrap_or(&line);
        let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        if dots && bare == b"." {
            break;
        }
        if !(out.is_empty() && bare.starts_with(b"From ")) {
            for part in bare.split(|&octet| octet == b'\r') {
                out.extend_from_slice(part);
                out.extend_from_slice(b"\r\n");
            }
        }
        line.clear();
    }
    Ok(out)
}

/// Header and body of what was read. Where the header ends without a blank line, the body begins.
pub fn split(octets: Vec<u8>) -> Message {
    let at = header_len(&octets);
    let octets = Bytes::from(octets);
    let rest = octets.slice(at..);
    let body = if rest.starts_with(b"\r\n") { rest.slice(2..) } else { rest };
    Message { header: Header::from_raw(octets.slice(..at)), separated: true, body: body.into() }
}

/// How many octets at the start are header fields: up to the first line that neither begins nor continues one.
pub fn header_len(octets: &[u8]) -> usize {
    let mut at = 0;
    while let Some(line) = octets.get(at..).filter(|rest| !rest.is_empty()) {
        let end = memchr::memchr(b'\n', line).map_or(line.len(), |n| n + 1);
        let folded = at > 0 && matches!(line.first(), Some(b' ' | b'\t'));
        if !folded && !is_field(line.get(..end).unwrap_or_default()) {
            break;
        }
        at += end;
    }
    at
}

fn is_field(line: &[u8]) -> bool {
    let name = line.split(|&octet| octet == b':').next().unwrap_or_default();
    name.len() < line.len() && !name.is_empty() && name.iter().all(|octet| matches!(octet, 33..=126))
}

/// The values of the fields that name recipients. Bcc is removed: the others must not see it.
pub fn take_recipients(header: &mut Header) -> Vec<String> {
    let named = |name| header.named(name).map(|field| field.value().into_owned()).collect::<Vec<_>>();
    let values = ["To", "Cc", "Bcc"].into_iter().flat_map(named).collect();
    header.remove("Bcc");
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(text: &str, dots: bool) -> String {
        let message = split(read(text.as_bytes(), dots).unwrap());
        String::from_utf8(message.content().to_bytes().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn line_ends_dots_and_the_end_of_the_header() {
        for (text, want) in [
            ("A: b\n\nbody\n", "A: b\r\n\r\nbody\r\n"),
            ("A: b\r\n\r\nbody", "A: b\r\n\r\nbody\r\n"),
            ("A: b\n\n1%\r2%\r\n", "A: b\r\n\r\n1%\r\n2%\r\n"),
            ("A: b\n\nx\n.\ny\n", "A: b\r\n\r\nx\r\n"),
            ("A: b\n c\nno field\n", "A: b\r\n c\r\n\r\nno field\r\n"),
            ("hello\n", "\r\nhello\r\n"),
            (" hello\n", "\r\n hello\r\n"),
            ("\nA: b\n", "\r\nA: b\r\n"),
            ("From a@b Mon\nA: b\n\nFrom here\n", "A: b\r\n\r\nFrom here\r\n"),
            ("A: b\n", "A: b\r\n\r\n"),
            ("", "\r\n"),
        ] {
            assert_eq!(made(text, true), want, "{text:?}");
        }
        assert_eq!(made("A: b\n\nx\n.\ny\n", false), "A: b\r\n\r\nx\r\n.\r\ny\r\n");
    }

    #[test]
    fn only_what_is_missing_is_added() {
        let missing = Missing { from: "me@x".into(), date: "now".into(), message_id: "<1@x>".into() };
        let mut header = Header::from_raw("date: then\r\nSubject: x\r\n".into());
        missing.complete(&mut header).unwrap();
        assert_eq!(&header.raw()[..], b"date: then\r\nSubject: x\r\nFrom: me@x\r\nMessage-ID: <1@x>\r\n");
    }

    #[test]
    fn bcc_names_recipients_and_goes() {
        let mut header = Header::from_raw("To: a,\r\n b\r\nBcc: c\r\nCC: d\r\nbcc: e\r\n".into());
        assert_eq!(take_recipients(&mut header), ["a, b", "d", "c", "e"]);
        assert_eq!(&header.raw()[..], b"To: a,\r\n b\r\nCC: d\r\n");
    }

    #[test]
    fn what_is_missing_is_made_of_the_sender_and_this_host() {
        let text = "hostname = 'mx.example.com'\n[[listener]]\naddress = '127.0.0.1:0'\n";
        let settings = Settings::parse(std::path::Path::new("m.toml"), text).unwrap().0;
        let made = |sender: &str, name| {
            Missing::new(&ReversePath::parse(sender).unwrap(), name, Timestamp(0), "7.x", &settings)
        };
        assert_eq!(made("alice@example.com", Some("Cron Daemon")).from, "\"Cron Daemon\" <alice@example.com>");
        assert_eq!(made("alice@example.com", Some("a\r\nB: c")).from, "alice@example.com");
        let made = made("", None);
        assert_eq!(made.from, "MAILER-DAEMON@mx.example.com");
        assert_eq!(
            (made.date.as_str(), made.message_id.as_str()),
            ("Thu, 01 Jan 1970 00:00:00 +0000", "<7.x@mx.example.com>")
        );
    }
}
