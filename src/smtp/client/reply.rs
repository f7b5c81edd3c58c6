//! The server's replies, read strictly (RFC 5321 4.2, RFC 2034).
//!
//! Lines are kept one by one, in bounded memory. A line that ends in anything but CRLF, that does not start with a
//! code, or whose code differs from the line before, is an error for good: after it nobody knows which reply
//! answers which command.

use crate::mail::{EnhancedCode, Reply};
use bytes::{Buf, BytesMut};
use std::fmt;

/// The longest line, CRLF included. RFC 5321 4.5.3.1.5 has 512; servers that explain themselves go beyond.
const LINE_MAX: usize = 2048;
/// The longest reply over all its lines.
const REPLY_MAX: usize = 16 * 1024;
/// The most lines of a reply.
const LINES_MAX: usize = 256;

/// What came is no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyError {
    /// A line without a code; its beginning, cleaned.
    NotAReply(String),
    /// A CR, LF or NUL that is no part of a line's end.
    BareControl,
    /// A line, or all lines together, are longer than we keep.
    TooLong,
    /// The lines of one reply have two codes.
    CodeChanged(u16, u16),
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAReply(start) => write!(f, "`{start}` is not the start of a reply"),
            Self::BareControl => f.write_str("a reply has a CR, LF or NUL that does not belong to a CRLF"),
            Self::TooLong => f.write_str("a reply is longer than any server needs"),
            Self::CodeChanged(first, then) => write!(f, "one reply has the codes {first} and {then}"),
        }
    }
}

impl std::error::Error for ReplyError {}

/// A whole reply: its code and the text of each line, statuses included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The three digits.
    pub code: u16,
    /// What follows the code and its separator, line by line; never empty.
    pub lines: Vec<String>,
}

impl Spoken {
    /// The reply as a noun: the status taken off each line that repeats it.
    pub fn reply(&self) -> Reply {
        let status = self.lines.first().and_then(|line| split_status(line)).map(|(status, _)| status);
        let status = status.filter(|s| u16::from(s.0) == self.code / 100);
        let texts: Vec<&str> = self
            .lines
            .iter()
            .map(|line| match split_status(line) {
                Some((s, rest)) if Some(s) == status => rest,
                _ => line,
            })
            .collect();
        Reply::foreign(self.code, status, &texts.join("\n"))
    }
}

fn split_status(line: &str) -> Option<(EnhancedCode, &str)> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    Some((word.parse().ok()?, rest.trim_start()))
}

/// Gathers lines into replies.
#[derive(Debug, Default)]
pub struct ReplyReader {
    code: Option<u16>,
    lines: Vec<String>,
    octets: usize,
}

impl ReplyReader {
    /// Takes whole lines from `input` until a reply is complete. `None`: more octets are needed.
    pub fn read(&mut self, input: &mut BytesMut) -> Result<Option<Spoken>, ReplyError> {
        loop {
            check_start(input)?;
            let Some(end) = memchr::memchr(b'\n', input) else {
                // The line could not end in time even if the next octets were its CRLF.
                return if input.len() >= LINE_MAX { Err(ReplyError::TooLong) } else { Ok(None) };
            };
            if end >= LINE_MAX {
                return Err(ReplyError::TooLong);
            }
            let (code, last, text) = parse_line(&input[..end])?;
            input.advance(end + 1);
            self.keep(code, text)?;
            if last {
                let lines = std::mem::take(&mut self.lines);
                *self = Self::default();
                return Ok(Some(Spoken { code, lines }));
            }
        }
    }

    fn keep(&mut self, code: u16, text: String) -> Result<(), ReplyError> {
        match self.code.replace(code) {
            Some(first) if first != code => return Err(ReplyError::CodeChanged(first, code)),
            _ => {}
        }
        self.octets += text.len();
        self.lines.push(text);
        if self.octets > REPLY_MAX || self.lines.len() > LINES_MAX { Err(ReplyError::TooLong) } else { Ok(()) }
    }
}

/// Refuses what can't become a reply as soon as its first octets show it, so that nobody waits for the rest.
fn check_start(input: &[u8]) -> Result<(), ReplyError> {
    let ok = input.iter().take(4).enumerate().all(|(i, b)| match i {
        0 => (b'2'..=b'5').contains(b),
        1 | 2 => b.is_ascii_digit(),
        // A bare LF is told as such by whoever reads the line.
        _ => matches!(b, b' ' | b'-' | b'\r' | b'\n'),
    });
    if ok { Ok(()) } else { Err(ReplyError::NotAReply(excerpt(input))) }
}

/// What has come of the line so far, bounded and fit for a log.
fn excerpt(input: &[u8]) -> String {
    input.iter().take(32).take_while(|&&b| b != b'\r' && b != b'\n').map(|b| b.escape_ascii().to_string()).collect()
}

