//! Those who were woken and have not asked yet. What they need is set aside for them, for a short time.

use super::gates::Key;
use crate::mail::{Id, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Whoever was woken asks within this time, or others go.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The calls, one for a message and site at most.
#[derive(Debug, Default)]
pub(super) struct Calls {
    open: BTreeMap<(Id, u32), (Timestamp, Key)>,
    /// In the order of time; answered ones stay until they come to the front, which is never one of them.
    order: VecDeque<(Timestamp, Id, u32)>,
}

impl Calls {
    pub(super) fn has(&self, id: Id, site: u32) -> bool {
        self.open.contains_key(&(id, site))
    }

    pub(super) fn add(&mut self, id: Id, key: Key, now: Timestamp) {
        self.open.insert((id, key.site()), (now, key));
        self.order.push_back((now, id, key.site()));
    }

    /// The call is answered: what was set aside.
    pub(super) fn answer(&mut self, id: Id, site: u32) -> Option<Key> {
        let (_, key) = self.open.remove(&(id, site))?;
        while self.order.front().is_some_and(|(at, id, site)| !self.is_open(*at, *id, *site)) {
            self.order.pop_front();
        }
        Some(key)
    }

    /// A call of this message to whatever site.
    pub(super) fn of(&self, id: Id) -> Option<u32> {
        self.open.range((id, 0)..=(id, u32::MAX)).next().map(|((_, site), _)| *site)
    }

    /// A call whose time is up.
    pub(super) fn expired(&mut self, now: Timestamp) -> Option<Key> {
        let (at, id, site) = self.order.front().copied()?;
        // It is no use to wait for a clock that was set back.
        if at <= now && now.since(at) < PATIENCE {
            return None;
        }
        self.answer(id, site)
    }

    fn is_open(&self, at: Timestamp, id: Id, site: u32) -> bool {
        self.open.get(&(id, site)).is_some_and(|(called, _)| *called == at)
    }

    /// When the time of the next one is up.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.order.front().map(|(at, ..)| at.plus(PATIENCE))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}
