//! A message: its header in memory, its body wherever it lies.

use super::content::Content;
use super::header::Header;
use bytes::Bytes;
use std::io;

/// Header and body. The blank line between them belongs to neither, and a message need not have one.
#[derive(Clone, Debug)]
pub struct Message {
    /// The fields.
    pub header: Header,
    /// Whether a blank line follows the header, as received.
    pub separated: bool,
    /// What follows the blank line.
    pub body: Content,
}

impl Message {
    /// Splits content whose header block, without the blank line, is `header_len` octets long.
    pub fn split(content: &Content, header_len: u64) -> io::Result<Self> {
        let header = Header::from_raw(content.slice(0..header_len).to_bytes()?);
        let separated = content.len() > header_len;
        let body = content.slice((header_len + if separated { 2 } else { 0 })..u64::MAX);
        Ok(Self { header, separated, body })
    }

    /// Splits octets at the first blank line. For messages that are known to be small.
    pub fn from_bytes(octets: Bytes) -> Self {
        let content = Content::from(octets.clone());
        let len = header_len(&octets) as u64;
        let header = Header::from_raw(octets.slice(..len as usize));
        let separated = octets.len() as u64 > len;
        Self { header, separated, body: content.slice((len + if separated { 2 } else { 0 })..u64::MAX) }
    }

    /// The length of the header block, without the blank line.
    pub fn header_len(&self) -> u64 {
        self.header.raw().len() as u64
    }

    /// The whole, in order.
    pub fn content(&self) -> Content {
        let separator: &[u8] = if self.separated || !self.body.is_empty() { b"\r\n" } else { b"" };
        self.body.prepend([self.header.raw(), separator].concat().into())
    }

    /// Octets in all.
    pub fn len(&self) -> u64 {
        self.header_len() + self.body.len() + if self.separated || !self.body.is_empty() { 2 } else { 0 }
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The length of the header block at the start of `octets`: up to, and without, the blank line.
pub fn header_len(octets: &[u8]) -> usize {
    if octets.starts_with(b"\r\n") {
        return 0;
    }
    memchr::memmem::find(octets, b"\r\n\r\n").map_or(octets.len(), |n| n + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_and_joined_again() {
        for (text, header, body) in [
            ("A: b\r\n\r\nbody\r\n", "A: b\r\n", "body\r\n"),
            ("A: b\r\n", "A: b\r\n", ""),
            ("A: b\r\n\r\n", "A: b\r\n", ""),
            ("\r\nbody", "", "body"),
            ("", "", ""),
        ] {
            let octets = Bytes::from_static(text.as_bytes());
            let m = Message::from_bytes(octets.clone());
            assert_eq!(
                (m.header.raw(), m.body.to_bytes().unwrap()),
                (&Bytes::from(header), Bytes::from(body)),
                "{text:?}"
            );
            assert_eq!(m.content().to_bytes().unwrap(), octets);
            assert_eq!(m.len(), octets.len() as u64);
            let again = Message::split(&m.content(), m.header_len()).unwrap();
            assert_eq!(again.content().to_bytes().unwrap(), octets);
        }
    }
}
