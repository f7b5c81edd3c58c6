//! Guest time: how long a guest has run, host calls and waiting not counted, and the tick that interrupts it.
//!
//! A call that ends within the first tick pays nothing for this. A longer one gives way to others at every tick, and its
//! time is counted by the clock of the thread that runs it, so that a busy machine makes no sink look slow.

use nix::time::{ClockId, clock_gettime};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use wasmtime::{Engine, EngineWeak};

/// How often a guest is interrupted.
pub(super) const TICK: Duration = Duration::from_millis(5);
/// A tick that is so late means that nothing can be interrupted any more.
const LATE: Duration = Duration::from_secs(2);

/// Guests that run longer than a tick take turns: one thread is always left to those who don't.
static LONG_RUNNERS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    Arc::new(Semaphore::new(threads.saturating_sub(1).max(1)))
});

/// The thread that advances an engine's epoch until the engine is gone.
#[derive(Debug)]
pub(super) struct Ticker {
    began: Instant,
    /// Milliseconds from `began` to the last tick.
    last: Arc<AtomicU64>,
}

impl Ticker {
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let (began, last) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let (weak, ticked) = (engine.weak(), last.clone());
        std::thread::Builder::new().name("sandbox tick".into()).spawn(move || tick(&weak, began, &ticked))?;
        Ok(Self { began, last })
    }

    /// Whether guests are still interrupted. If not, none may be called.
    pub(super) fn ticks(&self) -> bool {
        let last = Duration::from_millis(self.last.load(Relaxed));
        self.began.elapsed().saturating_sub(last) < LATE
    }
}

fn tick(engine: &EngineWeak, began: Instant, last: &AtomicU64) {
    loop {
        std::thread::sleep(TICK);
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
        last.store(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX), Relaxed);
    }
}

/// The time of one call.
#[derive(Debug, Default)]
pub(super) struct GuestTime {
    /// Nanoseconds of the slices that have ended.
    used: AtomicU64,
    /// When the slice at hand began, by the thread's clock; 0 in the first slice, which is not measured.
    slice: AtomicU64,
    /// The first slice is measured, too.
    exact: AtomicBool,
}

impl GuestTime {
    /// Begins anew.
    pub(super) fn reset(&self) {
        self.used.store(0, Relaxed);
        self.slice.store(0, Relaxed);
    }

    /// From now on all of it is measured.
    pub(super) fn measure(&self) {
        self.exact.store(true, Relaxed);
    }

    /// What the slices that were measured have used.
    pub(super) fn used(&self) -> Duration {
        Duration::from_nanos(self.used.load(Relaxed))
    }

    /// What the guest has used, as of a tick.
    pub(super) fn at_tick(&self) -> Duration {
        let slice = match self.slice.load(Relaxed) {
            0 => u64::try_from(TICK.as_nanos()).unwrap_or(u64::MAX),
            began => thread_time().saturating_sub(began),
        };
        Duration::from_nanos(self.used.load(Relaxed).saturating_add(slice))
    }

    /// Leaves the time that `work` takes out of the account: it is the host's.
    pub(super) fn of_host<R>(&self, work: impl FnOnce() -> R) -> R {
        let began = thread_time();
        let result = work();
        let slice = self.slice.load(Relaxed);
        if slice != 0 {
            self.slice.store(slice + thread_time().saturating_sub(began), Relaxed);
        }
        result
    }

    /// Runs a call, and counts its slices but for the first, unless all is measured.
    pub(super) async fn count<F: Future>(&self, call: F) -> F::Output {
        let mut call = pin!(call);
        let mut first = !self.exact.load(Relaxed);
        self.slice.store(0, Relaxed);
        let mut turn = None;
        poll_fn(|cx| {
            if std::mem::take(&mut first) {
                let poll = call.as_mut().poll(cx);
                if poll.is_pending() {
                    self.used.fetch_add(u64::try_from(TICK.as_nanos()).unwrap_or(u64::MAX), Relaxed);
                }
                return poll;
            }
            let waiting = turn.get_or_insert_with(|| Box::pin(LONG_RUNNERS.clone().acquire_owned()));
            let Poll::Ready(running) = waiting.as_mut().poll(cx) else { return Poll::Pending };
            turn = None;
            self.slice.store(thread_time().max(1), Relaxed);
            let poll = call.as_mut().poll(cx);
            // Host calls have moved the beginning.
            let slice = thread_time().saturating_sub(self.slice.load(Relaxed));
            self.used.fetch_add(slice, Relaxed);
            drop(running);
            poll
        })
        .await
    }
}

/// Nanoseconds that this thread has run.
fn thread_time() -> u64 {
    let Ok(time) = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID) else { return 0 };
    u64::try_from(Duration::from(time).as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_stands_still_is_noticed() {
        let ticker = |last: Duration| {
            let began = Instant::now().checked_sub(LATE * 3).expect("a machine that runs for some seconds");
            let last = u64::try_from(last.as_millis()).expect("seconds");
            Ticker { began, last: Arc::new(AtomicU64::new(last)) }
        };
        assert!(ticker(LATE * 3).ticks());
        assert!(!ticker(LATE).ticks(), "the last tick is long ago");
        assert!(!ticker(Duration::ZERO).ticks(), "there never was one");
    }
}
