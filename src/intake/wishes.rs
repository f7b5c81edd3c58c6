//! What a sender asks of a message's way, as it becomes the queue's.

use crate::event::transaction::Letter;
use crate::mail::Timestamp;
use crate::spool::Entry;

/// The priority that was granted becomes the queue's, which sinks see and change as `queue.priority`.
pub fn set_priority(letter: &mut Letter) {
    if let Some(priority) = letter.envelope.priority {
        letter.properties.set("queue", "priority", priority.level().into());
    }
}

/// Nobody is due before the time until which the sender has it held (RFC 4865), and the time to deliver it begins then.
pub(super) fn hold(entry: &mut Entry, now: Timestamp) {
    let Some(until) = entry.envelope.hold.filter(|until| *until > now) else { return };
    entry.recipients.iter_mut().for_each(|state| state.next = until);
    entry.expires_from = Some(until);
}

/// The time until which its sender has it held, if that is what an open recipient waits for.
pub(super) fn held_until(entry: &Entry) -> Option<Timestamp> {
    let until = entry.envelope.hold.filter(|until| entry.due() == Some(*until))?;
    entry.recipients.iter().all(|state| state.done || state.attempts == 0).then_some(until)
}
