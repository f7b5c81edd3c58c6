//! What is behind the governor's lock: gates, lines, calls and the bound on everything.

use super::asked::{Wait, Why};
use super::calls::Calls;
use super::gates::{Gates, Key};
use super::lane::Lane;
use super::lines::Lines;
use super::suspend::Suspensions;
use crate::config::traffic::{Kind, Traffic};
use crate::mail::{Id, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// Calls that come up to this much out of order are taken as simultaneous.
const OUT_OF_ORDER: Duration = Duration::from_secs(5);

/// Wakes a message. False if it is not there, or busy.
pub(super) type Waker = Box<dyn Fn(Id) -> bool + Send + Sync>;

/// All of it.
pub(super) struct State {
    pub(super) gates: Gates,
    pub(super) lines: Lines,
    pub(super) calls: Calls,
    pub(super) total: Total,
    pub(super) suspensions: Suspensions,
    pub(super) wake: Waker,
    /// The time of the last operation.
    pub(super) now: Timestamp,
    /// Gates that somebody has left, who may have been the last.
    pub(super) left: Vec<u32>,
}

/// The bound on all connections, and the sites that wait for it.
#[derive(Debug)]
pub(super) struct Total {
    pub(super) limit: u32,
    pub(super) taken: u32,
    pub(super) held: u32,
    pub(super) sites: BTreeSet<u32>,
    /// The site that was served last.
    pub(super) served: Option<u32>,
}

impl Total {
    pub(super) fn is_full(&self) -> bool {
        self.taken.saturating_add(self.held) >= self.limit
    }

    /// The site that is next, in a circle.
    pub(super) fn next(&mut self) -> Option<u32> {
        let after = self.served.and_then(|last| last.checked_add(1));
        let next = after.and_then(|site| self.sites.range(site..).next()).or_else(|| self.sites.first()).copied()?;
        self.sites.remove(&next);
        self.served = Some(next);
        Some(next)
    }
}

impl Default for State {
    fn default() -> Self {
        let limit = Traffic::default().connections();
        Self {
            gates: Gates::default(),
            lines: Lines::default(),
            calls: Calls::default(),
            total: Total { limit, taken: 0, held: 0, sites: BTreeSet::new(), served: None },
            suspensions: Suspensions::default(),
            wake: Box::new(|_| false),
            now: Timestamp(0),
            left: Vec::new(),
        }
    }
}

impl State {
    /// An operation begins. Threads that read the clock at the same time may come in the wrong order; that is no clock that
    /// was set back.
    pub(super) fn at(&mut self, now: Timestamp) {
        if now >= self.now {
            self.now = now;
        } else if self.now.since(now) >= OUT_OF_ORDER {
            self.now = now;
            self.gates.set_back(now);
        }
    }

    /// The gates of a lane under these limits, and those of them that are wider now, to be settled at the end.
    pub(super) fn key(&mut self, lane: &Lane, traffic: &Traffic, priority: i8) -> (Key, Vec<u32>) {
        self.total.limit = traffic.connections();
        let stopped = self.suspensions.names_domain(&lane.domain);
        self.gates.key(lane, traffic, priority, stopped)
    }

    /// Passes all gates, or says which is shut.
    pub(super) fn ask(&mut self, id: Id, key: Key) -> Result<(), Wait> {
        let called = self.calls.answer(id, key.site());
        if let Some(called) = called {
            self.put_down(called);
        } else {
            // Whoever has waited for this moment goes before those who happen to come at it.
            let gates = key.gates().filter(|gate| self.gates.is_due(*gate, self.now)).collect();
            self.offer(gates);
        }
        if let Some(line) = self.lines.find(key) {
            self.lines.leave(line, id, &mut self.gates);
        }
        let shut = self.obstacle(key);
        if shut.is_none() {
            self.take(key);
        }
        self.settle(key.gates().chain(called.into_iter().flat_map(Key::gates)).collect());
        shut.map_or(Ok(()), |(_, wait)| Err(wait))
    }

    /// Waits; true if the message is called at once.
    pub(super) fn wait(&mut self, id: Id, key: Key) -> bool {
        self.lines.join(key, id, &mut self.gates);
        self.settle(vec![key.site()]);
        self.calls.has(id, key.site())
    }

    /// What keeps one more from going: the gate, if it is one.
    pub(super) fn obstacle(&self, key: Key) -> Option<(Option<u32>, Wait)> {
        if let Some(wait) = self.stopped(key) {
            return Some((None, wait));
        }
        if let Some((gate, wait)) = self.gates.shut(key, self.now) {
            return Some((Some(gate), wait));
        }
        self.total.is_full().then_some((None, Wait { until: None, why: Why::Total }))
    }

    /// What an operator has stopped.
    pub(super) fn stopped(&self, key: Key) -> Option<Wait> {
        let site = self.gates.get(key.site())?;
        let domain = key.domain().and_then(|gate| self.gates.get(gate)).map(|gate| &*gate.name);
        let found = self.suspensions.covering(&site.name, domain, self.now)?;
        Some(Wait { until: found.until, why: Why::Suspended(found.reason.clone()) })
    }

    fn take(&mut self, key: Key) {
        self.total.taken += 1;
        for gate in key.gates() {
            self.gates.get_mut(gate).into_iter().for_each(|gate| gate.take(self.now));
        }
    }

    /// A turn is over.
    pub(super) fn give_back(&mut self, key: Key) {
        self.total.taken = self.total.taken.saturating_sub(1);
        for gate in key.gates() {
            self.gates.get_mut(gate).into_iter().for_each(|gate| gate.taken = gate.taken.saturating_sub(1));
        }
        self.settle(key.gates().collect());
    }

    /// Sets aside what somebody needs who is called.
    pub(super) fn hold(&mut self, key: Key) {
        self.total.held += 1;
        for gate in key.gates() {
            self.gates.get_mut(gate).into_iter().for_each(|gate| gate.held += 1);
        }
    }

    /// What was set aside is free again.
    pub(super) fn put_down(&mut self, key: Key) {
        self.total.held = self.total.held.saturating_sub(1);
        for gate in key.gates() {
            self.gates.get_mut(gate).into_iter().for_each(|gate| gate.held = gate.held.saturating_sub(1));
        }
    }

    /// The most messages that go over one connection.
    pub(super) fn per_connection(&self, key: Key) -> Option<u32> {
        key.gates().filter_map(|gate| self.gates.get(gate)?.per_connection).min()
    }

    /// Looks at everything whose time has come. The next time.
    pub(super) fn tick(&mut self) -> Option<Timestamp> {
        let now = self.now;
        if self.suspensions.expire(now) {
            self.resume();
        }
        while let Some(key) = self.calls.expired(now) {
            self.put_down(key);
            self.settle(key.gates().collect());
        }
        // Only what is due now: who is looked at may have to be looked at again.
        let mut due = Vec::new();
        while let Some(gate) = self.gates.alarmed(now) {
            due.push(gate);
        }
        self.settle(due);
        self.next()
    }

    /// When something is to be looked at.
    pub(super) fn next(&self) -> Option<Timestamp> {
        [self.suspensions.next(), self.calls.next(), self.gates.next_alarm()].into_iter().flatten().min()
    }

    /// The gate of a lane's site, if there is one.
    pub(super) fn site(&self, lane: &Lane) -> Option<u32> {
        self.gates.find(Kind::Site, &lane.site)
    }
}
