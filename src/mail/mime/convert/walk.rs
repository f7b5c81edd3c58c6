//! Goes through the parts of a message, from the outside in, and puts down what has to change.

use super::super::edit::separated;
use super::super::encode::quoted_printable;
use super::super::fields;
use super::super::part::{Part, TransferEncoding};
use super::super::splice::{Splice, splice};
use super::super::view::Mime;
use super::check::check;
use super::error::NotConvertible;
use super::goal::Goal;
use super::leaf::{self, Encoded};
use crate::mail::{Header, Message};

const ENCODING: &str = "Content-Transfer-Encoding";

/// The message in a form that the way carries. Time and memory grow with its size, as those of [`Mime::of`] do.
///
/// A message without MIME fields whose body must be encoded becomes one with them (RFC 1428 3).
pub fn convert(message: &Message, goal: Goal) -> Result<Message, NotConvertible> {
    let message = separated(message);
    let mime = Mime::of(&message)?;
    let mut walk = Walk { mime: &mime, goal, header: None, splices: Vec::new(), folded: Vec::new() };
    if let Some(root) = mime.parts().first() {
        walk.part(root)?;
    }
    let Walk { header, splices, folded, .. } = walk;
    let changed = header.is_some() || !splices.is_empty();
    let mut header = header.unwrap_or_else(|| message.header.clone());
    if changed && header.named("MIME-Version").next().is_none() {
        // Without it the fields that were set would mean nothing (RFC 2045 4).
        set(&mut header, "MIME-Version", "1.0");
    }
    let converted = Message { header, separated: true, body: splice(&message.body, splices) };
    check(&mime, &folded, &converted, goal)?;
    Ok(converted)
}

struct Walk<'a> {
    mime: &'a Mime,
    goal: Goal,
    /// The header of the message, if it changes.
    header: Option<Header>,
    /// In the body of the message.
    splices: Vec<Splice>,
    /// Parts that are encoded with all that lies in them.
    folded: Vec<usize>,
}

impl Walk<'_> {
    fn part(&mut self, part: &Part) -> Result<(), NotConvertible> {
        let header = self.mime.part_header(part.index)?;
        if !self.goal.eight_bit() && !header.raw().is_ascii() {
            return Err(NotConvertible::Header(part.index));
        }
        let fits = self.goal.fits(self.body(part));
        if part.is_sealed() {
            return if fits { Ok(()) } else { Err(NotConvertible::Sealed(part.index)) };
        }
        if part.shape.children.is_empty() {
            if !fits {
                return self.leaf(part, header);
            }
            self.relabel(part, header);
            return Ok(());
        }
        if part.encoding != TransferEncoding::Identity {
            let content_type = part.content_type.clone();
            return if fits { Ok(()) } else { Err(NotConvertible::Composite { part: part.index, content_type }) };
        }
        if part.content_type == "message/global" && !self.goal.eight_bit() && self.has_international_header(part) {
            self.folded.push(part.index);
            let encoded = leaf::encode_global(self.body(part), self.is_last(part));
            self.put(part, header, encoded);
            return Ok(());
        }
        self.between(part);
        self.relabel(part, header);
        let mime = self.mime;
        part.shape.children.iter().filter_map(|&child| mime.parts().get(child)).try_for_each(|child| self.part(child))
    }

    fn leaf(&mut self, part: &Part, header: Header) -> Result<(), NotConvertible> {
        let encoded = leaf::encode(part, self.body(part), self.is_last(part))?;
        self.put(part, header, encoded);
        Ok(())
    }

    /// Puts down the new body of a part and what its header says of it.
    fn put(&mut self, part: &Part, mut header: Header, Encoded { body, label }: Encoded) {
        if let Some(label) = label {
            if self.is_message(part) {
                self.introduce(part, &mut header);
            }
            set(&mut header, ENCODING, label);
            self.put_header(part, header);
        }
        self.splices.push(Splice { range: part.shape.body.clone(), with: body.into() });
    }

    /// The fields that a message needs before its body can be encoded (RFC 1428 3). The character set is the one that the octets
    /// show, or unknown.
    fn introduce(&self, part: &Part, header: &mut Header) {
        if header.named("MIME-Version").next().is_none() {
            set(header, "MIME-Version", "1.0");
        }
        if header.named("Content-Type").next().is_none() {
            let charset = match std::str::from_utf8(self.body(part)) {
                Ok(text) if text.is_ascii() => "us-ascii",
                Ok(_) => "utf-8",
                Err(_) => "unknown-8bit",
            };
            set(header, "Content-Type", &format!("text/plain; charset={charset}"));
        }
    }

    /// Takes back a label that promises more than the way carries, where the octets need no more.
    fn relabel(&mut self, part: &Part, mut header: Header) {
        if header.get(ENCODING).is_some_and(|label| self.goal.exceeds(&label)) {
            set(&mut header, ENCODING, self.goal.label(self.body(part)));
            self.put_header(part, header);
        }
    }

    fn put_header(&mut self, part: &Part, header: Header) {
        if part.index == 0 {
            self.header = Some(header);
        } else {
            self.splices.push(Splice { range: part.shape.header.clone(), with: header.raw().clone() });
        }
    }

    /// What stands before the first part of a multipart and behind the last, which no reader shows: quoted where it does not fit.
    fn between(&mut self, part: &Part) {
        let first = part.shape.children.first().and_then(|&child| self.mime.parts().get(child));
        let (Some(first), true) = (first, part.is_multipart) else { return };
        let close = part.shape.close.and_then(|line| {
            let end = memchr::memchr(b'\n', self.mime.body.get(line..)?)?;
            Some(line + end + 1)
        });
        let after = close.map(|end| end..part.shape.body.end);
        for range in std::iter::once(part.shape.body.start..first.shape.line).chain(after) {
            let Some(octets) = self.mime.body.get(range.clone()) else { continue };
            if !self.goal.fits(octets) {
                self.splices.push(Splice { range, with: quoted_printable(octets).into() });
            }
        }
    }

    fn body(&self, part: &Part) -> &'_ [u8] {
        self.mime.body.get(part.shape.body.clone()).unwrap_or_default()
    }

    /// Whether the message ends with the part.
    fn is_last(&self, part: &Part) -> bool {
        part.shape.body.end == self.mime.body.len()
    }

    /// Whether the part is the root of a message, whose fields stand among those of the mail.
    fn is_message(&self, part: &Part) -> bool {
        self.mime.around(part.index).next().is_none_or(|around| !around.is_multipart)
    }

    fn has_international_header(&self, part: &Part) -> bool {
        let within = self.mime.parts().iter().filter(|p| self.mime.around(p.index).any(|p| p.index == part.index));
        within.filter_map(|p| self.mime.body.get(p.shape.header.clone())).any(|header| !header.is_ascii())
    }
}

/// Sets a field whose name and value are ours, and so can't be refused.
fn set(header: &mut Header, name: &str, value: &str) {
    let set = fields::set(header, name, value);
    debug_assert!(set.is_ok(), "{name}: {value}");
}
