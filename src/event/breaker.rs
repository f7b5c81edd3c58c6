//! The breaker: a broken sink costs its policy, and not its deadline each time.
//!
//! Five faults in a row, on different messages, open it. While it is open the sink is not called; after 1 s, doubling to
//! 60 s, one live call goes through as a probe, and its success closes it.

use super::fault::Fault;
use crate::mail::Id;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Faults in a row that open the breaker.
pub const FAULTS_TO_OPEN: u64 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The health of one sink. A healthy sink's calls cost one relaxed load.
#[derive(Debug, Default)]
pub struct Breaker {
    /// Anything but plain health: a streak of faults, or open.
    troubled: AtomicBool,
    faults: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    streak: u64,
    /// The messages of the streak, as many as it takes to open.
    ids: Vec<Id>,
    last_fault: Option<String>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    until: Instant,
    pause: Duration,
    probing: bool,
}

/// What `status` tells about a sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// `ok`, `faulting`, or `open`.
    pub state: &'static str,
    /// Faults since the sink was loaded.
    pub faults: u64,
    /// Faults in a row.
    pub streak: u64,
    /// The last fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_fault: Option<String>,
}

impl Breaker {
    /// Whether the sink may be called now. A probe counts as called until [`Self::succeeded`] or [`Self::failed`].
    #[inline]
    pub fn admits(&self) -> bool {
        !self.troubled.load(Relaxed) || self.admits_troubled()
    }

    #[cold]
    fn admits_troubled(&self) -> bool {
        let mut state = self.lock();
        match &mut state.open {
            None => true,
            Some(open) if !open.probing && Instant::now() >= open.until => {
                open.probing = true;
                true
            }
            Some(_) => false,
        }
    }

    /// The call returned well.
    #[inline]
    pub fn succeeded(&self) {
        if self.troubled.load(Relaxed) {
            self.recover();
        }
    }

    #[cold]
    fn recover(&self) {
        let mut state = self.lock();
        state.streak = 0;
        state.ids.clear();
        state.open = None;
        self.troubled.store(false, Relaxed);
    }

    /// The call was dropped before it ended; a probe may be tried again.
    pub fn abandoned(&self) {
        if self.troubled.load(Relaxed)
            && let Some(open) = &mut self.lock().open
        {
            open.probing = false;
        }
    }

    /// The call failed. `id` tells whether it is a message of the streak again. Returns the length of the streak.
    pub fn failed(&self, id: Option<Id>, fault: &Fault) -> u64 {
        self.faults.fetch_add(1, Relaxed);
        let mut state = self.lock();
        state.last_fault = Some(fault.to_string());
        if id.is_none_or(|id| !state.ids.contains(&id)) {
            state.streak += 1;
            if state.streak <= FAULTS_TO_OPEN {
                state.ids.extend(id);
            }
        }
        if let Some(open) = &mut state.open {
            if std::mem::take(&mut open.probing) {
                open.pause = (open.pause * 2).min(LONGEST_PAUSE);
                open.until = Instant::now() + open.pause;
            }
        } else if state.streak >= FAULTS_TO_OPEN {
            state.open = Some(Open { until: Instant::now() + FIRST_PAUSE, pause: FIRST_PAUSE, probing: false });
        }
        self.troubled.store(true, Relaxed);
        state.streak
    }

    /// How the sink does.
    pub fn health(&self) -> Health {
        let state = self.lock();
        let name = match (&state.open, state.streak) {
            (Some(_), _) => "open",
            (None, 0) => "ok",
            (None, _) => "faulting",
        };
        Health {
            state: name,
            faults: self.faults.load(Relaxed),
            streak: state.streak,
            last_fault: state.last_fault.clone(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &Breaker, id: u64) {
        breaker.failed(Some(Id(id)), &Fault::error("x"));
    }

    #[tokio::test(start_paused = true)]
    async fn opens_after_five_messages_and_closes_by_one_probe() {
        let breaker = Breaker::default();
        for n in 0..9 {
            fail(&breaker, n % 2);
        }
        assert!(breaker.admits(), "two messages by turns open nothing");
        (2..6).for_each(|id| fail(&breaker, id));
        assert_eq!(breaker.health().state, "open");
        assert!(!breaker.admits());
        tokio::time::advance(Duration::from_millis(1001)).await;
        assert!(breaker.admits());
        assert!(!breaker.admits(), "one probe at a time");
        fail(&breaker, 7);
        tokio::time::advance(Duration::from_millis(1001)).await;
        assert!(!breaker.admits(), "the pause doubles");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(breaker.admits());
        breaker.succeeded();
        assert!(breaker.admits() && breaker.admits());
        assert_eq!(breaker.health().state, "ok");
        assert_eq!(breaker.health().faults, 14);
    }
}
