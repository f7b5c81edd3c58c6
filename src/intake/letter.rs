//! The octets of a message that comes by no session: into a draft, checked as they come.

use crate::mail::{Content, EnhancedCode, Message, Reply};
use crate::spool::{Draft, StoreFault};

const BARE: Reply = Reply::new(554, EnhancedCode(5, 6, 0), "The message has a CR or LF that is not part of a CRLF");
const NUL: Reply = Reply::new(554, EnhancedCode(5, 6, 0), "The message has a NUL");
const HEADER: Reply = Reply::new(552, EnhancedCode(5, 3, 4), "The header is too large");

/// A message on its way in, by `send`, by pickup or from a sink.
pub struct Letter {
    draft: Draft,
    header_max: u64,
    /// What has come of the header; whole once `header_len` is known.
    header: Vec<u8>,
    header_len: Option<u64>,
    after_cr: bool,
    eight_bit: bool,
    defect: Option<Reply>,
}

impl Letter {
    /// Begins a message. `header_max` is in octets.
    pub fn new(draft: Draft, header_max: u64) -> Self {
        Self {
            draft,
            header_max,
            header: Vec::new(),
            header_len: None,
            after_cr: false,
            eight_bit: false,
            defect: None,
        }
    }

    /// Adds octets. What is wrong with them is told at the end.
    pub fn write(&mut self, octets: &[u8]) -> Result<(), StoreFault> {
        for &octet in octets {
            if octet == 0 {
                self.defect.get_or_insert(NUL);
            }
            if (octet == b'\n') != self.after_cr {
                self.defect.get_or_insert(BARE);
            }
            self.after_cr = octet == b'\r';
            self.eight_bit |= octet >= 0x80;
        }
        if self.header_len.is_none() {
            self.look_for_the_end(octets);
        }
        self.draft.write(octets)
    }

    /// Octets so far.
    pub fn octets(&self) -> u64 {
        self.draft.len()
    }

    fn look_for_the_end(&mut self, octets: &[u8]) {
        let from = self.header.len().saturating_sub(3);
        self.header.extend_from_slice(octets);
        if self.header.starts_with(b"\r\n") {
            self.header_len = Some(0);
        } else if let Some(at) = self.header.get(from..).and_then(|rest| memchr::memmem::find(rest, b"\r\n\r\n")) {
            self.header_len = Some((from + at + 2) as u64);
        }
        let len = self.header_len.unwrap_or(self.header.len() as u64);
        if len > self.header_max {
            self.defect.get_or_insert(HEADER);
            // Nothing more is gathered of what is refused anyway.
            self.header_len.get_or_insert(len);
        }
    }

    /// The message, and whether it has octets beyond ASCII. The error is a refusal.
    pub fn finish(self) -> Result<(Message, bool), Reply> {
        if let Some(reply) = self.defect.or(self.after_cr.then_some(BARE)) {
            return Err(reply);
        }
        let len = self.draft.len();
        let content = Content::whole(self.draft.finish().map_err(|fault| fault.reply())?);
        let message = Message::split(&content, self.header_len.unwrap_or(len));
        let message = message.map_err(|e| StoreFault::Sick(format!("a draft can't be read: {e}")).reply())?;
        Ok((message, self.eight_bit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::{MemorySpool, Spool};

    fn read(octets: &[u8], by: usize) -> Result<(Message, bool), Reply> {
        let mut letter = Letter::new(MemorySpool::new().draft(), 40);
        octets.chunks(by).for_each(|chunk| letter.write(chunk).unwrap());
        letter.finish()
    }

    #[test]
    fn split_at_the_blank_line_however_it_comes() {
        for (octets, header) in [
            (&b"A: b\r\nC: d\r\n\r\nbody\r\n\r\n"[..], &b"A: b\r\nC: d\r\n"[..]),
            (b"\r\nbody\r\n", b""),
            (b"A: b\r\n", b"A: b\r\n"),
            (b"", b""),
        ] {
            for by in 1..=octets.len().max(1) {
                let (message, eight_bit) = read(octets, by).unwrap();
                assert_eq!(&message.header.raw()[..], header);
                assert_eq!(&message.content().to_bytes().unwrap()[..], octets);
                assert!(!eight_bit);
            }
        }
        assert!(read("A: ä\r\n\r\n".as_bytes(), 1).unwrap().1);
    }

    #[test]
    fn what_no_message_may_have_is_refused() {
        for (octets, reply) in [
            (&b"A: b\n\r\n"[..], &BARE),
            (b"A: b\rc\r\n", &BARE),
            (b"A: b\r\r\n", &BARE),
            (b"A: b\r\n\r", &BARE),
            (b"A: \0\r\n", &NUL),
            (b"A: 0123456789012345678901234567890123456789\r\n\r\n", &HEADER),
        ] {
            for by in 1..=octets.len() {
                assert_eq!(read(octets, by).unwrap_err(), *reply, "{octets:?} by {by}");
            }
        }
    }
}
