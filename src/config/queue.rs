//! `[queue]`: when a deferred message is tried again, and when it is given up.

use super::diagnostic::Diagnostics;
use super::reader::Table;
use super::values::duration_above_zero;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// `retry`: the time from each attempt to the next; the last repeats. Never empty.
    /// Default: 5, 15, 30 minutes, 1, 2, 4 hours.
    pub retry: Vec<Duration>,
    /// `expire`: from acceptance to giving up. Default: 5 days.
    pub expire: Duration,
    /// `warn-after`: from acceptance to telling the sender of the delay. Default: 4 hours.
    pub warn_after: Duration,
}

impl Queue {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics) -> Self {
        let given = table.list("retry", found, duration_above_zero);
        if table.node("retry").and_then(|n| n.as_array()).is_some_and(<[_]>::is_empty) {
            found.error(table.place("retry"), "the list of retries is empty").help("write at least one: [\"15m\"]");
        }
        let default = || vec![5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR];
        let queue = Self {
            retry: given.filter(|list| !list.is_empty()).unwrap_or_else(default),
            expire: table.get("expire", found, duration_above_zero).unwrap_or(120 * HOUR),
            warn_after: table.get("warn-after", found, duration_above_zero).unwrap_or(4 * HOUR),
        };
        if queue.retry.first().is_some_and(|first| queue.expire < *first) {
            let told = found.error(table.place("expire"), "`expire` comes before the first retry");
            told.help("a message would be given up after one attempt; raise `expire` or lower `retry`");
        } else if queue.warn_after >= queue.expire {
            let told = found.warning(table.place("warn-after"), "`warn-after` is not before `expire`");
            told.label("no sender will ever be told of a delay");
        }
        queue
    }
}
