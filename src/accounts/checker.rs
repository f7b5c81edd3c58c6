//! Passwords and tickets are checked off the event loop: as many at a time as there are processors, and not many wait.

use super::table::{Accounts, Checked};
use crate::sasl::Hidden;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Logins that may wait for each processor.
const WAITING: usize = 64;
/// How long they wait at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// Too many logins are being checked, or the check broke off: nothing is known of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// Checks passwords and whatever else blocks.
#[derive(Debug)]
pub struct Checker {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
}

impl Default for Checker {
    fn default() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, usize::from))
    }
}

impl Checker {
    /// One that computes so many hashes at a time.
    pub fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            waiting: AtomicUsize::new(0),
            waiting_max: places.saturating_mul(WAITING),
        }
    }

    /// Whose password this is.
    pub async fn check(&self, accounts: Arc<Accounts>, name: String, password: Hidden) -> Result<Checked, Busy> {
        self.work(move || accounts.check(&name, password.expose())).await
    }

    /// Does what blocks, when its turn has come.
    pub async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let counted = Waiting::enter(&self.waiting, self.waiting_max)?;
        let place = tokio::time::timeout(PATIENCE, self.places.clone().acquire_owned()).await;
        drop(counted);
        let Ok(Ok(place)) = place else { return Err(Busy) };
        let work = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        });
        work.await.map_err(|error| {
            tracing::error!(%error, "credentials could not be checked");
            Busy
        })
    }
}

/// Counts one who waits, for as long as it lives.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize, max: usize) -> Result<Self, Busy> {
        let before = count.fetch_add(1, Relaxed);
        let counted = Self(count);
        if before < max { Ok(counted) } else { Err(Busy) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_too_long_or_is_one_too_many_is_told() {
        let checker = Checker::new(1);
        let held = checker.places.clone().acquire_owned().await.unwrap();
        let ask = || checker.check(Arc::default(), "a".into(), Hidden::new("b"));
        assert_eq!(ask().await, Err(Busy));
        drop(held);
        assert_eq!(ask().await, Ok(Checked { user: None, measured_by: None }));
        checker.waiting.store(64, Relaxed);
        assert_eq!(ask().await, Err(Busy));
        assert_eq!(checker.waiting.load(Relaxed), 64);
    }
}
