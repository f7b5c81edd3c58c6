//! Why a sink could not do its work. The binding's policy decides what that means for the message.

use std::fmt;

/// A failed call. The text is the operator's; the peer never sees it. Any error becomes one by `?`.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault(String);

impl Fault {
    /// The sink could not do its work: a look-up failed, the configuration makes no sense.
    pub fn error(text: impl fmt::Display) -> Self {
        Self(text.to_string())
    }

    /// What happened.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl<E: std::error::Error> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::error(error)
    }
}

// Not `std::error::Error`, which would leave no room for the conversion above.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
