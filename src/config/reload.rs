//! `[reload]`: what makes the server read its files again.

use super::diagnostic::Diagnostics;
use super::reader::Table;
use super::values::boolean;

/// How a reload begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// `watch`: by a change of the files; if false, only by SIGHUP or `mailsluice reload`. Default: true.
    pub watch: bool,
}

impl Reload {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics) -> Self {
        Self { watch: table.get("watch", found, boolean).unwrap_or(true) }
    }
}
