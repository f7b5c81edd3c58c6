//! Line ends of a text that comes in pieces: LF becomes CRLF, and CRLF stays.
//!
//! A CR that no LF follows is left alone, for whoever judges the message.

/// The converter; one for each text.
#[derive(Debug, Default)]
pub struct LineEnds {
    last: Option<u8>,
}

impl LineEnds {
    /// Converts the next octets onto `out`.
    pub fn convert(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        out.reserve(octets.len());
        for line in octets.split_inclusive(|&octet| octet == b'\n') {
            if let Some(bare) = line.strip_suffix(b"\n") {
                out.extend_from_slice(bare);
                let before = bare.last().copied().or(self.last);
                out.extend_from_slice(if before == Some(b'\r') { b"\n" } else { b"\r\n" });
            } else {
                out.extend_from_slice(line);
            }
            self.last = line.last().copied();
        }
    }

    /// Ends the last line, if it has no end.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if self.last.is_some_and(|last| last != b'\n' && last != b'\r') {
            out.extend_from_slice(b"\r\n");
        }
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_it_comes() {
        for (text, want) in [
            ("a\nb\n", "a\r\nb\r\n"),
            ("a\r\nb\r\n", "a\r\nb\r\n"),
            ("a\nb\r\nc", "a\r\nb\r\nc\r\n"),
            ("\n\n", "\r\n\r\n"),
            ("a\rb\n", "a\rb\r\n"),
            ("a\r", "a\r"),
            ("", ""),
        ] {
            for by in 1..=text.len().max(1) {
                let (mut ends, mut out) = (LineEnds::default(), Vec::new());
                text.as_bytes().chunks(by).for_each(|chunk| ends.convert(chunk, &mut out));
                ends.end(&mut out);
                assert_eq!(String::from_utf8(out).unwrap(), want, "{text:?} by {by}");
            }
        }
    }
}
