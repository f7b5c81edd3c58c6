//! How often one may guess: failures are counted by user and by network, slow down the answer, and then lock out.
//!
//! A failure counts from the moment at which an attempt begins, so that a hundred connections at once have no more guesses
//! than one; an attempt that succeeds takes its count back. Names are counted whether they exist or not, and counts fade.
//! Where a user came in lately he has a count of his own: nobody else's guesses keep him out from there, and his own
//! forgotten password keeps nobody else out. All is in memory, bounded, and gone after a restart.

use super::network::Network;
use super::table::fold;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Counts that are kept of each kind.
const KEPT: usize = 65_536;
/// How long it is remembered where a user came in.
const LATELY: Duration = Duration::from_secs(30 * 86_400);
/// A network may have many users: it has so many times the failures of one.
const OF_A_NETWORK: u32 = 4;
/// The longest that an answer is held back.
const DELAY_MAX: Duration = Duration::from_secs(8);

/// How many failures are too many, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Failures of one user before he is locked out; four times as many for a network. 0: never.
    pub attempts: u32,
    /// For how long; as long as it takes for counts to fade.
    pub lockout: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self { attempts: 10, lockout: Duration::from_secs(15 * 60) }
    }
}

/// Who is locked out, for the log and never for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locked {
    /// The user.
    User,
    /// The client's network.
    Network,
}

impl Locked {
    /// As logs name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Network => "network",
        }
    }
}

/// How many are locked out at present, and how it has been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Users, by name, whether they exist or not.
    pub users: usize,
    /// Networks.
    pub networks: usize,
    /// Attempts that succeeded since the start.
    pub succeeded: u64,
    /// Attempts that failed since the start.
    pub failed: u64,
    /// Attempts that were turned away because of a lock since the start.
    pub turned_away: u64,
}

/// The counts.
#[derive(Debug, Default)]
pub struct Lockout(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    users: Counts<Box<str>>,
    networks: Counts<Network>,
    /// Of users where they came in lately.
    known: Counts<(Box<str>, Network)>,
    tally: Tally,
}

/// An attempt that has begun. Dropped without a word it counts as failed.
#[derive(Debug)]
pub struct Ticket {
    lockout: Arc<Lockout>,
    user: Option<Box<str>>,
    network: Network,
    known: bool,
    /// How long the answer is to be held back if it is a refusal.
    pub delay: Duration,
}

impl Lockout {
    /// An attempt begins: for a prepared name, if there is one yet, from an address.
    pub fn begin(self: &Arc<Self>, rules: Rules, user: Option<&str>, client: IpAddr) -> Result<Ticket, Locked> {
        let network = Network::of(client);
        let user: Option<Box<str>> = user.map(|name| fold(name).into());
        let now = Instant::now();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let both = user.clone().map(|name| (name, network));
        if let Some(pair) = &both
            && state.known.is_lately(pair, now)
        {
            let count = state.known.charge(pair.clone(), rules, 1, now).inspect_err(|()| state.tally.turned_away += 1);
            let delay = delay(count.map_err(|()| Locked::User)?);
            return Ok(Ticket { lockout: self.clone(), user, network, known: true, delay });
        }
        let by_network = state.networks.charge(network, rules, OF_A_NETWORK, now);
        let Ok(by_network) = by_network else {
            state.tally.turned_away += 1;
            return Err(Locked::Network);
        };
        let by_user = user.clone().map_or(Ok(0), |name| state.users.charge(name, rules, 1, now));
        let Ok(by_user) = by_user else {
            state.tally.turned_away += 1;
            return Err(Locked::User);
        };
        let count = by_user.max(by_network / OF_A_NETWORK);
        Ok(Ticket { lockout: self.clone(), user, network, known: false, delay: delay(count) })
    }

    /// How it stands.
    pub fn tally(&self) -> Tally {
        let now = Instant::now();
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Tally { users: state.users.locked(now), networks: state.networks.locked(now), ..state.tally }
    }
}

impl Ticket {
    /// The attempt succeeded: it counts no more, and the user is known here from now on.
    pub fn succeed(self) {
        let now = Instant::now();
        let lockout = self.lockout.clone();
        let mut state = lockout.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.tally.succeeded += 1;
        self.uncharge(&mut state);
        if let Some(name) = self.user {
            state.known.welcome((name, self.network), now);
        }
    }

    /// The attempt failed.
    pub fn fail(self) {
        self.lockout.0.lock().unwrap_or_else(PoisonError::into_inner).tally.failed += 1;
    }

