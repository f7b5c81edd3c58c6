//! What goes back of the message: all of it, or its header.
//!
//! All of it only if its sender asked for that (RET=FULL), something failed (RFC 3461 6.2), it is not larger than `return-size`,
//! and it can stand in a report as it is: what is a message can't be encoded again (RFC 2046 5.2.1). A header can.

use super::about::{Action, Report};
use crate::mail::mime::{is_clean, quoted_printable};
use crate::mail::{Content, Ret};
use bytes::Bytes;
use std::io;

/// The third part of a report.
pub(super) struct Returned {
    /// Its `Content-Type`.
    pub(super) media_type: &'static str,
    /// Its `Content-Transfer-Encoding`.
    pub(super) encoding: &'static str,
    /// Its octets, encoded.
    pub(super) content: Content,
}

/// What goes back. `unicode`: the report may have a header in it that is more than ASCII (RFC 6532, RFC 6533).
pub(super) fn returned(report: &Report<'_>, unicode: bool, return_size: u64) -> io::Result<Returned> {
    let message = report.message;
    let failed = report.recipients.iter().any(|about| about.action == Action::Failed);
    if report.envelope.ret == Some(Ret::Full) && failed && message.len() <= return_size {
        let content = message.content();
        let lines = Lines::of(&content)?;
        if lines.are_clean() {
            let global = unicode && !message.header.raw().is_ascii();
            let media_type = if global { "message/global" } else { "message/rfc822" };
            let encoding = if lines.are_ascii { "7bit" } else { "8bit" };
            return Ok(Returned { media_type, encoding, content });
        }
    }
    Ok(header(message.header.raw(), unicode))
}

/// Of a header that is more than ASCII and that no SMTPUTF8 came with, nobody knows whether its sender can read it: it is encoded.
fn header(raw: &Bytes, unicode: bool) -> Returned {
    let global = unicode && !raw.is_ascii();
    let media_type = if global { "message/global-headers" } else { "text/rfc822-headers" };
    let (encoding, octets) = match is_clean(raw, global) {
        true if raw.is_ascii() => ("7bit", raw.clone()),
        true => ("8bit", raw.clone()),
        false => ("quoted-printable", quoted_printable(raw).into()),
    };
    Returned { media_type, encoding, content: octets.into() }
}

/// What is known of the lines of a content that is read piece by piece.
struct Lines {
    are_ascii: bool,
    broken: bool,
    /// Octets of the present line.
    column: usize,
    after_cr: bool,
}

impl Lines {
    /// No line may be longer than this, without its CRLF (RFC 5322 2.1.1).
    const MAX: usize = 998;

    fn of(content: &Content) -> io::Result<Self> {
        let mut lines = Self { are_ascii: true, broken: false, column: 0, after_cr: false };
        content.for_each_chunk(|chunk| {
            chunk.iter().for_each(|&octet| lines.read(octet));
            Ok::<_, io::Error>(())
        })?;
        Ok(lines)
    }

    fn read(&mut self, octet: u8) {
        self.are_ascii &= octet.is_ascii();
        self.broken |= octet == 0 || self.after_cr != (octet == b'\n');
        self.after_cr = octet == b'\r';
        match octet {
            b'\n' => self.column = 0,
            b'\r' => {}
            _ => self.column += 1,
        }
        self.broken |= self.column > Self::MAX;
    }

    /// Lines that end in CRLF and are not too long, without NUL.
    fn are_clean(&self) -> bool {
        !self.broken && !self.after_cr
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Blob, Piece};
    use std::sync::Arc;

    /// In pieces of one octet, so that nothing is seen whole.
    fn in_pieces(octets: &[u8]) -> Content {
        let blob: Arc<dyn Blob> = Arc::new(Bytes::copy_from_slice(octets));
        Content::of(blob, (0..octets.len() as u64).map(|at| Piece::Blob(at..at + 1)).collect())
    }

    #[test]
    fn lines_are_clean_as_they_are_for_all_of_mime() {
        let long = ["x".repeat(998), "x".repeat(999), format!("a\r\n{}\r\nb", "x".repeat(999))];
        let texts = ["", "a\r\nb", "a\r\n", "a\nb", "a\rb", "a\r", "\n", "\r\r\n", "a\0", "é\r\n"];
        for text in texts.into_iter().chain(long.iter().map(String::as_str)) {
            let lines = Lines::of(&in_pieces(text.as_bytes())).unwrap();
            assert_eq!(lines.are_clean(), is_clean(text.as_bytes(), true), "{text:?}");
            assert_eq!(lines.are_ascii, text.is_ascii(), "{text:?}");
        }
    }
}
