//! What came of connections, counted by destination and day, in bounded memory (RFC 8460 4).
//!
//! They are counted in memory; [`super::kept`] takes them over a restart.

use crate::event::host::Tlsa;
use crate::mail::Timestamp;
use crate::tls::client::demand::By;
use crate::tls::client::{Demand, Failure, Kind};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Destinations of which a day is kept. Others are not counted.
const DOMAINS_MAX: usize = 10_000;
/// Kinds of failures that are told apart for one destination. Others are counted, and not detailed.
const DETAILS_MAX: usize = 100;
/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// By what a host was held to TLS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// TLSA records, as in zone files.
    Tlsa(Vec<String>),
    /// A policy of MTA-STS.
    Sts,
    /// Nothing that the destination has published.
    None,
}

/// One try at TLS.
#[derive(Clone, Debug)]
pub struct Tried<'a> {
    /// The domain whose mail it was.
    pub domain: &'a str,
    /// By what.
    pub basis: Basis,
    /// The host.
    pub host: &'a str,
    /// Where it was reached; none if it was not even tried.
    pub ip: Option<IpAddr>,
    /// What came of it.
    pub result: Result<(), &'a Failure>,
}

/// A failure that is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Detail {
    /// What.
    pub kind: Kind,
    /// Whose.
    pub host: String,
    /// Where.
    pub ip: Option<IpAddr>,
}

/// The counts of one destination under one policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Connections that were as secure as they had to be.
    pub successes: u64,
    /// Those that were not.
    pub failures: u64,
    /// Hosts that were tried.
    pub hosts: Vec<String>,
    /// What the failures were, each with its count and the words of the last.
    pub details: BTreeMap<Detail, (u64, String)>,
}

/// The counts of a day, by domain and policy.
pub type Day = BTreeMap<(String, Basis), Tally>;

/// The counts of days, by day.
pub type Days = BTreeMap<u64, Day>;

/// Counts.
#[derive(Clone, Default)]
pub struct Collector(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    days: Days,
    /// They are others than when they were last kept.
    changed: bool,
}

/// The day that a time is in, counted from 1970 in UTC.
pub fn day_of(now: Timestamp) -> u64 {
    now.0 / DAY
}

/// When a day begins.
pub fn start_of(day: u64) -> Timestamp {
    Timestamp(day * DAY)
}

impl Basis {
    /// What a demand rests on. The operator's own policies are nobody else's business.
    pub fn of(demand: &Demand) -> Self {
        match demand {
            Demand::Dane { records, .. } => Self::Tlsa(records.iter().map(Tlsa::to_string).collect()),
            Demand::Verified { by: By::MtaSts, .. } | Demand::Tested { .. } => Self::Sts,
            _ => Self::None,
        }
    }
}

impl Collector {
    /// Counts one.
    pub fn note(&self, now: Timestamp, tried: Tried<'_>) {
        let mut counts = self.lock();
        counts.changed = true;
        let day = counts.days.entry(day_of(now)).or_default();
        let key = (tried.domain.to_owned(), tried.basis);
        if day.len() >= DOMAINS_MAX && !day.contains_key(&key) {
            return;
        }
        let tally = day.entry(key).or_default();
        if tally.hosts.len() < DETAILS_MAX && !tally.hosts.iter().any(|host| host == tried.host) {
            tally.hosts.push(tried.host.to_owned());
        }
        let Err(failure) = tried.result else {
            tally.successes += 1;
            return;
        };
        tally.failures += 1;
        let detail = Detail { kind: failure.kind, host: tried.host.to_owned(), ip: tried.ip };
        if tally.details.len() < DETAILS_MAX || tally.details.contains_key(&detail) {
            let (count, text) = tally.details.entry(detail).or_default();
            *count += 1;
            failure.text.clone_into(text);
        }
    }

    /// What there is to report on days that are over: each with its domains.
    pub fn before(&self, today: u64) -> BTreeSet<(u64, String)> {
        let counts = self.lock();
        let over = counts.days.range(..today);
        over.flat_map(|(day, counts)| counts.keys().map(|(domain, _)| (*day, domain.clone()))).collect()
    }

    /// The counts of a domain on a day.
    pub fn of(&self, day: u64, domain: &str) -> Day {
        let counts = self.lock();
        let all = counts.days.get(&day).into_iter().flatten();
        all.filter(|((of, _), _)| of == domain).map(|(key, tally)| (key.clone(), tally.clone())).collect()
    }

    /// Forgets the counts of a domain on a day.
    pub fn remove(&self, day: u64, domain: &str) {
        let mut counts = self.lock();
        counts.changed = true;
        if let Some(of_day) = counts.days.get_mut(&day) {
            of_day.retain(|(of, _), _| of != domain);
            if of_day.is_empty() {
                counts.days.remove(&day);
            }
        }
    }

    /// All counts, to be kept, if they are others than the last time.
    pub(super) fn changed(&self) -> Option<Days> {
        let mut counts = self.lock();
        std::mem::take(&mut counts.changed).then(|| counts.days.clone())
    }

    /// They could not be kept.
    pub(super) fn not_kept(&self) {
        self.lock().changed = true;
    }

    /// Counts on from what was kept, before anything else is counted.
    pub(super) fn resume(&self, days: Days) {
        self.lock().days = days;
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
