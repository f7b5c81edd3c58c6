//! Messages that a sink makes. Needs `allow.submit`.

use crate::Fault;
use crate::seam::{Here, World};
use crate::wit::submit::NewMessage;

/// Submits a message: header, blank line and body, lines ended by CRLF. `sender` none is the null path.
///
/// [`Heard::generate`](crate::Heard::generate) is the same, and does not compile at an event where it would be a fault.
///
/// It enters when the call has returned well and the transaction is accepted, and not otherwise. The sink does not hear what it
/// has made itself.
pub fn submit(sender: Option<&str>, recipients: &[&str], content: impl Into<Vec<u8>>) -> Result<(), Fault> {
    Here::submit(&NewMessage {
        sender: sender.map(Into::into),
        recipients: recipients.iter().map(|r| (*r).to_owned()).collect(),
        content: content.into(),
    })
    .map_err(Fault::error)
}
