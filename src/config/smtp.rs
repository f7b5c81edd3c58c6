//! `[smtp]`: what the protocol gives away.

use super::diagnostic::Diagnostics;
use super::reader::Table;
use super::values::boolean;

/// Commands that are off unless asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Smtp {
    /// `vrfy`: answer VRFY by the list of users; otherwise always 252. Default: false.
    pub vrfy: bool,
    /// `expn`: answer EXPN. Default: false.
    pub expn: bool,
}

impl Smtp {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics) -> Self {
        Self {
            vrfy: table.get("vrfy", found, boolean).unwrap_or(false),
            expn: table.get("expn", found, boolean).unwrap_or(false),
        }
    }
}
