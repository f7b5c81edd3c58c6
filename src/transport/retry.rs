//! When to try again, and when to stop trying.

use crate::config::queue::Schedule;
use crate::mail::Timestamp;
use std::time::Duration;

/// The time of the next try after `attempts` deferrals, or none if that would be after the message's time is up.
pub fn next<'s>(
    schedule: impl Into<Schedule<'s>>,
    received: Timestamp,
    now: Timestamp,
    attempts: u32,
) -> Option<Timestamp> {
    let schedule = schedule.into();
    if now.since(received) >= schedule.expire {
        return None;
    }
    let index = (attempts.max(1) as usize - 1).min(schedule.retry.len().saturating_sub(1));
    let wait = schedule.retry.get(index).copied().unwrap_or(Duration::from_secs(300));
    // The last try is at the end of its time, not before.
    Some(now.plus(wait).min(received.plus(schedule.expire)))
}

/// When a message's time is up.
pub fn end<'s>(schedule: impl Into<Schedule<'s>>, received: Timestamp) -> Timestamp {
    received.plus(schedule.into().expire)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_wait_repeats_until_the_time_is_up() {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        let retry = [minutes(5), minutes(15)];
        let schedule = Schedule { retry: &retry, expire: minutes(60), warn_after: minutes(30) };
        let at = |m: u64| Timestamp(m * 60_000);
        assert_eq!(next(schedule, at(0), at(0), 1), Some(at(5)));
        assert_eq!(next(schedule, at(0), at(5), 2), Some(at(20)));
        assert_eq!(next(schedule, at(0), at(20), 3), Some(at(35)));
        assert_eq!(next(schedule, at(0), at(50), 5), Some(at(60)), "once more when the time is up");
        assert_eq!(next(schedule, at(0), at(60), 6), None);
    }
}
