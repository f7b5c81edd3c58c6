//! Octets that no message may have: a bare CR, a bare LF, a NUL (RFC 5321 2.3.8 and 4.1.1.4).
//!
//! Where a second parser would see the end of a line, or of the message, and we don't, mail is smuggled. So the
//! first such octet spoils the whole message.

use super::replies;
use crate::mail::Reply;
use bytes::Bytes;
use memchr::memchr3;

/// What is wrong with a message's octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    BareCr,
    BareLf,
    Nul,
}

impl Defect {
    pub(crate) fn reply(self) -> Reply {
        match self {
            Self::BareCr => replies::BODY_BARE_CR,
            Self::BareLf => replies::BODY_BARE_LF,
            Self::Nul => replies::BODY_NUL,
        }
    }

    /// The defect that the octet is, where it stands for itself.
    pub(crate) fn of(octet: u8) -> Option<Self> {
        match octet {
            b'\r' => Some(Self::BareCr),
            b'\n' => Some(Self::BareLf),
            b'\0' => Some(Self::Nul),
            _ => None,
        }
    }
}

/// What a decoder makes of the octets at the front of the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Octets of the message, not empty. A CR and its LF are never parted.
    Run(Bytes),
    /// An octet that spoils the message was skipped.
    Bad(Defect),
    /// The text or chunk is over.
    End,
    /// More input is needed.
    More,
}

/// The length of the longest clean run at the front: no NUL, every CR and LF part of a CRLF. `before_dot`: the run
/// ends where a line begins with a dot.
pub(crate) fn clean_run(octets: &[u8], before_dot: bool) -> usize {
    let mut at = 0;
    while let Some(found) = memchr3(b'\r', b'\n', b'\0', &octets[at..]) {
        at += found;
        if !octets[at..].starts_with(b"\r\n") {
            return at;
        }
        at += 2;
        if before_dot && octets.get(at) == Some(&b'.') {
            return at;
        }
    }
    octets.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_before_what_is_not_clean() {
        for (octets, len) in [
            (&b""[..], 0),
            (b"abc", 3),
            (b"a\r\nb\r\n", 6),
            (b"a\r", 1),
            (b"a\rb", 1),
            (b"a\nb", 1),
            (b"a\r\n\nb", 3),
            (b"a\r\r\nb", 1),
            (b"a\0b", 1),
            (b"a\r\n.\r\n", 6),
        ] {
            assert_eq!(clean_run(octets, false), len, "{octets:?}");
        }
        assert_eq!(clean_run(b"a\r\n.\r\n", true), 3);
        assert_eq!(clean_run(b".a\r\n", true), 4);
    }
}
