//! All gates, by name. One that nobody uses and of which nothing has to be remembered is dropped.

use super::asked::Wait;
use super::gate::Gate;
use super::lane::Lane;
use super::slab::Slab;
use crate::config::traffic::{Kind, Limits, Traffic};
use crate::mail::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// No gate.
const NONE: u32 = u32::MAX;

/// The gates that a message has to pass, by [`Kind`], and its priority. Those with the same key wait in one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    gates: [u32; 5],
    pub(super) priority: i8,
}

impl Key {
    pub(super) fn gates(self) -> impl Iterator<Item = u32> {
        self.gates.into_iter().filter(|gate| *gate != NONE)
    }

    fn of(self, kind: Kind) -> u32 {
        self.gates.get(kind as usize).copied().unwrap_or(NONE)
    }

    pub(super) fn site(self) -> u32 {
        self.of(Kind::Site)
    }

    /// Whoever has no tenant belongs to one that has no name.
    pub(super) fn tenant(self) -> u32 {
        self.of(Kind::Tenant)
    }

    pub(super) fn domain(self) -> Option<u32> {
        Some(self.of(Kind::Domain)).filter(|gate| *gate != NONE)
    }
}

/// The gates.
#[derive(Debug, Default)]
pub(super) struct Gates {
    all: Slab<Gate>,
    by_name: HashMap<(Kind, Arc<str>), u32>,
    /// When gates are to be looked at again; each is here once at most.
    alarms: BTreeSet<(Timestamp, u32)>,
}

impl Gates {
    pub(super) fn get(&self, gate: u32) -> Option<&Gate> {
        self.all.get(gate)
    }

    pub(super) fn get_mut(&mut self, gate: u32) -> Option<&mut Gate> {
        self.all.get_mut(gate)
    }

    pub(super) fn find(&self, kind: Kind, name: &Arc<str>) -> Option<u32> {
        self.by_name.get(&(kind, name.clone())).copied()
    }

    /// The gate of a name, with these limits. True if it lets more pass now than before.
    pub(super) fn open(&mut self, kind: Kind, name: &Arc<str>, limits: &Limits) -> (u32, bool) {
        let known = self.find(kind, name);
        let gate = known.unwrap_or_else(|| {
            let gate = self.all.insert(Gate::new(kind, name.clone()));
            self.by_name.insert((kind, name.clone()), gate);
            gate
        });
        let wider = self.get_mut(gate).is_some_and(|gate| gate.limit(limits));
        (gate, wider && known.is_some())
    }

    /// The gates of a lane, and those of them that let more pass now than before. A domain, campaign or source that has no
    /// limits is no gate, unless `domain_matters`.
    pub(super) fn key(
        &mut self,
        lane: &Lane,
        traffic: &Traffic,
        priority: i8,
        domain_matters: bool,
    ) -> (Key, Vec<u32>) {
        let mut key = Key { gates: [NONE; 5], priority };
        let mut wider = Vec::new();
        for (kind, place) in Kind::ALL.into_iter().zip(&mut key.gates) {
            let Some(name) = lane.name(kind) else { continue };
            let limits = traffic.limits_of(kind, name);
            let matters = match kind {
                Kind::Site | Kind::Tenant => true,
                Kind::Domain => domain_matters || limits != Limits::default(),
                Kind::Campaign | Kind::Source => limits != Limits::default(),
            };
            if matters {
                let (gate, is_wider) = self.open(kind, name, &limits);
                *place = gate;
                wider.extend(is_wider.then_some(gate));
            } else if let Some(gate) = self.find(kind, name)
                && self.get_mut(gate).is_some_and(|gate| gate.limit(&limits))
            {
                // It had limits, which are gone.
                wider.push(gate);
            }
        }
        (key, wider)
    }

    /// The first gate that keeps one more from passing.
    pub(super) fn shut(&self, key: Key, now: Timestamp) -> Option<(u32, Wait)> {
        key.gates().find_map(|gate| Some((gate, self.get(gate)?.shut(now)?)))
    }

    /// Has a gate looked at again.
    pub(super) fn set_alarm(&mut self, gate: u32, at: Timestamp) {
        let Some(found) = self.all.get_mut(gate) else { return };
        if let Some(before) = found.alarm.replace(at) {
            self.alarms.remove(&(before, gate));
        }
        self.alarms.insert((at, gate));
    }

    /// Whether a gate has to be looked at by now.
    pub(super) fn is_due(&self, gate: u32, now: Timestamp) -> bool {
        self.get(gate).and_then(|gate| gate.alarm).is_some_and(|at| at <= now)
    }

    /// When the next gate has to be looked at.
    pub(super) fn next_alarm(&self) -> Option<Timestamp> {
        self.alarms.first().map(|(at, _)| *at)
    }

    /// A gate that has to be looked at by now.
    pub(super) fn alarmed(&mut self, now: Timestamp) -> Option<u32> {
        let (_, gate) = self.alarms.first().copied().filter(|(at, _)| *at <= now)?;
        self.alarms.pop_first();
        self.all.get_mut(gate)?.alarm = None;
        Some(gate)
    }

    /// Drops a gate that nobody uses, at once or when its memory has faded. True if it is gone.
    pub(super) fn tidy(&mut self, gate: u32, now: Timestamp) -> bool {
        let Some(found) = self.all.get_mut(gate).filter(|gate| gate.is_idle()) else { return false };
        if let Some(until) = found.matters_until(now) {
            self.set_alarm(gate, until);
            return false;
        }
        if let Some(found) = self.all.remove(gate) {
            found.alarm.map(|at| self.alarms.remove(&(at, gate)));
            self.by_name.remove(&(found.kind, found.name));
            if self.by_name.is_empty() {
                self.by_name = HashMap::new();
            }
        }
        true
    }

    /// The clock was set back: every gate that has an alarm has it now.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        self.all.iter_mut().for_each(|gate| gate.set_back(now));
        let alarmed: Vec<u32> = self.alarms.iter().filter(|(at, _)| *at > now).map(|(_, gate)| *gate).collect();
        alarmed.into_iter().for_each(|gate| self.set_alarm(gate, now));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Gate> {
        self.all.iter()
    }

    /// Octets that they take at most, names aside; for tests.
    #[cfg(test)]
    pub(super) fn octets(&self) -> usize {
        let names = self.by_name.capacity() * 8 / 7 * (size_of::<((Kind, Arc<str>), u32)>() + 1);
        self.all.octets() + names + self.alarms.len() * 2 * 16
    }
}
