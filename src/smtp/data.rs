//! The text of DATA: up to CRLF.CRLF, dots unstuffed (RFC 5321 4.5.2).
//!
//! The CRLF of the DATA line counts as the first. Octets stay in the input until it is clear what they are: at
//! most two. After a defect the decoder goes on to the real end.

use super::defect::{Defect, Piece, clean_run};
use bytes::{Buf, BytesMut};

#[derive(Debug)]
pub(crate) struct Text {
    line_start: bool,
}

impl Text {
    pub(crate) fn new() -> Self {
        Self { line_start: true }
    }

    pub(crate) fn next(&mut self, input: &mut BytesMut) -> Piece {
        if self.line_start && input.first() == Some(&b'.') {
            match &input[1..] {
                [] | [b'\r'] => return Piece::More,
                [b'\r', b'\n', ..] => {
                    input.advance(3);
                    return Piece::End;
                }
                // A stuffed dot: what follows it is taken at once, and never as the start of a line.
                _ => input.advance(1),
            }
        }
        match clean_run(input, true) {
            0 => self.skip(input),
            n => {
                let run = input.split_to(n).freeze();
                self.line_start = run.ends_with(b"\r\n");
                Piece::Run(run)
            }
        }
    }

    fn skip(&mut self, input: &mut BytesMut) -> Piece {
        let defect = match input[..] {
            [] | [b'\r'] => None,
            [octet, ..] => Defect::of(octet),
        };
        let Some(defect) = defect else { return Piece::More };
        input.advance(1);
        self.line_start = false;
        Piece::Bad(defect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The decoded octets, the defects, and what follows the end; `None` without an end.
    fn decode(packets: &[&[u8]]) -> Option<(Vec<u8>, Vec<Defect>, Vec<u8>)> {
        let (mut text, mut input) = (Text::new(), BytesMut::new());
        let (mut out, mut defects) = (Vec::new(), Vec::new());
        let mut packets = packets.iter();
        loop {
            match text.next(&mut input) {
                Piece::Run(run) => out.extend_from_slice(&run),
                Piece::Bad(defect) => defects.push(defect),
                Piece::End => {
                    packets.for_each(|p| input.extend_from_slice(p));
                    return Some((out, defects, input.to_vec()));
                }
                Piece::More => {
                    assert!(input.len() <= 2);
                    input.extend_from_slice(packets.next()?);
                }
            }
        }
    }

    fn ends(octets: &[u8], out: &[u8], defects: &[Defect], rest: &[u8]) {
        let expected = Some((out.to_vec(), defects.to_vec(), rest.to_vec()));
        assert_eq!(decode(&[octets]), expected, "{octets:?}");
        for at in 0..octets.len() {
            assert_eq!(decode(&[&octets[..at], &octets[at..]]), expected, "{octets:?} split at {at}");
        }
        let single: Vec<&[u8]> = octets.chunks(1).collect();
        assert_eq!(decode(&single), expected, "{octets:?} octet by octet");
    }

    #[test]
    fn dots() {
        ends(b".\r\nNOOP\r\n", b"", &[], b"NOOP\r\n");
        ends(b"a\r\n.\r\n", b"a\r\n", &[], b"");
        ends(b"..\r\n...\r\n.a\r\na.b.\r\n\r\n.\r\n", b".\r\n..\r\na\r\na.b.\r\n\r\n", &[], b"");
    }

    #[test]
    fn only_crlf_dot_crlf_ends() {
        use Defect::*;
        for fake in ["\n.\n", "\n.\r\n", "\r.\r", "\r.\r\n", "\r\n.\n", "\r\n.\r", "\n.\r", "\r\n.\0\r\n", "\0\r\n.\n"]
        {
            let octets = [b"a", fake.as_bytes(), b"x\r\n.\r\nQUIT\r\n"].concat();
            let (_, defects, rest) = decode(&[&octets]).unwrap();
            assert!(!defects.is_empty(), "{fake:?}");
            assert_eq!(rest, b"QUIT\r\n", "{fake:?}");
        }
        ends(b"a\n.\r\nb\r\n.\r\n", b"a.\r\nb\r\n", &[BareLf], b"");
        ends(b"a\r\r\n.\r\n", b"a\r\n", &[BareCr], b"");
        ends(b".\rx\r\n.\r\n", b"x\r\n", &[BareCr], b"");
        ends(b"a\0\r\n.\r\n", b"a\r\n", &[Nul], b"");
        assert_eq!(decode(&[b"a\r\n."]), None);
    }
}
