//! What is to become of a recipient: a try has ended, or a sink or an operator has decided.

use super::outcome::{Details, Outcome};
use crate::event::verdict::is_of_fault;
use crate::event::{Decision, Ledger, Place};
use crate::mail::Reply;
use std::sync::Arc;
use std::time::Duration;

/// The end of one pass for one recipient.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// A next hop was tried, or one was looked for.
    Tried(Outcome),
    /// Somebody has decided; a deferral may say when to try again.
    Ruled(Outcome, Option<Duration>),
    /// A sink failed, and its binding defers. That is neither the message's fault nor the next hop's.
    Faulted {
        /// Whose fault it is, if that is known.
        sink: Option<Arc<str>>,
        /// What is said of it.
        outcome: Outcome,
    },
    /// The time that its sender has set is over, and it is tried further: its sender is told, and nothing else changes.
    Late(Outcome),
    /// Somebody has it dropped; nobody is told.
    Dropped,
    /// It stands for others now, and nothing is left to do for it.
    Expanded {
        /// What it stood for is a list with an owner: there the way of this message ends (RFC 3461 5.2.7.3).
        list: bool,
        /// For the log.
        note: String,
    },
    /// It waits for an operator.
    Held {
        /// Why.
        reason: String,
        /// Where a release goes on.
        place: Option<Place>,
    },
}

/// What a decision makes of those it is about; none if nobody objects.
pub(super) fn ended(decision: Decision, ledger: Option<&Ledger>) -> Option<End> {
    Some(match decision {
        Decision::Proceed | Decision::Answer(_) => return None,
        Decision::Defer(reply, after) if is_of_fault(&reply) => {
            let last = ledger.and_then(|ledger| ledger.entries.last()).filter(|entry| entry.fault.is_some());
            // Whose breaker is open was not asked, and has not failed over this message.
            let asked =
                last.filter(|entry| !entry.fault.as_deref().is_some_and(|text| text.starts_with("breaker open")));
            let note = last.map_or_else(String::new, |entry| format!("sink {} failed", entry.sink));
            let outcome = Outcome::Deferred(Details::ours(reply, note));
            match after {
                Some(_) => End::Ruled(outcome, after),
                None => End::Faulted { sink: asked.map(|entry| entry.sink.clone()), outcome },
            }
        }
        Decision::Defer(reply, after) => End::Ruled(Outcome::Deferred(by_sink(reply, ledger)), after),
        Decision::Reject(reply) | Decision::Disconnect(reply) => {
            End::Ruled(Outcome::Failed(by_sink(reply, ledger)), None)
        }
        Decision::Discard => End::Dropped,
        Decision::Hold { reason, place } => End::Held { reason, place: Some(place) },
    })
}

fn by_sink(reply: Reply, ledger: Option<&Ledger>) -> Details {
    let last = ledger.and_then(|ledger| ledger.entries.last());
    Details::ours(reply, last.map_or_else(String::new, |entry| format!("sink {} has decided so", entry.sink)))
}
