//! The file: what was committed, in a B-tree on the disk.
//!
//! Three tables, changed together: the entries; the keys by sink and time when they are over; and what each sink uses.
//! A batch is committed whole, and durably, or not at all. A panic inside the engine, which a damaged file can cause,
//! is an error here.

use super::overlay::Changes;
use super::rules::{Entry, Usage};
use crate::mail::Timestamp;
use bytes::Bytes;
use redb::backends::FileBackend;
use redb::{Builder, Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Sink and key to the time when the value is over, in milliseconds, and the value.
const ENTRIES: TableDefinition<(&str, &str), Row> = TableDefinition::new("entries");
type Row = (Option<u64>, &'static [u8]);
/// Sink, time when the value is over, key.
const DUE: TableDefinition<(&str, u64, &str), ()> = TableDefinition::new("due");
/// Sink to keys and octets.
const USAGE: TableDefinition<&str, (u64, u64)> = TableDefinition::new("usage");

/// Pages that the engine keeps in memory, in octets.
const CACHE: usize = 64 << 20;

/// A committed state that can be read while the next one is written.
pub(super) struct Disk(Database);

/// Why the store can't be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key-value store {} can't be opened: {}", self.path.display(), self.message)
    }
}

impl std::error::Error for OpenError {}

/// Why the file was of no use.
#[derive(Debug)]
pub(super) enum DiskFault {
    /// What it holds can't be read: set it aside.
    Damaged(String),
    /// The disk, its space, its permissions or another process: may pass.
    Unavailable(String),
}

impl DiskFault {
    pub(super) fn message(&self) -> &str {
        match self {
            Self::Damaged(message) | Self::Unavailable(message) => message,
        }
    }
}

impl<E: Into<redb::Error>> From<E> for DiskFault {
    fn from(error: E) -> Self {
        use std::io::ErrorKind::{InvalidData, UnexpectedEof};
        match error.into() {
            redb::Error::Io(e) if !matches!(e.kind(), InvalidData | UnexpectedEof) => Self::Unavailable(e.to_string()),
            e @ (redb::Error::Io(_)
            | redb::Error::Corrupted(_)
            | redb::Error::UpgradeRequired(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TypeDefinitionChanged { .. }) => Self::Damaged(e.to_string()),
            redb::Error::DatabaseAlreadyOpen => Self::Unavailable("another process has it open".to_owned()),
            e => Self::Unavailable(e.to_string()),
        }
    }
}

/// One sink's part of a commit, and what the sink uses after it.
pub(super) struct Part {
    pub(super) sink: Arc<str>,
    pub(super) changes: Arc<Changes>,
    pub(super) usage: Usage,
}

impl Disk {
    /// Opens the file, or makes an empty one, and checks all of it. `now` names a damaged file that is set aside.
    pub(super) fn open(path: &Path, now: Timestamp) -> Result<Self, OpenError> {
        let fail = |message: String| OpenError { path: path.to_owned(), message };
        let damage = match Self::open_as_is(path) {
            Ok(disk) => return Ok(disk),
            Err(DiskFault::Unavailable(message)) => return Err(fail(message)),
            Err(DiskFault::Damaged(message)) => message,
        };
        let aside = aside(path, now);
        std::fs::rename(path, &aside)
            .map_err(|e| fail(format!("it is damaged ({damage}) and can't be moved to {}: {e}", aside.display())))?;
        tracing::error!(
            file = %path.display(), moved_to = %aside.display(), %damage,
            "the key-value store is damaged: it was moved aside, and what sinks kept is forgotten; no mail is affected"
        );
        Self::open_as_is(path).map_err(|fault| fail(fault.message().to_owned()))
    }

    fn open_as_is(path: &Path) -> Result<Self, DiskFault> {
        let new = !path.exists();
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let disk = Self::on(|builder| builder.create_with_backend(FileBackend::new(file)?))?;
        if new {
            let directory = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(directory)?.sync_all()?;
        }
        Ok(disk)
    }

    /// Opens what `make` makes of the settings.
    pub(super) fn on(
        make: impl FnOnce(&mut Builder) -> Result<Database, redb::DatabaseError>,
    ) -> Result<Self, DiskFault> {
        guarded(|| {
            let db = make(Builder::new().set_cache_size(CACHE).set_check_integrity_on_open(true))?;
            let tables = db.begin_write()?;
            tables.open_table(ENTRIES)?;
            tables.open_table(DUE)?;
            tables.open_table(USAGE)?;
            tables.commit()?;
            Ok(Self(db))
        })
    }

    /// The entry, whether its time is over or not.
    pub(super) fn get(&self, sink: &str, key: &str) -> Result<Option<Entry>, DiskFault> {
        guarded(|| {
            let entries = self.0.begin_read()?.open_table(ENTRIES)?;
            let Some(found) = entries.get((sink, key))? else { return Ok(None) };
            let (expires, value) = found.value();
            Ok(Some(Entry { value: Bytes::copy_from_slice(value), expires: expires.map(Timestamp) }))
        })
    }

    /// What each sink uses.
    pub(super) fn usage(&self) -> Result<Vec<(String, Usage)>, DiskFault> {
        guarded(|| {
            let mut all = Vec::new();
            for row in self.0.begin_read()?.open_table(USAGE)?.iter()? {
                let (sink, usage) = row?;
                let (keys, bytes) = usage.value();
                all.push((sink.value().to_owned(), Usage { keys, bytes }));
            }
            Ok(all)
        })
    }

    /// Up to `max` keys of the sink whose time is over.
    pub(super) fn due(&self, sink: &str, now: Timestamp, max: usize) -> Result<Vec<String>, DiskFault> {
        guarded(|| {
            let due = self.0.begin_read()?.open_table(DUE)?;
            let over = due.range((sink, 0, "")..(sink, now.0.saturating_add(1), ""))?;
            over.take(max).map(|row| Ok(row?.0.value().2.to_owned())).collect()
        })
    }

    /// Commits, durable on return.
    pub(super) fn commit(&self, parts: &[Part]) -> Result<(), DiskFault> {
        guarded(|| {
            let mut batch = self.0.begin_write()?;
            batch.set_durability(Durability::Immediate)?;
            {
                let mut entries = batch.open_table(ENTRIES)?;
                let mut due = batch.open_table(DUE)?;
                let mut usage = batch.open_table(USAGE)?;
                for part in parts {
                    let sink = &*part.sink;
                    for (key, entry) in &*part.changes {
                        let key = &**key;
                        let new = entry.as_ref().map(|e| (e.expires.map(|t| t.0), &*e.value));
                        let old = match new {
                            Some(new) => entries.insert((sink, key), new)?,
                            None => entries.remove((sink, key))?,
                        };
                        if let Some(over) = old.and_then(|old| old.value().0) {
                            due.remove((sink, over, key))?;
                        }
                        if let Some(over) = new.and_then(|(over, _)| over) {
                            due.insert((sink, over, key), ())?;
                        }
                    }
                    usage.insert(sink, (part.usage.keys, part.usage.bytes))?;
                }
            }
            batch.commit()?;
            Ok(())
        })
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disk")
    }
}

/// The engine checks what it reads, but may panic where a file was altered behind its back.
fn guarded<T>(call: impl FnOnce() -> Result<T, DiskFault>) -> Result<T, DiskFault> {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|_| Err(DiskFault::Damaged("the engine stopped on what it read".to_owned())))
}

/// `kv.redb.damaged-20261123T142507.123Z`, beside the file.
fn aside(path: &Path, now: Timestamp) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".damaged-{}", now.to_string().replace(['-', ':'], "")));
    name.into()
}
