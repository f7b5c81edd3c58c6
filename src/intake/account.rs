//! The account of a transaction or message: who, from where, to whom, which sinks, and what became of it.
//!
//! The one JSON shape of ledger, log, `queue show`, `why` and `tail`.

use super::wishes;
use crate::event::{Ledger, LedgerEntry, Transaction};
use crate::mail::{Fate, ForwardPath, Id, Origin, Properties, ReversePath, Timestamp};
use crate::spool::{Entry, Json};
use serde::{Deserialize, Serialize};

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In the queue.
    Queued,
    /// In the queue, parked.
    Held,
    /// It has been delivered to every recipient that was not dropped.
    Delivered,
    /// At least one recipient has failed for good.
    Failed,
    /// Accepted and dropped by a sink.
    Discarded,
    /// All of it goes on in the messages that were split off.
    Split,
    /// Refused.
    Refused,
    /// The client went away or started over.
    Aborted,
    /// Removed by an operator.
    Removed,
}

impl State {
    /// As printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Held => "held",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Discarded => "discarded",
            Self::Split => "split",
            Self::Refused => "refused",
            Self::Aborted => "aborted",
            Self::Removed => "removed",
        }
    }
}

/// One recipient's part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecipientAccount {
    /// Where it goes.
    pub path: ForwardPath,
    /// Where the client wanted it to go, if that was elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<ForwardPath>,
    /// `pending`, `done`, `held`; what a sink decided: `rejected`, `deferred`, `discarded`; or what became of the transaction.
    pub state: String,
    /// Why it is held or refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Attempts so far.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
    /// The last outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<serde_json::Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// The whole account. Its ledger may be left in the JSON in which it was kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account<L = Ledger> {
    /// The transaction's and message's id; of a session refused before any transaction, the session's.
    pub id: Id,
    /// When it began, or when the message was accepted.
    pub time: Timestamp,
    /// What became of it.
    pub state: State,
    /// How it came in.
    pub origin: Origin,
    /// The reverse-path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<ReversePath>,
    /// The recipients.
    #[serde(default)]
    pub recipients: Vec<RecipientAccount>,
    /// Its sender has asked for REQUIRETLS (RFC 8689).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_tls: bool,
    /// Octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The last reply to the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Why the message is parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
    /// What it waits for, if it is not parked and nobody has been tried: the time until which its sender has it held, or a turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
    /// What sinks noted.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// The dispatches.
    pub ledger: L,
}

impl Account {
    /// Of a transaction that ended at the door.
    pub fn of_transaction(transaction: &Transaction, origin: &Origin, state: State, reply: Option<String>) -> Self {
        let letter = &transaction.letter;
        let recipients = letter.envelope.recipients.iter().map(|r| {
            let (decided, reason) = fate(&r.fate);
            // Nothing more is pending for a transaction that has ended.
            let state = if r.fate == Fate::Accepted { state.as_str() } else { decided };
            RecipientAccount {
                path: r.path.clone(),
                original: r.original.clone(),
                state: state.to_owned(),
                reason,
                attempts: 0,
                next: None,
                last: None,
            }
        });
        Self {
            id: transaction.id,
            time: transaction.started,
            state,
            origin: origin.clone(),
            sender: Some(letter.envelope.sender.clone()),
            recipients: recipients.collect(),
            require_tls: letter.envelope.require_tls,
            size: transaction.size(),
            reply,
            hold: None,
            waits: None,
            properties: letter.properties.clone(),
            ledger: transaction.ledger.clone(),
        }
    }

    /// About how many octets of memory it takes. Never less than a small part of it.
    pub(super) fn weight(&self) -> usize {
        let entry = |e: &LedgerEntry| {
            let edits: usize = e.edits.iter().map(|edit| size_of::<String>() + edit.len()).sum();
            let texts = [&e.said, &e.fault].into_iter().flatten().map(String::len).sum::<usize>();
            size_of::<LedgerEntry>() + e.about.as_ref().map_or(0, |about| about.len()) + edits + texts
        };
        let entries: usize = self.ledger.entries.iter().map(entry).sum();
        self.weight_beside_ledger() + entries
    }

    /// Of a session that was refused before any transaction.
    pub fn of_session(id: Id, time: Timestamp, origin: &Origin, ledger: Ledger, reply: String) -> Self {
        Self {
            id,
            time,
            state: State::Refused,
            origin: origin.clone(),
            sender: None,
            recipients: Vec::new(),
            require_tls: false,
            size: None,
            reply: Some(reply),
            hold: None,
            waits: None,
            properties: Properties::default(),
            ledger,
        }
    }

