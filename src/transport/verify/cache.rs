//! What next hops have said about recipients.
//!
//! A yes and a no are kept for a time each, which whoever asks says; that a next hop gave no answer is not kept. Whoever asks
//! about an address while a probe for it is under way waits for that probe, and the answer is everybody's. If whoever began it
//! goes away, one of those who wait begins it anew. Nothing here is durable. The next hop is asked by whoever uses the cache.

use crate::mail::{Mailbox, Reply};
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// How many recipients are remembered. Then the longest known is forgotten for each new one.
const ROOM: usize = 100_000;

/// What the next hop says of a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It takes mail for it.
    Yes,
    /// It refuses for good, by this 5xx of its own.
    No(Reply),
}

/// No next hop gave an answer: 451 to the client, never 550. The text is for operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered(pub String);

type Answer = Result<Verdict, Unanswered>;

/// How long answers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// That a recipient exists.
    pub yes: Duration,
    /// That it does not.
    pub no: Duration,
}

/// The memory of all domains that are asked for.
#[derive(Debug)]
pub struct VerifyCache {
    room: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: HashMap<Box<str>, Kept>,
    /// In the order of storing; what has been stored anew since stands in it twice, of which the number tells.
    order: VecDeque<(u64, Box<str>)>,
    stored: u64,
    probes: HashMap<Box<str>, Arc<OnceCell<Answer>>>,
}

#[derive(Debug)]
struct Kept {
    verdict: Verdict,
    until: Instant,
    number: u64,
}

impl Default for VerifyCache {
    /// An empty one.
    fn default() -> Self {
        Self { room: ROOM, state: Mutex::default() }
    }
}

impl VerifyCache {
    /// Whether the recipient exists: as it is remembered at the time `now`, or as `probe` finds out. What is found out counts
    /// as of `now`, and is kept for its lifetime.
    pub async fn ask<F>(&self, mailbox: &Mailbox, now: Instant, keep: Lifetimes, probe: impl FnOnce() -> F) -> Answer
    where
        F: Future<Output = Answer>,
    {
        // The next hop may tell cases apart, so the local part stays as it is.
        let key: Box<str> = format!("{}@{}", mailbox.local_unquoted(), mailbox.domain_key()).into();
        let waiter = match self.lock().known_or_probe(&key, now) {
            Ok(verdict) => return Ok(verdict),
            Err(probe) => Waiter { cache: self, key, probe },
        };
        let answer = waiter.probe.get_or_init(probe).await.clone();
        let mut state = self.lock();
        // Of all who wait, the first stores it.
        if state.end_probe(&waiter.key, &waiter.probe)
            && let Ok(verdict) = &answer
        {
            let keep = if *verdict == Verdict::Yes { keep.yes } else { keep.no };
            state.store(waiter.key.clone(), verdict.clone(), now + keep, self.room);
        }
        drop(state);
        answer
    }

