//! `[limits]`: how much of everything one client, one message and all of them together may have.

use super::diagnostic::Diagnostics;
use super::machine;
use super::reader::Table;
use super::values::{duration, duration_above_zero, integer, size, size_from};
use std::path::Path;
use std::time::Duration;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Files that the server has open besides its connections: segments, lists, sockets, logs.
const OTHER_FILES: u64 = 64;
const CONNECTIONS: u64 = 10_000;

/// The limits. Sizes are in octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `message-size`: the largest message. Default: 10 MiB.
    pub message_size: u64,
    /// `message-size-max`: up to which a sink may raise it for one message. Default: as `message-size`.
    pub message_size_max: u64,
    /// `recipients`: of one message; further ones get 452. Default: 1000.
    pub recipients: usize,
    /// `connections`: at a time. Default: 10000, or as many as the process may open files.
    pub connections: usize,
    /// `connections-per-client`: at a time from one address. Default: 200.
    pub connections_per_client: usize,
    /// `errors`: bad commands in one session, then 421. Default: 20.
    pub errors: usize,
    /// `idle-commands`: commands in one session that bring no message forward, then 421. Default: 100.
    pub idle_commands: usize,
    /// `line`: octets in a command line, its end included. Default: 2048.
    pub line: usize,
    /// `header-size`: the largest header. Default: 256 KiB.
    pub header_size: u64,
    /// `hops`: `Received` fields, then the message is refused as looping. Default: 50.
    pub hops: usize,
    /// `idle`: without a command, then 421. Default: 5 minutes.
    pub idle: Duration,
    /// `session`: in all, then 421 between messages. Default: 1 hour.
    pub session: Duration,
    /// `min-data-rate`: octets a second, averaged over a message once it has taken 30 s; 0 for none. Default: 64.
    pub min_data_rate: u64,
    /// `greeting-delay`: before the greeting, to find those who talk first. Default: none.
    pub greeting_delay: Duration,
    /// `free-space`: of data-dir's disk; with less, MAIL gets 452. Default: 1 GiB.
    pub free_space: u64,
    /// `draft-memory`: for messages being received, all together; more go into files. Default: 256 MiB.
    pub draft_memory: u64,
}

impl Limits {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics, data_dir: &Path) -> Self {
        let message_size = table.get("message-size", found, size_from(1)).unwrap_or(10 * MIB);
        let mut count = |key, table: &mut Table<'_>, default: usize| {
            table.get(key, found, integer(1..=i64::from(u32::MAX))).unwrap_or(default)
        };
        let recipients = count("recipients", table, 1000);
        let connections_per_client = count("connections-per-client", table, 200);
        let errors = count("errors", table, 20);
        let idle_commands = count("idle-commands", table, 100);
        let hops = count("hops", table, 50);
        let limits = Self {
            message_size,
            message_size_max: table.get("message-size-max", found, size_from(1)).unwrap_or(message_size),
            recipients,
            connections: connections(table, found),
            connections_per_client,
            errors,
            idle_commands,
            // RFC 5321 4.5.3.1.4: a server must take lines of 512 octets.
            line: table.get("line", found, integer(512..=65_536)).unwrap_or(2048),
            header_size: table.get("header-size", found, size_from(KIB)).unwrap_or(256 * KIB),
            hops,
            idle: table.get("idle", found, duration_above_zero).unwrap_or(Duration::from_secs(300)),
            session: table.get("session", found, duration_above_zero).unwrap_or(Duration::from_secs(3600)),
            min_data_rate: table.get("min-data-rate", found, integer(0..=i64::MAX)).unwrap_or(64),
            greeting_delay: table.get("greeting-delay", found, duration).unwrap_or_default(),
            free_space: table.get("free-space", found, size).unwrap_or(GIB),
            draft_memory: table.get("draft-memory", found, size).unwrap_or(256 * MIB),
        };
        limits.check(table, found, data_dir);
        limits
    }

    fn check(&self, table: &Table<'_>, found: &mut Diagnostics, data_dir: &Path) {
        if self.message_size > self.message_size_max {
            let told = found.error(table.place("message-size"), "`message-size` is larger than `message-size-max`");
            told.help("the latter is the bound up to which a sink may raise the former");
        }
        // RFC 5321 4.5.3.2: a client waits five minutes for the greeting.
        if self.greeting_delay > Duration::from_secs(240) {
            let told = found.error(table.place("greeting-delay"), "the delay is too long: clients would give up");
            told.label("must be at most 4 minutes");
        }
        if machine::disk_size(data_dir).is_some_and(|size| self.free_space > size) {
            let told = found.warning(table.place("free-space"), "`free-space` is more than the disk of data-dir has");
            told.label("no message will be accepted");
        }
    }
}

/// A default that the process can't keep is lowered; a number that somebody wrote is not.
fn connections(table: &mut Table<'_>, found: &mut Diagnostics) -> usize {
    let given: Option<u64> = table.get("connections", found, integer(1..=i64::from(u32::MAX)));
    let possible = machine::open_files().map_or(u64::MAX, |files| files.saturating_sub(OTHER_FILES));
    let wanted = given.unwrap_or(CONNECTIONS);
    if wanted > possible {
        let help = "raise the limit on open files: `ulimit -Hn`, or LimitNOFILE= of the service";
        let message = "this process may not open as many files as `connections` needs";
        match given {
            Some(_) => found.error(table.place("connections"), message).help(format!("lower it, or {help}")),
            None => found.warning(None, format!("{message}: taking fewer connections than 10000")).help(help),
        };
    }
    usize::try_from(wanted.min(possible.max(1))).unwrap_or(usize::MAX)
}
