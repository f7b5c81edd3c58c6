//! Messages from this machine, of `mailsluice send`, of the pickup directory and of sinks: the envelope, and the checks that a session would have made.
//!
//! They may go anywhere, so there is no relay check; users of local domains must exist. The limits on size, header, recipients
//! and hops are those of every other door. Each refusal stands in the ledger.

use super::letter::Letter;
use crate::event::{Event, Transaction};
use crate::mail::{BodyType, EnhancedCode, Envelope, ForwardPath, Mailbox, Recipient, Reply, ReversePath, Standing};
use crate::snapshot::Snapshot;

const NOBODY: Reply = Reply::new(554, EnhancedCode(5, 5, 1), "No recipients were given");
const TOO_MANY: Reply = Reply::new(552, EnhancedCode(5, 5, 3), "Too many recipients for one message");
const TOO_BIG: Reply = Reply::new(552, EnhancedCode(5, 3, 4), "The message is larger than `limits.message-size`");
const NO_SUCH_USER: Reply = Reply::new(550, EnhancedCode(5, 1, 1), "No such user here");
const LOOP: Reply = Reply::new(554, EnhancedCode(5, 4, 6), "Too many hops: the message is looping");

/// The envelope, each recipient with its standing.
pub fn envelope(snapshot: &Snapshot, sender: ReversePath, recipients: Vec<ForwardPath>) -> Envelope {
    let mut envelope = Envelope::new(sender);
    envelope.smtputf8 = envelope.sender.mailbox().is_some_and(Mailbox::is_international);
    for path in recipients {
        envelope.smtputf8 |= path.mailbox().is_some_and(Mailbox::is_international);
        let standing = snapshot.directory.standing(&path, None, true);
        envelope.recipients.push(Recipient::new(path, standing));
    }
    envelope
}

/// The checks that need no content but its size, in octets.
pub fn guards(snapshot: &Snapshot, transaction: &mut Transaction, octets: u64) -> Option<Reply> {
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

/// Puts the message, whose octets have come, onto the transaction.
pub fn finish(snapshot: &Snapshot, transaction: &mut Transaction, letter: Letter) -> Option<Reply> {
    let limits = &snapshot.settings.limits;
    // More than was announced may have been cut off anywhere: nothing else is said of it.
    let whole = if letter.octets() > limits.message_size { Err(TOO_BIG) } else { letter.finish() };
    let finished = whole.and_then(|(message, eight_bit)| {
        let hops = message.header.named("Received").count();
        if hops > limits.hops { Err(LOOP) } else { Ok((message, eight_bit)) }
    });
    match finished {
        Ok((message, eight_bit)) => {
            let letter = transaction.letter_mut();
            letter.envelope.smtputf8 |= !message.header.raw().is_ascii();
            letter.envelope.body = if eight_bit { BodyType::EightBitMime } else { BodyType::SevenBit };
            letter.message = Some(message);
            None
        }
        Err(reply) => {
            transaction.ledger.note_guard(Event::TransportSubmit, "", &reply);
            Some(reply)
        }
    }
}
