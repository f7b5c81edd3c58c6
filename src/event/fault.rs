//! What can go wrong in a sink: a fault is that sink's, and its binding's policy decides.

use crate::config::Secrets;
use crate::mail::one_line;
use serde::Serialize;
use std::fmt;

/// Why a call did not return well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultKind {
    /// It panicked or trapped.
    Panic,
    /// It took longer than its deadline.
    Overrun,
    /// It went over a limit other than time.
    Limit,
    /// It said itself that it failed.
    Error,
    /// A verdict or edit that the event doesn't allow.
    Illegal,
    /// It was not asked: its breaker is open.
    Breaker,
}

impl FaultKind {
    /// As ledgers and logs name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Overrun => "overrun",
            Self::Limit => "limit",
            Self::Error => "error",
            Self::Illegal => "illegal",
            Self::Breaker => "breaker open",
        }
    }
}

/// A failed call. The text is the operator's; the peer never sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happened.
    pub kind: FaultKind,
    /// In words that the sink's author understands.
    pub text: String,
}

impl Fault {
    /// A fault of this kind. The text is made one bounded line: it goes into ledgers and logs.
    pub fn new(kind: FaultKind, text: impl Into<String>) -> Self {
        Self { kind, text: one_line(text.into()) }
    }

    /// The sink could not do its work: a look-up failed, a file is gone.
    pub fn error(text: impl fmt::Display) -> Self {
        Self::new(FaultKind::Error, text.to_string())
    }

    /// The same without secrets in its text.
    pub(super) fn masked(self, secrets: &Secrets) -> Self {
        Self { text: secrets.mask(&self.text).into_owned(), ..self }
    }

    /// From what a panic carried.
    pub(super) fn panic(payload: &(dyn std::any::Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .map(|s| (*s).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a message".to_owned());
        Self::new(FaultKind::Panic, text)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            // The sink's own words say enough.
            FaultKind::Error => f.write_str(&self.text),
            kind => write!(f, "{}: {}", kind.as_str(), self.text),
        }
    }
}

impl std::error::Error for Fault {}
