//! Why a message has no MIME view, or a body edit can't be done.

use std::fmt;
use std::io;

/// What is wrong, where, and where it helps, what to do. Parts are named by their index in the view.
#[derive(Debug)]
pub enum MimeError {
    /// The octets could not be read.
    Unreadable(io::Error),
    /// More parts than [`PARTS_MAX`](super::PARTS_MAX).
    TooManyParts,
    /// Parts nested deeper than [`DEPTH_MAX`](super::DEPTH_MAX).
    TooDeep,
    /// A `Content-Type` or `Content-Disposition` field that is too long to be honest.
    FieldTooLong {
        /// The part that has it.
        part: usize,
        /// The field.
        name: &'static str,
    },
    /// There is no such part.
    NoSuchPart {
        /// The index that was asked for.
        part: usize,
        /// How many there are.
        parts: usize,
    },
    /// A multipart has no octets of its own to read or replace.
    Multipart(usize),
    /// The part lies within what is signed or encrypted.
    Sealed(usize),
    /// An edit of the same list removed or replaced the part, or what it lies in.
    Gone(usize),
    /// The root of a message within the message can't be removed.
    OnlyContent(usize),
    /// The text of this part can't be converted to UTF-8, which the added text needs.
    Charset {
        /// The part.
        part: usize,
        /// The character set that it names.
        charset: String,
    },
    /// Not a media type of an attachment.
    BadType(String),
}

impl fmt::Display for MimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(e) => write!(f, "the message could not be read: {e}"),
            Self::TooManyParts => write!(f, "the message has more than {} parts", super::PARTS_MAX),
            Self::TooDeep => write!(f, "the parts of the message are nested deeper than {}", super::DEPTH_MAX),
            Self::FieldTooLong { part, name } => {
                write!(f, "the {name} field of part {part} is longer than {} octets", super::fields::FIELD_MAX)
            }
            Self::NoSuchPart { part, parts } => {
                write!(f, "there is no part {part}: the message has {parts}, counted from 0")
            }
            Self::Multipart(part) => write!(f, "part {part} is a multipart: name one of the parts in it"),
            Self::Sealed(part) => {
                write!(f, "part {part} is signed or encrypted: text and attachments can only be put around it")
            }
            Self::Gone(part) => write!(f, "part {part} was removed or replaced by an earlier edit"),
            Self::OnlyContent(part) => {
                write!(f, "part {part} is all that its message has: remove the part that holds that message")
            }
            Self::Charset { part, charset } => write!(
                f,
                "part {part} is in the character set `{}`, which can't be converted; only ASCII text can be added to it",
                charset.escape_debug()
            ),
            Self::BadType(text) => write!(
                f,
                "`{}` is not a media type that an attachment can have, such as `application/pdf`",
                text.escape_debug()
            ),
        }
    }
}

impl std::error::Error for MimeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable(e) => Some(e),
            _ => None,
        }
    }
}

impl From<io::Error> for MimeError {
    fn from(e: io::Error) -> Self {
        Self::Unreadable(e)
    }
}
