//! A governor, a queue that can be looked at, and a clock that stands still.

use crate::config::Settings;
use crate::config::traffic::Traffic;
use crate::mail::{Id, Timestamp};
use crate::transport::traffic::{Asked, Governor, Lane, Turn, Why};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(super) struct World {
    pub(super) governor: Arc<Governor>,
    pub(super) traffic: Traffic,
    pub(super) now: Timestamp,
    pub(super) queue: Arc<Mutex<Queue>>,
}

/// What the governor wakes.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) idle: BTreeSet<Id>,
    pub(super) woken: Vec<Id>,
}

pub(super) fn traffic(text: &str) -> Traffic {
    let head = "hostname = 'mx.example'\n[[listener]]\naddress = '127.0.0.1:0'\n";
    Settings::parse(Path::new("f.toml"), &(head.to_owned() + text)).unwrap_or_else(|e| panic!("{e}")).0.traffic
}

/// A lane by site, domain and tenant; "" is none.
pub(super) fn lane(site: &str, domain: &str, tenant: &str) -> Lane {
    let tenant = (!tenant.is_empty()).then(|| tenant.into());
    Lane { site: site.into(), domain: domain.into(), tenant, campaign: None, source: None }
}

impl World {
    pub(super) fn new(text: &str) -> Self {
        let (governor, queue) = (Governor::new(), Arc::<Mutex<Queue>>::default());
        let woken = queue.clone();
        governor.on_wake(move |id| {
            let mut queue = woken.lock().unwrap();
            let idle = queue.idle.remove(&id);
            if idle {
                queue.woken.push(id);
            }
            idle
        });
        Self { governor, traffic: traffic(text), now: Timestamp(1_000_000_000), queue }
    }

    pub(super) fn ask(&self, id: u64, lane: &Lane, priority: i8) -> Asked {
        self.governor.ask(Id(id), lane, &self.traffic, self.now, priority)
    }

    pub(super) fn turn(&self, id: u64, lane: &Lane) -> Turn {
        match self.ask(id, lane, 0) {
            Asked::Turn(turn) => turn,
            Asked::Wait(wait) => panic!("{id} has to wait: {}", wait.why),
        }
    }

    /// Why a message has to wait, and for how many milliseconds if that is known.
    pub(super) fn denied(&self, id: u64, lane: &Lane) -> (Why, Option<u64>) {
        match self.ask(id, lane, 0) {
            Asked::Turn(_) => panic!("{id} has a turn"),
            Asked::Wait(wait) => (wait.why, wait.until.map(|until| until.0 - self.now.0)),
        }
    }

    /// Waits; whether the message was called at once.
    pub(super) fn wait(&self, id: u64, lane: &Lane, priority: i8) -> bool {
        self.queue.lock().unwrap().idle.insert(Id(id));
        self.governor.wait(Id(id), lane, &self.traffic, self.now, priority)
    }

    /// Those who were woken since the last time.
    pub(super) fn woken(&self) -> Vec<u64> {
        std::mem::take(&mut self.queue.lock().unwrap().woken).into_iter().map(|id| id.0).collect()
    }

    pub(super) fn pass(&mut self, millis: u64) -> Option<u64> {
        self.now = self.now.plus(Duration::from_millis(millis));
        self.governor.tick(self.now).map(|next| next.0.saturating_sub(self.now.0))
    }

    /// What is kept: gates, messages that wait, calls.
    pub(super) fn kept(&self) -> (usize, usize, usize) {
        let state = self.governor.lock();
        (state.gates.iter().count(), state.lines.iter().count(), state.calls.len())
    }
}
