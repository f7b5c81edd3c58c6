//! Random traffic against the rules themselves, counted naively.
//!
//! After each step: no name has more turns than it may; nobody waits who could go. In the end: everybody has gone, no window
//! of time holds more messages than it may, and nothing is kept.

use super::world::{World, lane};
use crate::config::traffic::{Kind, Traffic};
use crate::mail::Timestamp;
use crate::transport::traffic::{Asked, Heard, Lane, Turn};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const LIMITS: &str = "[queue]\nconnections = 9\n[[traffic]]\nsite = '*'\nconnections = 3\n[[traffic]]\nsite = 's0'\nconnections = 1\n\
    [[traffic]]\nsite = 's1'\nmessages = '7/1s'\n[[traffic]]\ndomain = 'd1'\nconnections = 1\nmessages = '3/1s'\n\
    [[traffic]]\ntenant = 't0'\nconnections = 2\n[[traffic]]\ntenant = 't1'\nmessages = '20/3s'\n\
    [[traffic]]\nsource = '*'\nconnections = 4\n";

struct Run {
    world: World,
    lanes: Vec<(Lane, i8)>,
    /// Turns with the time at which they end.
    turns: Vec<(Timestamp, u64, Turn)>,
    waiting: BTreeSet<u64>,
    sent: Vec<(Timestamp, u64)>,
}

fn names(lane: &Lane) -> impl Iterator<Item = (Kind, String)> {
    Kind::ALL.into_iter().filter_map(|kind| Some((kind, lane.name(kind)?.to_string())))
}

impl Run {
    fn new(picks: &[(u8, u8, u8, u8, i8)]) -> Self {
        let lanes = picks.iter().map(|&(site, domain, tenant, source, priority)| {
            let tenant = ["", "t0", "t1", "t2"][tenant as usize];
            let mut lane = lane(&format!("s{site}"), &format!("d{domain}"), tenant);
            lane.source = (source > 0).then(|| format!("ip{source}").into());
            (lane, priority)
        });
        let (world, lanes) = (World::new(LIMITS), lanes.collect());
        Self { world, lanes, turns: Vec::new(), waiting: BTreeSet::new(), sent: Vec::new() }
    }

    fn try_to_go(&mut self, id: u64, long: u64) {
        let (lane, priority) = self.lanes[id as usize].clone();
        match self.world.ask(id, &lane, priority) {
            Asked::Turn(turn) => {
                self.waiting.remove(&id);
                self.sent.push((self.world.now, id));
                self.turns.push((self.world.now.plus(Duration::from_millis(long)), id, turn));
            }
            Asked::Wait(_) => {
                self.waiting.insert(id);
                self.world.wait(id, &lane, priority);
            }
        }
        self.check();
    }

    fn check(&self) {
        let mut used: BTreeMap<(Kind, String), u32> = BTreeMap::new();
        for (_, id, _) in &self.turns {
            names(&self.lanes[*id as usize].0).for_each(|name| *used.entry(name).or_default() += 1);
        }
        for ((kind, name), used) in &used {
            let limit = self.world.traffic.limits_of(*kind, name).connections.unwrap_or(u32::MAX);
            assert!(*used <= limit, "{kind:?} {name}: {used} of {limit}");
        }
        assert!(self.turns.len() <= 9);
        let state = self.world.governor.lock();
        for (key, id) in state.lines.iter() {
            assert!(state.obstacle(key).is_some(), "{id:?} waits for nothing");
        }
    }

    /// Ends turns and passes time until somebody is called, or nothing is left to happen.
    fn step(&mut self, slow: bool) -> bool {
        let next = self.world.governor.tick(self.world.now);
        let ends = self.turns.iter().map(|(at, ..)| *at).min();
        let Some(at) = next.into_iter().chain(ends).min() else { return false };
        self.world.now = self.world.now.max(at);
        while let Some(over) = self.turns.iter().position(|(at, ..)| *at <= self.world.now) {
            let (_, id, turn) = self.turns.swap_remove(over);
            let heard = if slow && id % 3 == 0 { Heard::Slow } else { Heard::Good };
            self.world.governor.heard(&self.lanes[id as usize].0, heard, self.world.now);
            drop(turn);
        }
        self.world.governor.tick(self.world.now);
        self.check();
        true
    }
}

fn no_window_holds_too_many(sent: &[(Timestamp, u64)], lanes: &[(Lane, i8)], traffic: &Traffic) {
    let mut times: BTreeMap<(Kind, String), Vec<Timestamp>> = BTreeMap::new();
    for (at, id) in sent {
        names(&lanes[*id as usize].0).for_each(|name| times.entry(name).or_default().push(*at));
    }
    for ((kind, name), times) in times {
        let Some(rate) = traffic.limits_of(kind, &name).rate else { continue };
        for (i, from) in times.iter().enumerate() {
            let within = times[i..].iter().take_while(|at| **at < from.plus(rate.period)).count();
            assert!(within <= rate.messages as usize, "{kind:?} {name}: {within} from {from}, of {rate}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_limit_is_exceeded_and_nobody_waits_for_nothing_or_for_ever(
        picks in prop::collection::vec((0u8..5, 0u8..4, 0u8..4, 0u8..3, -1i8..2), 1..120),
        long in prop::collection::vec(0u64..400, 8),
        slow: bool,
    ) {
        let mut run = Run::new(&picks);
        let mut long = long.into_iter().cycle();
        let mut fresh = 0..picks.len() as u64;
        for round in 0.. {
            prop_assert!(round < 20_000, "{} still wait", run.waiting.len());
            // New ones come while others wait.
            for id in fresh.by_ref().take(3) {
                run.try_to_go(id, long.next().unwrap());
            }
            let woken = run.world.woken();
            for id in &woken {
                run.try_to_go(*id, long.next().unwrap());
                // A site that complains meanwhile takes back what was set aside.
                prop_assert!(slow || !run.waiting.contains(id), "{} was called in vain", id);
            }
            if woken.is_empty() && !run.step(slow) && fresh.is_empty() {
                break;
            }
        }
        prop_assert!(run.waiting.is_empty(), "{:?} still wait", run.waiting);
        prop_assert_eq!(run.sent.len(), picks.len());
        no_window_holds_too_many(&run.sent, &run.lanes, &run.world.traffic);
        prop_assert_eq!(run.world.kept(), (0, 0, 0));
    }
}
