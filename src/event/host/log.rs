//! A sink's own log: bounded lines at a bounded rate, to the server's log and to whoever follows it.

use crate::config::Secrets;
use crate::mail::text::TEXT_MAX;
use crate::mail::{Id, one_line};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;
use tokio::time::Instant;

/// The longest line, in octets.
pub const LINE_MAX: usize = TEXT_MAX;
/// Lines that a sink may write at once.
pub const BURST: u32 = 200;
/// Lines that it may write in the long run, a second.
pub const RATE: u32 = 50;

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the usual four")]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// A line, as followers get it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The sink.
    pub sink: Arc<str>,
    /// The transaction, or else the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// How important it is.
    pub level: Level,
    /// The text, one line.
    pub text: Arc<str>,
}

impl Level {
    /// As logs name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Where the lines of all sinks go to whoever follows. Who is too slow misses lines, and keeps nobody waiting.
#[derive(Clone, Debug)]
pub struct Journal(broadcast::Sender<Line>);

impl Default for Journal {
    fn default() -> Self {
        Self(broadcast::Sender::new(1024))
    }
}

impl Journal {
    /// The lines from now on.
    pub fn follow(&self) -> broadcast::Receiver<Line> {
        self.0.subscribe()
    }
}

/// One sink's log.
#[derive(Debug)]
pub struct SinkLog {
    sink: Arc<str>,
    journal: Journal,
    bucket: Mutex<Bucket>,
    left_out: AtomicU64,
    secrets: Secrets,
}

#[derive(Debug)]
struct Bucket {
    lines: f64,
    since: Instant,
    /// Lines left out since the last that was written.
    gap: u64,
}

impl SinkLog {
    /// The log of `sink`, which shows none of these secrets.
    pub fn new(sink: impl Into<Arc<str>>, journal: Journal, secrets: Secrets) -> Self {
        let bucket = Bucket { lines: f64::from(BURST), since: Instant::now(), gap: 0 };
        Self { sink: sink.into(), journal, bucket: Mutex::new(bucket), left_out: AtomicU64::new(0), secrets }
    }

    /// Writes a line, or leaves it out if there have been too many.
    pub fn write(&self, level: Level, id: Option<Id>, text: &str) {
        let Some(gap) = self.admit() else {
            self.left_out.fetch_add(1, Relaxed);
            return;
        };
        if gap > 0 {
            self.tell(Level::Warn, id, &format!("{gap} lines were left out: it logs too much"));
        }
        self.tell(level, id, text);
    }

    /// A text about the sink, without its secrets.
    pub fn masked<'a>(&self, text: &'a str) -> std::borrow::Cow<'a, str> {
        self.secrets.mask(text)
    }

    /// Lines that were left out so far.
    pub fn left_out(&self) -> u64 {
        self.left_out.load(Relaxed)
    }

    /// Whether a line may be written now, and how many were left out before it.
    fn admit(&self) -> Option<u64> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let filled = bucket.lines + now.duration_since(bucket.since).as_secs_f64() * f64::from(RATE);
        bucket.lines = filled.min(f64::from(BURST));
        bucket.since = now;
        if bucket.lines < 1.0 {
            bucket.gap += 1;
            return None;
        }
        bucket.lines -= 1.0;
        Some(std::mem::take(&mut bucket.gap))
    }

    fn tell(&self, level: Level, id: Option<Id>, text: &str) {
        // Cut after masking, so that no half of a secret is left; and before it, so that masking has a bound.
        let masked = self.secrets.mask(&text[..text.floor_char_boundary(32 * LINE_MAX)]);
        let text = one_line(masked.into_owned());
        let (sink, shown) = (&*self.sink, id.map(tracing::field::display));
        match level {
            Level::Debug => tracing::debug!(target: "sink", sink, id = shown, "{text}"),
            Level::Info => tracing::info!(target: "sink", sink, id = shown, "{text}"),
            Level::Warn => tracing::warn!(target: "sink", sink, id = shown, "{text}"),
            Level::Error => tracing::error!(target: "sink", sink, id = shown, "{text}"),
        }
        // Nobody may follow.
        let _ = self.journal.0.send(Line { sink: self.sink.clone(), id, level, text: text.into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn lines_are_bounded_in_length_and_number() {
        let journal = Journal::default();
        let mut lines = journal.follow();
        let log = SinkLog::new("talker", journal, Secrets::default());
        log.write(Level::Info, Some(Id(1)), &"é\n".repeat(LINE_MAX));
        let line = lines.try_recv().unwrap();
        assert!(line.text.len() <= LINE_MAX && !line.text.contains('\n'));
        for _ in 0..BURST + 9 {
            log.write(Level::Info, None, "x");
        }
        assert_eq!((lines.len(), log.left_out()), (BURST as usize - 1, 10));
        tokio::time::advance(Duration::from_secs(1)).await;
        log.write(Level::Info, None, "back");
        let mut last = Vec::new();
        while let Ok(line) = lines.try_recv() {
            last.push(line.text);
        }
        assert_eq!(
            last.last_chunk().map(|[a, b]| (&**a, &**b)),
            Some(("10 lines were left out: it logs too much", "back"))
        );
    }
}
