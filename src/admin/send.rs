//! The door of `mailsluice send`: a message from an operator or a program of this machine.
//!
//! Who may use the socket may send anywhere, so there is no relay check; users of local domains must exist. The limits on
//! size, header, recipients and hops are those of every other door. A refusal is noted in the history and names its id.

use super::commands::Ops;
use super::letter::Letter;
use super::wire::Wire;
use crate::event::{Event, Ledger, Transaction};
use crate::intake::{Account, Receipt, State, Submission};
use crate::mail::{
    BodyType, Door, EnhancedCode, Envelope, ForwardPath, Id, Origin, Recipient, Reply, ReversePath, Standing,
};
use crate::snapshot::Snapshot;
use std::io;

const NOBODY: Reply = Reply::new(554, EnhancedCode(5, 5, 1), "No recipients were given");
const TOO_MANY: Reply = Reply::new(552, EnhancedCode(5, 5, 3), "Too many recipients for one message");
const TOO_BIG: Reply = Reply::new(552, EnhancedCode(5, 3, 4), "The message is larger than `limits.message-size`");
const NO_SUCH_USER: Reply = Reply::new(550, EnhancedCode(5, 1, 1), "No such user here");
const LOOP: Reply = Reply::new(554, EnhancedCode(5, 4, 6), "Too many hops: the message is looping");

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
    let envelope = envelope(&snapshot, sender, recipients);
    let ledger = Ledger { generation: snapshot.generation, ..Ledger::default() };
    let intake = &ops.intake;
    let mut transaction = Transaction::new(intake.next_id(), intake.clock.now(), envelope, ledger);
    transaction.letter_mut().envelope.size = Some(octets);
    let refusal = match guards(&snapshot, &mut transaction, octets) {
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

fn envelope(snapshot: &Snapshot, sender: ReversePath, recipients: Vec<ForwardPath>) -> Envelope {
    let mut envelope = Envelope::new(sender);
    let international = |m: &crate::mail::Mailbox| m.is_international();
    envelope.smtputf8 = envelope.sender.mailbox().is_some_and(international);
    for path in recipients {
        envelope.smtputf8 |= path.mailbox().is_some_and(international);
        let standing = snapshot.directory.standing(&path, None, true);
        envelope.recipients.push(Recipient::new(path, standing));
    }
    envelope
}

/// The checks that need no content. Each refusal stands in the ledger.
fn guards(snapshot: &Snapshot, transaction: &mut Transaction, octets: u64) -> Option<Reply> {
    let limits = &snapshot.settings.limits;
    let recipients = &transaction.letter.envelope.recipients;
    let unknown = recipients.iter().find(|r| r.standing == Standing::Unknown).map(|r| r.path.clone());
    let (about, reply) = match unknown {
        _ if recipients.is_empty() => (String::new(), NOBODY),
        _ if recipients.len() > limits.recipients => (String::new(), TOO_MANY),
        _ if octets > limits.message_size => (String::new(), TOO_BIG),
        Some(path) => (path.as_str().to_owned(), NO_SUCH_USER.with_text(&format!("{path}: No such user here"))),
        None => return None,
    };
    transaction.ledger.note_guard(Event::TransportSubmit, &about, &reply);
    Some(reply)
}

/// Reads the message onto the transaction.
async fn content(
    ops: &Ops,
    snapshot: &Snapshot,
    transaction: &mut Transaction,
    octets: u64,
    wire: &mut Wire,
) -> io::Result<Option<Reply>> {
    let limits = &snapshot.settings.limits;
    let mut letter = Letter::new(ops.intake.spool.draft(), limits.header_size);
    let mut left = octets;
    while left > 0 {
        let chunk = wire.octets(left).await?;
        left -= chunk.len() as u64;
        if let Err(fault) = letter.write(&chunk) {
            tracing::error!(id = %transaction.id, %fault, "the draft can't be written");
            return Ok(Some(fault.reply()));
        }
    }
    let finished = letter.finish().and_then(|(message, eight_bit)| {
        let hops = message.header.named("Received").count();
        if hops > limits.hops { Err(LOOP) } else { Ok((message, eight_bit)) }
    });
    Ok(match finished {
        Ok((message, eight_bit)) => {
            let envelope = &mut transaction.letter_mut().envelope;
            envelope.smtputf8 |= !message.header.raw().is_ascii();
            envelope.body = if eight_bit { BodyType::EightBitMime } else { BodyType::SevenBit };
            transaction.letter_mut().message = Some(message);
            None
        }
        Err(reply) => {
            transaction.ledger.note_guard(Event::TransportSubmit, "", &reply);
            Some(reply)
        }
    })
}

async fn submit(ops: &Ops, snapshot: &Snapshot, origin: &Origin, transaction: &mut Transaction) -> Option<Reply> {
    let submission =
        Submission { snapshot, origin, session: None, transaction, extended: false, mark: None, each: false };
    match ops.intake.accept(submission).await {
        Receipt::Accepted => None,
        Receipt::Refused(reply) => Some(reply),
    }
}
