//! Connections that have carried a message and may carry more (RFC 5321 3.3: a client may send one transaction after another).
//!
//! A connection is kept for a few seconds, and for a number of messages. What the server does to it meanwhile is seen when it is
//! taken out; what is not seen then, the first reply tells, and [`super::smtp`] opens another.

use super::connection::Connection;
use super::stream::Stream;
use crate::smtp::client::Hop;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a connection waits for the next message. Servers count connections, and ours should not be among those that do nothing.
const IDLE: Duration = Duration::from_secs(2);
/// Messages that one connection carries, so that a host with several addresses or processes is used evenly.
const USES: u32 = 100;
/// Connections to one hop that wait.
const KEPT: usize = 20;

/// Where a connection leads, and as whom we spoke on it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// `host:port`, or `unix:` and a path.
    pub(super) address: String,
    pub(super) hop: Hop,
}

/// A connection that was greeted.
pub(super) struct Open {
    pub(super) connection: Connection<Stream>,
    /// The server, as outcomes name it.
    pub(super) remote: String,
    /// Messages that it has carried.
    pub(super) uses: u32,
}

/// The connections that wait.
#[derive(Clone, Default)]
pub(super) struct Pool(Arc<Mutex<Shelf>>);

#[derive(Default)]
struct Shelf {
    /// The latest last.
    waiting: HashMap<Key, Vec<(Instant, Open)>>,
    /// A task looks after them.
    watched: bool,
}

impl Pool {
    /// A connection that can carry a message now, as far as can be seen.
    pub(super) fn take(&self, key: &Key) -> Option<Open> {
        let mut shelf = self.lock();
        let waiting = shelf.waiting.get_mut(key)?;
        while let Some((since, mut open)) = waiting.pop() {
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
            let mut shelf = self.lock();
            let waiting = shelf.waiting.entry(key).or_default();
            if waiting.len() < KEPT {
                waiting.push((Instant::now(), open));
                if !std::mem::replace(&mut shelf.watched, true) {
                    tokio::spawn(self.clone().watch());
                }
                return;
            }
        }
        tokio::spawn(open.connection.quit());
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
            let young = waiting.partition_point(|(since, _)| since.elapsed() >= IDLE);
            old.extend(waiting.drain(..young).map(|(_, open)| open));
        }
        shelf.waiting.retain(|_, waiting| !waiting.is_empty());
        let empty = shelf.waiting.is_empty();
        shelf.watched = !empty;
        (old, empty)
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
