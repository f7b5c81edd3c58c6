//! The door of `mailsluice send`: a message from an operator or a program of this machine.
//!
//! Who may use the socket may send anywhere, so there is no relay check; users of local domains must exist. The limits on
//! size, header, recipients and hops are those of every other door. A refusal is noted in the history and names its id.

use super::commands::Ops;
use super::wire::Wire;
use crate::event::{Ledger, Transaction};
use crate::intake::letter::Letter;
use crate::intake::{Account, Receipt, State, Submission, local};
use crate::mail::{Door, ForwardPath, Id, Origin, Reply, ReversePath};
use crate::snapshot::Snapshot;
use std::io;

/// Takes a message whose octets follow on the wire. An inner error is a refusal; the octets may not have been read then.
pub(super) async fn send(
    ops: &Ops,
    sender: ReversePath,
    recipients: Vec<ForwardPath>,
    octets: u64,
    wire: &mut Wire,
) -> io::Result<Result<Id, String>> {
    let snapshot = ops.current.pin();
    let origin = Origin::door(Door::Send);
    let envelope = local::envelope(&snapshot, sender, recipients);
    let ledger = Ledger { generation: snapshot.generation, ..Ledger::default() };
    let intake = &ops.intake;
    let mut transaction = Transaction::new(intake.next_id(), intake.clock.now(), envelope, ledger);
    transaction.letter_mut().envelope.size = Some(octets);
    let refusal = match local::guards(&snapshot, &mut transaction, octets) {
        Some(reply) => Some(reply),
        None => content(ops, &snapshot, &mut transaction, octets, wire).await?,
    };
    let refusal = match refusal {
        Some(reply) => Some(reply),
        None => submit(ops, &snapshot, &origin, &mut transaction).await,
    };
    let Some(reply) = refusal else { return Ok(Ok(transaction.id)) };
    let reply = reply.tagged(transaction.id).to_string();
    tracing::info!(id = %transaction.id, door = %origin.door, sender = %transaction.letter.envelope.sender, %reply, "refused");
    ops.history.note(Account::of_transaction(&transaction, &origin, State::Refused, Some(reply.clone())));
    Ok(Err(reply))
}

/// Reads the message onto the transaction.
async fn content(
    ops: &Ops,
    snapshot: &Snapshot,
    transaction: &mut Transaction,
    octets: u64,
    wire: &mut Wire,
) -> io::Result<Option<Reply>> {
    let header_max = snapshot.settings.limits.header_size;
    let mut letter = Letter::new(ops.intake.spool.draft(), header_max);
    let mut left = octets;
    while left > 0 {
        let chunk = wire.octets(left).await?;
        left -= chunk.len() as u64;
        if let Err(fault) = letter.write(&chunk) {
            tracing::error!(id = %transaction.id, %fault, "the draft can't be written");
            return Ok(Some(fault.reply()));
        }
    }
    Ok(local::finish(snapshot, transaction, letter))
}

async fn submit(ops: &Ops, snapshot: &Snapshot, origin: &Origin, transaction: &mut Transaction) -> Option<Reply> {
    let submission =
        Submission { snapshot, origin, session: None, transaction, extended: false, mark: None, each: false };
    match ops.intake.accept(submission).await {
        Receipt::Accepted => None,
        Receipt::Refused(reply) => Some(reply),
    }
}
