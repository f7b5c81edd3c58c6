//! What the spool keeps: entries, and the records that make, change and end them.
//!
//! Plain data and the one place that says what a change does to an entry ([`Entry::amend`], [`Entry::attempt`],
//! [`Entry::done`]). The store folds its records with these at recovery, whoever keeps entries in memory folds with
//! the same. An entry's octets are no part of its JSON: frames carry them beside it.

use super::json::Json;
use super::stored::StoredContent;
use crate::mail::{Content, Envelope, Id, Origin, Properties, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A recipient: its place in [`Envelope::recipients`], from 0.
pub type RcptId = u32;

/// One step in the life of a message. A batch of them is committed all or none.
#[derive(Clone, Debug)]
pub enum Record {
    /// A message is accepted with these octets. The entry's `content` is set by the store: all of them.
    Accept(Box<Entry>, Content),
    /// Something about it is changed.
    Amend(Id, Box<Patch>),
    /// A delivery was tried.
    Attempt(Id, Try),
    /// Nothing is left to do for these recipients.
    Done(Id, Vec<RcptId>),
    /// The message leaves the spool.
    End(Id),
}

impl Record {
    /// The message it is about.
    pub fn id(&self) -> Id {
        match self {
            Self::Accept(entry, _) => entry.id,
            Self::Amend(id, _) | Self::Attempt(id, _) | Self::Done(id, _) | Self::End(id) => *id,
        }
    }
}

/// A message in the spool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id: the one in the 250, the log, the ledger and the queue.
    pub id: Id,
    /// When it was accepted.
    pub received: Timestamp,
    /// How it came in.
    pub origin: Origin,
    /// Sender and recipients.
    pub envelope: Envelope,
    /// Octets of the header block, without the blank line.
    pub header_len: u64,
    /// Its octets; [`super::Spool::open`] makes them readable. Not in the JSON: see the head of this file.
    #[serde(skip)]
    pub content: StoredContent,
    /// What sinks noted.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// The record of dispatches, opaque here.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub ledger: Json,
    /// One state for each recipient of the envelope.
    #[serde(default)]
    pub recipients: Vec<RcptState>,
    /// Parked until an operator releases it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// When its time to be delivered began, if later than `received`: held mail does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_from: Option<Timestamp>,
    /// Its recipients stand resolved: aliases and lists have been expanded, and their standing says where they go.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub categorized: bool,
    /// How often each sink has failed over it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<String, u8>,
}

/// How far one recipient's delivery has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RcptState {
    /// Nothing is left to do: delivered, failed and reported, or dropped.
    pub done: bool,
    /// Parked, for this reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// Deliveries tried.
    pub attempts: u32,
    /// When it is due; what lies in the past is due now.
    pub next: Timestamp,
    /// The last outcome, opaque here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Json>,
    /// What it stands for could not be found out yet: the next pass asks again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unresolved: bool,
    /// Its sender was told of the delay.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub warned: bool,
    /// Its sender was told that the time which it has set is over (RFC 2852).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// Where in the order of sinks it was parked, opaque here; once released, it goes on behind that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Json>,
}

/// Why a message is parked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hold {
    /// For people.
    pub reason: String,
    /// The sink or operator that holds it.
    pub by: String,
    /// Where in the order of sinks a release goes on, opaque here.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub place: Json,
}

/// A change of [`Entry::hold`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HoldChange {
    /// Park it.
    Hold(Hold),
    /// Let it go on.
    Release,
}

/// What an amendment changes; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Patch {
    /// Sender and recipients. If their number changes, give `recipients` as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Envelope>,
    /// All properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<Properties>,
    /// The whole ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Json>,
    /// The octets, as [`StoredContent::keep`] makes it of an edited content.
    #[serde(skip)]
    pub content: Option<StoredContent>,
    /// Octets of the new header block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_len: Option<u64>,
    /// Parked or released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldChange>,
    /// When its time to be delivered begins anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_from: Option<Timestamp>,
    /// Whether its recipients stand resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categorized: Option<bool>,
    /// How often each sink has failed over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<BTreeMap<String, u8>>,
    /// The state of all recipients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<Vec<RcptState>>,
}

/// What one attempt changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Try {
    /// The recipients tried and their state now.
    pub recipients: Vec<(RcptId, RcptState)>,
}

impl Patch {
    /// What both change, one after the other.
    pub fn and_then(&mut self, later: Self) {
        let before = std::mem::take(self);
        *self = Self {
            envelope: later.envelope.or(before.envelope),
            properties: later.properties.or(before.properties),
            ledger: later.ledger.or(before.ledger),
            content: later.content.or(before.content),
            header_len: later.header_len.or(before.header_len),
            hold: later.hold.or(before.hold),
            expires_from: later.expires_from.or(before.expires_from),
            categorized: later.categorized.or(before.categorized),
            faults: later.faults.or(before.faults),
            recipients: later.recipients.or(before.recipients),
        };
    }
}

impl Entry {
    /// A message about which no more is known than what a door knows. `len` is its length in octets.
    pub fn new(id: Id, received: Timestamp, origin: Origin, envelope: Envelope, header_len: u64, len: u64) -> Self {
        let recipients = vec![RcptState::default(); envelope.recipients.len()];
        Self {
            id,
            received,
            origin,
            envelope,
            header_len,
            content: StoredContent::whole(id, len),
            properties: Properties::default(),
            ledger: Json::default(),
            recipients,
            hold: None,
            expires_from: None,
            categorized: false,
            faults: BTreeMap::new(),
        }
    }

