//! `[queue]`: when a deferred message is tried again, when it is given up, and how many go out at once.

use super::diagnostic::Diagnostics;
use super::reader::Table;
use super::values::{duration_above_zero, integer};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The schedule, and the bound on all connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// `retry`: the time from each attempt to the next; the last repeats. Never empty.
    /// Default: 5, 15, 30 minutes, 1, 2, 4 hours.
    pub retry: Vec<Duration>,
    /// `expire`: from acceptance to giving up. Default: 5 days.
    pub expire: Duration,
    /// `warn-after`: from acceptance to telling the sender of the delay. Default: 4 hours.
    pub warn_after: Duration,
    /// `connections`: to all other hosts together, at a time. Default: 1000.
    pub connections: u32,
}

/// When one message is tried again: `[queue]`, or what a `[[traffic]]` table says instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule<'a> {
    /// [`Queue::retry`]. Never empty.
    pub retry: &'a [Duration],
    /// [`Queue::expire`].
    pub expire: Duration,
    /// [`Queue::warn_after`].
    pub warn_after: Duration,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            retry: vec![5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR],
            expire: 120 * HOUR,
            warn_after: 4 * HOUR,
            connections: 1000,
        }
    }
}

impl Queue {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics) -> Self {
        let default = Self::default();
        let queue = Self {
            retry: retry(table, found).unwrap_or(default.retry),
            expire: table.get("expire", found, duration_above_zero).unwrap_or(default.expire),
            warn_after: table.get("warn-after", found, duration_above_zero).unwrap_or(default.warn_after),
            connections: table
                .get("connections", found, integer(1..=i64::from(u32::MAX)))
                .unwrap_or(default.connections),
        };
        queue.schedule().check(table, found);
        queue
    }

    /// What holds for a message of which no `[[traffic]]` table says otherwise.
    pub fn schedule(&self) -> Schedule<'_> {
        Schedule { retry: &self.retry, expire: self.expire, warn_after: self.warn_after }
    }
}

impl<'a> From<&'a Queue> for Schedule<'a> {
    fn from(queue: &'a Queue) -> Self {
        queue.schedule()
    }
}

impl Schedule<'_> {
    /// Notes what does not go together.
    pub(super) fn check(&self, table: &Table<'_>, found: &mut Diagnostics) {
        if self.retry.first().is_some_and(|first| self.expire < *first) {
            let told = found.error(table.place("expire"), "`expire` comes before the first retry");
            told.help("a message would be given up after one attempt; raise `expire` or lower `retry`");
        } else if self.warn_after >= self.expire {
            let told = found.warning(table.place("warn-after"), "`warn-after` is not before `expire`");
            told.label("no sender will ever be told of a delay");
        }
    }
}

/// The list `retry`; nothing if there is none that can be used.
pub(super) fn retry(table: &mut Table<'_>, found: &mut Diagnostics) -> Option<Vec<Duration>> {
    let given = table.list("retry", found, duration_above_zero);
    if table.node("retry").and_then(|n| n.as_array()).is_some_and(<[_]>::is_empty) {
        found.error(table.place("retry"), "the list of retries is empty").help("write at least one: [\"15m\"]");
    }
    given.filter(|list| !list.is_empty())
}
