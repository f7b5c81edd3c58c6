//! One recipient, as it can be read. The changes are methods of [`Heard`](crate::Heard), where the event allows them.

use crate::seam;
use crate::wit::types::Standing;
use serde_json::Value;

/// A recipient: the one at hand, or one of a message's.
pub struct Recipient<'a>(Held<'a>);

enum Held<'a> {
    Borrowed(&'a seam::Recipient),
    Owned(seam::Recipient),
}

impl<'a> Recipient<'a> {
    pub(super) fn borrowed(recipient: &'a seam::Recipient) -> Self {
        Self(Held::Borrowed(recipient))
    }

    pub(super) fn owned(recipient: seam::Recipient) -> Self {
        Self(Held::Owned(recipient))
    }

    pub(super) fn handle(&self) -> &seam::Recipient {
        match &self.0 {
            Held::Borrowed(recipient) => recipient,
            Held::Owned(recipient) => recipient,
        }
    }

    /// Where it goes: `local@domain`, or `postmaster`.
    pub fn path(&self) -> String {
        self.handle().address()
    }

    /// Where the client wanted it to go, if that has been rewritten.
    pub fn original(&self) -> Option<String> {
        self.handle().original()
    }

    /// How the directory sees it.
    pub fn standing(&self) -> Standing {
        self.handle().standing()
    }

    /// Its place in the envelope, as legs and outcomes name it. None for the one at hand.
    pub fn place(&self) -> Option<u32> {
        self.handle().place()
    }

    /// Whether the binding's rule holds for it.
    pub fn matched(&self) -> bool {
        self.handle().matched()
    }

    /// A parameter of RCPT that a sink has claimed, by its keyword: what follows `=`, empty without one.
    pub fn parameter(&self, keyword: &str) -> Option<String> {
        self.handle().parameter(keyword)
    }

    /// A property by its full name, `sink.key`.
    pub fn property(&self, name: &str) -> Option<Value> {
        serde_json::from_str(&self.handle().property(name)?).ok()
    }
}
