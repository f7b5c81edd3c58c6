//! Messages that sinks make.
//!
//! A sink with `allow.submit` asks for one by [`Edit::Generate`](super::Edit::Generate). It is an edit like any other: it
//! counts only if the call returns well, and it enters only when the transaction is accepted, discarded and held ones included,
//! and is gone when that is refused. Then it goes through `transport.submit` by itself, under the same snapshot.
//!
//! Nothing here multiplies without end: a sink does not hear what it has made itself, what was made of what was made ends at
//! [`DEPTH_MAX`], and one transaction gives rise to [`TRANSACTION_MAX`] at most.

use super::fault::{Fault, FaultKind};
use crate::mail::{Content, ForwardPath, Piece, ReversePath};
use std::sync::Arc;

/// The most messages that one call can ask for.
pub const CALL_MAX: usize = 10;
/// The most messages that come of one transaction, those made of its messages included.
pub const TRANSACTION_MAX: usize = 100;
/// The most octets that the messages of one transaction hold in memory; pieces of a stored message don't count.
pub const OCTETS_MAX: u64 = 32 * 1024 * 1024;
/// How often a message may be made of a message that was made itself.
pub const DEPTH_MAX: u8 = 3;

/// A message that a sink asks for.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The reverse-path. The null path, if nobody is to hear of its failure, as with automatic answers (RFC 3834).
    pub sender: ReversePath,
    /// The forward-paths; at least one.
    pub recipients: Vec<ForwardPath>,
    /// Header, blank line and body. Every line ends with CRLF, and there is no NUL. What such a message must say about itself,
    /// Date, Message-ID and Auto-Submitted among it, is the sink's affair.
    pub content: Content,
}

/// Two are equal if they say the same of the same octets.
impl PartialEq for NewMessage {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (&self.content, &other.content);
        let same = || a.pieces().iter().all(|p| matches!(p, Piece::Inline(_))) || Arc::ptr_eq(a.blob(), b.blob());
        (&self.sender, &self.recipients, a.pieces()) == (&other.sender, &other.recipients, b.pieces()) && same()
    }
}

/// A message that was asked for, waiting for the transaction to be accepted.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The sink that asked for it.
    pub by: Arc<str>,
    /// The message.
    pub message: Arc<NewMessage>,
}

/// Adds a message to those of a transaction, which came in `depth` deep itself. `asked` counts those of this call.
pub(super) fn add(list: &mut Vec<Generated>, new: Generated, depth: u8, asked: usize) -> Result<(), Fault> {
    let limit = |text: String| Err(Fault::new(FaultKind::Limit, text));
    if depth >= DEPTH_MAX {
        return limit(format!(
            "this message was made of one that was made, {depth} deep, and nothing more may be made of it"
        ));
    }
    if asked > CALL_MAX {
        return limit(format!("more than {CALL_MAX} new messages in one call"));
    }
    if list.len() >= TRANSACTION_MAX {
        return limit(format!("more than {TRANSACTION_MAX} new messages of one transaction"));
    }
    let octets: u64 = list.iter().chain([&new]).map(|made| inline(&made.message.content)).sum();
    if octets > OCTETS_MAX {
        return limit(format!("new messages of {octets} octets of one transaction; {OCTETS_MAX} are allowed"));
    }
    if new.message.recipients.is_empty() {
        return Err(Fault::new(FaultKind::Illegal, "a new message without recipients"));
    }
    list.push(new);
    Ok(())
}

/// The octets that a content holds by itself.
fn inline(content: &Content) -> u64 {
    content.pieces().iter().filter(|piece| matches!(piece, Piece::Inline(_))).map(Piece::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn new(octets: usize) -> Generated {
        let recipients = vec![ForwardPath::parse("a@example.com").unwrap()];
        let message =
            NewMessage { sender: ReversePath::Null, recipients, content: Bytes::from(vec![b'x'; octets]).into() };
        Generated { by: "maker".into(), message: Arc::new(message) }
    }

    #[test]
    fn so_many_so_deep_and_so_large_and_no_more() {
        let mut list = Vec::new();
        assert!(add(&mut list, new(1), DEPTH_MAX - 1, CALL_MAX).is_ok());
        assert!(add(&mut list, new(1), DEPTH_MAX, 1).is_err());
        assert!(add(&mut list, new(1), 0, CALL_MAX + 1).is_err());
        assert!(add(&mut list, new(OCTETS_MAX as usize), 0, 1).is_err());
        assert_eq!(list.len(), 1);
        (1..TRANSACTION_MAX).for_each(|_| add(&mut list, new(1), 0, 1).unwrap());
        assert!(add(&mut list, new(1), 0, 1).unwrap_err().text.contains("100 new messages"));
        let mut nobody = new(1);
        Arc::make_mut(&mut nobody.message).recipients.clear();
        assert!(add(&mut Vec::new(), nobody, 0, 1).is_err());
    }

    #[test]
    fn equal_if_the_octets_are() {
        assert_eq!(new(3).message, new(3).message);
        assert_ne!(new(3).message, new(4).message);
    }
}
