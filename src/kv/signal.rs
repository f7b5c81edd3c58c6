//! What callers and the writer tell one another: that there are changes, that somebody waits, that they are durable.
//!
//! Changes are counted. Whoever waits, waits until as many are committed as had been made when the wait began.

use crate::event::host::KvFault;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// More changes than this that wait for the disk are refused: it does not keep up, and memory is not endless.
const BACKLOG_MAX: u64 = 1 << 20;

#[derive(Debug, Default)]
pub(super) struct Signal {
    state: Mutex<State>,
    to_writer: Condvar,
    to_waiters: Condvar,
}

#[derive(Debug, Default)]
struct State {
    made: u64,
    committed: u64,
    /// Somebody waits: gather no longer.
    hurry: bool,
    stop: bool,
    /// Why the last round failed, and how many have.
    trouble: Option<Arc<str>>,
    failures: u64,
}

impl Signal {
    /// Refuses a change while the store is in trouble or far behind.
    pub(super) fn admit(&self) -> Result<(), KvFault> {
        let state = self.lock();
        match &state.trouble {
            Some(why) => Err(KvFault::Unavailable(why.clone())),
            None if state.made - state.committed >= BACKLOG_MAX => {
                Err(KvFault::Unavailable("the disk is too slow for the changes that sinks make".into()))
            }
            None => Ok(()),
        }
    }

    /// Counts a change that readers can see already.
    pub(super) fn changed(&self) {
        let mut state = self.lock();
        state.made += 1;
        if state.made == state.committed + 1 {
            self.to_writer.notify_one();
        }
    }

    /// Waits until every change made so far is committed. `hurry` makes the writer start at once.
    pub(super) fn wait(&self, hurry: bool) -> Result<(), KvFault> {
        let mut state = self.lock();
        let (upto, failures) = (state.made, state.failures);
        while state.committed < upto {
            if state.failures != failures || state.trouble.is_some() {
                let why = state.trouble.clone().unwrap_or_else(|| "the disk failed".into());
                return Err(KvFault::Unavailable(why));
            }
            if hurry {
                state.hurry = true;
                self.to_writer.notify_one();
            }
            state = self.to_waiters.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Ends the writer after one more round.
    pub(super) fn stop(&self) {
        self.lock().stop = true;
        self.to_writer.notify_one();
    }

    /// For the writer: waits up to `idle` for a change, then `gather` for more, unless somebody waits for it. Returns
    /// whether this is to be the last round.
    pub(super) fn next_round(&self, idle: Duration, gather: Duration) -> bool {
        let state = self.pause_while(self.lock(), idle, |s| !s.stop && !s.hurry && s.made == s.committed);
        let mut state = self.pause_while(state, gather, |s| !s.stop && !s.hurry && s.made != s.committed);
        state.hurry = false;
        state.stop
    }

    /// For the writer: waits before it tries again, unless it is to stop.
    pub(super) fn nap(&self, time: Duration) {
        drop(self.pause_while(self.lock(), time, |s| !s.stop));
    }

    /// How many changes have been made.
    pub(super) fn made(&self) -> u64 {
        self.lock().made
    }

    /// For the writer: changes up to this one are durable.
    pub(super) fn succeeded(&self, upto: u64) {
        let mut state = self.lock();
        state.committed = upto;
        state.trouble = None;
        self.to_waiters.notify_all();
    }

    /// The store can't be used. Returns whether that is news.
    pub(super) fn failed(&self, why: &str) -> bool {
        let mut state = self.lock();
        state.failures += 1;
        self.to_waiters.notify_all();
        state.trouble.replace(why.into()).is_none()
    }

    /// Waits until the writer has got over what failed.
    #[cfg(test)]
    pub(super) fn wait_out_trouble(&self) {
        let state = self.to_waiters.wait_while(self.lock(), |s| s.trouble.is_some());
        drop(state.unwrap_or_else(PoisonError::into_inner));
    }

    fn pause_while<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        time: Duration,
        condition: impl FnMut(&mut State) -> bool,
    ) -> MutexGuard<'a, State> {
        self.to_writer.wait_timeout_while(state, time, condition).unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
