//! The ledger: which sink saw a transaction, what it said, what it changed, and how long it took.
//!
//! Bounded, cheap to write while mail flows, and turned into its one JSON shape only when it is kept.

use super::catalogue::Event;
use super::edit::Edits;
use super::verdict::Verdict;
use crate::mail::{Id, Reply, one_line};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// Entries of one transaction; more are counted only.
pub const ENTRIES_MAX: usize = 500;

/// Edits of one call that are told; more are counted only.
const EDITS_TOLD: usize = 50;
/// Octets that they may take; what comes behind is counted only.
const EDITS_OCTETS: usize = 4096;

/// What stands in place of a sink's name where the core itself refused. No sink can be called so.
pub const GUARD: &str = "(guard)";

/// One dispatch: a sink heard an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The event.
    pub event: Event,
    /// The sink.
    pub sink: Arc<str>,
    /// The verdict that counted, a fault's policy included.
    pub verdict: Cow<'static, str>,
    /// The recipient or command that the event was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Arc<str>>,
    /// The reply or reason that came with the verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// The edits that were applied, the first 50, and then how many more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<String>,
    /// What went wrong in the sink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// How long the call and the rules before it took, in microseconds.
    pub micros: u64,
}

impl LedgerEntry {
    /// An entry for a verdict.
    pub(super) fn new(event: Event, sink: Arc<str>, verdict: &Verdict, took: Duration) -> Self {
        Self {
            event,
            sink,
            verdict: Cow::Borrowed(verdict.name()),
            about: None,
            said: said(verdict),
            edits: Vec::new(),
            fault: None,
            micros: micros(took),
        }
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

fn said(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Reject(reply) | Verdict::Defer(reply, _) | Verdict::Disconnect(reply) => {
            reply.as_ref().map(Reply::to_string)
        }
        Verdict::Hold(reason) => Some(one_line(reason.clone())),
        _ => None,
    }
}

/// The edits of one call as the ledger tells them.
pub(super) fn told(edits: &Edits) -> Vec<String> {
    let (mut told, mut octets) = (Vec::new(), 0);
    for edit in edits.iter().take(EDITS_TOLD) {
        let text = one_line(edit.to_string());
        octets += text.len();
        if octets > EDITS_OCTETS {
            break;
        }
        told.push(text);
    }
    let more = edits.len() - told.len();
    told.extend((more > 0).then(|| format!("and {more} more")));
    told
}

/// The dispatches of one transaction in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The snapshot that the transaction was pinned to.
    #[serde(default)]
    pub generation: u64,
    /// In the order of the calls.
    pub entries: Vec<LedgerEntry>,
    /// How many more there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// The messages that sinks have made of it, refused ones included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub generated: Vec<Id>,
    /// The messages that have been split off it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Id>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Ledger {
    /// Notes a refusal by a check of the core's own, so that it can be told apart from a sink's.
    pub fn note_guard(&mut self, event: Event, about: &str, reply: &Reply) {
        let verdict = if reply.code() < 500 { "defer" } else { "reject" };
        self.push(LedgerEntry {
            event,
            sink: GUARD.into(),
            verdict: Cow::Borrowed(verdict),
            about: Some(about.into()),
            said: Some(reply.to_string()),
            edits: Vec::new(),
            fault: None,
            micros: 0,
        });
    }

    /// Adds an entry, or counts it if the ledger is full.
    pub(super) fn push(&mut self, entry: LedgerEntry) {
        if self.entries.len() < ENTRIES_MAX {
            self.entries.push(entry);
        } else {
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::edit::Edit;
    use super::*;

    #[test]
    fn many_edits_are_counted() {
        let mut edits = Edits::new();
        (0..EDITS_TOLD).for_each(|_| edits.push(Edit::Vouch));
        assert_eq!(told(&edits).len(), EDITS_TOLD);
        edits.push(Edit::Vouch);
        edits.push(Edit::Vouch);
        let told = told(&edits);
        assert_eq!((told.len(), told[EDITS_TOLD].as_str()), (EDITS_TOLD + 1, "and 2 more"));
    }

    #[test]
    fn long_edits_are_counted_too() {
        let mut edits = Edits::new();
        (0..10).for_each(|_| edits.push(Edit::AddKeyword("X".repeat(2000))));
        let told = told(&edits);
        assert_eq!((told.len(), told[4].as_str()), (5, "and 6 more"));
    }

    #[test]
    fn bounded_and_one_shape() {
        let mut ledger = Ledger::default();
        let verdict = Verdict::Reject(Some(Reply::foreign(550, None, "no")));
        for _ in 0..ENTRIES_MAX + 2 {
            ledger.push(LedgerEntry::new(Event::InRcpt, "access".into(), &verdict, Duration::from_micros(7)));
        }
        assert_eq!((ledger.entries.len(), ledger.dropped), (ENTRIES_MAX, 2));
        let json = serde_json::to_string(&ledger.entries[0]).unwrap();
        assert_eq!(json, r#"{"event":"in.rcpt","sink":"access","verdict":"reject","said":"550 no","micros":7}"#);
        assert_eq!(serde_json::from_str::<LedgerEntry>(&json).unwrap(), ledger.entries[0]);
    }
}
