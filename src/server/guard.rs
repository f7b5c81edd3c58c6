//! Guards: the core's own checks, which run before any sink.
//!
//! Syntax, order and counts are the machine's. Here: the existence of a local recipient, the right to relay, room for the message.

use crate::config::Settings;
use crate::mail::{EnhancedCode, Reply, Standing};
use crate::spool::{Health, Spool};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

const NO_SUCH_USER: Reply = Reply::new(550, EnhancedCode(5, 1, 1), "No such user here");
const NO_RELAY: Reply = Reply::new(
    550,
    EnhancedCode(5, 7, 1),
    "Relaying denied: this domain is not ours, and you may not send elsewhere through us",
);
const NO_ROOM: Reply =
    Reply::new(452, EnhancedCode(4, 3, 1), "Not enough room for mail at present; please try again later");
const SICK: Reply = Reply::new(451, EnhancedCode(4, 3, 0), "Mail can't be stored at present; please try again later");

/// What a recipient of this standing is told, if no sink vouches for it.
pub(super) fn refusal(standing: Standing) -> Option<Reply> {
    match standing {
        Standing::Local | Standing::Relay => None,
        Standing::Unknown => Some(NO_SUCH_USER),
        Standing::Denied => Some(NO_RELAY),
    }
}

/// Free space is looked at this often at most.
const LOOK: Duration = Duration::from_secs(1);

/// The free space where messages are kept.
#[derive(Debug)]
pub struct Room {
    started: Instant,
    looked: AtomicU64,
    free: AtomicU64,
}

impl Default for Room {
    fn default() -> Self {
        Self { started: Instant::now(), looked: AtomicU64::new(0), free: AtomicU64::new(u64::MAX) }
    }
}

impl Room {
    /// Octets free below `folder`, as of a moment ago.
    pub fn free(&self, folder: &Path) -> u64 {
        // Milliseconds since the start, plus one period, so that the first look is due.
        let now = (self.started.elapsed() + LOOK).as_millis() as u64;
        let last = self.looked.load(Relaxed);
        let due = now >= last + LOOK.as_millis() as u64;
        if due && self.looked.compare_exchange(last, now, Relaxed, Relaxed).is_ok() {
            match nix::sys::statvfs::statvfs(folder) {
                Ok(stat) => {
                    self.free.store(stat.blocks_available().saturating_mul(stat.fragment_size()), Relaxed);
                }
                Err(error) => tracing::warn!(%error, folder = %folder.display(), "the free space can't be told"),
            }
        }
        self.free.load(Relaxed)
    }

    /// Why a message of this declared size can't be taken now.
    pub(super) fn refusal(&self, size: Option<u64>, settings: &Settings, spool: &dyn Spool) -> Option<Reply> {
        if let Health::Sick { full, .. } = spool.health() {
            return Some(if full { NO_ROOM } else { SICK });
        }
        let wanted = settings.limits.free_space.saturating_add(size.unwrap_or(0));
        (self.free(&settings.data_dir) < wanted).then_some(NO_ROOM)
    }
}
