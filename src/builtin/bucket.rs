//! Token buckets by key: so many at once, so many in a time.
//!
//! The generic cell rate algorithm: a bucket is one point in time, the one at which it will be full again. Taking moves
//! it on; a bucket that is full by now needs no memory. What is refused costs nothing, so a client that hammers is let
//! in as soon as one that waits.
//!
//! Buckets live in memory, and there are only so many: beyond that, the fullest is forgotten, which gives its key the
//! least. A flood of new keys pushes out its own and not those that are held back. No I/O; the time is the clock's.

use crate::event::host::Clock;
use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many full buckets are forgotten at a call, so that memory comes back without a pause.
const FORGET: usize = 2;

/// How much a bucket holds and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Tokens in a full bucket: as many may be taken at once.
    pub burst: NonZeroU32,
    /// Tokens that come back in the time of `per`, evenly.
    pub tokens: NonZeroU32,
    /// See `tokens`.
    pub per: Duration,
}

impl Rate {
    /// Nanoseconds to a token, and to a full bucket.
    fn nanos(self) -> (u128, u128) {
        let token = (self.per.as_nanos() / u128::from(self.tokens.get())).max(1);
        (token, token * u128::from(self.burst.get()))
    }
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// The tokens were there; so many whole ones are left.
    Taken {
        /// Whole tokens left.
        left: u32,
    },
    /// They will be there after this time, if nobody takes others before. Nothing was taken.
    Wait(Duration),
    /// More than a full bucket holds.
    Never,
}

/// Buckets of one rate.
#[derive(Debug)]
pub struct Buckets {
    rate: Rate,
    max: usize,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// Nanoseconds since 1970 at which a bucket is full again.
type Full = u128;

#[derive(Debug, Default)]
struct State {
    by_key: HashMap<Arc<str>, Full>,
    /// The same, fullest first.
    by_level: BTreeSet<(Full, Arc<str>)>,
}

impl Buckets {
    /// Full buckets for every key, of which at most `max` are remembered; at least one is.
    pub fn new(rate: Rate, max: usize, clock: Arc<dyn Clock>) -> Self {
        Self { rate, max: max.max(1), clock, state: Mutex::default() }
    }

    /// Takes tokens from the bucket of `key`, all or none.
    pub fn take(&self, key: &str, tokens: u32) -> Take {
        let (token, whole) = self.rate.nanos();
        if tokens > self.rate.burst.get() {
            return Take::Never;
        }
        let now = u128::from(self.clock.now().0) * 1_000_000;
        let mut state = self.lock();
        state.forget_full(now);
        let noted = state.by_key.get(key).copied().unwrap_or(now);
        let full = noted.clamp(now, now + whole);
        if full < noted {
            // No bucket is emptier than empty: the clock was set back since, and it fills from here.
            state.put(key, full, self.max);
        }
        let after = full + token * u128::from(tokens);
        match (now + whole).checked_sub(after) {
            Some(left) => {
                if after > now {
                    state.put(key, after, self.max);
                }
                Take::Taken { left: u32::try_from(left / token).unwrap_or(u32::MAX) }
            }
            None => Take::Wait(duration(after - now - whole)),
        }
    }

    /// How many buckets are remembered: those that are not full, and a few that have become so since.
    pub fn len(&self) -> usize {
        self.lock().by_key.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets some buckets that are full.
    fn forget_full(&mut self, now: Full) {
        for _ in 0..FORGET {
            if self.by_level.first().is_none_or(|(full, _)| *full > now) {
                return;
            }
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, key)) = self.by_level.pop_first() {
            self.by_key.remove(&key);
        }
    }

