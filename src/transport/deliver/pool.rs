//! Connections that have carried a message and may carry more (RFC 5321 3.3: a client may send one transaction after another).
//!
//! A connection is kept for a few seconds, and for a number of messages. What the server does to it meanwhile is seen when it is
//! taken out; what is not seen then, the first reply tells, and [`super::smtp`] opens another. How many wait in all is bounded: where
//! mail goes to a hundred thousand hosts, one message to each, the files that a process may open would be gone in seconds.

use super::connection::Connection;
use super::safety::Safety;
use crate::smtp::client::{Hop, Terms};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a connection waits for the next message. Servers count connections, and ours should not be among those that do nothing.
const IDLE: Duration = Duration::from_secs(2);
/// Messages that one connection carries, so that a host with several addresses or processes is used evenly.
const USES: u32 = 100;
/// Connections to one hop that wait.
const KEPT: usize = 20;
/// Connections that wait in all; the oldest gives way.
const KEPT_IN_ALL: usize = 1000;

/// Where a connection leads, and as whom we spoke on it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// `host:port`, or `unix:` and a path.
    pub(super) address: String,
    pub(super) hop: Hop,
    /// What was asked of it beyond the usual.
    pub(super) terms: Terms,
    /// What it has proven, and who we are there.
    pub(super) safety: Safety,
}

/// A connection that was greeted.
pub(super) struct Open {
    pub(super) connection: Connection,
    /// The server, as outcomes name it.
    pub(super) remote: String,
    /// Messages that it has carried.
    pub(super) uses: u32,
}

/// The connections that wait.
#[derive(Clone)]
pub(super) struct Pool(Arc<Mutex<Shelf>>);

impl Default for Pool {
    fn default() -> Self {
        Self::of(KEPT_IN_ALL)
    }
}

struct Shelf {
    /// How many there may be.
    most: usize,
    /// The latest last.
    waiting: HashMap<Key, Vec<Waiting>>,
    /// All of them, the latest last.
    order: BTreeMap<u64, Key>,
    /// The number of the next one.
    next: u64,
    /// A task looks after them.
    watched: bool,
}

/// A connection that waits.
struct Waiting {
    number: u64,
    since: Instant,
    open: Open,
}

impl Shelf {
    /// Adds one. The oldest of all, if that were too many.
    fn add(&mut self, key: Key, open: Open) -> Option<Open> {
        let number = self.next;
        self.next += 1;
        self.order.insert(number, key.clone());
        self.waiting.entry(key).or_default().push(Waiting { number, since: Instant::now(), open });
        if self.order.len() <= self.most {
            return None;
        }
        let (_, key) = self.order.pop_first()?;
        let waiting = self.waiting.get_mut(&key).filter(|waiting| !waiting.is_empty())?;
        let oldest = waiting.remove(0);
        if waiting.is_empty() {
            self.waiting.remove(&key);
        }
        Some(oldest.open)
    }

    /// Takes the latest for this hop.
    fn take(&mut self, key: &Key) -> Option<Waiting> {
        let latest = self.waiting.get_mut(key)?.pop()?;
        self.order.remove(&latest.number);
        Some(latest)
    }
}

impl Pool {
    /// For so many connections.
    pub(super) fn of(most: usize) -> Self {
        let shelf = Shelf { most, waiting: HashMap::new(), order: BTreeMap::new(), next: 0, watched: false };
        Self(Arc::new(Mutex::new(shelf)))
    }

    /// A connection that can carry a message now, as far as can be seen.
    pub(super) fn take(&self, key: &Key) -> Option<Open> {
        let mut shelf = self.lock();
        while let Some(Waiting { since, mut open, .. }) = shelf.take(key) {
            if since.elapsed() < IDLE && open.connection.is_quiet() {
                return Some(open);
            }
            drop(open);
        }
        None
    }

    /// Keeps a connection for the next message, or takes leave.
    pub(super) fn put(&self, key: Key, mut open: Open, most: Option<u32>) {
        open.uses += 1;
        if open.uses < most.unwrap_or(USES).min(USES) && open.connection.is_ready() {
            match self.keep(key, open) {
                Some(other) => open = other,
                None => return,
            }
        }
        tokio::spawn(open.connection.quit());
    }

    /// Keeps a connection. The one that there is no room for then, if so.
    fn keep(&self, key: Key, open: Open) -> Option<Open> {
        let mut shelf = self.lock();
        let same = shelf.waiting.get(&key).map_or(0, Vec::len);
        // A second one to a hop is no reason to leave another hop.
        if same >= KEPT || same > 0 && shelf.order.len() >= shelf.most {
            return Some(open);
        }
        let oldest = shelf.add(key, open);
        if !std::mem::replace(&mut shelf.watched, true) {
            tokio::spawn(self.clone().watch());
        }
        oldest
    }

    /// Takes leave of those that have waited too long, until none is left.
    async fn watch(self) {
        loop {
            tokio::time::sleep(IDLE / 2).await;
            let (old, empty) = self.take_old();
            old.into_iter().for_each(|open| drop(tokio::spawn(open.connection.quit())));
            if empty {
                return;
            }
        }
    }

    fn take_old(&self) -> (Vec<Open>, bool) {
        let mut shelf = self.lock();
        let mut old = Vec::new();
        for waiting in shelf.waiting.values_mut() {
            let young = waiting.partition_point(|one| one.since.elapsed() >= IDLE);
            old.extend(waiting.drain(..young));
        }
        old.iter().for_each(|one| drop(shelf.order.remove(&one.number)));
        shelf.waiting.retain(|_, waiting| !waiting.is_empty());
        let empty = shelf.waiting.is_empty();
        shelf.watched = !empty;
        (old.into_iter().map(|one| one.open).collect(), empty)
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
