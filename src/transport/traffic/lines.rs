//! Those who wait: one line for each key, oldest first.
//!
//! A line is ready, or parked at a gate other than its site that is shut. Few large ordered sets hold all of it: a set for
//! each of a hundred thousand sites would take several times the memory.

use super::gates::{Gates, Key};
use super::slab::Slab;
use crate::mail::Id;
use std::collections::{BTreeSet, HashMap};

/// What is parked here waits for an operator.
pub(super) const SUSPENDED: u32 = u32::MAX;

/// The lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    all: Slab<Line>,
    by_key: HashMap<Key, u32>,
    /// By line.
    waiting: BTreeSet<(u32, Id)>,
    ready: BTreeSet<Ready>,
    /// By gate and site.
    parked: BTreeSet<(u32, u32, u32)>,
}

#[derive(Debug)]
struct Line {
    key: Key,
    count: u32,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// The oldest that waits.
    Ready(Id),
    /// The gate.
    Parked(u32),
}

/// A line that is ready, in the order in which a site serves them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ready {
    site: u32,
    /// The highest priority is the least.
    rank: i16,
    tenant: u32,
    oldest: Id,
    line: u32,
}

impl Ready {
    fn new(line: u32, key: Key, oldest: Id) -> Self {
        Self { site: key.site(), rank: -i16::from(key.priority), tenant: key.tenant(), oldest, line }
    }

    fn first_of(site: u32, rank: i16, tenant: u32) -> Self {
        Self { site, rank, tenant, oldest: Id(0), line: 0 }
    }
}

impl Lines {
    /// Puts a message into its line. A new line is ready.
    pub(super) fn join(&mut self, key: Key, id: Id, gates: &mut Gates) {
        let line = *self.by_key.entry(key).or_insert_with(|| {
            for gate in key.gates() {
                gates.get_mut(gate).into_iter().for_each(|gate| gate.lines += 1);
            }
            self.ready.insert(Ready::new(self.all.next(), key, id));
            self.all.insert(Line { key, count: 0, place: Place::Ready(id) })
        });
        let Some(found) = self.all.get_mut(line) else { return };
        if !self.waiting.insert((line, id)) {
            return;
        }
        found.count += 1;
        if let Place::Ready(oldest) = found.place
            && id < oldest
        {
            self.ready.remove(&Ready::new(line, key, oldest));
            self.ready.insert(Ready::new(line, key, id));
            found.place = Place::Ready(id);
        }
        count(key, gates, |waiting| waiting + 1);
    }

    /// Takes a message out of its line, if it is there. The line ends with the last one.
    pub(super) fn leave(&mut self, line: u32, id: Id, gates: &mut Gates) {
        let Some(found) = self.all.get_mut(line) else { return };
        if !self.waiting.remove(&(line, id)) {
            return;
        }
        let key = found.key;
        found.count -= 1;
        count(key, gates, |waiting| waiting.saturating_sub(1));
        if found.count == 0 {
            return self.end(line, gates);
        }
        if let Place::Ready(oldest) = found.place
            && oldest == id
        {
            self.ready.remove(&Ready::new(line, key, oldest));
            self.make_ready(line);
        }
    }

    fn end(&mut self, line: u32, gates: &mut Gates) {
        let Some(Line { key, place, .. }) = self.all.remove(line) else { return };
        match place {
            Place::Ready(oldest) => self.ready.remove(&Ready::new(line, key, oldest)),
            Place::Parked(gate) => self.parked.remove(&(gate, key.site(), line)),
        };
        self.by_key.remove(&key);
        if self.by_key.is_empty() {
            self.by_key = HashMap::new();
        }
        for gate in key.gates() {
            gates.get_mut(gate).into_iter().for_each(|gate| gate.lines = gate.lines.saturating_sub(1));
        }
    }

    fn make_ready(&mut self, line: u32) {
        let Some(oldest) = self.oldest(line) else { return };
        let Some(found) = self.all.get_mut(line) else { return };
        found.place = Place::Ready(oldest);
        self.ready.insert(Ready::new(line, found.key, oldest));
    }

    /// Moves a line that is ready to a gate that is shut.
    pub(super) fn park(&mut self, line: u32, gate: u32) {
        let Some(found) = self.all.get_mut(line) else { return };
        if let Place::Ready(oldest) = found.place {
            self.ready.remove(&Ready::new(line, found.key, oldest));
            self.parked.insert((gate, found.key.site(), line));
            found.place = Place::Parked(gate);
        }
    }

    /// Makes a line ready that is parked at a gate: the first whose site comes after `last`, in a circle. Its site.
    pub(super) fn unpark(&mut self, gate: u32, last: Option<u32>) -> Option<u32> {
        let at = |from: (u32, u32, u32)| self.parked.range(from..).next().copied().filter(|(of, ..)| *of == gate);
        let next = last.and_then(|last| last.checked_add(1)).and_then(|site| at((gate, site, 0)));
        let (_, site, line) = next.or_else(|| at((gate, 0, 0)))?;
        self.parked.remove(&(gate, site, line));
        self.make_ready(line);
        Some(site)
    }

    /// The line that a site serves next: of the highest priority, the tenant after the last one served, in a circle, and of
    /// his lines the one with the oldest message. `served` says who was the last of a priority.
    pub(super) fn next(&self, site: u32, served: impl Fn(i8) -> Option<u32>) -> Option<u32> {
        let at = |from: Ready| self.ready.range(from..).next().filter(|ready| ready.site == site);
        let top = at(Ready::first_of(site, i16::MIN, 0))?;
        let last = i8::try_from(-top.rank).ok().and_then(served);
        let after = last.and_then(|last| last.checked_add(1));
        let next = after.and_then(|tenant| at(Ready::first_of(site, top.rank, tenant)));
        Some(next.filter(|next| next.rank == top.rank).unwrap_or(top).line)
    }

    /// The keys under which a message waits.
    pub(super) fn keys_of(&self, id: Id) -> impl Iterator<Item = Key> {
        let waits = move |line: &u32| self.waiting.contains(&(*line, id));
        self.by_key.iter().filter(move |(_, line)| waits(line)).map(|(key, _)| *key)
    }

    pub(super) fn find(&self, key: Key) -> Option<u32> {
        self.by_key.get(&key).copied()
    }

    pub(super) fn key(&self, line: u32) -> Option<Key> {
        self.all.get(line).map(|line| line.key)
    }

    /// The oldest message of a line.
    pub(super) fn oldest(&self, line: u32) -> Option<Id> {
        self.waiting.range((line, Id(0))..).next().filter(|(of, _)| *of == line).map(|(_, id)| *id)
    }

    /// Octets that they take at most, for tests: trees are never less than half full.
    #[cfg(test)]
    pub(super) fn octets(&self) -> usize {
        let keys = self.by_key.capacity() * 8 / 7 * (size_of::<(Key, u32)>() + 1);
        let trees = self.waiting.len() * 16 + self.ready.len() * size_of::<Ready>() + self.parked.len() * 12;
        self.all.octets() + keys + trees * 2
    }

    /// Every message that waits, with its key; for tests.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, Id)> {
        self.waiting.iter().filter_map(|(line, id)| Some((self.key(*line)?, *id)))
    }
}

fn count(key: Key, gates: &mut Gates, change: impl Fn(u32) -> u32) {
    gates.get_mut(key.site()).into_iter().for_each(|site| site.waiting = change(site.waiting));
}