    /// How many recipients are remembered, those whose time is over included.
    pub fn len(&self) -> usize {
        self.lock().kept.len()
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
    /// What is known, or the probe to wait for.
    fn known_or_probe(&mut self, key: &str, now: Instant) -> Result<Verdict, Arc<OnceCell<Answer>>> {
        match self.kept.get(key) {
            Some(kept) if now < kept.until => Ok(kept.verdict.clone()),
            _ => Err(self.probes.entry(key.into()).or_default().clone()),
        }
    }

    /// Whether this probe was still the one for the key. From now on it is not.
    fn end_probe(&mut self, key: &str, probe: &Arc<OnceCell<Answer>>) -> bool {
        let current = self.probes.get(key).is_some_and(|current| Arc::ptr_eq(current, probe));
        if current {
            self.probes.remove(key);
        }
        current
    }

    fn store(&mut self, key: Box<str>, verdict: Verdict, until: Instant, room: usize) {
        self.stored += 1;
        self.kept.insert(key.clone(), Kept { verdict, until, number: self.stored });
        self.order.push_back((self.stored, key));
        while self.kept.len() > room || self.order.len() > 2 * room {
            let Some((number, key)) = self.order.pop_front() else { return };
            if self.kept.get(&key).is_some_and(|kept| kept.number == number) {
                self.kept.remove(&key);
            }
        }
    }
}

/// Somebody who waits for a probe. The last one to leave takes the probe along, if it has come to nothing.
struct Waiter<'a> {
    cache: &'a VerifyCache,
    key: Box<str>,
    probe: Arc<OnceCell<Answer>>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut state = self.cache.lock();
        // Two: that of the table and this one. Others come only by the table, which is locked.
        if Arc::strong_count(&self.probe) == 2 {
            state.end_probe(&self.key, &self.probe);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::EnhancedCode;
    use std::cell::Cell;
    use tokio::time::sleep;

    const YES: Duration = Duration::from_secs(100);
    const KEEP: Lifetimes = Lifetimes { yes: YES, no: Duration::from_secs(10) };

    fn mailbox(text: &str) -> Mailbox {
        Mailbox::parse(text).unwrap()
    }

    fn no() -> Verdict {
        Verdict::No(Reply::new(550, EnhancedCode(5, 1, 1), "no such user"))
    }

    /// What a question at this time is answered, and whether it took a probe.
    async fn ask(cache: &VerifyCache, address: &str, now: Instant, answer: Answer) -> (Answer, bool) {
        let probed = Cell::new(false);
        let probe = || async {
            probed.set(true);
            answer
        };
        (cache.ask(&mailbox(address), now, KEEP, probe).await, probed.get())
    }

    #[tokio::test]
    async fn a_yes_and_a_no_are_kept_for_their_time_and_no_answer_is_not() {
        let (cache, start) = (VerifyCache::default(), Instant::now());
        let unanswered = || Err(Unanswered("timed out".to_owned()));
        let second = |n: u64| start + Duration::from_secs(n);
        for (address, now, answer, probed) in [
            ("a@x.example", 0, Ok(Verdict::Yes), true),
            ("a@X.example", 99, Ok(Verdict::Yes), false),
            ("A@x.example", 99, Ok(no()), true),
            ("a@x.example", 100, Ok(no()), true),
            ("a@x.example", 109, Ok(no()), false),
            ("a@x.example", 110, unanswered(), true),
            ("a@x.example", 110, unanswered(), true),
            ("a@x.example", 111, Ok(Verdict::Yes), true),
            ("\"a\"@x.example", 111, Ok(Verdict::Yes), false),
        ] {
            let got = ask(&cache, address, second(now), answer.clone()).await;
            assert_eq!(got, (answer, probed), "{address} at {now}");
        }
        assert!(cache.lock().probes.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_at_once_share_one_probe_and_its_failure() {
        for answer in [Ok(Verdict::Yes), Err(Unanswered("refused".to_owned()))] {
            let (cache, now, probes) = (VerifyCache::default(), Instant::now(), Cell::new(0));
            let alice = mailbox("alice@x.example");
            let question = || {
                cache.ask(&alice, now, KEEP, || async {
                    probes.set(probes.get() + 1);
                    sleep(Duration::from_secs(1)).await;
                    answer.clone()
                })
            };
            let (a, b, c) = tokio::join!(question(), question(), question());
            assert_eq!((&a, &b, &c, probes.get()), (&answer, &answer, &answer, 1));
            assert_eq!((cache.len(), cache.lock().probes.len()), (usize::from(answer.is_ok()), 0));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_takes_over_a_probe_that_is_left() {
        let (cache, now, alice) = (VerifyCache::default(), Instant::now(), mailbox("alice@x.example"));
        let slow = cache.ask(&alice, now, KEEP, || async {
            sleep(Duration::from_secs(60)).await;
            Ok(no())
        });
        let left = tokio::time::timeout(Duration::from_secs(1), slow);
        let other = cache.ask(&alice, now, KEEP, || async { Ok(Verdict::Yes) });
        let (left, other) = tokio::join!(left, other);
        assert!(left.is_err());
        assert_eq!(other, Ok(Verdict::Yes));
        let bob = mailbox("bob@x.example");
        let never = cache.ask(&bob, now, KEEP, std::future::pending);
        assert!(tokio::time::timeout(Duration::from_secs(1), never).await.is_err());
        assert!(cache.lock().probes.is_empty(), "nothing is left of a probe that nobody waits for");
    }

    #[tokio::test]
    async fn the_longest_known_make_room() {
        let cache = VerifyCache { room: 2, ..VerifyCache::default() };
        let start = Instant::now();
        for n in 0..50 {
            let now = start + YES * n;
            assert_eq!(ask(&cache, "often@x.example", now, Ok(Verdict::Yes)).await, (Ok(Verdict::Yes), true));
            assert!(cache.lock().order.len() <= 4);
        }
        let now = start + YES * 50;
        for address in ["a@x.example", "b@x.example", "c@x.example"] {
            assert!(ask(&cache, address, now, Ok(Verdict::Yes)).await.1);
        }
        assert_eq!(cache.len(), 2);
        assert!(!ask(&cache, "b@x.example", now, Ok(no())).await.1);
        assert!(ask(&cache, "a@x.example", now, Ok(no())).await.1, "the oldest went");
    }
}
