//! One message on its way through a door of this machine, `mailsluice send` or pickup: checks, content, `transport.submit`, commit.
//!
//! A refusal is logged and noted in the history, and its reply ends with the id under which `mailsluice why` knows it.
//! Where the octets come from is the door's business.

use super::letter::Letter;
use super::local;
use super::{Account, Intake, Receipt, State, Submission};
use crate::event::{Ledger, Transaction};
use crate::mail::{Door, ForwardPath, Id, Notify, Origin, Reply, Ret, ReversePath};
use crate::snapshot::Snapshot;
use serde::{Deserialize, Serialize};

/// What the sender wants to hear of the message (RFC 3461).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reports {
    /// NOTIFY of every recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// RET.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ret: Option<Ret>,
    /// ENVID, in xtext.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envid: Option<String>,
}

/// The transaction, from its envelope to its end.
pub struct Visit<'a> {
    intake: &'a Intake,
    snapshot: &'a Snapshot,
    origin: Origin,
    transaction: Transaction,
}

impl<'a> Visit<'a> {
    /// Begins one. `octets`: how many are announced.
    pub fn new(
        intake: &'a Intake,
        snapshot: &'a Snapshot,
        door: Door,
        (sender, recipients): (ReversePath, Vec<ForwardPath>),
        octets: u64,
    ) -> Self {
        let mut envelope = local::envelope(snapshot, sender, recipients);
        envelope.size = Some(octets);
        let ledger = Ledger { generation: snapshot.generation, ..Ledger::default() };
        let transaction = Transaction::new(intake.next_id(), intake.clock.now(), envelope, ledger);
        Self { intake, snapshot, origin: Origin::door(door), transaction }
    }

    /// The id that the message will have.
    pub fn id(&self) -> Id {
        self.transaction.id
    }

    /// Asks for reports.
    pub fn ask_for(&mut self, reports: Reports) {
        let envelope = &mut self.transaction.letter_mut().envelope;
        envelope.ret = reports.ret;
        envelope.envid = reports.envid;
        for recipient in &mut envelope.recipients {
            recipient.notify = reports.notify;
        }
    }

    /// The checks that need no content. A refusal goes to [`Self::end`]; the octets need not be read then.
    pub fn guards(&mut self, octets: u64) -> Option<Reply> {
        local::guards(self.snapshot, &mut self.transaction, octets)
    }

    /// Where the octets go.
    pub fn letter(&self) -> Letter {
        Letter::new(self.intake.spool.draft(), self.snapshot.settings.limits.header_size)
    }

    /// The octets have come.
    pub fn finish(&mut self, letter: Letter) -> Option<Reply> {
        local::finish(self.snapshot, &mut self.transaction, letter)
    }

    /// Submits the message, unless it was refused before. If the id comes back it is on stable storage, or was dropped on a
    /// sink's word; the error is a 4xx or 5xx.
    pub async fn end(mut self, refusal: Option<Reply>) -> Result<Id, Reply> {
        let refusal = match refusal {
            Some(reply) => Some(reply),
            None => self.submit().await,
        };
        let Some(reply) = refusal else { return Ok(self.transaction.id) };
        let Self { intake, origin, transaction, .. } = self;
        let reply = reply.tagged(transaction.id);
        tracing::info!(id = %transaction.id, door = %origin.door, sender = %transaction.letter.envelope.sender, %reply, "refused");
        intake.history.note(Account::of_transaction(&transaction, &origin, State::Refused, Some(reply.to_string())));
        Err(reply)
    }

    async fn submit(&mut self) -> Option<Reply> {
        let submission = Submission {
            snapshot: self.snapshot,
            origin: &self.origin,
            session: None,
            transaction: &mut self.transaction,
            extended: false,
            mark: None,
            each: false,
        };
        match self.intake.accept(submission).await {
            Receipt::Accepted => None,
            Receipt::Refused(reply) => Some(reply),
        }
    }
}
