//! The content of a message on its way to a server: read, encoded and written run by run, in bounded memory.

use crate::mail::Content;
use crate::smtp::client::{Encoder, Trouble};
use bytes::BytesMut;

/// How much is read at once.
const RUN: usize = 64 * 1024;

/// How far the content has come.
#[derive(Debug)]
pub(super) struct Passage<'a> {
    content: &'a Content,
    len: u64,
    at: u64,
    /// None before the first run.
    encoder: Option<Encoder>,
    read: Vec<u8>,
    encoded: BytesMut,
}

impl<'a> Passage<'a> {
    pub(super) fn new(content: &'a Content) -> Self {
        let (read, encoded) = (Vec::new(), BytesMut::new());
        Self { content, len: content.len(), at: 0, encoder: None, read, encoded }
    }

    /// Encodes the next run: at least one octet, but for the last one. Returns whether that is it; it holds the end then.
    pub(super) fn advance(&mut self, encoder: impl FnOnce() -> Encoder) -> Result<bool, Trouble> {
        self.encoded.clear();
        let mut encoder = self.encoder.take().unwrap_or_else(encoder);
        self.read.resize(RUN, 0);
        loop {
            let read = self.content.read_at(self.at, &mut self.read);
            let read = read.map_err(|e| Trouble::Unreadable(e.to_string()))?;
            self.at += read as u64;
            encoder.encode(self.read.get(..read).unwrap_or_default(), &mut self.encoded);
            if read == 0 || self.at >= self.len {
                encoder.finish(&mut self.encoded);
                return Ok(true);
            }
            if !self.encoded.is_empty() {
                self.encoder = Some(encoder);
                return Ok(false);
            }
        }
    }

    /// The run, encoded.
    pub(super) fn octets(&self) -> &[u8] {
        &self.encoded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    /// The runs of a content.
    fn runs(content: &[u8], encoder: fn() -> Encoder) -> Vec<Vec<u8>> {
        let content = Content::from(Bytes::copy_from_slice(content));
        let (mut passage, mut runs) = (Passage::new(&content), Vec::new());
        loop {
            let last = passage.advance(encoder).unwrap();
            runs.push(passage.octets().to_vec());
            if last {
                return runs;
            }
        }
    }

    #[test]
    fn the_last_run_is_known_as_such_and_no_other_is_empty() {
        let full = vec![b'x'; RUN];
        let ends_in_cr = [&full[1..], b"\r"].concat();
        for (content, lens) in [
            (&b""[..], vec![0]),
            (b"x", vec![1]),
            (&full, vec![RUN]),
            (&[&full[..], b"y"].concat(), vec![RUN, 1]),
            // The LF belongs to a line end that is written already.
            (&[&ends_in_cr[..], b"\n"].concat(), vec![RUN + 1, 0]),
        ] {
            let runs = runs(content, Encoder::lines);
            assert_eq!(runs.iter().map(Vec::len).collect::<Vec<_>>(), lens);
        }
    }

    #[test]
    fn the_text_ends_with_a_dot() {
        assert_eq!(runs(b"", Encoder::text), [b".\r\n"]);
        assert_eq!(runs(b"a\n.b", Encoder::text), [b"a\r\n..b\r\n.\r\n"]);
    }
}
