//! The governor: whom the pipeline asks before it connects anywhere.
//!
//! It knows no sockets and reads no clock. What it promises: no limit is ever exceeded; nobody who waits is forgotten or
//! overtaken for ever; every operation takes time that grows with the logarithm of those who wait. Over a restart it
//! learns back-off anew; suspensions are kept by `kept`.

use super::asked::{Asked, Heard, Why};
use super::gates::Key;
use super::lane::Lane;
use super::report::SiteState;
use super::state::State;
use super::suspend::{Suspended, Suspension};
use crate::config::traffic::{Kind, Limits, PER_SITE, Traffic};
use crate::mail::{Id, Timestamp};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The turns of all messages.
#[derive(Default)]
pub struct Governor {
    state: Mutex<State>,
    /// Something is to be looked at sooner than was known.
    pub(super) sooner: Notify,
}

/// Leave to send one message over one connection, until dropped.
pub struct Turn {
    governor: Arc<Governor>,
    key: Key,
    messages_per_connection: Option<u32>,
}

impl Governor {
    /// Nobody is connected, nobody waits.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Says how a message is woken: true if it was there and idle. It is called under a lock, must not wait, and must not
    /// call back.
    pub fn on_wake(&self, wake: impl Fn(Id) -> bool + Send + Sync + 'static) {
        self.lock().wake = Box::new(wake);
    }

    /// Asks for a turn for one message, under the limits now in force. Higher priorities go first.
    pub fn ask(self: &Arc<Self>, id: Id, lane: &Lane, traffic: &Traffic, now: Timestamp, priority: i8) -> Asked {
        self.with(now, |state| {
            let (key, wider) = state.key(lane, traffic, priority);
            let messages_per_connection = state.per_connection(key);
            let asked = state.ask(id, key);
            state.settle(wider);
            match asked {
                Ok(()) => Asked::Turn(Turn { governor: self.clone(), key, messages_per_connection }),
                Err(wait) => Asked::Wait(wait),
            }
        })
    }

    /// Registers a message that had to wait, once it is back in the queue and can be woken. It is called when it can go,
    /// which may be before this returns: then the answer is true. Whoever is called should ask within 10 s.
    pub fn wait(&self, id: Id, lane: &Lane, traffic: &Traffic, now: Timestamp, priority: i8) -> bool {
        self.with(now, |state| {
            let (key, wider) = state.key(lane, traffic, priority);
            let called = state.wait(id, key);
            state.settle(wider);
            called
        })
    }

    /// A pass is over: what the message was called for and has not asked for goes to others. To be called before
    /// [`Self::wait`].
    pub fn over(&self, id: Id, now: Timestamp) {
        self.with(now, |state| {
            while let Some(key) = state.calls.of(id).and_then(|site| state.calls.answer(id, site)) {
                state.put_down(key);
                state.settle(key.gates().collect());
            }
        });
    }

    /// Tells what came of a turn, before it is dropped.
    pub fn heard(&self, lane: &Lane, heard: Heard, now: Timestamp) {
        self.with(now, |state| {
            let known = state.site(lane);
            let site = match heard {
                Heard::Good => known,
                Heard::Slow | Heard::Refused => Some(known.unwrap_or_else(|| {
                    let limits = Limits { connections: Some(PER_SITE), ..Limits::default() };
                    state.gates.open(Kind::Site, &lane.site, &limits).0
                })),
            };
            let Some((site, gate)) = site.and_then(|site| Some((site, state.gates.get_mut(site)?))) else { return };
            let wider = match heard {
                Heard::Good => gate.good(now),
                Heard::Slow => {
                    let taken = gate.taken;
                    gate.backoff().slow(taken, now);
                    true
                }
                Heard::Refused => {
                    gate.backoff().refused(now);
                    true
                }
            };
            if wider {
                state.settle(vec![site]);
            }
        });
    }

    /// Ends the pause of a site, if it has one: somebody wants it tried now.
    pub fn pardon(&self, lane: &Lane, now: Timestamp) {
        self.with(now, |state| {
            let site = state.site(lane);
            if let Some((site, gate)) = site.and_then(|site| Some((site, state.gates.get_mut(site)?))) {
                gate.backoff().pardon();
                state.settle(vec![site]);
            }
        });
    }

    /// Calls everybody who can go by now. The time at which this has to be called again, if nothing happens until then.
    pub fn tick(&self, now: Timestamp) -> Option<Timestamp> {
        let mut state = self.lock();
        state.at(now);
        state.tick()
    }

    /// What a message waits for that has no turn: the site, and what is in the way there. Looks at every line; for operators.
    pub fn why(&self, id: Id) -> Option<(Arc<str>, Why)> {
        let state = self.lock();
        let keys = state.lines.keys_of(id);
        let mut found =
            keys.filter_map(|key| Some((state.gates.get(key.site())?.name.clone(), state.obstacle(key)?.1.why)));
        found.next()
    }

    /// Stops sites or domains. Turns that are taken go on. One for the same takes the place of the one before.
    pub fn suspend(&self, what: Suspended, until: Option<Timestamp>, reason: impl Into<String>) {
        let reason = reason.into();
        let mut state = self.lock();
        state.suspensions.add(Suspension { what, until, reason });
        drop(state);
        self.sooner.notify_one();
    }

    /// Lets go on what was stopped in exactly these words. False if nothing was.
    pub fn resume(&self, what: &Suspended, now: Timestamp) -> bool {
        self.with(now, |state| {
            let was = state.suspensions.remove(what);
            if was {
                state.resume();
            }
            was
        })
    }

    /// What is stopped.
    pub fn suspensions(&self) -> Vec<Suspension> {
        self.lock().suspensions.list().to_vec()
    }

    /// Every site that has connections, or is waited for, or is held back; by name. For operators, not for the event loop.
    pub fn snapshot(&self) -> Vec<SiteState> {
        SiteState::all(&self.lock())
    }

    /// Runs an operation, and has the time looked at if something is due sooner now.
    fn with<T>(&self, now: impl Into<Option<Timestamp>>, operation: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        now.into().into_iter().for_each(|now| state.at(now));
        let before = state.next();
        let value = operation(&mut state);
        let after = state.next();
        drop(state);
        if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
            self.sooner.notify_one();
        }
        value
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// The most messages that may go over the connection that this turn is for, the first one included.
    pub fn messages_per_connection(&self) -> Option<u32> {
        self.messages_per_connection
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // The time is not known here; that of the last operation is as good, since what is due since then has its alarm.
        self.governor.with(None, |state| state.give_back(self.key));
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("messages_per_connection", &self.messages_per_connection).finish_non_exhaustive()
    }
}

impl fmt::Debug for Governor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Governor").finish_non_exhaustive()
    }
}
