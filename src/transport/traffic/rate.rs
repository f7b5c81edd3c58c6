//! A rate that is never exceeded in any period, with its messages spread evenly: the generic cell rate algorithm, without
//! bursts (ITU-T I.371, annex A).
//!
//! Time comes in milliseconds; within, it is counted in nanoseconds, so that rates of more than one message a millisecond
//! and periods that don't divide well lose nothing.

use crate::config::rate::Rate;
use crate::mail::Timestamp;

/// The nanoseconds of a millisecond.
const TICK: u64 = 1_000_000;
/// A message may go this much too early. With less than a tick, a period still holds no message too many.
const SLACK: u64 = TICK - 1;

/// When the next message may go.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Nanoseconds from one message to the next.
    interval: u64,
    /// In nanoseconds since 1970.
    next: u64,
}

impl Bucket {
    pub(super) fn new(rate: Rate) -> Self {
        Self { interval: interval(rate), next: 0 }
    }

    /// Changes the rate; what was sent counts.
    pub(super) fn set(&mut self, rate: Rate) {
        self.interval = interval(rate);
    }

    /// Until when one more has to wait, if `held` are about to go.
    pub(super) fn shut_until(&self, held: u32, now: Timestamp) -> Option<Timestamp> {
        let mut next = self.next;
        if held > 0 {
            next = next.max(nanos(now)).saturating_add(self.interval.saturating_mul(u64::from(held)));
        }
        let until = Timestamp(next.saturating_sub(SLACK).div_ceil(TICK));
        (until > now).then_some(until)
    }

    /// One goes.
    pub(super) fn charge(&mut self, now: Timestamp) {
        self.next = self.next.max(nanos(now)).saturating_add(self.interval);
    }

    /// Until when what was sent counts, to the nanosecond: forgotten a part of a tick too early each time, a period could hold
    /// one too many.
    pub(super) fn matters_until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = Timestamp(self.next.div_ceil(TICK));
        (until > now).then_some(until)
    }

    /// The clock was set back: that must not stop everything until it is there again.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        self.next = self.next.min(nanos(now).saturating_add(self.interval));
    }
}

fn nanos(time: Timestamp) -> u64 {
    time.0.saturating_mul(TICK)
}

fn interval(rate: Rate) -> u64 {
    let period = u64::try_from(rate.period.as_nanos()).unwrap_or(u64::MAX);
    period.div_ceil(u64::from(rate.messages.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Sends whenever it may for some periods; the times.
    fn greedy(rate: Rate, periods: u64) -> Vec<u64> {
        let (mut bucket, mut now) = (Bucket::new(rate), Timestamp(1_000_000));
        let end = now.0 + u64::try_from(rate.period.as_millis()).unwrap() * periods;
        let mut sent = Vec::new();
        while now.0 < end {
            match bucket.shut_until(0, now) {
                Some(until) => now = until,
                None => {
                    bucket.charge(now);
                    sent.push(now.0);
                }
            }
        }
        sent
    }

    #[test]
    fn no_period_holds_one_too_many_and_all_together_hold_nearly_as_many_as_they_may() {
        for (messages, millis) in [(1, 1000), (3, 1000), (100, 60_000), (1000, 1000), (7000, 1000), (997, 1009), (1, 1)]
        {
            let rate = Rate { messages, period: Duration::from_millis(millis) };
            let sent = greedy(rate, 5);
            for (from, beyond) in sent.iter().zip(sent.iter().skip(messages as usize)) {
                assert!(beyond - from >= millis, "{messages} in {millis} ms: one too many from {from}");
            }
            let due = 5 * messages as usize;
            assert!(sent.len() + 1 >= due * 99 / 100, "{messages} in {millis} ms: only {} of {due}", sent.len());
        }
    }

    #[test]
    fn it_matters_until_the_last_part_of_a_tick_is_over() {
        let mut bucket = Bucket::new(Rate { messages: 7, period: Duration::from_secs(1) });
        bucket.charge(Timestamp(1000));
        assert_eq!(bucket.shut_until(0, Timestamp(1142)), None);
        assert_eq!(bucket.matters_until(Timestamp(1142)), Some(Timestamp(1143)));
        assert_eq!(bucket.matters_until(Timestamp(1143)), None);
    }

    #[test]
    fn those_who_are_about_to_go_count() {
        let mut bucket = Bucket::new(Rate { messages: 10, period: Duration::from_secs(1) });
        let now = Timestamp(5000);
        assert_eq!(bucket.shut_until(0, now), None);
        assert_eq!(bucket.shut_until(1, now), Some(Timestamp(5100)));
        assert_eq!(bucket.shut_until(2, now), Some(Timestamp(5200)));
        bucket.charge(now);
        assert_eq!(bucket.shut_until(0, now), Some(Timestamp(5100)));
        assert_eq!(bucket.shut_until(0, Timestamp(5100)), None);
    }

    #[test]
    fn a_clock_set_back_costs_one_interval() {
        let mut bucket = Bucket::new(Rate { messages: 10, period: Duration::from_secs(1) });
        bucket.charge(Timestamp(1_000_000));
        bucket.set_back(Timestamp(1000));
        assert_eq!(bucket.shut_until(0, Timestamp(1000)), Some(Timestamp(1100)));
        assert_eq!(bucket.shut_until(0, Timestamp(1100)), None);
    }
}
