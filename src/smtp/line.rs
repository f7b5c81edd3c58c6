//! Cuts command lines out of the octets of a connection (RFC 5321 2.3.8).
//!
//! Only CRLF ends a line. A bare LF ends it too, but as an error and never as a command: what follows is the next
//! line. Lines over the limit are swallowed in bounded memory. The result does not depend on how the octets
//! were split over packets. What stands in a line is not looked at here.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;

/// Octets that a TLS client begins with: a handshake record of version 3.x.
const TLS_HELLO: [u8; 2] = [0x16, 0x03];
/// Octets of a faulty line that are kept to tell what it was meant to be.
const START: usize = 16;

/// A line that is no command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFault {
    /// What is wrong.
    pub kind: LineFaultKind,
    /// Its first octets, at most 16.
    pub start: Bytes,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFaultKind {
    /// It ends in LF without CR.
    BareLf,
    /// It is over the limit.
    TooLong,
    /// It is no line but the start of a TLS handshake. Nothing is consumed.
    Tls,
}

/// The framer's memory between calls.
#[derive(Debug, Default)]
pub struct Framer {
    /// Octets at the front of the input that are known to hold no LF.
    scanned: usize,
    /// The start of an over-long line whose end has not come yet.
    swallowing: Option<Bytes>,
}

impl Framer {
    /// Takes the next line from `input`, without its CRLF. `None`: the line is not complete; what stays in `input`
    /// is shorter than `limit`. The limit counts the CRLF.
    pub fn next(&mut self, input: &mut BytesMut, limit: usize) -> Option<Result<Bytes, LineFault>> {
        if self.swallowing.is_none() && input.starts_with(&TLS_HELLO) {
            return Some(Err(LineFault { kind: LineFaultKind::Tls, start: Bytes::new() }));
        }
        let unseen = input.get(self.scanned..).unwrap_or_default();
        let Some(lf) = memchr(b'\n', unseen).map(|n| n + self.scanned) else {
            self.hold(input, limit);
            return None;
        };
        self.scanned = 0;
        if let Some(start) = self.swallowing.take() {
            input.advance(lf + 1);
            return Some(Err(LineFault { kind: LineFaultKind::TooLong, start }));
        }
        let mut line = input.split_to(lf + 1).freeze();
        let fault = |kind| Some(Err(LineFault { kind, start: head(&line) }));
        if line.len() > limit {
            return fault(LineFaultKind::TooLong);
        }
        if !line.ends_with(b"\r\n") {
            return fault(LineFaultKind::BareLf);
        }
        line.truncate(line.len() - 2);
        Some(Ok(line))
    }

    /// Remembers what was seen, and throws away what is over the limit.
    fn hold(&mut self, input: &mut BytesMut, limit: usize) {
        if self.swallowing.is_none() && input.len() >= limit {
            self.swallowing = Some(head(input));
        }
        if self.swallowing.is_some() {
            input.clear();
        }
        self.scanned = input.len();
    }
}

/// A copy, so that a short memory does not hold a long buffer.
fn head(line: &[u8]) -> Bytes {
    Bytes::copy_from_slice(&line[..line.len().min(START)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use LineFaultKind::*;

    const LIMIT: usize = 20;

    fn cut(packets: &[&[u8]]) -> (Vec<Result<Vec<u8>, LineFaultKind>>, usize) {
        let (mut framer, mut input, mut lines) = (Framer::default(), BytesMut::new(), Vec::new());
        for packet in packets {
            input.extend_from_slice(packet);
            while let Some(line) = framer.next(&mut input, LIMIT) {
                lines.push(line.map(|l| l.to_vec()).map_err(|f| f.kind));
            }
            assert!(input.len() < LIMIT);
        }
        (lines, input.len())
    }

    #[test]
    fn only_crlf_ends_a_line_however_it_is_split() {
        let text =
            b"NOOP\r\n\r\nA\rB\r\nC\nD\r\r\n0123456789abcdefgh\n0123456789abcdefgh\r\n0123456789abcdefghi\r\nrest";
        let expected: Vec<Result<Vec<u8>, LineFaultKind>> = vec![
            Ok(b"NOOP".to_vec()),
            Ok(vec![]),
            Ok(b"A\rB".to_vec()),
            Err(BareLf),
            Ok(b"D\r".to_vec()),
            Err(BareLf),
            Ok(b"0123456789abcdefgh".to_vec()),
            Err(TooLong),
        ];
        assert_eq!(cut(&[text]), (expected.clone(), 4));
        for at in 0..text.len() {
            assert_eq!(cut(&[&text[..at], &text[at..]]), (expected.clone(), 4), "split at {at}");
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(cut(&bytes), (expected, 4));
    }

    #[test]
    fn a_long_line_keeps_its_first_octets_and_no_more() {
        let (mut framer, mut input) = (Framer::default(), BytesMut::new());
        input.extend_from_slice(b"BDAT 1000 ");
        for _ in 0..1000 {
            input.extend_from_slice(&[b'x'; 1000]);
            assert!(framer.next(&mut input, LIMIT).is_none());
            assert!(input.is_empty());
        }
        input.extend_from_slice(b"\r\nNOOP\r\n");
        let fault = framer.next(&mut input, LIMIT).unwrap().unwrap_err();
        assert_eq!((fault.kind, &fault.start[..]), (TooLong, &b"BDAT 1000 xxxxxx"[..]));
        assert_eq!(framer.next(&mut input, LIMIT).unwrap().unwrap(), "NOOP");
    }

    #[test]
    fn a_tls_handshake_is_no_line() {
        let mut input = BytesMut::from(&b"\x16\x03\x01\x02\x00"[..]);
        assert_eq!(Framer::default().next(&mut input, LIMIT).unwrap().unwrap_err().kind, Tls);
    }
}
