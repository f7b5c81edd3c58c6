//! [`Mime`]: the parts of a message, read when they are asked for.
//!
//! It holds the body of the message in one piece: where it already lies in memory so, nothing is copied; a body in
//! a file or in several pieces is read once. It does no more with what is signed or encrypted than with other parts.

use super::charset;
use super::decode::{decode, measure};
use super::error::MimeError;
use super::fields;
use super::part::Part;
use super::scan::scan;
use crate::mail::{Header, Message};
use bytes::Bytes;

/// The most parts that a message may have to be viewed or edited.
pub const PARTS_MAX: usize = 1000;
/// How deep they may be nested, the message itself included.
pub const DEPTH_MAX: usize = 32;

/// The MIME view of a message. Owned: it does not change when the message does.
#[derive(Clone, Debug)]
pub struct Mime {
    pub(super) header: Header,
    pub(super) body: Bytes,
    parts: Vec<Part>,
}

/// What [`edit`](super::edit) takes for the body of a message.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// The texts that a reader shows: one, or the alternatives to each other.
    pub(super) texts: Vec<usize>,
    /// What is signed or encrypted, where that would be the body.
    pub(super) sealed: Option<usize>,
}

impl Mime {
    /// Reads the structure of a message. Fails if it can't be read, or goes beyond the limits.
    pub fn of(message: &Message) -> Result<Self, MimeError> {
        let body = message.body.contiguous()?;
        let mut parts = scan(&message.header, &body)?;
        let start = message.len() - body.len() as u64;
        for part in &mut parts {
            let raw = body.get(part.shape.body.clone()).unwrap_or_default();
            part.shape.eight_bit = !raw.is_ascii();
            (part.size, part.damaged) = if part.is_multipart {
                (raw.len() as u64, false)
            } else {
                let (size, sound) = measure(raw, part.encoding);
                (size, !sound)
            };
            let place = |range: &std::ops::Range<usize>| start + range.start as u64..start + range.end as u64;
            part.header = if part.index == 0 { 0..message.header_len() } else { place(&part.shape.header) };
            part.body = place(&part.shape.body);
        }
        Ok(Self { header: message.header.clone(), body, parts })
    }

    /// The parts; 0 is the message as a whole.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The plain text that a reader shows: that of the body, or else the first in the message.
    pub fn text(&self) -> Option<String> {
        self.first_shown("text/plain")
    }

    /// The HTML that a reader shows: that of the body, or else the first in the message.
    pub fn html(&self) -> Option<String> {
        self.first_shown("text/html")
    }

    /// The octets of a part, decoded from its transfer encoding. Those that are not encoded are not copied.
    pub fn part_bytes(&self, part: usize) -> Result<Bytes, MimeError> {
        let part = self.leaf(part)?;
        let raw = self.body.slice(part.shape.body.clone());
        match decode(&raw, part.encoding).0 {
            std::borrow::Cow::Borrowed(_) => Ok(raw),
            std::borrow::Cow::Owned(octets) => Ok(octets.into()),
        }
    }

    /// The octets of a part as text, by its character set. What the set does not have becomes U+FFFD.
    pub fn part_text(&self, part: usize) -> Result<String, MimeError> {
        let octets = self.part_bytes(part)?;
        Ok(charset::decode(&octets, self.part(part)?.charset.as_deref()))
    }

    /// The header of a part.
    pub fn part_header(&self, part: usize) -> Result<Header, MimeError> {
        let part = self.part(part)?;
        Ok(match part.index {
            0 => self.header.clone(),
            _ => Header::from_raw(self.body.slice(part.shape.header.clone())),
        })
    }

    pub(super) fn part(&self, part: usize) -> Result<&Part, MimeError> {
        self.parts.get(part).ok_or(MimeError::NoSuchPart { part, parts: self.parts.len() })
    }

    /// A part that has octets of its own.
    pub(super) fn leaf(&self, part: usize) -> Result<&Part, MimeError> {
        let found = self.part(part)?;
        if found.is_multipart { Err(MimeError::Multipart(part)) } else { Ok(found) }
    }

    /// The parts around a part, from the inside out, without itself.
    pub(super) fn around(&self, part: usize) -> impl Iterator<Item = &Part> {
        let up = |p: &&Part| p.parent.and_then(|parent| self.parts.get(parent));
        std::iter::successors(self.parts.get(part).and_then(|p| up(&p)), move |p| up(p))
    }

    /// The boundaries that count in a part: its own and those around it.
    pub(super) fn boundaries(&self, part: usize) -> Vec<&[u8]> {
        let parts = self.parts.get(part).into_iter().chain(self.around(part));
        parts.filter(|p| p.is_multipart).filter_map(|p| p.shape.boundary.as_deref()).collect()
    }

    /// The `Content-Type` of a text, but in UTF-8.
    pub(super) fn type_in_utf8(&self, part: &Part) -> String {
        match self.part_header(part.index) {
            Ok(header) => fields::type_in_utf8(&header, &part.content_type),
            Err(_) => format!("{}; charset=utf-8", part.content_type),
        }
    }

    /// The body for edits, into which what is signed does not count.
    pub(super) fn shown(&self) -> Shown {
        let mut shown = Shown::default();
        self.look(0, false, &mut shown);
        shown
    }

    /// A reader shows all of `multipart/alternative`'s texts in turn, and of any other multipart begins with the
    /// first. What comes behind, such as a footer of a list, is not the body.
    fn look(&self, part: usize, into_sealed: bool, shown: &mut Shown) {
        let Some(part) = self.parts.get(part) else { return };
        if part.is_sealed() && !into_sealed {
            shown.sealed = shown.sealed.or(Some(part.index));
        } else if part.is_multipart {
            let alternative = part.content_type == "multipart/alternative";
            for &child in &part.shape.children {
                self.look(child, into_sealed, shown);
                if !alternative && (!shown.texts.is_empty() || shown.sealed.is_some()) {
                    return;
                }
            }
        } else if part.is_text() && !part.is_attachment {
            shown.texts.push(part.index);
        }
    }

    fn first_shown(&self, content_type: &str) -> Option<String> {
        let mut shown = Shown::default();
        self.look(0, true, &mut shown);
        let fits = |part: &&Part| part.content_type == content_type;
        // The text of a message within is not that of the message.
        let own = |part: &&Part| !part.is_attachment && self.around(part.index).all(|p| p.is_multipart);
        let mut body = shown.texts.iter().filter_map(|&n| self.parts.get(n));
        let part = body.find(fits).or_else(|| self.parts.iter().filter(own).find(fits))?;
        self.part_text(part.index).ok()
    }
}
