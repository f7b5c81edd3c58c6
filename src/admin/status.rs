//! How the server does, as `mailsluice status` tells it.

use super::commands::Ops;
use crate::accounts::lockout::Tally;
use crate::acme::Line;
use crate::event::Registered;
use crate::mail::Timestamp;
use crate::manifest::reload::Reloader;
use crate::spool::{Health, Usage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The whole of it. Names and meanings are a contract; more may come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The server's version.
    pub version: String,
    /// When it started.
    pub started: Timestamp,
    /// Seconds since then.
    pub uptime: u64,
    /// The snapshot in force; counts from 1.
    pub generation: u64,
    /// The last attempt to put another snapshot in force, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload_failure: Option<ReloadFailure>,
    /// Sessions at present.
    pub sessions: usize,
    /// Where connections come in, in the order of the settings.
    pub listeners: Vec<Listener>,
    /// Logins since the start, and who is locked out.
    #[serde(default)]
    pub logins: Logins,
    /// TLS with clients since the start.
    #[serde(default)]
    pub tls: Tls,
    /// What waits.
    pub queue: Queue,
    /// The store.
    pub spool: Spool,
    /// The record of what became of messages.
    pub history: History,
    /// The certificates that are fetched by ACME.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Line>,
    /// The loaded sinks by name.
    pub sinks: BTreeMap<String, Sink>,
}

/// A reload that did not pass; the snapshot before it is still in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadFailure {
    /// When it was tried.
    pub since: Timestamp,
    /// Why it did not pass, as `mailsluice check` would print it.
    pub error: String,
}

/// A listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Its name.
    pub name: String,
    /// The address that it is bound to.
    pub address: String,
    /// `mx`, `submission` or `lmtp`.
    pub role: String,
}

/// Logins of clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logins {
    /// Logins that succeeded.
    pub succeeded: u64,
    /// Logins that failed.
    pub failed: u64,
    /// Logins that were not looked at because of a lock.
    pub turned_away: u64,
    /// Users who are locked out at present, by name, whether they exist or not.
    pub locked_users: usize,
    /// Networks that are locked out at present.
    pub locked_networks: usize,
}

/// TLS with clients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// Handshakes that went well, by version: `TLSv1.3`.
    pub handshakes: BTreeMap<String, u64>,
    /// Handshakes that failed or were given up.
    pub failed: u64,
}

/// The queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Messages in it.
    pub messages: usize,
    /// Those of them that are parked.
    pub held: usize,
}

/// The store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spool {
    /// `ok`, or `sick`: new mail is turned away.
    pub state: String,
    /// Since when it is sick.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Why it is sick.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Messages.
    pub messages: u64,
    /// Octets of the messages.
    pub bytes: u64,
    /// Octets on the disk.
    pub disk: u64,
    /// Files of the log.
    pub segments: u64,
    /// What was there at the start is still being read: it is not counted yet, nor delivered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recovering: bool,
}

/// The history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Accounts that could not be written, so that `why` does not know them.
    pub dropped: u64,
}

/// A sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sink {
    /// `native`, `module` or `script`.
    #[serde(default)]
    pub kind: String,
    /// How long an instance of a module or script lives: `call`, `transaction` or `pool`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuse: Option<String>,
    /// Instances of a module or script that wait to be used again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<usize>,
    /// `ok`; `faulting`: its last call failed; or `open`: it failed too often and is not called for now.
    pub state: String,
    /// Faults since it was loaded.
    pub faults: u64,
    /// Faults in a row.
    pub streak: u64,
    /// The last fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_fault: Option<String>,
    /// Notify events that it was not told because it was behind.
    pub missed: u64,
    /// Lines of its log that were left out because there were too many.
    #[serde(default)]
    pub lines_left_out: u64,
    /// What it publishes about itself, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, serde_json::Number>,
}

impl Status {
    /// How the server does now.
    pub(super) fn of(ops: &Ops) -> Self {
        let snapshot = ops.current.pin();
        let now = ops.intake.clock.now();
        let bound = |index: usize, configured| ops.addresses.get(index).copied().unwrap_or(configured);
        let listeners = snapshot.settings.listeners.iter().enumerate().map(|(index, listener)| Listener {
            name: listener.name.clone(),
            address: bound(index, listener.address).to_string(),
            role: listener.role.as_str().to_owned(),
        });
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: ops.started,
            uptime: now.since(ops.started).as_secs(),
            generation: snapshot.generation,
            reload_failure: ops.reload.last_failure().map(|(since, error)| ReloadFailure { since, error }),
            sessions: ops.gate.count(),
            listeners: listeners.collect(),
            logins: Logins::of(ops.lockout.tally()),
            tls: Tls { handshakes: ops.handshakes.by_version(), failed: ops.handshakes.failed() },
            queue: Queue { messages: ops.queue.count(), held: ops.queue.held() },
            spool: Spool::of(ops.intake.spool.health(), ops.intake.spool.usage()),
            history: History { dropped: ops.history.dropped() },
            certificates: ops.certificates.lines(),
            sinks: snapshot.sinks.iter().map(|sink| (sink.name.to_string(), Sink::of(sink, &ops.reload))).collect(),
        }
    }
}

impl Logins {
    fn of(tally: Tally) -> Self {
        let Tally { users, networks, succeeded, failed, turned_away } = tally;
        Self { succeeded, failed, turned_away, locked_users: users, locked_networks: networks }
    }
}

impl Spool {
    fn of(health: Health, usage: Usage) -> Self {
        let (state, since, why) = match health {
            Health::Ok => ("ok", None, None),
            Health::Sick { since, why, .. } => ("sick", Some(since), Some(why)),
        };
        let Usage { messages, bytes, disk, segments, recovering } = usage;
        Self { state: state.to_owned(), since, why, messages, bytes, disk, segments, recovering }
    }
}

impl Sink {
    fn of(sink: &Registered, reloader: &Reloader) -> Self {
        let (health, vitals) = (sink.breaker.health(), sink.sink.vitals());
        Self {
            kind: vitals.map_or("native", |vitals| vitals.kind).to_owned(),
            reuse: vitals.map(|vitals| vitals.reuse.as_str().to_owned()),
            parked: vitals.map(|vitals| vitals.parked),
            state: health.state.to_owned(),
            faults: health.faults,
            streak: health.streak,
            last_fault: health.last_fault,
            missed: sink.missed(),
            lines_left_out: vitals.map_or(0, |vitals| vitals.left_out),
            metrics: reloader.metrics(&sink.name).into_iter().map(|(name, sample)| (name, sample.into())).collect(),
        }
    }
}
