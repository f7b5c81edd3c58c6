//! `[smtp]`: what the protocol gives away.

use super::diagnostic::Diagnostics;
use super::reader::Table;
use super::values::boolean;

/// Which commands are answered, where a listener does not say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Smtp {
    /// `vrfy`: answer VRFY by the list of users; otherwise always 252. Default: false.
    pub vrfy: bool,
    /// `expn`: answer EXPN with the members of a list; otherwise 502. Default: false.
    pub expn: bool,
    /// `help`: answer HELP with the commands that are offered; otherwise 502. Default: true.
    pub help: bool,
}

impl Default for Smtp {
    fn default() -> Self {
        Self { vrfy: false, expn: false, help: true }
    }
}

impl Smtp {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics) -> Self {
        let default = Self::default();
        Self {
            vrfy: table.get("vrfy", found, boolean).unwrap_or(default.vrfy),
            expn: table.get("expn", found, boolean).unwrap_or(default.expn),
            help: table.get("help", found, boolean).unwrap_or(default.help),
        }
    }
}
