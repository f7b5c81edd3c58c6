//! Edits of the body of a message.

use super::compose::Attachment;
use super::error::MimeError;
use super::plan::Plan;
use super::render::render;
use super::view::Mime;
use crate::mail::{Header, Message};
use bytes::Bytes;

/// A change of the body. Parts are named by their index in the view of the message before any edit.
///
/// Text goes into the body that a reader shows: the first text, or all the alternatives to it. It starts on a line
/// of its own; its line breaks become CRLF. HTML goes inside `<body>`; without any, it is made from the text. Where
/// there is no such body, or it is signed or encrypted, the text becomes a part of its own before or behind all
/// others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyEdit {
    /// Puts text in front.
    PrependText {
        /// As plain text.
        text: String,
        /// As HTML.
        html: Option<String>,
    },
    /// Puts text behind.
    AppendText {
        /// As plain text.
        text: String,
        /// As HTML.
        html: Option<String>,
    },
    /// Puts text in the place of what is there. If HTML is given and the body is plain, it becomes an alternative.
    ReplaceText {
        /// As plain text.
        text: String,
        /// As HTML.
        html: Option<String>,
    },
    /// Replaces the octets of a part, given decoded; they are encoded as the part is.
    ReplacePart(usize, Bytes),
    /// Adds an attachment behind all others.
    AddAttachment(Attachment),
    /// Puts an attachment in the place of a part, with all its `Content-*` fields.
    ReplaceAttachment(usize, Attachment),
    /// Removes a part with all that lies in it. Of part 0 the header stays.
    RemovePart(usize),
}

/// The message with all edits made, in their order, or none. Octets outside the parts that they touch stay as they
/// are; so do header fields, but for `Content-*` and `MIME-Version` where they have to change. Copies the header and
/// what is new or encoded anew, and reads the body as [`Mime::of`] does.
pub fn edit(message: &Message, edits: &[BodyEdit]) -> Result<Message, MimeError> {
    if edits.is_empty() {
        return Ok(message.clone());
    }
    let message = separated(message);
    let mime = Mime::of(&message)?;
    let plan = Plan::of(&mime, edits)?;
    render(&message, &mime, &plan)
}

/// The message with its header ended, so that a body can follow.
pub(super) fn separated(message: &Message) -> Message {
    let raw = message.header.raw();
    let mut message = Message { separated: true, ..message.clone() };
    if !raw.is_empty() && !raw.ends_with(b"\n") {
        message.header = Header::from_raw([&raw[..], b"\r\n"].concat().into());
    }
    message
}
