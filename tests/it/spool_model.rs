//! What a spool must hold: a small life of messages, and what was acknowledged of it.

use crate::spool::{accept, accept_draft, octets, read};
use bytes::Bytes;
use mailsluice::mail::Id;
use mailsluice::spool::{Entry, Fence, RcptState, Record, Spool, Try};
use std::collections::{BTreeMap, BTreeSet};

/// What the spool has acknowledged, and what it may or may not hold beyond that.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) there: BTreeMap<u64, Message>,
    /// Messages of which some change was refused.
    pub(crate) refused: BTreeSet<u64>,
    /// Life ends with the first refusal.
    pub(crate) mortal: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Message {
    pub(crate) octets: Bytes,
    pub(crate) attempts: u32,
    pub(crate) done: bool,
}

impl Model {
    async fn commit(&mut self, spool: &dyn Spool, fence: Fence, batch: Vec<Record>) {
        if self.mortal && !self.refused.is_empty() {
            return;
        }
        let large = Bytes::from([b"Received: here\r\n", &octets(5, 3000)[..]].concat());
        let result = spool.commit(fence, batch.clone()).await;
        for record in batch {
            let id = record.id().0;
            if result.is_err() {
                self.refused.insert(id);
                continue;
            }
            match record {
                Record::Accept(_, content) => {
                    let octets = if id == 5 { large.clone() } else { octets(id, content.len() as usize) };
                    self.there.insert(id, Message { octets, attempts: 0, done: false });
                }
                Record::Attempt(_, attempt) => {
                    self.there.get_mut(&id).unwrap().attempts = attempt.recipients[0].1.attempts;
                }
                Record::Done(..) => self.there.get_mut(&id).unwrap().done = true,
                Record::End(_) => drop(self.there.remove(&id)),
                Record::Amend(..) => {}
            }
        }
    }

    /// All that was acknowledged is there, and what has ended is not.
    pub(crate) fn nothing_acknowledged_is_lost(&self, found: &BTreeMap<u64, Message>, when: &str) {
        for (id, message) in self.there.iter().filter(|(id, _)| !self.refused.contains(id)) {
            assert_eq!(found.get(id), Some(message), "{when}, message {id}");
        }
        for id in found.keys() {
            assert!(self.there.contains_key(id) || self.refused.contains(id), "{when}, {id} had ended");
        }
        if found.contains_key(&6) {
            assert!(found.contains_key(&7) && !found.contains_key(&3), "{when}: half a batch is in force");
        }
    }

    /// Accepts, attempts, completes and ends, over several segments, with a large message and one that is carried.
    pub(crate) async fn live(&mut self, spool: &dyn Spool, fence: Fence) {
        for id in 1..4 {
            self.commit(spool, fence, vec![accept(id, 100)]).await;
        }
        match accept_draft(spool, 5, 3000) {
            Ok((large, _)) => self.commit(spool, fence, vec![large]).await,
            Err(_) => drop(self.refused.insert(5)),
        }
        self.commit(spool, fence, vec![attempt(1, 1)]).await;
        let split = vec![accept(6, 200), accept(7, 10), Record::Done(Id(6), vec![0]), Record::End(Id(3))];
        self.commit(spool, fence, split).await;
        for id in 10..22 {
            self.commit(spool, fence, vec![accept(id, 900)]).await;
            self.commit(spool, fence, vec![Record::End(Id(id))]).await;
        }
        self.commit(spool, fence, vec![attempt(1, 2), Record::Done(Id(2), vec![0])]).await;
        self.commit(spool, fence, vec![Record::End(Id(5))]).await;
        self.commit(spool, fence, vec![accept(30, 50)]).await;
    }
}

fn attempt(id: u64, attempts: u32) -> Record {
    Record::Attempt(Id(id), Try { recipients: vec![(0, RcptState { attempts, ..RcptState::default() })] })
}

pub(crate) fn found(spool: &dyn Spool, entry: &Entry) -> Message {
    let state = &entry.recipients[0];
    Message { octets: read(spool, entry), attempts: state.attempts, done: state.done }
}
