//! Waiting for what another process does, without guessing how long it takes.

use std::time::{Duration, Instant};

/// Longer than anything takes on a loaded machine. Only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer, and returns it. Panics, naming `what`, once [`PATIENCE`] is over.
///
/// For conditions that nobody announces, such as a file that appears. Where there is something to read, read it instead.
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
