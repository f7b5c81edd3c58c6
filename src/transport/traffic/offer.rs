//! Who is next, wherever something has become free.
//!
//! After each operation this holds: for everybody who waits there is a gate that is shut, or the bound on everything is
//! reached. Work is bounded: a gate behind which too many have to be looked at is looked at again a moment later.

use super::lines::SUSPENDED;
use super::state::State;
use crate::config::traffic::Kind;
use crate::mail::Timestamp;

/// Lines that are looked at in vain before others get the lock.
const LOOKS: usize = 256;

impl State {
    /// Calls who can go now that something has changed at these gates, and drops those that nobody needs.
    pub(super) fn settle(&mut self, gates: Vec<u32>) {
        self.offer(gates.clone());
        for gate in gates.into_iter().chain(std::mem::take(&mut self.left)) {
            self.tidy(gate);
        }
    }

    /// Calls who can go now that something has changed at these gates.
    pub(super) fn offer(&mut self, gates: Vec<u32>) {
        for gate in gates {
            match self.gates.get(gate).map(|gate| gate.kind) {
                Some(Kind::Site) => self.offer_in_turn(gate),
                Some(_) => self.offer_gate(gate),
                None => {}
            }
        }
        self.offer_total();
    }

    /// Calls those who can go to a site, unless others wait for the bound on everything: then it comes after them.
    fn offer_in_turn(&mut self, site: u32) {
        if self.total.sites.is_empty() {
            self.offer_site(site, usize::MAX);
        } else {
            self.total.sites.insert(site);
        }
    }

    /// Calls up to `most` of those who wait for a site; how many.
    fn offer_site(&mut self, site: u32, most: usize) -> usize {
        let (mut called, mut looks) = (0, 0);
        while called < most {
            let Some(gate) = self.gates.get(site) else { break };
            let Some(line) = self.lines.next(site, |priority| gate.served(priority)) else { break };
            let Some(key) = self.lines.key(line) else { break };
            if let Some(wait) = gate.shut(self.now) {
                self.look_again(site, wait.until);
                break;
            }
            if looks >= LOOKS {
                self.look_again(site, Some(self.now));
                break;
            }
            match self.obstacle(key) {
                None => {
                    let gone = self.call(line);
                    called += usize::from(gone);
                    looks += usize::from(!gone);
                }
                Some((Some(gate), wait)) => {
                    self.lines.park(line, gate);
                    self.look_again(gate, wait.until);
                    looks += 1;
                }
                Some((None, _)) if self.stopped(key).is_some() => {
                    self.lines.park(line, SUSPENDED);
                    looks += 1;
                }
                Some((None, _)) => {
                    self.total.sites.insert(site);
                    break;
                }
            }
        }
        called
    }

    /// Lets those go on who are parked at a gate, site by site, until it is shut again.
    fn offer_gate(&mut self, gate: u32) {
        for _ in 0..LOOKS {
            let Some(found) = self.gates.get_mut(gate) else { return };
            if let Some(wait) = found.shut(self.now) {
                if found.lines > 0 {
                    self.look_again(gate, wait.until);
                }
                return;
            }
            let Some(site) = self.lines.unpark(gate, found.served(0)) else { return };
            found.serve(0, site);
            self.offer_in_turn(site);
        }
        self.look_again(gate, Some(self.now));
    }

    /// Lets those go on who waited for the bound on everything, one of each site.
    fn offer_total(&mut self) {
        while !self.total.is_full() {
            let Some(site) = self.total.next() else { return };
            if self.offer_site(site, 1) > 0 {
                self.total.sites.insert(site);
            }
        }
    }

    /// Everything that was stopped is looked at again.
    pub(super) fn resume(&mut self) {
        let mut sites = Vec::new();
        while let Some(site) = self.lines.unpark(SUSPENDED, None) {
            sites.push(site);
        }
        sites.dedup();
        self.settle(sites);
    }

    /// Wakes the oldest of a line, and sets aside what it needs. False if it is gone.
    fn call(&mut self, line: u32) -> bool {
        let Some((key, id)) = self.lines.key(line).zip(self.lines.oldest(line)) else { return false };
        let (site, tenant) = (key.site(), key.tenant());
        self.lines.leave(line, id, &mut self.gates);
        let woken = (self.wake)(id);
        // Whoever is called already asks for all it needs.
        if woken && !self.calls.has(id, site) {
            self.hold(key);
            self.calls.add(id, key, self.now);
            self.gates.get_mut(site).into_iter().for_each(|gate| gate.serve(key.priority, tenant));
            return true;
        }
        self.left.extend(key.gates());
        false
    }

    fn look_again(&mut self, gate: u32, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.gates.set_alarm(gate, at);
        }
    }

    fn tidy(&mut self, gate: u32) {
        if self.gates.tidy(gate, self.now) {
            self.total.sites.remove(&gate);
        }
    }
}
