//! Turns: how many passes may be connected to one host at a time, and who is next.
//!
//! Nobody waits for a turn inside a pass. A message whose host has none goes back into the queue, not busy and at no cost,
//! and is woken when a turn is free: a host that hangs holds its own mail only.

use super::deliver::NextHop;
use super::queue::Queue;
use crate::mail::Id;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Connections to one host at a time.
const PER_HOST: usize = 20;

/// The turns at all hosts.
pub(super) struct Turns {
    queue: Arc<Queue>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    hosts: HashMap<String, Host>,
    /// The hops that have deferred a message before it had to wait for the next one.
    tried: HashMap<Id, Vec<NextHop>>,
}

#[derive(Default)]
struct Host {
    taken: usize,
    /// Whoever came first is woken first.
    waiting: BTreeSet<Id>,
}

/// Leave to connect to a host, until dropped.
pub(super) struct Turn {
    turns: Arc<Turns>,
    host: String,
}

impl Turns {
    /// Nobody is connected.
    pub(super) fn new(queue: Arc<Queue>) -> Arc<Self> {
        Arc::new(Self { queue, state: Mutex::default() })
    }

    /// A turn at the hop; none is needed for local files. The error is the host that has none.
    pub(super) fn take<'h>(self: &Arc<Self>, hop: &'h NextHop) -> Result<Option<Turn>, &'h str> {
        let Some(address) = host(hop) else { return Ok(None) };
        let mut state = self.lock();
        let host = state.hosts.entry(address.to_owned()).or_default();
        if host.taken >= PER_HOST {
            return Err(address);
        }
        host.taken += 1;
        Ok(Some(Turn { turns: self.clone(), host: address.to_owned() }))
    }

    /// A message that was put back is to be woken when the host has a turn, which may be now. `tried` are the hops that
    /// need not be tried again when it is.
    pub(super) fn wait(&self, address: &str, id: Id, tried: &[NextHop]) {
        let mut state = self.lock();
        if !tried.is_empty() {
            state.tried.insert(id, tried.to_vec());
        }
        match state.hosts.get_mut(address).filter(|host| host.taken >= PER_HOST) {
            Some(host) => {
                host.waiting.insert(id);
            }
            // One was given back in the meantime.
            None => {
                self.queue.wake(id);
            }
        }
    }

    /// The hops that have deferred the message before it had to wait.
    pub(super) fn tried(&self, id: Id) -> Vec<NextHop> {
        self.lock().tried.remove(&id).unwrap_or_default()
    }

    fn give_back(&self, address: &str) {
        let mut state = self.lock();
        let State { hosts, tried } = &mut *state;
        let Some(host) = hosts.get_mut(address) else { return };
        host.taken -= 1;
        while let Some(id) = host.waiting.pop_first() {
            if self.queue.wake(id) {
                break;
            }
            tried.remove(&id);
        }
        if host.taken == 0 && host.waiting.is_empty() {
            hosts.remove(address);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.give_back(&self.host);
    }
}

/// The host that has to be connected to.
pub(super) fn host(hop: &NextHop) -> Option<&str> {
    match hop {
        NextHop::Smtp(address) | NextHop::Lmtp(address) => Some(address),
        NextHop::Maildir { .. } | NextHop::Drop(_) => None,
    }
}
