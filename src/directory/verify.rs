//! Whether a recipient of a domain that is handed on exists, as its next hop says: the seam between whoever wants to know and
//! whoever asks.
//!
//! A question is asked at RCPT, while the client waits: an answer comes within half a minute, or is [`Existence::Unknown`]. How the
//! next hop is found and asked, and for how long its answers are remembered, is not said here.

use crate::mail::{Mailbox, Origin, Reply};
use async_trait::async_trait;

/// Asks for recipients.
#[async_trait]
pub trait Verify: Send + Sync {
    /// Whether the recipient exists. `origin`: who wants to know, for sinks that answer questions of the DNS.
    async fn exists(&self, recipient: &Mailbox, origin: &Origin) -> Existence;
}

/// What is known of a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Existence {
    /// It exists, or its next hop is none that can be asked.
    Yes,
    /// It does not. This is what to tell the client: 550 5.1.1 (RFC 3463 3.2) with the next hop's words.
    No(Reply),
    /// Nobody has answered; nothing is known. The text is for operators.
    Unknown(String),
}
