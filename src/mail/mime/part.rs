//! A part of a message: what it says of itself, and where it lies.

use super::fields::Facts;
use std::ops::Range;

/// How the octets of a part were made fit for transport (RFC 2045 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferEncoding {
    /// Not at all: `7bit`, `8bit`, `binary`, or no such field.
    Identity,
    /// `quoted-printable`.
    QuotedPrintable,
    /// `base64`.
    Base64,
    /// Something else. Its octets are given as they stand.
    Unknown,
}

/// How a part wants to be shown (RFC 2183 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Among the text.
    Inline,
    /// Apart from it; also any disposition that is not known.
    Attachment,
}

/// A part, in the order in which the parts begin; part 0 is the message as a whole.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its place in [`Mime::parts`](super::Mime::parts).
    pub index: usize,
    /// The multipart or the `message/rfc822` that it lies in.
    pub parent: Option<usize>,
    /// `type/subtype`, in lower case.
    pub content_type: String,
    /// The `charset` parameter, in lower case.
    pub charset: Option<String>,
    /// The disposition, if it names one.
    pub disposition: Option<Disposition>,
    /// The file name, decoded, without control characters; not fit to be used as a path.
    pub file_name: Option<String>,
    /// The `Content-ID`, without its angle brackets.
    pub content_id: Option<String>,
    /// The transfer encoding.
    pub encoding: TransferEncoding,
    /// Its octets when decoded; of a multipart, those between its header and its end.
    pub size: u64,
    /// Whether its transfer encoding has faults; what can be decoded, is.
    pub damaged: bool,
    /// Whether it is something to save and not text to show: it says so, has a file name, or is no text.
    pub is_attachment: bool,
    /// Whether it is a multipart with parts. One whose boundary never comes is a leaf.
    pub is_multipart: bool,
    /// Where its header lies in the whole message, without the blank line. Octets.
    pub header: Range<u64>,
    /// Where its body lies in the whole message, still encoded. Octets.
    pub body: Range<u64>,
    pub(super) shape: Shape,
}

/// What an edit has to know of the place of a part. Offsets count from the start of the body of the message.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// The header; empty for part 0, whose header lies elsewhere.
    pub(super) header: Range<usize>,
    pub(super) body: Range<usize>,
    /// Whether a blank line follows the header, other than one that belongs to the next delimiter.
    pub(super) blank: bool,
    /// Whether the next delimiter follows without the line break that belongs to it.
    pub(super) glued: bool,
    /// Where the delimiter line before it begins.
    pub(super) line: usize,
    /// Of a multipart: its boundary.
    pub(super) boundary: Option<Vec<u8>>,
    /// Of a multipart: where the line of its closing delimiter begins.
    pub(super) close: Option<usize>,
    pub(super) children: Vec<usize>,
    /// Whether octets that are not ASCII stand in its undecoded body.
    pub(super) eight_bit: bool,
}

impl Part {
    /// `text/plain` or `text/html`, and of an encoding that can be read and written.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.content_type.as_str(), "text/plain" | "text/html") && self.encoding != TransferEncoding::Unknown
    }

    /// Whether its octets may not be touched (RFC 1847).
    pub(super) fn is_sealed(&self) -> bool {
        matches!(self.content_type.as_str(), "multipart/signed" | "multipart/encrypted")
    }

    /// A part as its fields tell; the rest is found while the message is read.
    pub(super) fn new(index: usize, parent: Option<usize>, facts: Facts, shape: Shape) -> Self {
        let is_attachment = match facts.disposition {
            Some(Disposition::Attachment) => true,
            // The name of a message that is all text does not make it a file.
            _ => (index > 0 && facts.file_name.is_some()) || !facts.content_type.starts_with("text/"),
        };
        Self {
            index,
            parent,
            content_type: facts.content_type,
            charset: facts.charset,
            disposition: facts.disposition,
            file_name: facts.file_name,
            content_id: facts.content_id,
            encoding: facts.encoding,
            size: 0,
            damaged: false,
            is_attachment,
            is_multipart: false,
            header: 0..0,
            body: 0..0,
            shape: Shape { boundary: facts.boundary, ..shape },
        }
    }
}