    /// Nothing was found out: the attempt does not count.
    pub fn give_back(self) {
        let lockout = self.lockout.clone();
        self.uncharge(&mut lockout.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn uncharge(&self, state: &mut State) {
        match (&self.user, self.known) {
            (Some(name), true) => state.known.uncharge(&(name.clone(), self.network)),
            (Some(name), false) => {
                state.users.uncharge(name);
                state.networks.uncharge(&self.network);
            }
            (None, _) => state.networks.uncharge(&self.network),
        }
    }
}

/// 1 s for the second failure, twice as long for each further one.
fn delay(count: u32) -> Duration {
    let doubled = 1u64.checked_shl(count.saturating_sub(2)).unwrap_or(u64::MAX);
    if count < 2 { Duration::ZERO } else { Duration::from_secs(doubled).min(DELAY_MAX) }
}

/// Failures of one.
#[derive(Clone, Copy, Debug)]
struct Count {
    /// In thousandths, so that they can fade.
    failures: u64,
    at: Instant,
    locked_until: Option<Instant>,
    welcomed: Option<Instant>,
}

#[derive(Debug)]
struct Counts<K>(HashMap<K, Count>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash + Clone> Counts<K> {
    /// One failure more, and how many there are now; or nothing but that it is locked.
    fn charge(&mut self, key: K, rules: Rules, times: u32, now: Instant) -> Result<u32, ()> {
        let most = u64::from(rules.attempts) * u64::from(times) * 1000;
        if most == 0 {
            return Ok(0);
        }
        if self.0.len() >= KEPT && !self.0.contains_key(&key) {
            self.make_room(rules, now);
        }
        let count = self.0.entry(key).or_insert(Count { failures: 0, at: now, locked_until: None, welcomed: None });
        if count.locked_until.is_some_and(|until| now < until) {
            return Err(());
        }
        count.locked_until = None;
        count.fade(most, rules.lockout, now);
        count.failures += 1000;
        if count.failures >= most {
            // This attempt may still be made: it is the last one.
            count.locked_until = Some(now + rules.lockout);
        }
        Ok(u32::try_from(count.failures.div_ceil(1000)).unwrap_or(u32::MAX))
    }

    fn uncharge(&mut self, key: &K) {
        if let Some(count) = self.0.get_mut(key) {
            count.failures = count.failures.saturating_sub(1000);
            count.locked_until = None;
        }
    }

    fn welcome(&mut self, key: K, now: Instant) {
        if self.0.len() >= KEPT && !self.0.contains_key(&key) {
            self.make_room(Rules::default(), now);
        }
        let new = Count { failures: 0, at: now, locked_until: None, welcomed: Some(now) };
        self.0.entry(key).and_modify(|count| count.welcomed = Some(now)).or_insert(new);
    }

    fn is_lately(&self, key: &K, now: Instant) -> bool {
        let welcomed = self.0.get(key).and_then(|count| count.welcomed);
        welcomed.is_some_and(|at| now.saturating_duration_since(at) < LATELY)
    }

    fn locked(&self, now: Instant) -> usize {
        self.0.values().filter(|count| count.locked_until.is_some_and(|until| now < until)).count()
    }

    /// Forgets what has faded, and if that is little, the quarter that matters least.
    fn make_room(&mut self, rules: Rules, now: Instant) {
        self.0.retain(|_, count| {
            let fresh = now.saturating_duration_since(count.at) < rules.lockout;
            fresh || count.welcomed.is_some_and(|at| now.saturating_duration_since(at) < LATELY)
        });
        if self.0.len() > KEPT / 4 * 3 {
            let mut ranks: Vec<(bool, u64, Instant)> = self.0.values().map(Count::rank).collect();
            let (_, least, _) = ranks.select_nth_unstable(KEPT / 4);
            let least = *least;
            self.0.retain(|_, count| count.rank() > least);
        }
    }
}

impl Count {
    /// All failures fade within the time of a lockout.
    fn fade(&mut self, most: u64, over: Duration, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_millis();
        let faded = passed.saturating_mul(u128::from(most)) / over.as_millis().max(1);
        self.failures = self.failures.saturating_sub(u64::try_from(faded).unwrap_or(u64::MAX));
        self.at = now;
    }

    /// The less, the less it matters.
    fn rank(&self) -> (bool, u64, Instant) {
        (self.locked_until.is_some(), self.failures, self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { attempts: 3, lockout: Duration::from_secs(60) };

    fn lockout() -> Arc<Lockout> {
        Arc::default()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Fails, and how long the answer waits.
    fn fail(lockout: &Arc<Lockout>, user: &str, client: &str) -> Result<u64, Locked> {
        let ticket = lockout.begin(RULES, Some(user), ip(client))?;
        let delay = ticket.delay.as_secs();
        ticket.fail();
        Ok(delay)
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_is_slowed_down_locked_out_and_let_in_again() {
        let lockout = lockout();
        let tries: Vec<_> = (0..5).map(|n| fail(&lockout, "alice", &format!("192.0.{n}.1"))).collect();
        assert_eq!(tries, [Ok(0), Ok(1), Ok(2), Err(Locked::User), Err(Locked::User)]);
        assert_eq!(fail(&lockout, "ALICE", "198.51.100.1"), Err(Locked::User));
        assert_eq!(fail(&lockout, "bob", "198.51.100.1"), Ok(0));
        let tally = lockout.tally();
        assert_eq!((tally.users, tally.networks, tally.failed, tally.turned_away), (1, 0, 4, 3));
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(fail(&lockout, "alice", "192.0.2.1"), Ok(0));
        assert_eq!(lockout.tally().users, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_is_locked_out_whatever_the_names() {
        let lockout = lockout();
        for n in 0..12 {
            assert!(fail(&lockout, &format!("u{n}"), &format!("192.0.2.{n}")).is_ok(), "{n}");
        }
        assert_eq!(fail(&lockout, "other", "192.0.2.99"), Err(Locked::Network));
        assert!(lockout.begin(RULES, None, ip("192.0.2.99")).is_err());
        assert_eq!(fail(&lockout, "other", "192.0.3.1"), Ok(0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_came_in_from_there_lately_is_not_kept_out_by_others() {
        let lockout = lockout();
        lockout.begin(RULES, Some("alice"), ip("192.0.2.1")).unwrap().succeed();
        for n in 0..20 {
            let _ = fail(&lockout, "alice", &format!("198.51.{n}.1"));
            let _ = fail(&lockout, &format!("u{n}"), "192.0.2.7");
        }
        assert_eq!(fail(&lockout, "alice", "203.0.113.1"), Err(Locked::User));
        assert_eq!(fail(&lockout, "bob", "192.0.2.1"), Err(Locked::Network));
        lockout.begin(RULES, Some("alice"), ip("192.0.2.200")).unwrap().succeed();
        // His own failures count there.
        let tries: Vec<_> = (0..4).map(|_| fail(&lockout, "alice", "192.0.2.1")).collect();
        assert_eq!(tries, [Ok(0), Ok(1), Ok(2), Err(Locked::User)]);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_at_the_same_time_are_no_more_guesses() {
        let lockout = lockout();
        let open: Vec<_> = (0..9).map(|n| lockout.begin(RULES, Some("alice"), ip(&format!("192.0.{n}.1")))).collect();
        assert_eq!(open.iter().filter(|ticket| ticket.is_ok()).count(), 3);
        // One that finds nothing out does not count, one that breaks off does.
        let mut open = open.into_iter().flatten();
        open.next().unwrap().give_back();
        drop(open);
        assert_eq!(fail(&lockout, "alice", "192.0.20.1"), Ok(2));
        assert!(fail(&lockout, "alice", "192.0.21.1").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_and_locks_are_kept_longest() {
        let lockout = lockout();
        for n in 0..3 {
            fail(&lockout, "locked", &format!("10.0.{n}.1")).unwrap();
        }
        for n in 0..200_000u32 {
            let client = IpAddr::from((0x0b00_0000 + n * 256).to_be_bytes());
            if let Ok(ticket) = lockout.begin(RULES, Some(&format!("u{n}")), client) {
                ticket.fail();
            }
        }
        let state = lockout.0.lock().unwrap();
        assert!(state.users.0.len() <= KEPT && state.networks.0.len() <= KEPT);
        drop(state);
        assert_eq!(fail(&lockout, "locked", "172.16.0.1"), Err(Locked::User));
    }

    #[test]
    fn zero_attempts_lock_nobody() {
        let lockout = lockout();
        let rules = Rules { attempts: 0, ..RULES };
        for _ in 0..100 {
            lockout.begin(rules, Some("a"), ip("192.0.2.1")).unwrap().fail();
        }
    }
}
