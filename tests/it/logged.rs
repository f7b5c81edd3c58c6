//! What is logged on a test's own thread, and by the servers in its process that it starts after that.

use crate::wait::PATIENCE;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;

/// The log of this thread, as long as it is kept.
pub(crate) struct Logged {
    lines: Lines,
    _second: Dispatch,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Logged {
    /// Collects what is logged from now on.
    pub(crate) fn here() -> Self {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        // While there is but one subscriber, tracing asks the thread that first comes by whether a line matters to anybody;
        // that may be another test's.
        let second = Dispatch::new(tracing_subscriber::registry());
        Self { lines, _second: second, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap()
    }

    /// Waits for a line with all of these parts behind the first `from` octets, and says where that line ends.
    pub(crate) async fn until(&self, from: usize, parts: &[&str]) -> usize {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.text();
            let mut end = from;
            for line in text[from..].split_inclusive('\n') {
                end += line.len();
                if parts.iter().all(|part| line.contains(part)) {
                    return end;
                }
            }
            assert!(Instant::now() < deadline, "waited in vain for a line with {parts:?} in\n{}", &text[from..]);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
