//! The queue: every accepted message that is not done, and the time at which each is due.
//!
//! The spool is the truth; this is its image in memory, and the one place that says who works on a message. A message is
//! busy while a pass or an operator has it; whoever has it puts it back. Of a message that waits only its time is kept here:
//! what else is known of it is read from the spool when its time comes. Some of those that have just come in, and are due at
//! once, are kept whole until they have been tried.

use super::pending::{Domains, Pending, Spot};
use super::taken::Ticket;
use super::traffic::Governor;
use crate::event::host::{Clock, Scope};
use crate::intake::{Account, Badmail, History, Nursery, State};
use crate::mail::{Content, Id, IdSource, Timestamp};
use crate::snapshot::{Current, Snapshot};
use crate::spool::{Entry, Fence, Outline, Spool};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Messages that are kept whole.
const FRESH: usize = 4096;
/// Octets of their content; of those beyond, the content is read from the spool.
const FRESH_OCTETS: u64 = 32 << 20;

/// The queue of one server.
pub struct Queue {
    pub(super) spool: Arc<dyn Spool>,
    pub(super) fence: Fence,
    pub(super) history: Arc<History>,
    pub(super) current: Arc<Current>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<IdSource>,
    /// Where what can't be returned is kept.
    pub(super) badmail: Arc<Badmail>,
    /// Whose turn it is where.
    pub governor: Arc<Governor>,
    /// What an operator wants tried at once, whatever the traffic says.
    urgent: Mutex<HashSet<Id>>,
    items: Mutex<Items>,
    changed: Notify,
    /// What recovery has found is here.
    known: watch::Sender<bool>,
}

#[derive(Default)]
struct Items {
    by_id: HashMap<Id, Item>,
    /// The idle ones that are due some time.
    due: BTreeSet<(Timestamp, Id)>,
    /// Those that are never due.
    held: usize,
    /// Those that are kept whole, and octets of their content.
    fresh: (usize, u64),
    /// What is to be delivered where.
    pending: Pending,
}

struct Item {
    /// [`Entry::due`].
    due: Option<Timestamp>,
    /// Its place in [`Items::due`], which may be later.
    queued: Option<Timestamp>,
    busy: bool,
    fresh: Option<Box<Fresh>>,
    /// Its places in [`Items::pending`].
    domains: Domains,
}

/// What is known of a message that has just come in.
pub(super) struct Fresh {
    pub(super) entry: Arc<Entry>,
    pub(super) content: Option<Content>,
}

impl Fresh {
    fn octets(&self) -> u64 {
        self.content.as_ref().map_or(0, Content::len)
    }
}

impl Items {
    fn insert(&mut self, id: Id, item: Item) {
        if let Some(queued) = item.queued {
            self.due.insert((queued, id));
        }
        self.held += usize::from(item.due.is_none());
        if let Some(fresh) = &item.fresh {
            self.fresh.0 += 1;
            self.fresh.1 += fresh.octets();
        }
        self.by_id.insert(id, item);
    }

    fn remove(&mut self, id: Id) {
        let Some(item) = self.by_id.remove(&id) else { return };
        if let Some(queued) = item.queued {
            self.due.remove(&(queued, id));
        }
        self.held -= usize::from(item.due.is_none());
        if let Some(fresh) = &item.fresh {
            self.fresh.0 -= 1;
            self.fresh.1 -= fresh.octets();
        }
        self.pending.remove(id, &item.domains);
    }

    /// Adds a message, which is queued for this time.
    fn enter(&mut self, outline: &Outline, queued: Option<Timestamp>, fresh: Option<Box<Fresh>>, now: Timestamp) {
        self.remove(outline.id);
        // What its sender wants held is looked at when that time comes.
        let released = outline.until.is_none_or(|until| until <= now);
        let domains = if released { self.pending.add(outline) } else { Domains::default() };
        self.insert(outline.id, Item { due: outline.due, queued, busy: false, fresh, domains });
    }

    /// What is kept of a message: nothing, unless it is wanted soon and there is room.
    fn keep(&self, entry: &Arc<Entry>, content: Option<Content>, soon: bool) -> Option<Box<Fresh>> {
        if !soon || self.fresh.0 >= FRESH {
            return None;
        }
        // What lies in a file would keep that open.
        let small = |content: &Content| {
            content.blob().as_bytes().is_some() && self.fresh.1.saturating_add(content.len()) <= FRESH_OCTETS
        };
        Some(Box::new(Fresh { entry: entry.clone(), content: content.filter(small) }))
    }
}

impl Queue {
    /// An empty queue.
    pub fn new(
        spool: Arc<dyn Spool>,
        fence: Fence,
        history: Arc<History>,
        current: Arc<Current>,
        clock: Arc<dyn Clock>,
        ids: Arc<IdSource>,
        badmail: Arc<Badmail>,
    ) -> Self {
        let (items, urgent, changed, known) = Default::default();
        let governor = Governor::new();
        Self { spool, fence, history, current, clock, ids, badmail, governor, urgent, items, changed, known }
    }

    /// Adds what recovery has found: all that was there.
    pub fn add(&self, found: Vec<Outline>) {
        let now = self.clock.now();
        for some in found.chunks(1024) {
            let mut items = self.lock();
            some.iter().for_each(|outline| items.enter(outline, outline.due, None, now));
        }
        self.changed.notify_one();
        self.known.send_replace(true);
    }

    /// Waits until what was there at the start is here as well. False if that takes longer than this.
    pub async fn is_known_within(&self, patience: Duration) -> bool {
        let mut known = self.known.subscribe();
        tokio::time::timeout(patience, known.wait_for(|known| *known)).await.is_ok_and(|waited| waited.is_ok())
    }

