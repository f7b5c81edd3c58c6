//! `[ledger]`: how long refused transactions are remembered.
//!
//! The ledger of an accepted message lives with the message; this is the rotating store of the others.

use super::diagnostic::Diagnostics;
use super::reader::Table;
use super::values::{duration_above_zero, size_from};
use std::time::Duration;

/// The bounds of the store; whichever is reached first counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// `keep`: for how long. Default: 7 days.
    pub keep: Duration,
    /// `size`: octets on disk, at least 64 KiB. Default: 64 MiB.
    pub size: u64,
}

impl Ledger {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics) -> Self {
        Self {
            keep: table.get("keep", found, duration_above_zero).unwrap_or(Duration::from_secs(7 * 86_400)),
            size: table.get("size", found, size_from(64 << 10)).unwrap_or(64 << 20),
        }
    }
}