    /// Of a message in the spool, or leaving it.
    pub fn of_entry(entry: &Entry, state: State) -> Self {
        let kept = Account::as_kept(entry, state);
        Self {
            id: kept.id,
            time: kept.time,
            state: kept.state,
            origin: kept.origin,
            sender: kept.sender,
            recipients: kept.recipients,
            require_tls: kept.require_tls,
            size: kept.size,
            reply: kept.reply,
            hold: kept.hold,
            waits: kept.waits,
            properties: kept.properties,
            ledger: kept.ledger.parse().unwrap_or_default(),
        }
    }
}

impl<L> Account<L> {
    fn weight_beside_ledger(&self) -> usize {
        let recipient = |r: &RecipientAccount| {
            let texts = r.path.as_str().len() + r.reason.as_ref().map_or(0, String::len);
            size_of::<RecipientAccount>() + r.state.len() + texts
        };
        let recipients: usize = self.recipients.iter().map(recipient).sum();
        size_of::<Self>() + self.reply.as_ref().map_or(0, String::len) + recipients
    }
}

impl Account<Json> {
    /// The same as [`Account::weight`].
    pub(super) fn weight(&self) -> usize {
        self.weight_beside_ledger() + self.ledger.get().len()
    }

    /// The same as [`Account::of_entry`], but nobody reads the ledger: it goes from the one file into the other.
    pub(super) fn as_kept(entry: &Entry, state: State) -> Self {
        let recipients = entry.envelope.recipients.iter().zip(&entry.recipients).map(|(r, s)| {
            let held = s.held.clone().filter(|_| !s.done);
            let name = match (s.done, &held, &r.fate) {
                (true, _, Fate::Accepted | Fate::Held(_)) => "done",
                (true, _, other) => fate(other).0,
                (false, Some(_), _) => "held",
                (false, None, _) => "pending",
            };
            RecipientAccount {
                path: r.path.clone(),
                original: r.original.clone(),
                state: name.to_owned(),
                reason: held,
                attempts: s.attempts,
                next: (name == "pending").then_some(s.next),
                last: s.last.as_ref().and_then(|json| json.parse().ok()),
            }
        });
        Self {
            id: entry.id,
            time: entry.received,
            state,
            origin: entry.origin.clone(),
            sender: Some(entry.envelope.sender.clone()),
            recipients: recipients.collect(),
            require_tls: entry.envelope.require_tls,
            size: Some(entry.content.len()),
            reply: None,
            hold: entry.hold.as_ref().map(|h| h.reason.clone()),
            waits: wishes::held_until(entry).map(|until| format!("its sender has it held until {until}")),
            properties: entry.properties.clone(),
            ledger: match entry.ledger.is_null() {
                true => Json::of(&Ledger::default()).unwrap_or_default(),
                false => entry.ledger.clone(),
            },
        }
    }
}

fn fate(fate: &Fate) -> (&'static str, Option<String>) {
    match fate {
        Fate::Accepted => ("pending", None),
        Fate::Rejected(reply) => ("rejected", Some(reply.to_string())),
        Fate::Deferred(reply) => ("deferred", Some(reply.to_string())),
        Fate::Discarded => ("discarded", None),
        Fate::Held(reason) => ("held", Some(reason.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::mail::{Door, EnhancedCode, Envelope, Recipient, Reply, Standing};

    #[test]
    fn what_goes_from_file_to_file_reads_as_what_is_told() {
        let mut envelope = Envelope::new(ReversePath::parse("a@x.example").unwrap());
        envelope.recipients.push(Recipient::new(ForwardPath::parse("b@y.example").unwrap(), Standing::Local));
        let mut entry = Entry::new(Id(7), Timestamp(5), Origin::door(Door::Smtp), envelope, 3, 9);
        let mut ledger = Ledger::default();
        ledger.note_guard(Event::InRcpt, "b@y.example", &Reply::new(550, EnhancedCode(5, 1, 1), "No"));
        for json in [Json::default(), Json::of(&ledger).unwrap()] {
            entry.ledger = json;
            let line = serde_json::to_string(&Account::as_kept(&entry, State::Delivered)).unwrap();
            assert_eq!(serde_json::from_str::<Account>(&line).unwrap(), Account::of_entry(&entry, State::Delivered));
        }
    }
}
