//! Keeping the time: rates, pauses and suspensions end whether somebody asks or not.

use super::governor::Governor;
use crate::event::host::Clock;
use std::sync::Arc;
use std::time::Duration;

/// A clock that is set forward is noticed within this time.
const LONGEST: Duration = Duration::from_secs(60);

impl Governor {
    /// Calls everybody in time, for as long as it is polled.
    pub async fn run(self: Arc<Self>, clock: Arc<dyn Clock>) {
        loop {
            let sooner = self.sooner.notified();
            let now = clock.now();
            let wait = self.tick(now).map_or(LONGEST, |next| next.since(now).clamp(Duration::from_millis(1), LONGEST));
            tokio::select! {
                () = sooner => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}
