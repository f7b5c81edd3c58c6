//! The content on its way out: under DATA (RFC 5321 2.3.8 and 4.5.2), or in chunks (RFC 3030).
//!
//! Whatever is stored, a CR or an LF leaves only as CRLF. Under DATA a line that starts with a dot gets a second one, and the
//! end is CRLF.CRLF. So no message can end another's transfer early. Octets are otherwise left alone; those of a binary
//! message, which goes in counted chunks, altogether.

use bytes::BytesMut;

/// Encodes a message given in runs of any size.
#[derive(Debug)]
pub struct Encoder {
    form: Form,
    at: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Lines with their dots doubled, and an end.
    Text,
    Lines,
    Octets,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    LineStart,
    /// A CRLF has been written for a CR; an LF that follows belongs to it.
    AfterCr,
    Within,
}

impl Encoder {
    /// For DATA, at the start of a message.
    pub fn text() -> Self {
        Self { form: Form::Text, at: Place::LineStart }
    }

    /// For BDAT: no dots, and no end.
    pub fn lines() -> Self {
        Self { form: Form::Lines, at: Place::LineStart }
    }

    /// For BDAT under BODY=BINARYMIME: nothing is changed.
    pub fn octets() -> Self {
        Self { form: Form::Octets, at: Place::LineStart }
    }

    /// Appends the encoded form of the next octets to `out`: at most twice as many.
    pub fn encode(&mut self, mut chunk: &[u8], out: &mut BytesMut) {
        if self.form == Form::Octets {
            out.extend_from_slice(chunk);
            return;
        }
        while let Some(&first) = chunk.first() {
            if self.at == Place::AfterCr {
                self.at = Place::LineStart;
                if first == b'\n' {
                    chunk = &chunk[1..];
                    continue;
                }
            }
            if self.form == Form::Text && self.at == Place::LineStart && first == b'.' {
                out.extend_from_slice(b".");
            }
            match memchr::memchr2(b'\r', b'\n', chunk) {
                Some(end) => {
                    out.extend_from_slice(&chunk[..end]);
                    out.extend_from_slice(b"\r\n");
                    self.at = if chunk[end] == b'\r' { Place::AfterCr } else { Place::LineStart };
                    chunk = &chunk[end + 1..];
                }
                None => {
                    out.extend_from_slice(chunk);
                    self.at = Place::Within;
                    return;
                }
            }
        }
    }

    /// Appends the end of the message: the CRLF that its last line lacks, and the dot. In chunks there is none.
    pub fn finish(self, out: &mut BytesMut) {
        if self.form != Form::Text {
            return;
        }
        if self.at == Place::Within {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(chunks: &[&[u8]]) -> Vec<u8> {
        encode_by(Encoder::text(), chunks)
    }

    fn encode_by(mut encoder: Encoder, chunks: &[&[u8]]) -> Vec<u8> {
        let mut out = BytesMut::new();
        for chunk in chunks {
            encoder.encode(chunk, &mut out);
        }
        encoder.finish(&mut out);
        out.to_vec()
    }

    #[test]
    fn line_ends_dots_and_the_end() {
        for (input, output) in [
            ("", ".\r\n"),
            ("a", "a\r\n.\r\n"),
            ("a\r\n", "a\r\n.\r\n"),
            ("a\nb\rc\r\n", "a\r\nb\r\nc\r\n.\r\n"),
            ("a\r\r\nb\n\rc", "a\r\n\r\nb\r\n\r\nc\r\n.\r\n"),
            (".", "..\r\n.\r\n"),
            (".\r\n..\r\na.\r\n", "..\r\n...\r\na.\r\n.\r\n"),
            ("a\r\n.\r\nMAIL FROM:<x@y>\r\n", "a\r\n..\r\nMAIL FROM:<x@y>\r\n.\r\n"),
            ("a\n.\nb\r.\rc\r", "a\r\n..\r\nb\r\n..\r\nc\r\n.\r\n"),
        ] {
            assert_eq!(String::from_utf8(encode(&[input.as_bytes()])).unwrap(), output, "{input:?}");
        }
    }

    #[test]
    fn chunks_have_neither_dots_nor_an_end() {
        for (chunks, lines) in
            [(&["a\r", "\n.b"][..], "a\r\n.b"), (&[".\n", ".\r\n"], ".\r\n.\r\n"), (&["a\r", "b\0"], "a\r\nb\0")]
        {
            let chunks: Vec<&[u8]> = chunks.iter().map(|c| c.as_bytes()).collect();
            assert_eq!(String::from_utf8(encode_by(Encoder::lines(), &chunks)).unwrap(), lines);
            assert_eq!(encode_by(Encoder::octets(), &chunks), chunks.concat());
        }
    }

    /// What a receiver makes of it: everything up to CRLF.CRLF, dots taken off. Panics if the end comes early.
    fn decode(wire: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = wire;
        loop {
            let end = memchr::memmem::find(rest, b"\r\n").expect("a line end") + 2;
            let (line, tail) = rest.split_at(end);
            if line == b".\r\n" {
                assert!(tail.is_empty(), "ended early, before {tail:?}");
                return out;
            }
            out.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
            rest = tail;
        }
    }

    /// The naive form of the same rule.
    fn canonical(input: &[u8]) -> Vec<u8> {
        let text: Vec<u8> = input.to_vec();
        let text = String::from_utf8(text).unwrap().replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
        let end = if text.is_empty() || text.ends_with("\r\n") { "" } else { "\r\n" };
        (text + end).into_bytes()
    }

    proptest! {
        #[test]
        fn nothing_breaks_out_and_all_comes_back(chunks in prop::collection::vec("[\\r\\n.ab]{0,6}", 0..8)) {
            let input = chunks.concat();
            let wire = encode(&chunks.iter().map(String::as_bytes).collect::<Vec<_>>());
            for (i, b) in wire.iter().enumerate() {
                match b {
                    b'\r' => prop_assert_eq!(wire.get(i + 1), Some(&b'\n')),
                    b'\n' => prop_assert!(i > 0 && wire[i - 1] == b'\r'),
                    _ => {}
                }
            }
            prop_assert_eq!(decode(&wire), canonical(input.as_bytes()));
            prop_assert_eq!(encode(&[input.as_bytes()]), wire);
        }
    }
}