    /// Applies what changes an entry; to `Accept` and `End` it is deaf.
    pub fn apply(&mut self, change: Record) {
        match change {
            Record::Amend(_, patch) => self.amend(*patch),
            Record::Attempt(_, attempt) => self.attempt(attempt),
            Record::Done(_, rcpts) => self.done(&rcpts),
            Record::Accept(..) | Record::End(_) => {}
        }
    }

    /// Applies an amendment.
    pub fn amend(&mut self, patch: Patch) {
        let Patch {
            envelope,
            properties,
            ledger,
            content,
            header_len,
            hold,
            expires_from,
            categorized,
            faults,
            recipients,
        } = patch;
        set(&mut self.categorized, categorized);
        set(&mut self.faults, faults);
        set(&mut self.envelope, envelope);
        set(&mut self.properties, properties);
        set(&mut self.ledger, ledger);
        set(&mut self.content, content);
        set(&mut self.header_len, header_len);
        set(&mut self.recipients, recipients);
        self.expires_from = expires_from.or(self.expires_from);
        match hold {
            Some(HoldChange::Hold(hold)) => self.hold = Some(hold),
            Some(HoldChange::Release) => self.hold = None,
            None => {}
        }
        self.level();
    }

    /// Applies an attempt.
    pub fn attempt(&mut self, attempt: Try) {
        for (rcpt, state) in attempt.recipients {
            if let Some(at) = self.recipients.get_mut(rcpt as usize) {
                *at = state;
            }
        }
    }

    /// Nothing is left to do for these.
    pub fn done(&mut self, rcpts: &[RcptId]) {
        for &rcpt in rcpts {
            if let Some(at) = self.recipients.get_mut(rcpt as usize) {
                at.done = true;
            }
        }
    }

    /// When its time to be delivered began.
    pub fn waits_since(&self) -> Timestamp {
        self.expires_from.unwrap_or(self.received)
    }

    /// When it is due: when the first of its open recipients is. None while it is parked, or every open recipient is.
    pub fn due(&self) -> Option<Timestamp> {
        if self.hold.is_some() {
            return None;
        }
        self.recipients.iter().filter(|r| !r.done && r.held.is_none()).map(|r| r.next).min()
    }

    /// Whether nothing is left to do for any recipient.
    pub fn is_done(&self) -> bool {
        self.recipients.iter().all(|r| r.done)
    }

    /// Gives each recipient of the envelope exactly one state.
    pub(super) fn level(&mut self) {
        self.recipients.resize_with(self.envelope.recipients.len(), RcptState::default);
    }
}

fn set<T>(at: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *at = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Door, ForwardPath, Recipient, ReversePath, Standing};

    fn entry(recipients: usize) -> Entry {
        let mut envelope = Envelope::new(ReversePath::parse("<>").unwrap());
        for n in 0..recipients {
            let path = ForwardPath::parse(&format!("<u{n}@example.com>")).unwrap();
            envelope.recipients.push(Recipient::new(path, Standing::Local));
        }
        Entry::new(Id(7), Timestamp(5), Origin::door(Door::Smtp), envelope, 3, 9)
    }

    #[test]
    fn an_entry_has_one_state_for_each_recipient_whatever_is_amended() {
        let mut it = entry(2);
        it.amend(Patch { envelope: Some(entry(3).envelope), ..Patch::default() });
        assert_eq!(it.recipients.len(), 3);
        it.amend(Patch { recipients: Some(vec![]), ..Patch::default() });
        assert_eq!(it.recipients.len(), 3);
    }

    #[test]
    fn json_of_a_later_version_is_read_and_of_an_earlier_one_too() {
        let mut value = serde_json::to_value(entry(1)).unwrap();
        value["invented-later"] = 1.into();
        value["recipients"][0]["invented-later"] = 1.into();
        let again: Entry = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(again.recipients, entry(1).recipients);
        value["recipients"] = serde_json::json!([{}]);
        assert!(serde_json::from_value::<Entry>(value).is_ok());
        assert_eq!(serde_json::from_str::<Patch>("{}").unwrap(), Patch::default());
    }

    #[test]
    fn two_changes_at_once_are_one_after_the_other() {
        let more = Patch { envelope: Some(entry(3).envelope), categorized: Some(true), ..Patch::default() };
        let hold = Hold { reason: "looks odd".into(), by: "policy".into(), place: Json::default() };
        let held = Patch { hold: Some(HoldChange::Hold(hold)), categorized: Some(false), ..Patch::default() };
        let (mut one, mut other) = (entry(2), entry(2));
        [more.clone(), held.clone()].into_iter().for_each(|patch| one.amend(patch));
        let mut both = more;
        both.and_then(held);
        other.amend(both);
        assert_eq!(one, other);
    }

    #[test]
    fn holding_done_and_attempts() {
        let mut it = entry(2);
        let hold = Hold { reason: "looks odd".into(), by: "policy".into(), place: Json::default() };
        it.amend(Patch { hold: Some(HoldChange::Hold(hold.clone())), ..Patch::default() });
        assert_eq!(it.hold, Some(hold));
        it.amend(Patch { hold: Some(HoldChange::Release), ..Patch::default() });
        assert_eq!(it.hold, None);
        it.attempt(Try { recipients: vec![(1, RcptState { attempts: 1, ..RcptState::default() })] });
        assert_eq!((it.recipients[0].attempts, it.recipients[1].attempts), (0, 1));
        it.done(&[0]);
        assert!(!it.is_done());
        it.done(&[1]);
        assert!(it.is_done());
    }
}
