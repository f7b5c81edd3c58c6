//! Finds the blank line that ends a header, and counts `Received` fields on the way (RFC 5321 6.3, RFC 5322 2.1).
//!
//! Works on decoded octets as they come, with a few octets of memory. Relies on the decoders never parting a CR
//! from its LF where a line begins.

use memchr::memchr;

const RECEIVED: &[u8] = b"received";

/// Where the scan stands.
#[derive(Debug)]
pub(crate) struct HeaderEnd {
    line_start: bool,
    /// How much of `Received` the line has begun with; `None`: it is another field.
    name: Option<usize>,
    received: usize,
}

impl HeaderEnd {
    pub(crate) fn new() -> Self {
        Self { line_start: true, name: None, received: 0 }
    }

    /// `Received` fields so far; folded lines don't count.
    pub(crate) fn received(&self) -> usize {
        self.received
    }

    /// Whether the blank line begins here.
    pub(crate) fn is_blank(&self, octets: &[u8]) -> bool {
        self.line_start && octets.first() == Some(&b'\r')
    }

    /// The number of octets that still belong to the header: all, or those before the blank line.
    pub(crate) fn scan(&mut self, octets: &[u8]) -> usize {
        let mut at = 0;
        while let Some(&octet) = octets.get(at) {
            if self.is_blank(&octets[at..]) {
                return at;
            }
            if self.line_start {
                self.name = Some(0);
            }
            at += match self.name {
                Some(matched) => {
                    self.name = self.matches(matched, octet);
                    1
                }
                None => memchr(b'\n', &octets[at..]).map_or(octets.len() - at, |n| n + 1),
            };
            self.line_start = octets[at - 1] == b'\n';
        }
        at
    }

    fn matches(&mut self, matched: usize, octet: u8) -> Option<usize> {
        match RECEIVED.get(matched) {
            Some(expected) => octet.eq_ignore_ascii_case(expected).then_some(matched + 1),
            None => match octet {
                b':' => {
                    self.received += 1;
                    None
                }
                // Obsolete, but legal (RFC 5322 4.5.1).
                b' ' | b'\t' => Some(matched),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(octets: &[u8], packet: usize) -> (usize, usize) {
        let (mut end, mut len) = (HeaderEnd::new(), 0);
        let mut rest = octets;
        while !rest.is_empty() && !end.is_blank(rest) {
            let n = end.scan(&rest[..rest.len().min(packet)]);
            len += n;
            rest = &rest[n..];
        }
        (len, end.received())
    }

    #[test]
    fn ends_and_hops() {
        for (header, received) in [
            ("", 0),
            ("Received: a\r\nRECEIVED:b\r\n\tfolded\r\nreceived \t: c\r\n", 3),
            ("Receive: a\r\nReceivedX: b\r\nX-Received: c\r\n Received: folded\r\nReceived\r\n", 0),
            ("R\r\nRe\r\nSubject: Received: x\r\n", 0),
        ] {
            let message = format!("{header}\r\nReceived: body\r\n");
            for packet in 1..message.len() {
                assert_eq!(scan(message.as_bytes(), packet), (header.len(), received), "{header:?} by {packet}");
            }
            assert_eq!(scan(header.as_bytes(), 3), (header.len(), received));
        }
    }
}
