//! The contract of a spool: the durable store of accepted messages.
//!
//! **When may 250 be said?** When [`Spool::commit`] has returned `Ok` for the batch with the message's `Accept`, and not
//! before: from then on the message survives a crash of the process and of the machine (RFC 5321 6.1). Say it at once:
//! the time between the two is when a crash makes a duplicate (RFC 1047).
//!
//! What a store keeps are the records of committed batches, in the order in which they were committed, folded into one
//! [`Entry`] per message. It never looks into a message, never decides what is due, and never drops anything that was
//! not ended by an [`Record::End`]. Tests in `tests/it/spool_contract.rs` hold for every implementation.

use super::draft::Draft;
use super::fault::StoreFault;
use super::health::{Health, Usage};
use super::record::{Entry, Record};
use super::stored::StoredContent;
use crate::mail::{Content, Id, Timestamp};
use async_trait::async_trait;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use tokio::sync::oneshot;

/// A process that may own entries. One machine has one; a store shared by several gives each entry to one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(pub u64);

/// The right to change what was claimed, until the next claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence(pub(super) u64);

/// What a claim gives.
pub struct Claim {
    /// The right to change what is claimed.
    pub fence: Fence,
    /// No message that is there has a newer id.
    pub newest: Id,
    /// What is there.
    pub found: Found,
}

/// All messages that are there, to be had once they are known: after a start, a store accepts before it has read everything.
pub struct Found(pub(super) oneshot::Receiver<Vec<Outline>>);

impl Found {
    /// These; none before they are known now.
    pub(super) fn now(outlines: Vec<Outline>) -> Self {
        let (give, found) = oneshot::channel();
        // The other end is at hand.
        let _ = give.send(outlines);
        Self(found)
    }

    /// Waits for all of them, in the order of their ids. A fault if the store stops first.
    pub async fn all(self) -> Result<Vec<Outline>, StoreFault> {
        self.0.await.map_err(|_| StoreFault::stopped())
    }
}

/// Of a message what a schedule needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The message.
    pub id: Id,
    /// [`Entry::due`].
    pub due: Option<Timestamp>,
    /// Until when its sender has it held (RFC 4865).
    pub until: Option<Timestamp>,
    /// Where it is still to be delivered: the keys of the domains of its open recipients, each once. None while it is parked.
    pub domains: Box<[Arc<str>]>,
}

impl Outline {
    /// Of this message.
    pub fn of(entry: &Entry) -> Self {
        let all = entry.envelope.recipients.iter().zip(&entry.recipients).filter(|_| entry.hold.is_none());
        let open = all.filter(|(_, state)| !state.done && state.held.is_none());
        let keys: BTreeSet<_> =
            open.filter_map(|(recipient, _)| Some(recipient.path.mailbox()?.domain_key())).collect();
        let domains = keys.into_iter().map(Arc::from).collect();
        Self { id: entry.id, due: entry.due(), until: entry.envelope.hold, domains }
    }

    /// The same with the domains that are known already, which need no memory of their own.
    pub(super) fn sharing(mut self, known: &mut HashSet<Arc<str>>) -> Self {
        for domain in &mut self.domains {
            match known.get(domain) {
                Some(there) => *domain = there.clone(),
                None => drop(known.insert(domain.clone())),
            }
        }
        self
    }
}

/// The durable store of accepted messages.
#[async_trait]
pub trait Spool: Send + Sync {
    /// A place for octets that are being received. Called once per message, never waits.
    fn draft(&self) -> Draft;

    /// Makes these records durable: all of them or none. On `Ok` they are on stable storage. On a fault none of them
    /// is in force, nor will be after a restart, but for one case: when the disk failed so thoroughly that the refusal
    /// could not be noted either, a message refused just before a crash may be found again. Twice is better than never.
    ///
    /// Called from any number of tasks at once; they share syncs. It waits for the disk but blocks no thread of the
    /// runtime on it. Dropping the future does not take back what was handed over: the outcome is then unknown.
    async fn commit(&self, fence: Fence, batch: Vec<Record>) -> Result<(), StoreFault>;

    /// The octets of a stored message. Reads are local and synchronous from here, and go on working when the message
    /// ends or moves. A fault if the message is not there or its octets are damaged.
    fn open(&self, content: &StoredContent) -> Result<Content, StoreFault>;

    /// A message as it stands. Reads the disk. A fault if it is not there or can't be read.
    fn entry(&self, id: Id) -> Result<Entry, StoreFault>;

    /// Takes all messages that `node` may work on: at start, those that recovery finds. Fences given before are void from here.
    /// Each message has one owner. With the fence, new messages are accepted at once; of those that were there nothing can be
    /// changed before they are found.
    async fn claim(&self, node: NodeId) -> Result<Claim, StoreFault>;

    /// Whether records are taken at present.
    fn health(&self) -> Health;

    /// How much it holds.
    fn usage(&self) -> Usage;
}
