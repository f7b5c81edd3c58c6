//! A site that wants less: fewer connections, then pauses, and step by step back.
//!
//! Each complaint halves the connections. One that comes when there is but one left, or that no connection can be made, is
//! a pause: 30 s at first, twice that each time, at most an hour, and one connection after it. As many messages taken as
//! there may be connections earn one more.

use crate::mail::Timestamp;
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(3600);
/// Connections that were open together complain together: that is one complaint.
const TOGETHER: Duration = Duration::from_secs(5);
/// Nothing heard for this time after a pause or a complaint: a new day.
const FORGET: Duration = Duration::from_secs(3600);

/// How much is left to a site.
#[derive(Debug)]
pub(super) struct Backoff {
    /// Connections.
    pub(super) window: u32,
    /// Messages taken since it last changed.
    earned: u32,
    /// The end of the pause, if there was one.
    until: Timestamp,
    /// Its length; zero if none has gone unanswered.
    pause: Duration,
    /// The last complaint.
    complained: Timestamp,
}

impl Backoff {
    /// Nothing is held back yet, of `limit` connections.
    pub(super) fn new(limit: u32) -> Self {
        let (until, complained) = (Timestamp(0), Timestamp(0));
        Self { window: limit, earned: 0, until, pause: Duration::ZERO, complained }
    }

    /// The end of the pause, if it is not over.
    pub(super) fn paused_until(&self, now: Timestamp) -> Option<Timestamp> {
        (self.until > now).then_some(self.until)
    }

    /// The site wants less. `used`: connections that it has now.
    pub(super) fn slow(&mut self, used: u32, now: Timestamp) {
        let old = self.complained > Timestamp(0) && now.since(self.complained) < TOGETHER;
        if self.paused_until(now).is_some() || old {
            return;
        }
        let most = self.window.min(used.max(1));
        if most <= 1 {
            return self.refused(now);
        }
        (self.window, self.earned, self.complained) = (most / 2, 0, now);
    }

    /// It can't be reached.
    pub(super) fn refused(&mut self, now: Timestamp) {
        if self.paused_until(now).is_some() {
            return;
        }
        self.pause = if self.pause.is_zero() { FIRST } else { (self.pause * 2).min(LONGEST) };
        (self.window, self.earned, self.complained) = (1, 0, now);
        self.until = now.plus(self.pause);
    }

    /// An operator wants it tried at once.
    pub(super) fn pardon(&mut self) {
        self.until = Timestamp(0);
    }

    /// It took a message. True if the window has grown.
    pub(super) fn good(&mut self, now: Timestamp) -> bool {
        // Connections from before a pause don't end it.
        if self.paused_until(now).is_some() {
            return false;
        }
        self.pause = Duration::ZERO;
        self.earned += 1;
        let grows = self.earned >= self.window;
        if grows {
            (self.window, self.earned) = (self.window.saturating_add(1), 0);
        }
        grows
    }

    /// The clock was set back: no pause gets longer by that.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        self.until = self.until.min(now.plus(self.pause));
        self.complained = self.complained.min(now);
    }

    /// When all this can be forgotten.
    pub(super) fn forgotten(&self) -> Timestamp {
        self.until.max(self.complained).plus(FORGET)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(1_000_000_000 + seconds * 1000)
    }

    #[test]
    fn half_each_time_then_longer_and_longer_pauses() {
        let mut site = Backoff::new(20);
        let mut now = 0;
        for left in [10, 5, 2, 1] {
            site.slow(20, at(now));
            site.slow(20, at(now + 1));
            assert_eq!(
                (site.window, site.paused_until(at(now))),
                (left, None),
                "those who complain together count once"
            );
            now += 10;
        }
        for pause in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
            site.slow(1, at(now));
            site.refused(at(now + 1));
            assert_eq!(site.paused_until(at(now)), Some(at(now + pause)));
            now += pause;
            assert_eq!((site.window, site.paused_until(at(now))), (1, None));
        }
    }

    #[test]
    fn it_is_half_of_what_is_used() {
        let mut site = Backoff::new(20);
        site.slow(4, at(0));
        assert_eq!(site.window, 2);
    }

    #[test]
    fn one_more_for_as_many_as_there_are() {
        let mut site = Backoff::new(20);
        site.refused(at(0));
        assert!(!site.good(at(29)), "in a pause nothing is earned");
        let windows: Vec<u32> = (0..10)
            .map(|_| {
                site.good(at(30));
                site.window
            })
            .collect();
        assert_eq!(windows, [2, 2, 3, 3, 3, 4, 4, 4, 4, 5]);
        site.refused(at(100));
        assert_eq!(site.paused_until(at(100)), Some(at(130)), "the pauses begin anew");
    }

    #[test]
    fn a_clock_set_back_makes_no_pause_longer() {
        let mut site = Backoff::new(20);
        site.refused(at(100_000));
        site.set_back(at(0));
        assert_eq!(site.paused_until(at(0)), Some(at(30)));
        assert_eq!(site.paused_until(at(30)), None);
        assert_eq!(site.forgotten(), at(30 + 3600));
    }
}
