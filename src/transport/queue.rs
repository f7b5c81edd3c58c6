//! The queue: every accepted message that is not done, and the time at which each is due.
//!
//! The spool is the truth; this is its image in memory, and the one place that says who works on a message. A message is
//! busy while a pass or an operator has it; whoever has it puts it back.

use crate::event::host::Clock;
use crate::intake::{Account, History, State};
use crate::mail::{Id, IdSource, Timestamp};
use crate::snapshot::Current;
use crate::spool::{Entry, Fence, Spool};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// A message over which a pass panicked is left alone for this time.
const PANIC_PAUSE: Duration = Duration::from_secs(60);

/// The queue of one server.
pub struct Queue {
    pub(super) spool: Arc<dyn Spool>,
    pub(super) fence: Fence,
    pub(super) history: Arc<History>,
    pub(super) current: Arc<Current>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<IdSource>,
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
        ids: Arc<IdSource>,
        found: Vec<Entry>,
    ) -> Self {
        let (items, changed) = Default::default();
        let queue = Self { spool, fence, history, current, clock, ids, items, changed };
        found.into_iter().for_each(|entry| queue.put(entry));
        queue
    }

    /// Adds a message, or puts back one that was taken.
    pub fn put(&self, entry: Entry) {
        self.put_due(Arc::new(entry), Timestamp(0));
    }

    /// The same, but not due before `not_before`.
    fn put_due(&self, entry: Arc<Entry>, not_before: Timestamp) {
        let due = due(&entry).map(|d| d.max(not_before));
        let id = entry.id;
        let mut items = self.lock();
        if let Some(due) = due {
            items.due.insert((due, id));
        }
        items.by_id.insert(id, Item { entry, busy: false, due });
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

    /// Makes a message that was put back for later due when its recipients are. False if it is not there, somebody has
    /// it, or it is not due even so.
    pub(super) fn wake(&self, id: Id) -> bool {
        let mut items = self.lock();
        let Items { by_id, due: queued } = &mut *items;
        let Some(item) = by_id.get_mut(&id).filter(|item| !item.busy) else { return false };
        let Some(due) = due(&item.entry).filter(|due| *due <= self.clock.now()) else { return false };
        if let Some(before) = item.due.replace(due) {
            queued.remove(&(before, id));
        }
        queued.insert((due, id));
        drop(items);
        self.changed.notify_one();
        true
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

/// A message that a pass has. Dropped, in whatever way the pass ended, it goes back into the queue.
pub(super) struct Taken {
    queue: Arc<Queue>,
    pub(super) entry: Arc<Entry>,
    /// It is not due before this time.
    pub(super) not_before: Timestamp,
    ended: bool,
}

impl Taken {
    /// Of what [`Queue::next`] gave.
    pub(super) fn new(queue: Arc<Queue>, entry: Arc<Entry>) -> Self {
        Self { queue, entry, not_before: Timestamp(0), ended: false }
    }

    /// It is done, and leaves the queue.
    pub(super) fn end(mut self, state: State) {
        self.ended = true;
        self.queue.end(&self.entry, state);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if std::thread::panicking() {
            let pause = PANIC_PAUSE.as_secs();
            tracing::error!(id = %self.entry.id, "a pass panicked, a bug; the message is tried again in {pause} s");
            self.not_before = self.queue.clock.now().plus(PANIC_PAUSE);
        }
        self.queue.put_due(self.entry.clone(), self.not_before);
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
