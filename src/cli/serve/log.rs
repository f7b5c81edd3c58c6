//! The log of the running server: lines to standard error, which never keep mail waiting.
//!
//! Until [`detach`](Log::detach) they are written at once. From then on they go through a bounded queue to a thread of its
//! own. When whoever reads standard error is slow, lines are left out and counted, and the count is written once there is room.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait. More means that nobody reads.
const QUEUE: usize = 4096;
/// Lines that are written at once, besides the first.
const GATHER: usize = 255;
/// What the last lines may take when the server ends.
const LAST_LINES: Duration = Duration::from_secs(1);

/// What the thread does next.
enum Job {
    Write(Vec<u8>),
    /// Says when everything before it is written.
    Tell(SyncSender<()>),
}

/// Where lines go. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// None until lines are written by a thread.
    queue: OnceLock<SyncSender<Job>>,
    left_out: AtomicU64,
}

impl Log {
    /// From now on nobody waits for a line to be written. Starts a thread: to be called once privileges are dropped.
    pub(super) fn detach(&self) -> io::Result<()> {
        self.detach_to(io::stderr())
    }

    fn detach_to(&self, out: impl Write + Send + 'static) -> io::Result<()> {
        let (sender, jobs) = sync_channel(QUEUE);
        let inner = self.0.clone();
        std::thread::Builder::new().name("log".into()).spawn(move || inner.work(&jobs, out))?;
        // A second time changes nothing; that thread ends at once.
        let _ = self.0.queue.set(sender);
        Ok(())
    }

    /// Waits until what was logged is written, but not for ever.
    pub(super) fn flush(&self) {
        let Some(queue) = self.0.queue.get() else { return };
        let (done, written) = sync_channel(1);
        // Where the queue is full nobody reads what is in it.
        if queue.try_send(Job::Tell(done)).is_ok() {
            let _ = written.recv_timeout(LAST_LINES);
        }
    }

    fn put(&self, line: Vec<u8>) {
        match self.0.queue.get() {
            None => {
                // Nobody is left to be told if this can't be written.
                let _ = io::stderr().write_all(&line);
            }
            Some(queue) => {
                if queue.try_send(Job::Write(line)).is_err() {
                    self.0.left_out.fetch_add(1, Relaxed);
                }
            }
        }
    }
}

impl Inner {
    fn work(&self, jobs: &Receiver<Job>, mut out: impl Write) {
        while let Ok(first) = jobs.recv() {
            let mut told = Vec::new();
            let mut text = Vec::new();
            for job in std::iter::once(first).chain(jobs.try_iter().take(GATHER)) {
                match job {
                    Job::Write(line) => text.extend_from_slice(&line),
                    Job::Tell(done) => told.push(done),
                }
            }
            // A reader that has gone is no reason to stop: the server does not live by its log.
            let _ = out.write_all(&text);
            let gap = if text.is_empty() { 0 } else { self.left_out.swap(0, Relaxed) };
            if gap > 0 {
                let _ = writeln!(out, "{gap} lines of the log were left out: they were not read fast enough");
            }
            let _ = out.flush();
            for done in told {
                let _ = done.try_send(());
            }
        }
    }
}

/// One line in the making: it is put into the queue when it is dropped.
pub(super) struct Line {
    log: Log,
    text: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.text.is_empty() {
            self.log.put(std::mem::take(&mut self.text));
        }
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { log: self.clone(), text: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Writes nothing until it is let go.
    struct Stuck(Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Stuck {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            // Gone: it writes from then on.
            let _ = self.0.recv();
            self.1.lock().unwrap().extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_is_stuck_keeps_nobody_waiting() {
        let (let_go, stuck) = sync_channel::<()>(0);
        let written = Arc::new(Mutex::new(Vec::new()));
        let log = Log::default();
        log.detach_to(Stuck(stuck, written.clone())).unwrap();
        const LINES: usize = QUEUE + GATHER + 100;
        for n in 0..LINES {
            writeln!(log.make_writer(), "line {n}").unwrap();
        }
        drop(let_go);
        // There is room again sooner or later.
        while log.0.left_out.load(Relaxed) > 0 {
            std::thread::yield_now();
        }
        log.flush();
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let told: Vec<&str> = text.lines().filter(|line| line.contains("were left out")).collect();
        let gap: usize = told[0].split(' ').next().unwrap().parse().unwrap();
        assert_eq!(told.len(), 1);
        assert!((99..=100 + GATHER).contains(&gap), "some lines may be on their way: {gap}");
        assert_eq!(text.lines().count() - 1 + gap, LINES, "every line is written or counted");
    }
}
