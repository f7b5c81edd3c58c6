//! What a sink says: rulings that are legal at an event, and replies.
//!
//! The server bounds and cleans every text, and gives a reply whose class is not the verdict's the event's own code.

use crate::catalogue::{EventType, may};
use crate::wit::types::{self, Deferral, Verdict};
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

/// `class.subject.detail` (RFC 3463).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnhancedCode(pub u8, pub u16, pub u16);

/// A reply (RFC 5321, 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    status: Option<EnhancedCode>,
    text: String,
}

impl Reply {
    /// A reply with a status.
    pub fn new(code: u16, status: EnhancedCode, text: impl Into<String>) -> Self {
        Self { code, status: Some(status), text: text.into() }
    }

    /// A reply without a status.
    pub fn plain(code: u16, text: impl Into<String>) -> Self {
        Self { code, status: None, text: text.into() }
    }

    /// The three digits.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The status, where the reply has one.
    pub fn status(&self) -> Option<EnhancedCode> {
        self.status
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.code)?;
        if let Some(EnhancedCode(class, subject, detail)) = self.status {
            write!(f, "{class}.{subject}.{detail} ")?;
        }
        f.write_str(&self.text)
    }
}

impl From<Reply> for types::Reply {
    fn from(Reply { code, status, text }: Reply) -> Self {
        let status = status.map(|EnhancedCode(class, subject, detail)| types::Status { class, subject, detail });
        Self { code, status, text }
    }
}

impl From<types::Reply> for Reply {
    fn from(types::Reply { code, status, text }: types::Reply) -> Self {
        Self { code, status: status.map(|s| EnhancedCode(s.class, s.subject, s.detail)), text }
    }
}

/// A verdict that is legal at `E`.
#[derive(Debug)]
pub struct Ruling<E: EventType>(Verdict, PhantomData<E>);

impl<E: EventType> Ruling<E> {
    const fn of(verdict: Verdict) -> Self {
        Self(verdict, PhantomData)
    }

    pub(crate) fn into_verdict(self) -> Verdict {
        self.0
    }

    /// No objection.
    pub const fn next() -> Self {
        Self::of(Verdict::Next)
    }

    /// No objection, and no later sink need look.
    pub const fn skip_rest() -> Self {
        Self::of(Verdict::SkipRest)
    }

    /// Handled here.
    pub fn answer(value: impl Into<E::Value>) -> Self
    where
        E: may::Answer,
    {
        Self::of(Verdict::Answer(E::answer(value.into())))
    }

    /// 550 with this status and text.
    pub fn reject(class: u8, subject: u16, detail: u16, text: &str) -> Self
    where
        E: may::Reject,
    {
        Self::reject_with(Reply::new(550, EnhancedCode(class, subject, detail), text))
    }

    /// This 5xx. A reply of another class keeps its text and gets the event's own code.
    pub fn reject_with(reply: Reply) -> Self
    where
        E: may::Reject,
    {
        Self::of(Verdict::Reject(Some(reply.into())))
    }

    /// 451 with this text; after acceptance, another try after the usual time.
    pub fn defer(text: &str) -> Self
    where
        E: may::Defer,
    {
        Self::defer_with(Reply::new(451, EnhancedCode(4, 7, 1), text), None)
    }

    /// This 4xx, and after acceptance another try after this time, in whole seconds.
    pub fn defer_with(reply: Reply, after: Option<Duration>) -> Self
    where
        E: may::Defer,
    {
        let after = after.map(|time| u32::try_from(time.as_secs()).unwrap_or(u32::MAX));
        Self::of(Verdict::Defer(Deferral { reply: Some(reply.into()), after }))
    }

    /// Say this and close.
    pub fn disconnect(reply: Reply) -> Self
    where
        E: may::Disconnect,
    {
        Self::of(Verdict::Disconnect(Some(reply.into())))
    }

    /// Accept and drop.
    pub fn discard() -> Self
    where
        E: may::Discard,
    {
        Self::of(Verdict::Discard)
    }

    /// Accept and park until an operator releases it, for this reason.
    pub fn hold(reason: impl Into<String>) -> Self
    where
        E: may::Hold,
    {
        Self::of(Verdict::Hold(reason.into()))
    }
}
