//! What the settings must fit: this machine and this process. Asked, never changed.

use nix::sys::resource::{Resource, getrlimit};
use nix::sys::statvfs::statvfs;
use nix::unistd::{Group, User};
use std::path::Path;

/// The machine's name; empty if it has none that is UTF-8.
pub(super) fn hostname() -> String {
    nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default()
}

/// How many files this process may open at most, after it has raised its own limit as far as it may.
pub(super) fn open_files() -> Option<u64> {
    getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(_soft, hard)| hard)
}

/// The size in octets of the disk that a directory lies on, or will lie on once it is made.
pub(super) fn disk_size(dir: &Path) -> Option<u64> {
    let there = dir.ancestors().find(|d| d.exists())?;
    let disk = statvfs(there).ok()?;
    // The fields differ in width from system to system.
    u64::try_from(u128::from(disk.blocks()) * u128::from(disk.fragment_size())).ok()
}

/// Whether a user is known; yes if that can't be found out.
pub(super) fn user_exists(name: &str) -> bool {
    !matches!(User::from_name(name), Ok(None))
}

/// Whether a group is known; yes if that can't be found out.
pub(super) fn group_exists(name: &str) -> bool {
    !matches!(Group::from_name(name), Ok(None))
}
