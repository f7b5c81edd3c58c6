//! The octets of BDAT chunks (RFC 3030 2): counted, no dots, but the same line ends as everywhere.
//!
//! With BODY=BINARYMIME the body may hold any octets (RFC 3030 3); its header is as strict as any, because it must be
//! certain where it ends.
//!
//! A CR at the end of a packet or chunk is held back until the next octet shows what it is. So the checker lives as
//! long as the message, and its memory is one octet, however many chunks there are.

use super::defect::{Defect, Piece, clean_run};
use bytes::{Buf, Bytes, BytesMut};

/// What is left of the present chunk, and what the ones before left behind.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    left: u64,
    /// A CR was taken whose LF has not come yet.
    cr: bool,
    /// Of a message with BODY=BINARYMIME.
    binary: bool,
}

impl Chunk {
    /// For the chunks of one message. `binary`: it has BODY=BINARYMIME.
    pub(crate) fn new(binary: bool) -> Self {
        Self { binary, ..Self::default() }
    }

    /// Begins the next chunk of the message. `size` is in octets.
    pub(crate) fn begin(&mut self, size: u64) {
        self.left = size;
    }

    /// Ends the message: a CR that was held back has no LF.
    pub(crate) fn finish(&mut self) -> Option<Defect> {
        std::mem::take(&mut self.cr).then_some(Defect::BareCr)
    }

    /// The next piece. `in_header`: all octets so far belong to the header.
    pub(crate) fn next(&mut self, input: &mut BytesMut, in_header: bool) -> Piece {
        if self.left == 0 {
            return Piece::End;
        }
        let within = input.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let Some(&first) = input[..within].first() else { return Piece::More };
        if std::mem::take(&mut self.cr) {
            if first != b'\n' {
                return Piece::Bad(Defect::BareCr);
            }
            self.drop_first(input);
            return Piece::Run(Bytes::from_static(b"\r\n"));
        }
        if self.binary && !in_header {
            self.left -= within as u64;
            return Piece::Run(input.split_to(within).freeze());
        }
        match clean_run(&input[..within], false) {
            0 => self.skip(input, within == 1, first, in_header),
            n => {
                self.left -= n as u64;
                Piece::Run(input.split_to(n).freeze())
            }
        }
    }

    /// Takes an octet that belongs to no clean run. `alone`: the next one is not there yet.
    fn skip(&mut self, input: &mut BytesMut, alone: bool, octet: u8, in_header: bool) -> Piece {
        self.drop_first(input);
        if alone && octet == b'\r' {
            self.cr = true;
            return self.next(input, in_header);
        }
        Defect::of(octet).map_or(Piece::More, Piece::Bad)
    }

    fn drop_first(&mut self, input: &mut BytesMut) {
        input.advance(1);
        self.left -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The octets and defects of a message sent in these chunks, in packets of this size.
    fn decode(chunks: &[&[u8]], packet: usize) -> (Vec<u8>, Vec<Defect>) {
        let (mut chunk, mut out, mut defects) = (Chunk::default(), Vec::new(), Vec::new());
        for octets in chunks {
            chunk.begin(octets.len() as u64);
            let mut input = BytesMut::new();
            let mut packets = octets.chunks(packet);
            loop {
                match chunk.next(&mut input, true) {
                    Piece::Run(run) => out.extend_from_slice(&run),
                    Piece::Bad(defect) => defects.push(defect),
                    Piece::More => input.extend_from_slice(packets.next().unwrap()),
                    Piece::End => break,
                }
            }
            assert!(input.is_empty());
        }
        defects.extend(chunk.finish());
        (out, defects)
    }

    #[test]
    fn line_ends_may_lie_across_chunks() {
        use Defect::*;
        let check = |chunks: &[&[u8]], out: &[u8], defects: &[Defect]| {
            for packet in 1..8 {
                assert_eq!(decode(chunks, packet), (out.to_vec(), defects.to_vec()), "{chunks:?} by {packet}");
            }
        };
        check(&[b"a\r\n.\r\nb"], b"a\r\n.\r\nb", &[]);
        check(&[b"a\r", b"\nb"], b"a\r\nb", &[]);
        check(&[b"a\r", b"", b"\nb"], b"a\r\nb", &[]);
        check(&[b"a\r", b"b"], b"ab", &[BareCr]);
        check(&[b"a\r"], b"a", &[BareCr]);
        check(&[b"a\r\r\nb"], b"a\r\nb", &[BareCr]);
        check(&[b"\n", b"\0"], b"", &[BareLf, Nul]);
        check(&[], b"", &[]);
    }

    #[test]
    fn what_follows_the_chunk_is_not_touched() {
        let mut chunk = Chunk::default();
        chunk.begin(2);
        let mut input = BytesMut::from(&b"a\r\nQUIT"[..]);
        assert_eq!(chunk.next(&mut input, true), Piece::Run("a".into()));
        assert_eq!(chunk.next(&mut input, true), Piece::End);
        assert_eq!(input, "\nQUIT");
    }

    #[test]
    fn a_binary_body_is_taken_as_it_is_and_its_header_is_not() {
        let mut chunk = Chunk::new(true);
        chunk.begin(9);
        let mut input = BytesMut::from(&b"A\0\r\n\0\r\n\r."[..]);
        assert_eq!(chunk.next(&mut input, true), Piece::Run("A".into()));
        assert_eq!(chunk.next(&mut input, true), Piece::Bad(Defect::Nul));
        assert_eq!(chunk.next(&mut input, true), Piece::Run("\r\n".into()));
        assert_eq!(chunk.next(&mut input, false), Piece::Run("\0\r\n\r.".into()));
        assert_eq!((chunk.next(&mut input, false), chunk.finish()), (Piece::End, None));
    }
}