    /// Adds a message that has just been accepted.
    pub fn put(&self, entry: Entry, content: Content) {
        self.put_due(&Arc::new(entry), Some(content), Timestamp(0));
    }

    /// Adds a message, or puts it back, not due before `not_before`.
    pub(super) fn put_due(&self, entry: &Arc<Entry>, content: Option<Content>, not_before: Timestamp) {
        let (outline, now) = (Outline::of(entry), self.clock.now());
        let queued = outline.due.map(|due| due.max(not_before));
        // Whoever only waits for a turn is wanted soon.
        let soon = outline.due.is_some_and(|due| due <= now);
        let mut items = self.lock();
        let fresh = items.keep(entry, content, soon);
        items.enter(&outline, queued, fresh, now);
        drop(items);
        self.changed.notify_one();
    }

    /// Puts back a message of which nothing has changed.
    pub(super) fn put_back(&self, id: Id, not_before: Timestamp) {
        let mut items = self.lock();
        let Items { by_id, due, .. } = &mut *items;
        let Some(item) = by_id.get_mut(&id) else { return };
        item.busy = false;
        item.queued = item.due.map(|due| due.max(not_before));
        due.extend(item.queued.map(|queued| (queued, id)));
        drop(items);
        self.changed.notify_one();
    }

    /// The message is done, and its account goes into the history.
    pub(super) fn end(&self, entry: &Entry, state: State) {
        self.is_urgent(entry.id);
        // In this order: whoever does not find it here finds it there.
        self.history.note_entry(entry, state);
        self.lock().remove(entry.id);
    }

    /// Takes a message to work on it; none if it is not there or somebody else has it.
    pub(super) fn take(self: &Arc<Self>, id: Id) -> Option<Ticket> {
        let mut items = self.lock();
        let Items { by_id, due, fresh: kept, .. } = &mut *items;
        let item = by_id.get_mut(&id).filter(|item| !item.busy)?;
        item.busy = true;
        if let Some(queued) = item.queued.take() {
            due.remove(&(queued, id));
        }
        let fresh = item.fresh.take();
        if let Some(fresh) = &fresh {
            *kept = (kept.0 - 1, kept.1 - fresh.octets());
        }
        drop(items);
        Some(Ticket::new(self.clone(), id, fresh))
    }

    /// Makes a message that was put back for later due when its recipients are. False if it is not there, somebody has
    /// it, or it is not due even so.
    pub(super) fn wake(&self, id: Id) -> bool {
        let mut items = self.lock();
        let Items { by_id, due: queued, .. } = &mut *items;
        let Some(item) = by_id.get_mut(&id).filter(|item| !item.busy) else { return false };
        let Some(due) = item.due.filter(|due| *due <= self.clock.now()) else { return false };
        if let Some(before) = item.queued.replace(due) {
            queued.remove(&(before, id));
        }
        queued.insert((due, id));
        drop(items);
        self.changed.notify_one();
        true
    }

    /// The next pass over this message does not care for pauses.
    pub(super) fn hurry(&self, id: Id) {
        self.urgent.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
    }

    /// Whether it is to be tried whatever the traffic says; asked once.
    pub(super) fn is_urgent(&self, id: Id) -> bool {
        self.urgent.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }

    /// Where messages grow up that are made here.
    pub(super) fn nursery<'a>(&'a self, snapshot: &'a Snapshot) -> Nursery<'a> {
        Nursery { snapshot, spool: &*self.spool, ids: &self.ids, clock: &*self.clock }
    }

    /// Waits for the next message that is due, and takes it.
    pub(super) async fn next(self: &Arc<Self>) -> Ticket {
        loop {
            let changed = self.changed.notified();
            let first = self.lock().due.first().copied();
            match first {
                Some((due, id)) if due <= self.clock.now() => {
                    if let Some(ticket) = self.take(id) {
                        return ticket;
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

    /// What is still to be delivered within a scope, piece by piece: a message and one of its domains each. A message that somebody has is
    /// here as it was.
    pub(super) fn pending(&self, scope: &Scope, after: Option<&Spot>, most: usize) -> Vec<Spot> {
        self.lock().pending.within(scope, after, most)
    }

    /// Messages in the queue.
    pub fn count(&self) -> usize {
        self.lock().by_id.len()
    }

    /// Messages that are parked as a whole, or of which every open recipient is.
    pub fn held(&self) -> usize {
        self.lock().held
    }

    /// Whether a message is in the queue.
    pub fn has(&self, id: Id) -> bool {
        self.lock().by_id.contains_key(&id)
    }

    /// The accounts of the messages that `wanted` picks, oldest first. Reads the spool; not for the event loop.
    pub fn accounts(&self, wanted: &dyn Fn(&Account) -> bool) -> Vec<Account> {
        let mut ids: Vec<Id> = self.lock().by_id.keys().copied().collect();
        ids.sort_unstable();
        ids.into_iter().filter_map(|id| self.account(id)).filter(wanted).collect()
    }

    /// The account of one message. Reads the spool; not for the event loop.
    pub fn account(&self, id: Id) -> Option<Account> {
        let fresh = self.lock().by_id.get(&id)?.fresh.as_ref().map(|fresh| fresh.entry.clone());
        if let Some(entry) = fresh {
            return Some(account(&entry));
        }
        match self.spool.entry(id) {
            Ok(entry) => Some(account(&entry)),
            Err(fault) => {
                // It may have been done in the meantime, or be done at this moment.
                if self.lock().by_id.get(&id).is_some_and(|item| !item.busy) {
                    tracing::error!(%id, %fault, "a message in the queue can't be read");
                }
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Items> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The account of a message in the queue.
pub(super) fn account(entry: &Entry) -> Account {
    Account::of_entry(entry, if entry.due().is_none() { State::Held } else { State::Queued })
}
