//! Why a message can't be converted.

use super::super::MimeError;
use std::fmt;
use std::io;

/// What keeps it as it is. Parts are named by their index in the view of the message.
#[derive(Debug)]
pub enum NotConvertible {
    /// The octets could not be read; another time they may be.
    Unreadable(io::Error),
    /// The header of the message, or of a part, has octets beyond ASCII, for which there is no encoding (RFC 6531 3.6).
    Header(usize),
    /// Signed or encrypted: its octets may not be changed (RFC 1847 2.1).
    Sealed(usize),
    /// Of a type that may not be encoded, and not of the form that its type promises (RFC 2045 6.4).
    Composite {
        /// The part.
        part: usize,
        /// Its type.
        content_type: String,
    },
    /// Encoded by a transfer encoding that is not known; another can't be put on top (RFC 3030 3).
    Encoding(usize),
    /// The structure is beyond the limits of the view.
    Structure(MimeError),
    /// The structure is so broken that the result would not be read as the message was.
    Ambiguous,
}

impl fmt::Display for NotConvertible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(e) => write!(f, "the message could not be read: {e}"),
            Self::Header(0) => f.write_str("its header has octets beyond ASCII"),
            Self::Header(part) => write!(f, "the header of part {part} has octets beyond ASCII"),
            Self::Sealed(part) => write!(f, "part {part} is signed or encrypted"),
            Self::Composite { part, content_type } => {
                write!(f, "part {part} is no sound `{}`, which can't be encoded", content_type.escape_debug())
            }
            Self::Encoding(part) => write!(f, "part {part} has an unknown transfer encoding"),
            Self::Structure(e) => e.fmt(f),
            Self::Ambiguous => f.write_str("its structure is broken"),
        }
    }
}

impl std::error::Error for NotConvertible {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable(e) => Some(e),
            Self::Structure(e) => Some(e),
            _ => None,
        }
    }
}

impl From<MimeError> for NotConvertible {
    fn from(e: MimeError) -> Self {
        match e {
            MimeError::Unreadable(e) => Self::Unreadable(e),
            other => Self::Structure(other),
        }
    }
}