    fn put(&mut self, key: &str, full: Full, max: usize) {
        let key = match self.by_key.get_key_value(key) {
            Some((key, before)) => {
                let key = key.clone();
                self.by_level.remove(&(*before, key.clone()));
                key
            }
            None => {
                while self.by_key.len() >= max {
                    self.forget_first();
                }
                Arc::from(key)
            }
        };
        self.by_key.insert(key.clone(), full);
        self.by_level.insert((full, key));
    }
}

fn duration(nanos: u128) -> Duration {
    let subsecond = u32::try_from(nanos % 1_000_000_000).unwrap_or(0);
    u64::try_from(nanos / 1_000_000_000).map_or(Duration::MAX, |secs| Duration::new(secs, subsecond))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::host::ManualClock;
    use crate::mail::Timestamp;
    use Take::{Never, Taken, Wait};
    use proptest::prelude::*;

    fn buckets(burst: u32, tokens: u32, per: Duration, max: usize) -> (Buckets, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp(1_700_000_000_000)));
        let (burst, tokens) = (NonZeroU32::new(burst).unwrap(), NonZeroU32::new(tokens).unwrap());
        (Buckets::new(Rate { burst, tokens, per }, max, clock.clone()), clock)
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_burst_and_then_as_fast_as_the_rate() {
        let (buckets, clock) = buckets(3, 6, MINUTE, 10);
        for left in [2, 1, 0] {
            assert_eq!(buckets.take("a", 1), Taken { left });
        }
        assert_eq!(buckets.take("a", 1), Wait(Duration::from_secs(10)));
        assert_eq!(buckets.take("b", 3), Taken { left: 0 }, "another key, another bucket");
        clock.advance(Duration::from_millis(9_999));
        for _ in 0..100 {
            assert_eq!(buckets.take("a", 1), Wait(Duration::from_millis(1)), "a refusal costs nothing");
        }
        clock.advance(Duration::from_millis(1));
        assert_eq!(buckets.take("a", 2), Wait(Duration::from_secs(10)));
        assert_eq!(buckets.take("a", 1), Taken { left: 0 });
        clock.advance(MINUTE * 100);
        assert_eq!(buckets.take("a", 0), Taken { left: 3 }, "no fuller than full");
        assert_eq!(buckets.take("a", 4), Never);
    }

    #[test]
    fn more_than_one_token_in_a_millisecond() {
        let (buckets, clock) = buckets(5_000, 5_000, Duration::from_secs(1), 10);
        assert_eq!(buckets.take("a", 5_000), Taken { left: 0 });
        assert_eq!(buckets.take("a", 1), Wait(Duration::from_micros(200)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(buckets.take("a", 5), Taken { left: 0 });
    }

    #[test]
    fn a_clock_set_back_holds_nobody_longer_than_an_empty_bucket() {
        let (buckets, clock) = buckets(2, 2, MINUTE, 10);
        buckets.take("a", 2);
        clock.set(Timestamp(1_600_000_000_000));
        assert_eq!(buckets.take("a", 1), Wait(Duration::from_secs(30)));
        clock.set(Timestamp(1_600_000_030_000));
        assert_eq!(buckets.take("a", 2), Wait(Duration::from_secs(30)), "it has filled since");
        assert_eq!(buckets.take("a", 1), Taken { left: 0 });
    }

    #[test]
    fn a_flood_of_keys_does_not_free_those_held_back() {
        let (buckets, clock) = buckets(10, 10, MINUTE, 100);
        assert_eq!(buckets.take("held", 10), Taken { left: 0 });
        for n in 0..10_000 {
            buckets.take(&n.to_string(), 1);
            assert!(buckets.len() <= 100);
        }
        assert_eq!(buckets.take("held", 1), Wait(Duration::from_secs(6)));
        clock.advance(MINUTE);
        for _ in 0..60 {
            buckets.take("other", 0);
        }
        assert!(buckets.is_empty(), "full ones are forgotten: {}", buckets.len());
    }

    #[test]
    fn rates_at_the_limits_of_their_types() {
        let (slow, _) = buckets(u32::MAX, 1, Duration::MAX, 1);
        assert_eq!(slow.take("a", u32::MAX), Taken { left: 0 });
        assert_eq!(slow.take("a", u32::MAX), Wait(Duration::MAX));
        let (fast, clock) = buckets(1, u32::MAX, Duration::ZERO, 0);
        assert_eq!(fast.take("a", 1), Taken { left: 0 });
        clock.advance(Duration::from_millis(1));
        assert_eq!(fast.take("a", 1), Taken { left: 0 });
    }

    proptest! {
        /// The definition: a level that rises with time up to full, and from which tokens are taken if they are there.
        #[test]
        fn as_a_bucket_that_fills(
            (burst, tokens, per) in (1u32..20, 1u32..20, 1u64..100_000),
            calls in prop::collection::vec((0u64..20_000, 0u32..5), 1..60),
        ) {
            let (buckets, clock) = buckets(burst, tokens, Duration::from_millis(per), 10);
            let (token, whole) = buckets.rate.nanos();
            let mut level = whole;
            for (pass, take) in calls {
                clock.advance(Duration::from_millis(pass));
                level = whole.min(level + u128::from(pass) * 1_000_000);
                let cost = token * u128::from(take);
                let want = if take > burst {
                    Never
                } else if cost <= level {
                    level -= cost;
                    Taken { left: u32::try_from(level / token).unwrap() }
                } else {
                    Wait(duration(cost - level))
                };
                prop_assert_eq!(buckets.take("a", take), want);
            }
        }
    }
}
