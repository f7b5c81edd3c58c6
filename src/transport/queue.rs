//! The queue: every accepted message that is not done, and the time at which each is due.
//!
//! The spool is the truth; this is its image in memory, and the one place that says who works on a message. A message is
//! busy while a pass or an operator has it; whoever has it puts it back.

use crate::event::host::Clock;
use crate::intake::{Account, History, State};
use crate::mail::{Id, Timestamp};
use crate::snapshot::Current;
use crate::spool::{Entry, Fence, Spool};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// The queue of one server.
pub struct Queue {
    pub(super) spool: Arc<dyn Spool>,
    pub(super) fence: Fence,
    pub(super) history: Arc<History>,
    pub(super) current: Arc<Current>,
    pub(super) clock: Arc<dyn Clock>,
    items: Mutex<Items>,
    changed: Notify,
}

#[derive(Default)]
struct Items {
    by_id: HashMap<Id, Item>,
    /// The idle ones that are due some time.
    due: BTreeSet<(Timestamp, Id)>,
}

struct Item {
    entry: Arc<Entry>,
    busy: bool,
    due: Option<Timestamp>,
}

impl Queue {
    /// A queue of what recovery found.
    pub fn new(
        spool: Arc<dyn Spool>,
        fence: Fence,
        history: Arc<History>,
        current: Arc<Current>,
        clock: Arc<dyn Clock>,
        found: Vec<Entry>,
    ) -> Self {
        let queue = Self { spool, fence, history, current, clock, items: Mutex::default(), changed: Notify::new() };
        found.into_iter().for_each(|entry| queue.put(entry));
        queue
    }

    /// Adds a message, or puts back one that was taken.
    pub fn put(&self, entry: Entry) {
        self.put_due(entry, Timestamp(0));
    }

    /// The same, but not due before `not_before`.
    pub(super) fn put_due(&self, entry: Entry, not_before: Timestamp) {
        let due = due(&entry).map(|d| d.max(not_before));
        let id = entry.id;
        let mut items = self.lock();
        if let Some(due) = due {
            items.due.insert((due, id));
        }
        items.by_id.insert(id, Item { entry: Arc::new(entry), busy: false, due });
        drop(items);
        self.changed.notify_one();
    }

    /// The message is done, and its account goes into the history.
    pub(super) fn end(&self, entry: &Entry, state: State) {
        self.lock().by_id.remove(&entry.id);
        self.history.note(Account::of_entry(entry, state));
    }

    /// Takes a message to work on it; none if it is not there or somebody else has it.
    pub(super) fn take(&self, id: Id) -> Option<Arc<Entry>> {
        let mut items = self.lock();
        let item = items.by_id.get_mut(&id).filter(|item| !item.busy)?;
        item.busy = true;
        let entry = item.entry.clone();
        if let Some(due) = item.due.take() {
            items.due.remove(&(due, id));
        }
        Some(entry)
    }

    /// Waits for the next message that is due, and takes it.
    pub(super) async fn next(&self) -> Arc<Entry> {
        loop {
            let changed = self.changed.notified();
            let first = self.lock().due.first().copied();
            match first {
                Some((due, id)) if due <= self.clock.now() => {
                    if let Some(entry) = self.take(id) {
                        return entry;
                    }
                }
                Some((due, _)) => {
                    let wait = due.since(self.clock.now()).max(Duration::from_millis(1));
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep(wait) => {}
                    }
                }
                None => changed.await,
            }
        }
    }

    /// Messages in the queue.
    pub fn count(&self) -> usize {
        self.lock().by_id.len()
    }

    /// Messages that are parked as a whole, or of which every open recipient is.
    pub fn held(&self) -> usize {
        self.lock().by_id.values().filter(|item| is_held(&item.entry)).count()
    }

    /// The accounts of the messages that `wanted` picks, oldest first.
    pub fn accounts(&self, wanted: &dyn Fn(&Account) -> bool) -> Vec<Account> {
        let entries: Vec<Arc<Entry>> = self.lock().by_id.values().map(|item| item.entry.clone()).collect();
        let mut accounts: Vec<Account> = entries.iter().map(|e| account(e)).filter(wanted).collect();
        accounts.sort_by_key(|a| a.id);
        accounts
    }

    /// The account of one message.
    pub fn account(&self, id: Id) -> Option<Account> {
        let entry = self.lock().by_id.get(&id).map(|item| item.entry.clone())?;
        Some(account(&entry))
    }

    fn lock(&self) -> MutexGuard<'_, Items> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The account of a message in the queue.
pub(super) fn account(entry: &Entry) -> Account {
    Account::of_entry(entry, if is_held(entry) { State::Held } else { State::Queued })
}

/// When a message is due: when the first of its open recipients is.
fn due(entry: &Entry) -> Option<Timestamp> {
    if entry.hold.is_some() {
        return None;
    }
    entry.recipients.iter().filter(|r| !r.done && r.held.is_none()).map(|r| r.next).min()
}

/// Whether nothing is due however long one waits.
pub(super) fn is_held(entry: &Entry) -> bool {
    due(entry).is_none()
}
