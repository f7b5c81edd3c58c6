//! The transaction while it is open: its pinned snapshot, its draft, and what was decided about it so far.

use crate::event::Transaction;
use crate::intake::Mark;
use crate::mail::{Content, ForwardPath, Header, Message, Reply};
use crate::snapshot::Snapshot;
use crate::spool::{Draft, StoreFault};
use bytes::Bytes;
use std::sync::Arc;

/// One open transaction.
pub(super) struct OpenMail {
    pub(super) transaction: Transaction,
    pub(super) snapshot: Arc<Snapshot>,
    /// Discard or hold, as decided before the content came.
    pub(super) mark: Option<Mark>,
    /// The accepted RCPTs as the client gave them, in order: LMTP owes a reply to each.
    pub(super) accepted: Vec<ForwardPath>,
    /// The last 4xx or 5xx of the transaction.
    pub(super) refused: Option<Reply>,
    draft: Option<Draft>,
    /// The octets so far, until the header is complete.
    header: Vec<u8>,
    header_done: bool,
    header_len: u64,
    fault: Option<StoreFault>,
}

impl OpenMail {
    pub(super) fn new(transaction: Transaction, snapshot: Arc<Snapshot>) -> Self {
        Self {
            transaction,
            snapshot,
            mark: None,
            accepted: Vec::new(),
            refused: None,
            draft: None,
            header: Vec::new(),
            header_done: false,
            header_len: 0,
            fault: None,
        }
    }

    /// The content begins.
    pub(super) fn start(&mut self, draft: Draft) {
        self.draft = Some(draft);
    }

    /// Octets of the content. A fault is kept for the end: the client is heard out first.
    pub(super) fn write(&mut self, octets: &[u8]) {
        if !self.header_done {
            self.header.extend_from_slice(octets);
        }
        if let (Some(draft), None) = (&mut self.draft, &self.fault)
            && let Err(fault) = draft.write(octets)
        {
            tracing::error!(id = %self.transaction.id, %fault, "the draft can't be written");
            self.fault = Some(fault);
        }
    }

    /// The header is complete: its first `len` octets are on the transaction from here on.
    pub(super) fn header_done(&mut self, len: u64) {
        let mut octets = std::mem::take(&mut self.header);
        octets.truncate(usize::try_from(len).unwrap_or(usize::MAX));
        self.header_done = true;
        self.header_len = len;
        let header = Header::from_raw(octets.into());
        self.transaction.letter_mut().message =
            Some(Message { header, separated: false, body: Content::from(Bytes::new()) });
    }

    /// The content is complete: all of it is on the transaction from here on.
    pub(super) fn complete(&mut self) -> Result<(), StoreFault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let Some(draft) = self.draft.take() else { return Ok(()) };
        let content = Content::whole(draft.finish()?);
        let message = Message::split(&content, self.header_len)
            .map_err(|e| StoreFault::Sick(format!("a draft can't be read: {e}")))?;
        self.transaction.letter_mut().message = Some(message);
        Ok(())
    }
}
