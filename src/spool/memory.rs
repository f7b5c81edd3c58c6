//! The spool in memory, for tests: the same contract but for what a crash leaves, which is nothing.

use super::budget::Budget;
use super::draft::Draft;
use super::fault::StoreFault;
use super::health::{Health, Pulse, Usage};
use super::record::{Entry, Record};
use super::rules::{Ahead, Effect};
use super::store::{Claim, Fence, Found, NodeId, Outline, Spool};
use super::stored::{Opened, StoredContent};
use crate::mail::{Blob, Content, Id};
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Messages in memory.
pub struct MemorySpool {
    budget: Arc<Budget>,
    pulse: Pulse,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    fence: u64,
    entries: BTreeMap<Id, (Entry, Bytes)>,
}

impl Default for MemorySpool {
    fn default() -> Self {
        Self { budget: Budget::new(usize::MAX), pulse: Pulse::default(), state: Mutex::default() }
    }
}

impl MemorySpool {
    /// An empty spool.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses every commit with this fault, as a full or broken disk would, until told `None`.
    pub fn refuse_with(&self, fault: Option<StoreFault>) {
        match fault {
            Some(fault) => self.pulse.fail(fault),
            None => self.pulse.recover(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Spool for MemorySpool {
    fn draft(&self) -> Draft {
        Draft::new(&self.budget, None)
    }

    async fn commit(&self, fence: Fence, batch: Vec<Record>) -> Result<(), StoreFault> {
        self.pulse.check()?;
        let read = |record: Record| match &record {
            Record::Accept(_, content) => {
                let octets = content.to_bytes().map_err(|e| StoreFault::io("read the content", &e))?;
                Ok((record, octets))
            }
            _ => Ok((record, Bytes::new())),
        };
        let batch: Vec<_> = batch.into_iter().map(read).collect::<Result<_, StoreFault>>()?;
        let mut state = self.state();
        if Fence(state.fence) != fence {
            return Err(StoreFault::Fenced);
        }
        let known = |id| state.entries.get(&id).map(|(entry, _)| entry.recipients.len() as u32);
        Ahead::default().admit(batch.iter().map(|(record, _)| (record.id(), Effect::of(record))), known)?;
        for (record, octets) in batch {
            state.apply(record, octets);
        }
        Ok(())
    }

    fn open(&self, content: &StoredContent) -> Result<Content, StoreFault> {
        let id = content.id();
        let blob: Arc<dyn Blob> = match self.state().entries.get(&id) {
            Some((_, octets)) => Arc::new(octets.clone()),
            None => return Err(StoreFault::not_there(id)),
        };
        Ok(Opened { id, blob }.content(content))
    }

    fn entry(&self, id: Id) -> Result<Entry, StoreFault> {
        let found = self.state().entries.get(&id).map(|(entry, _)| entry.clone());
        found.ok_or_else(|| StoreFault::not_there(id))
    }

    async fn claim(&self, _node: NodeId) -> Result<Claim, StoreFault> {
        let mut state = self.state();
        state.fence += 1;
        let newest = state.entries.last_key_value().map_or(Id(0), |(id, _)| *id);
        let found = state.entries.values().map(|(entry, _)| Outline::of(entry)).collect();
        Ok(Claim { fence: Fence(state.fence), newest, found: Found::now(found) })
    }

    fn health(&self) -> Health {
        self.pulse.health()
    }

    fn usage(&self) -> Usage {
        let state = self.state();
        let bytes = state.entries.values().map(|(_, octets)| octets.len() as u64).sum();
        Usage { messages: state.entries.len() as u64, bytes, ..Usage::default() }
    }
}

impl State {
    fn apply(&mut self, record: Record, octets: Bytes) {
        let id = record.id();
        match record {
            Record::Accept(mut entry, _) => {
                entry.content = StoredContent::whole(id, octets.len() as u64);
                entry.level();
                self.entries.insert(id, (*entry, octets));
            }
            Record::End(_) => {
                self.entries.remove(&id);
            }
            change => {
                if let Some((entry, _)) = self.entries.get_mut(&id) {
                    entry.apply(change);
                }
            }
        }
    }
}