/// Code, whether it is the last line, and text of a line without its LF.
fn parse_line(line: &[u8]) -> Result<(u16, bool, String), ReplyError> {
    let line = line.strip_suffix(b"\r").ok_or(ReplyError::BareControl)?;
    if memchr::memchr2(b'\r', 0, line).is_some() {
        return Err(ReplyError::BareControl);
    }
    let (digits, rest) = line.split_at_checked(3).ok_or_else(|| ReplyError::NotAReply(excerpt(line)))?;
    let code = digits.iter().fold(0, |code, b| code * 10 + u16::from(b.wrapping_sub(b'0')));
    let (last, text) = match rest.split_first() {
        None => (true, rest),
        Some((b' ', text)) => (true, text),
        Some((_, text)) => (false, text),
    };
    Ok((code, last, String::from_utf8_lossy(text).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads everything at once and octet by octet; both must agree.
    fn read(text: &[u8]) -> Result<Option<Spoken>, ReplyError> {
        let whole = ReplyReader::default().read(&mut BytesMut::from(text));
        let (mut reader, mut input, mut split) = (ReplyReader::default(), BytesMut::new(), Ok(None));
        for &b in text {
            input.extend_from_slice(&[b]);
            split = reader.read(&mut input);
            if !matches!(split, Ok(None)) {
                break;
            }
        }
        // How much of the line an error quotes depends on how much of it had come.
        match (&whole, &split) {
            (Err(ReplyError::NotAReply(whole)), Err(ReplyError::NotAReply(split))) => assert!(whole.starts_with(split)),
            _ => assert_eq!(whole, split, "{:?}", text.escape_ascii().to_string()),
        }
        whole
    }

    #[test]
    fn lines_are_kept_one_by_one() {
        let spoken = read(b"550-5.1.1 No such\r\n550-5.1.1   user\r\n550 see there\r\n").unwrap().unwrap();
        assert_eq!(spoken.lines, ["5.1.1 No such", "5.1.1   user", "see there"]);
        let reply = spoken.reply();
        assert_eq!((reply.code(), reply.status()), (550, Some(EnhancedCode(5, 1, 1))));
        assert_eq!(reply.text(), "No such\nuser\nsee there");
        assert_eq!(read(b"354\r\n").unwrap().unwrap().lines, [""]);
        assert_eq!(read(b"250-a\r\n250 b").unwrap(), None);
    }

    #[test]
    fn a_status_of_another_class_is_text() {
        let reply = read(b"250 5.1.1 hm\r\n").unwrap().unwrap().reply();
        assert_eq!((reply.status(), reply.text()), (None, "5.1.1 hm"));
    }

    #[test]
    fn one_reply_is_taken_and_no_more() {
        let mut input = BytesMut::from(&b"250 a\r\n354 b\r\n"[..]);
        assert_eq!(ReplyReader::default().read(&mut input).unwrap().unwrap().code, 250);
        assert_eq!(&input[..], b"354 b\r\n");
    }

    #[test]
    fn garbage_is_an_error() {
        use ReplyError::*;
        let not = |start: &str| Err(NotAReply(start.into()));
        assert_eq!(read(b"HTTP/1.1 400 Bad Request\r\n"), not("HTTP/1.1 400 Bad Request"));
        assert_eq!(read(b"\x16\x03\x01\x00"), not("\\x16\\x03\\x01\\x00"));
        assert_eq!(read(b"199 x\r\n"), not("199 x"));
        assert_eq!(read(b"25 x\r\n"), not("25 x"));
        assert_eq!(read(b"250x\r\n"), not("250x"));
        assert_eq!(read(b"\r\n"), not(""));
        assert_eq!(read(b"25\r\n"), not("25"));
    }

    #[test]
    fn only_crlf_ends_a_line() {
        for bad in [&b"250 a\n"[..], b"250\n", b"250 a\rb\r\n", b"250 a\0\r\n", b"250 a\r\r\n"] {
            assert_eq!(read(bad), Err(ReplyError::BareControl), "{bad:?}");
        }
        assert_eq!(read(b"250-a\r\n251 b\r\n"), Err(ReplyError::CodeChanged(250, 251)));
    }

    #[test]
    fn memory_is_bounded() {
        let endless = ["250 ", &"x".repeat(LINE_MAX)].concat();
        assert!(ReplyReader::default().read(&mut BytesMut::from(endless.as_bytes())).is_err());
        let longest = ["250 ", &"x".repeat(LINE_MAX - 6), "\r\n"].concat();
        assert_eq!(read(longest.as_bytes()).unwrap().unwrap().lines[0].len(), LINE_MAX - 6);
        for (line, times) in [("250-\r\n", LINES_MAX + 1), ("250-0123456789abcdef\r\n", REPLY_MAX / 16 + 1)] {
            let mut input = BytesMut::from(line.repeat(times).as_bytes());
            assert_eq!(ReplyReader::default().read(&mut input), Err(ReplyError::TooLong), "{line}");
        }
    }
}
