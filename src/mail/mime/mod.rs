//! The MIME view of a message (RFC 2045 to 2049, 2183, 2231), and edits of its body.
//!
//! [`Mime::of`] reads the structure of a message: which parts there are, what they say of themselves, and where
//! their octets lie. Parts are decoded when they are asked for. [`edit`] changes the text that a reader shows,
//! parts and attachments, and leaves every octet outside the parts that it touches as it was. [`convert`] makes a message fit
//! for a way that carries less than it holds.
//!
//! Structure, transfer encodings and encoded words are read here and not by `mail-parser`, which decodes every
//! part at once, looks for a boundary anywhere in a line, has no limit on the number of parts, and takes
//! quadratic time on hostile structure. Its grammar of `Content-Type` and its character sets are used.

mod boundary;
mod charset;
mod compose;
mod convert;
mod decode;
mod edit;
mod encode;
mod error;
mod fields;
mod html;
mod part;
mod plan;
mod render;
mod rewrite;
mod scan;
mod splice;
mod view;
mod words;

pub use compose::Attachment;
pub use convert::{Goal, NotConvertible, convert};
pub use edit::{BodyEdit, edit};
pub use encode::{is_clean, quoted_printable};
pub use error::MimeError;
pub use part::{Disposition, Part, TransferEncoding};
pub use view::{DEPTH_MAX, Mime, PARTS_MAX};
pub use words::{decoded, decoded_header, encoded};

#[cfg(test)]
mod tests;
