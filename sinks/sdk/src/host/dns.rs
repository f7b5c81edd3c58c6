//! The DNS. Needs `allow.dns`.

pub use crate::wit::types::RecordKind as Kind;

use crate::seam::{Here, World};
use crate::wit::dns;
use std::fmt;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// There is no such name or record.
    NotFound,
    /// No answer now.
    Temporary(String),
    /// This can't be asked.
    Invalid(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("dns: there is no such name or record"),
            Self::Temporary(why) => write!(f, "dns: no answer: {why}"),
            Self::Invalid(why) => write!(f, "dns: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<dns::Error> for Error {
    fn from(error: dns::Error) -> Self {
        match error {
            dns::Error::NotFound => Self::NotFound,
            dns::Error::Temporary(why) => Self::Temporary(why),
            dns::Error::Invalid(why) => Self::Invalid(why),
        }
    }
}

/// The records in their presentation form, such as `10 mx.example.com.`
pub fn lookup(name: &str, kind: Kind) -> Result<Vec<String>, Error> {
    Ok(Here::dns(name, kind)?)
}
