//! Messages that sinks make: submitted when the transaction that they were made in is accepted, and committed with it.
//!
//! Each goes through `transport.submit` by itself, under the snapshot of the transaction, as if it had come by a door of its own;
//! what sinks make of it then is treated the same. All that are accepted are committed in one batch with the transaction, all or
//! none. One that a check or a sink refuses does not hold up the others: it is logged, and told in the ledger of its parent
//! and in an account of its own.

use super::account::{Account, State};
use super::history::History;
use super::letter::Letter;
use super::local;
use super::submit::{Mark, accepted, decided, entry, refused_by_all, trace};
use crate::event::generated::TRANSACTION_MAX;
use crate::event::host::Clock;
use crate::event::sink::BoxFuture;
use crate::event::{Event, Generated, Ledger, NewMessage, Stage, Transaction};
use crate::mail::{Content, EnhancedCode, IdSource, Origin, Reply};
use crate::snapshot::Snapshot;
use crate::spool::{Entry, Record, Spool, StoreFault};

const TOO_MANY: Reply = Reply::new(554, EnhancedCode(5, 5, 3), "Too many messages were made of one transaction");

/// Where messages that sinks have made grow up.
pub struct Nursery<'a> {
    /// The snapshot of the transaction.
    pub snapshot: &'a Snapshot,
    /// For their octets.
    pub spool: &'a dyn Spool,
    /// For their ids.
    pub ids: &'a IdSource,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// The messages that came of one transaction, theirs included.
#[derive(Default)]
pub struct Brood {
    /// To be committed.
    born: Vec<(Entry, Content)>,
    /// Refused or discarded.
    lost: Vec<Account>,
    count: usize,
}

impl Nursery<'_> {
    /// Submits what sinks have made in a transaction that is about to be accepted, and takes it off that. The ids, and what was
    /// refused, stand in its ledger.
    pub async fn raise(&self, parent: &mut Transaction, origin: &Origin) -> Brood {
        let mut brood = Brood::default();
        self.raise_into(parent, origin, &mut brood).await;
        brood
    }

    fn raise_into<'s>(
        &'s self,
        parent: &'s mut Transaction,
        origin: &'s Origin,
        brood: &'s mut Brood,
    ) -> BoxFuture<'s, ()> {
        Box::pin(async move {
            // Who has made nothing is not copied.
            if parent.letter.generated.is_empty() {
                return;
            }
            for made in std::mem::take(&mut parent.letter_mut().generated) {
                self.one(made, parent, origin, brood).await;
            }
        })
    }

    async fn one(&self, made: Generated, parent: &mut Transaction, origin: &Origin, brood: &mut Brood) {
        let now = self.clock.now();
        let origin = origin.of_made(made.by.clone(), parent.id);
        let NewMessage { sender, recipients, content } = &*made.message;
        let envelope = local::envelope(self.snapshot, sender.clone(), recipients.clone());
        let ledger = Ledger { generation: self.snapshot.generation, ..Ledger::default() };
        let mut child = Transaction::new(self.ids.next(now.0), now, envelope, ledger);
        parent.ledger.generated.push(child.id);
        brood.count += 1;
        let mark = match brood.count > TRANSACTION_MAX {
            true => Err(TOO_MANY),
            false => self.submit(&mut child, &origin, content).await,
        };
        match mark {
            Ok(mark) => {
                self.raise_into(&mut child, &origin, brood).await;
                self.keep(&child, &origin, mark, brood);
            }
            Err(reply) => {
                tracing::warn!(id = %child.id, parent = %parent.id, sink = &*made.by, %reply, "a message that a sink made was refused");
                parent.ledger.note_guard(Event::TransportSubmit, &format!("{}, made by {}", child.id, made.by), &reply);
                let reply = Some(reply.to_string());
                brood.lost.push(Account::of_transaction(&child, &origin, State::Refused, reply));
            }
        }
    }

    /// The checks, the trace field, the event. The error is a refusal.
    async fn submit(&self, child: &mut Transaction, origin: &Origin, content: &Content) -> Result<Option<Mark>, Reply> {
        child.letter_mut().envelope.size = Some(content.len());
        if let Some(reply) = local::guards(self.snapshot, child, content.len()) {
            return Err(reply);
        }
        let mut letter = Letter::new(self.spool.draft(), self.snapshot.settings.limits.header_size);
        let read: Result<(), Trouble> = content.for_each_chunk(|chunk| Ok(letter.write(chunk)?));
        read.map_err(|Trouble(fault)| {
            tracing::error!(id = %child.id, %fault, "a message that a sink made can't be read or written");
            fault.reply()
        })?;
        if let Some(reply) = local::finish(self.snapshot, child, letter) {
            return Err(reply);
        }
        trace(self.snapshot, origin, false, child, self.clock.now());
        let mut stage = Stage::new(origin);
        stage.transaction = Some(child);
        let decision = self.snapshot.dispatcher.raise(Event::TransportSubmit, &mut stage).await;
        let mark = decided(decision)?;
        refused_by_all(child).map_or(Ok(mark), Err)
    }

    fn keep(&self, child: &Transaction, origin: &Origin, mark: Option<Mark>, brood: &mut Brood) {
        let message = child.letter.message.as_ref();
        let kept = message.and_then(|m| Some((entry(child, m, origin, self.clock.now(), mark, false)?, m.content())));
        match kept {
            Some(born) => brood.born.push(born),
            None => brood.lost.push(Account::of_transaction(child, origin, State::Discarded, None)),
        }
    }
}

impl Brood {
    /// Whether nothing has come of it.
    pub fn is_empty(&self) -> bool {
        self.born.is_empty() && self.lost.is_empty()
    }

    /// One more.
    pub(super) fn add(&mut self, entry: Entry, content: Content) {
        self.born.push((entry, content));
    }

    /// What is to be committed with the transaction.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        self.born.iter().map(|(entry, content)| Record::Accept(Box::new(entry.clone()), content.clone()))
    }

    /// Tells of them, and hands those over that are durable now.
    pub fn enter(self, history: &History, snapshot: &Snapshot, queue: impl Fn(Entry, Content)) {
        for account in self.lost {
            history.note(account);
        }
        for (entry, content) in self.born {
            accepted(history, snapshot, &entry);
            queue(entry, content);
        }
    }
}

/// What keeps octets from coming or going.
struct Trouble(StoreFault);

impl From<StoreFault> for Trouble {
    fn from(fault: StoreFault) -> Self {
        Self(fault)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self(StoreFault::Sick(format!("the content of a new message can't be read: {error}")))
    }
}
